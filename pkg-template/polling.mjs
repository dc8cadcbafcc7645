// The client of the gateway without WebSockets, for the entries that have the wasm: servers import them, and pay for each byte
// at each start.

import { makeClient } from "./client/create.mjs";
import { poll } from "./client/poll.mjs";

export function createClient(options) {
  return makeClient(options, poll);
}
