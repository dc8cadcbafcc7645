// All connections, read page by page. The gateway filters by exact values only, so names are searched here.

const PER_CALL = 100;
/** How many connections are read before somebody asks for more. A call costs one list operation of Workers KV. */
const AT_ONCE = 1_000;

const lists = new WeakMap();

/** The list of a session. It is forgotten with the session. */
export function listOf(api) {
  if (!lists.has(api)) lists.set(api, new ConnectionList(api));
  return lists.get(api);
}

class ConnectionList {
  #api;
  #cursor;
  #limit = AT_ONCE;
  #loading;
  #byHandle = new Map();
  /** Whether all have been read. */
  isComplete = false;
  /** Whether it reads on only if somebody asks for more. */
  get isPaused() {
    return !this.isComplete && this.#byHandle.size >= this.#limit;
  }

  constructor(api) {
    this.#api = api;
  }

  /** Those that have been read, the newest change first. */
  all() {
    return [...this.#byHandle.values()].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : a.updatedAt > b.updatedAt ? -1 : 0));
  }

  get size() {
    return this.#byHandle.size;
  }

  /** Reads on until all have been read, or as many as are read at once. `onPage` is called after each page. */
  async load(onPage) {
    while (this.#loading) await this.#loading.catch(() => {});
    if (this.isComplete || this.isPaused) return;
    this.#loading = this.#readPages(onPage);
    await this.#loading.finally(() => (this.#loading = undefined));
  }

  /** Reads on beyond those that are read at once. */
  loadMore(onPage) {
    this.#limit += AT_ONCE;
    return this.load(onPage);
  }

  /** Reads all of them again. Until then, those that were there are still there. */
  async reload(onPage) {
    while (this.#loading) await this.#loading.catch(() => {});
    this.#cursor = undefined;
    this.isComplete = false;
    const fresh = new Map();
    this.#loading = this.#readPages(onPage, fresh);
    await this.#loading.finally(() => (this.#loading = undefined));
    this.#byHandle = fresh;
  }

  /** Puts in what another call has told. */
  put(record) {
    this.#byHandle.set(record.handle, record);
  }

  async #readPages(onPage, into = this.#byHandle) {
    do {
      const page = await this.#api.get("/edge/connections", { query: { limit: PER_CALL, cursor: this.#cursor } });
      for (const record of page.list) into.set(record.handle, record);
      this.#cursor = page.cursor;
      this.isComplete = page.cursor === undefined;
      onPage?.();
    } while (!this.isComplete && into.size < this.#limit);
  }
}

/** Whether a connection has these words in its name, user or handle. */
export function matches(record, search) {
  const { metadata, userData, clientReferenceId, platformUserId, handle } = record;
  const fields = [metadata?.displayName, metadata?.username, userData?.name, clientReferenceId, platformUserId, handle];
  const text = fields.filter(Boolean).join("\n").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/**
 * Asks the gateway for the connections that have exactly this handle or user. It finds one that was not read yet, and one that is too new
 * for the list.
 */
export async function findExactly(api, search, signal) {
  if (/^acct_[0-9a-f]{32}$/.test(search)) {
    const found = await api.get(`/edge/connections/${search}`, { signal }).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
    return found ? [found] : [];
  }
  const keys = ["clientReferenceId", ...(/^\d+$/.test(search) ? ["platformUserId"] : [])];
  const answers = await Promise.all(keys.map((key) => api.get("/edge/connections", { query: { [key]: search, limit: PER_CALL }, signal })));
  return answers.flatMap(({ list }) => list);
}
