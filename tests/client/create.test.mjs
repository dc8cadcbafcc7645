// What createClient refuses at once: mistakes of the programmer, before anything is sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "../../pkg-template/client.mjs";

const baseUrl = "https://gateway.example";
const refused = (options, message) => assert.throws(() => createClient(options), { name: "TypeError", message });

test("createClient refuses what is not an object of options", () => {
  for (const options of [undefined, null, "https://gateway.example", 1]) refused(options, /^createClient: pass an object/);
});

test("createClient refuses options with neither or both of token and apiKey", () => {
  refused({ baseUrl }, "createClient: pass either token or apiKey; it is not set: is the variable set?");
  refused({ baseUrl, token: "token", apiKey: "key" }, "createClient: pass either token or apiKey");
});

test("a credential that no header can carry is refused, and the error does not show it", () => {
  for (const wrong of ["", "with space", "line\nbreak", "schlüssel", null, 1, {}]) {
    const hint = wrong ? "" : "; it is not set: is the variable set\\?";
    refused({ baseUrl, token: wrong }, new RegExp(`^token: pass a string of visible ASCII characters, without spaces${hint}$`));
    refused({ baseUrl, apiKey: wrong }, new RegExp(`^apiKey: pass a string of visible ASCII characters, without spaces${hint}$`));
  }
  refused({ baseUrl, apiKey: () => "key" }, /^apiKey: pass a string/);
});

test("a baseUrl that cannot be a gateway's is refused", () => {
  const wrong = [undefined, null, "", "/", "gateway.example", "ftp://gateway.example", "javascript:alert(1)", "https://"];
  const more = [
    "https://user:secret@gateway.example",
    "https://gateway.example?x=1",
    "https://gateway.example/#x",
    "https://gateway.example/?",
  ];
  for (const baseUrl of [...wrong, ...more]) {
    const hint = baseUrl ? "" : "; it is not set: is the variable set\\?";
    const expected = "the gateway's URL, such as https://gateway\\.example: http or https, without [a-z, ]+";
    refused({ baseUrl, token: "token" }, new RegExp(`^baseUrl: pass ${expected}${hint}$`));
  }
});

test("a baseUrl may be a URL object, and may end in slashes", () => {
  for (const baseUrl of [new URL("https://gateway.example"), "http://127.0.0.1:8787/", "https://app.example/gateway//"]) {
    createClient({ baseUrl, token: "token" });
  }
});

test("a retry or a fetch of the wrong kind is refused", () => {
  for (const retry of [true, 3, "3", null]) refused({ baseUrl, token: "token", retry }, /^retry: pass false or an object/);
  for (const tries of [0, 11, 1.5, "2", NaN]) refused({ baseUrl, token: "token", retry: { tries } }, /^retry\.tries: pass/);
  for (const maxWait of [-1, NaN, "x", "5", Infinity])
    refused({ baseUrl, token: "token", retry: { maxWait } }, /^retry\.maxWait/);
  for (const fetch of ["fetch", {}, null]) refused({ baseUrl, token: "token", fetch }, /^fetch: pass a function/);
});

test("a gateway key is refused in a browser, unless the caller allows it", (t) => {
  globalThis.window = globalThis;
  t.after(() => delete globalThis.window);
  refused({ baseUrl, apiKey: "key" }, /^apiKey: pass token instead: in a page, everybody can read the key/);
  refused({ baseUrl, apiKey: "key", dangerouslyAllowBrowser: "yes" }, /^apiKey/);
  createClient({ baseUrl, apiKey: "key", dangerouslyAllowBrowser: true });
  createClient({ baseUrl, token: "token" });
});
