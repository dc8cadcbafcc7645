// The emulator as a program, for `make run`. Configuration comes from the environment only, so that no secret shows in a
// process list:
//
//   OFAUTH_API_KEY         the key it lets in (required)
//   PORT                   8788 if unset; 0 picks a free one
//   WEBHOOK_URL            where POST /_emulator/webhooks sends
//   OFAUTH_WEBHOOK_SECRET  signs the ofauth scheme
//   SVIX_WEBHOOK_SECRET    signs the svix scheme
//   CONNECTIONS_FILE       keeps the connections for the next run (saved-connections.mjs); without one they are forgotten
//   FIRST_CONNECTION       a connection as JSON, which is there at the first run: as long as there is no such file
//
// A secret may be a list as the gateway takes it (commas, newest first): the newest signs.

import { startEmulator } from "./emulator.mjs";
import { keepConnections } from "./saved-connections.mjs";

try {
  const emulator = await startEmulator(configuration(process.env));
  setUpConnections(emulator.connections, process.env);
  console.log(`OFAuth emulator listening on ${emulator.url}`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await emulator.close();
      process.exit(0);
    });
  }
} catch (error) {
  console.error(`emulator: ${error.message}`);
  process.exitCode = 1;
}

function configuration(env) {
  const { PORT = "8788", OFAUTH_API_KEY: apiKey, WEBHOOK_URL: url } = env;
  if (!apiKey) throw new Error("OFAUTH_API_KEY is not set");
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Error("PORT is not a port number");
  if (url && !URL.canParse(url)) throw new Error("WEBHOOK_URL is not a URL");
  const webhooks = { url, ofauthSecret: newest(env.OFAUTH_WEBHOOK_SECRET), svixSecret: newest(env.SVIX_WEBHOOK_SECRET) };
  return { apiKey, port: Number(PORT), webhooks };
}

function setUpConnections(connections, { CONNECTIONS_FILE: file, FIRST_CONNECTION: first, OFAUTH_API_KEY: apiKey }) {
  const result = file ? keepConnections(connections, file, apiKey) : "none";
  if (result === "unreadable") {
    console.log("The connections of the last run were linked under another OFAUTH_API_KEY. The emulator starts without them");
  }
  if (first && result !== "restored") connections.put(JSON.parse(first));
}

function newest(secrets) {
  return secrets?.split(",")[0];
}
