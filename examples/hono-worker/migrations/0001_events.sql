CREATE TABLE events (digest TEXT PRIMARY KEY, type TEXT NOT NULL, received_at INTEGER NOT NULL);
CREATE TABLE connections (id_hash TEXT PRIMARY KEY, user TEXT, status TEXT, version INTEGER NOT NULL);
