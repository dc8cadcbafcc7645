// The client of the gateway. It needs only `fetch`, no wasm. Where the platform has WebSockets, `live` uses one.

export { createClient } from "./client/create.mjs";
