import type { WasmModule } from "./slim.js";

/**
 * The wasm, as a module that the bundler or the platform has compiled. Pass it to `initSync` of `ofauth-edge/slim`. Next.js's edge
 * runtime needs `ofauth-edge/ofauth_edge.wasm?module`.
 */
declare const module: WasmModule;
export default module;
