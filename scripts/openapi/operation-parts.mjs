// What the operations share: who may call, what may fail, and parameters.

export const ALL = ["server", "page", "console"];
export const STORED = ["STORAGE_UNAVAILABLE"];
export const SEALED = ["STORAGE_UNAVAILABLE", "STORAGE_KEY_MISSING"];

export const query = (name, description, schema = { type: "string" }) => ({ name, in: "query", description, schema });
export const connection = {
  name: "connection",
  in: "path",
  required: true,
  description: "The handle of a connection. A server may also use the connection id, percent-encoded.",
  schema: { type: "string" },
  example: "acct_0635f7239bbba1dd908a651d100012e6",
};
export const limit = query("limit", "The length of a page.", { type: "integer", minimum: 1, maximum: 100, default: 20 });
export const cursor = query("cursor", "The `cursor` of the page before, with the same filters.");
