export * from "./index.js";

/** A compiled WebAssembly module, where the compiler knows that type. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : object;

/** The wasm, compiled or as bytes. */
export type WasmSource = WasmModule | Uint8Array | ArrayBuffer;

/** The answer of a `fetch`. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Where the wasm is: the thing itself, a URL to fetch, or a response. */
export type InitSource = WasmSource | string | { readonly href: string } | ResponseLike;

/**
 * Loads the wasm; every other function of this entry wants it done. Called again, does nothing.
 *
 * @param source `ofauth_edge.wasm`; without it, the file beside this module is fetched, which browsers and the
 * bundlers that know `new URL("…", import.meta.url)` can do. In Node pass the bytes; CommonJS has no file beside it.
 * @throws {Error} If the wasm cannot be fetched or compiled; may be tried again.
 */
export function init(source?: InitSource | Promise<InitSource>): Promise<void>;

/** The same at once, from a module or its bytes. */
export function initSync(source: WasmSource): void;
