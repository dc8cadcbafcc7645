// The client of the gateway. It needs only `fetch`, no wasm. Where the platform has WebSockets, `live` uses one.

import { makeClient } from "./client/create.mjs";
import { live } from "./client/live.mjs";

export function createClient(options) {
  return makeClient(options, (list, ...rest) => live(options.apiKey === undefined, ...rest));
}
