// Tells Miniflare how to bind the KV of faults.mjs: as an object with KV's five methods, which is what a Worker sees of a
// namespace. A plain service binding would not do, since every property of one is a remote method, even `call`.

import { fileURLToPath } from "node:url";

const MODULE = "faults:kv";
const TYPE = "unsafe:faulty-kv";

export const plugins = {
  faults: {
    getBindings({ config }) {
      const names = Object.keys(config.env).filter((name) => config.env[name].type === TYPE);
      const service = { name: "core:user:faults", entrypoint: "FaultyKv" };
      return names.map((name) => ({ name, wrapped: { moduleName: MODULE, innerBindings: [{ name: "kv", service }] } }));
    },
    getNodeBindings: () => ({}),
    getServices: () => [],
    getExtensions: () => [{ modules: [{ name: MODULE, esModule: SOURCE, internal: true }] }],
  },
};

/** The `unsafeBindings` entry that binds it. */
export const faultyKv = (name) => ({
  name,
  type: "faulty-kv",
  plugin: { package: fileURLToPath(import.meta.url), name: "faults" },
  options: {},
});

const SOURCE = `
  const METHODS = ["get", "getWithMetadata", "put", "list", "delete"];
  export default ({ kv }) =>
    Object.fromEntries(METHODS.map((name) => [name, async (...given) => await kv[name](...given)]));
`;
