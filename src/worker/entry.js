// The module that Workers loads. It hands requests and alarms to the wasm, and starts the wasm anew after a panic.
//
// scripts/bundle.mjs puts it in the place of worker-build's own entry. That one puts a Proxy in front of every class,
// object and method, and each call goes through a dozen traps, which the engine does not optimise. It also declares the
// objects without `extends DurableObject`, so that they could not be called by RPC.

import { DurableObject } from "cloudflare:workers";
import * as wasm from "./index.js";
import { reconcilerClass } from "./reconcile/reconciler.js";

// `criticalError` is set by a panic. `instanceId` changes with each instance of the wasm.
const state = wasm.__worker_init_state();

// wasm-bindgen runs every step of a future through `queueMicrotask`, for which Workers makes a native function each time.
// A promise's reaction does the same ten times as fast. The promise must be new: one that another request made would
// hand the task to that request.
globalThis.queueMicrotask = (task) => {
  Promise.resolve().then(task);
};

// A trap that is no panic, such as a full stack.
for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, ({ error, reason = error }) => {
    if (reason instanceof WebAssembly.RuntimeError) state.criticalError = true;
  });
}

function restartAfterPanic() {
  if (!state.criticalError) return;
  wasm.__wbg_reset_state();
  state.criticalError = false;
}

// The class of an object whose methods are those of a class of the wasm. After a restart it begins with empty memory, as
// after an eviction.
function objectClass(Inner) {
  return class extends DurableObject {
    #inner;
    #instanceId;

    answer(path, head, body) {
      return this.#current().answer(path, head, body);
    }

    // Asks to open a WebSocket, or is a call of an older build, which does not know `answer`: one line of JSON, then raw bytes.
    async fetch(request) {
      const message = request.headers.get("x-request");
      if (message !== null) {
        const [client, server] = Object.values(new WebSocketPair());
        const isOpen = await this.#current().answer("", message, server);
        if (isOpen === "true") return new Response(null, { status: 101, webSocket: client });
        return new Response(null, { status: isOpen === "false" ? 429 : 503 });
      }
      const bytes = new Uint8Array(await request.arrayBuffer());
      const line = bytes.indexOf(10) === -1 ? bytes.length : bytes.indexOf(10);
      const head = new TextDecoder().decode(bytes.subarray(0, line));
      return new Response(await this.answer(new URL(request.url).pathname.slice(1), head, bytes.subarray(line + 1)));
    }

    alarm() {
      return this.#current().alarm();
    }

    // The events of the hub's WebSockets. A page may only send `ping`, which the platform itself answers.
    webSocketMessage(socket) {
      socket.close(1008, "only ping may be sent");
    }

    // Without this answer, a browser waits for one for a time before it closes the WebSocket.
    webSocketClose(socket) {
      socket.close();
    }

    webSocketError() {}

    #current() {
      restartAfterPanic();
      if (this.#instanceId !== state.instanceId) {
        this.#inner = new Inner(this.ctx, this.env);
        this.#instanceId = state.instanceId;
      }
      return this.#inner;
    }
  };
}

export const Ledger = objectClass(wasm.Ledger);
export const Hub = objectClass(wasm.Hub);
export const Reconciler = objectClass(reconcilerClass(wasm));
export const Metrics = objectClass(wasm.Metrics);

// Whether a request is for a file of the console. `run_worker_first` in wrangler.toml brings these here, so that CONSOLE=off
// removes the console.
function isForConsole({ url }, { ASSETS, CONSOLE }) {
  // Most requests are for something else, so none of them is parsed for this.
  if (!ASSETS || !url.includes("/console") || (CONSOLE && CONSOLE !== "on")) return false;
  return /^\/console(\/|$)/.test(new URL(url).pathname);
}

export default {
  fetch(request, env, ctx) {
    if (isForConsole(request, env)) return env.ASSETS.fetch(request);
    restartAfterPanic();
    return wasm.fetch(request, env, ctx);
  },

  // The cron trigger only wakes the object, which works on its own alarm.
  async scheduled(_, env) {
    await env.RECONCILER.getByName("reconciler").answer("tick", "");
  },
};
