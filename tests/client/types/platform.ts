// With a platform's own types: its fetch, its AbortSignal and its bodies are taken as they are.

import { createClient } from "../../../pkg-template/client.js";

export async function platform(url: URL, signal: AbortSignal, blob: Blob): Promise<void> {
  const client = createClient({ baseUrl: url, token: "token", fetch });
  createClient({ baseUrl: url, token: "token", fetch: (input: string, init: RequestInit) => fetch(input, init) });
  await client.link.connections.getAll({}, { signal, timeout: 1_000 });
  await client.self.getMe({ signal: AbortSignal.timeout(1_000) });
  await client.access("/v2/access/uploads/upload%3A1/1", { method: "PUT", body: blob, headers: new Headers(), signal });
  createClient({ baseUrl: url, token: "token", fetchOptions: { keepalive: true, next: { revalidate: 60 } } });
  await client.account.whoami({ fetchOptions: { cache: "reload" } });
  const form = new FormData();
  await client.access<void>("/v2/access/proxy/echo", { method: "POST", body: form, keepalive: true });
}
