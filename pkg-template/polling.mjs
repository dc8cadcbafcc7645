// The client of the gateway without WebSockets, for the entries that have the wasm: servers import them, and pay for each byte
// at each start.

import { makeClient } from "./client/create.mjs";
import { poll } from "./client/poll.mjs";

// client.js of the package imports these from here, so that each is in it once.
export { check } from "./client/check.mjs";
export { iterate } from "./client/iterate.mjs";
export { failure } from "./client/response.mjs";
export { makeClient };

export function createClient(options) {
  return makeClient(options, poll);
}
