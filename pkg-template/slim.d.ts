export * from "./index.js";

/** A compiled WebAssembly module. If the compiler does not know that type, any object. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : object;

/** The wasm, as a compiled module or as bytes. */
export type WasmSource = WasmModule | Uint8Array | ArrayBuffer;

/** The part of a `Response` that `init` uses. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Where to get the wasm from: a module, its bytes, a URL to fetch, or a response. */
export type InitSource = WasmSource | string | { readonly href: string } | ResponseLike;

/**
 * Loads the wasm. Call it before any other function of this entry. Calls after the first do nothing.
 *
 * @param source `ofauth_edge.wasm`. Without it, the file beside this module is fetched. That works in browsers and with
 * bundlers that support `new URL("…", import.meta.url)`. In Node and in CommonJS, pass the bytes.
 * @throws {Error} If the wasm cannot be fetched or compiled. You may call it again.
 */
export function init(source?: InitSource | Promise<InitSource>): Promise<void>;

/**
 * Loads the wasm synchronously, from a module or its bytes. Calls after the first do nothing.
 *
 * @throws {Error} If the bytes cannot be compiled.
 */
export function initSync(source: WasmSource): void;
