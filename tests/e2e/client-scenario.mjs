// What a user's client does in a runtime: bundled with the client for where it runs, and so without imports of Node's.
// Answers plain data, to be compared outside.

import { createClient } from "../../pkg-template/client.mjs";

/**
 * @param {object} given
 * @param {string} given.baseUrl    the gateway's
 * @param {string} given.expired    a token after its time
 * @param {string} given.token      one that holds
 * @param {string} given.returnUrl  where Link may return to
 */
export async function run({ baseUrl, expired, token, returnUrl }) {
  const tokens = [expired, token];
  let asked = 0;
  const client = createClient({ baseUrl, token: async () => tokens[(asked += 1) - 1] });
  const { link, self, subscribers, access } = client;
  const done = {};

  // Twenty calls find the same token expired.
  const crowd = await Promise.all(Array.from({ length: 20 }, () => link.connections.getAll({ status: "active" })));
  done.crowd = [crowd.filter(({ error }) => error).length, asked];

  const [record] = crowd[0].data.list;
  const all = [];
  for await (const { data, error } of link.connections.iterate()) all.push(error?.code ?? data.handle);
  done.all = all;
  done.byId = (await link.connections.getById(record.id)).data.handle === record.handle;
  done.health = (await link.connections.health(record.id)).data;
  done.me = (await self.getMe({ authentication: { connectionId: record.id } })).data.username;
  done.subscribers = (await subscribers.list({ limit: 5, offset: 40 })).data.list.length;
  const { data: session } = await link.init({ redirectUrl: returnUrl });
  done.link = [session.mode, typeof session.url, session.clientSecret];

  const echo = (init) => access("/v2/access/proxy/echo?a=%2F&b=c+d", { headers: { "content-type": "text/plain" }, ...init });
  const bodies = ["text é", new TextEncoder().encode("bytes"), new Blob(["blob"]), new URLSearchParams("form=1")];
  done.echoes = [];
  for (const body of bodies) done.echoes.push(sizeOf(await echo({ method: "PUT", body })));
  for (const method of ["POST", "patch", "DELETE"]) done.echoes.push(sizeOf(await echo({ method, body: "{}" })));
  const { data: blob } = await access("/v2/access/proxy/large?bytes=70000");
  done.blob = [blob instanceof Blob, blob.size];

  const authentication = { connectionId: `acct_${"0".repeat(32)}` };
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 100);
  const errors = {
    missing: await self.getMe({ authentication }),
    forbidden: await link.connections.delete(record.id),
    redirect: await access("/v2/access/proxy/redirect?status=302&to=/x"),
    aborted: await access("/v2/access/posts", { signal: abort.signal }),
    timeout: await access("/v2/access/posts", { timeout: 100 }),
    signalled: await access("/v2/access/posts", { signal: AbortSignal.timeout(100) }),
    limited: await access("/v2/access/chats"),
    unreachable: await createClient({ baseUrl: "http://127.0.0.1:9", token, retry: { tries: 2 } }).self.getMe(),
    elsewhere: await access("//evil.example/v2/access/self"),
    mistaken: await access("/v2/access/self", { method: "GET", body: "none" }),
  };
  done.errors = Object.entries(errors).map(([name, { data, error }]) => [name, data, error.type, error.code, error.action]);
  done.retryAfter = errors.limited.error.retryAfter;
  return done;
}

/** Whether a client may be made with a gateway key here. */
export function takesKey(baseUrl) {
  try {
    createClient({ baseUrl, apiKey: "key" });
    return true;
  } catch (error) {
    return error.name;
  }
}

/** What a client gets where it may not read answers. */
export async function refused({ baseUrl, token }) {
  const { error } = await createClient({ baseUrl, token, retry: false }).link.connections.getAll();
  return [error.type, error.status];
}

function sizeOf({ data, error }) {
  return error?.code ?? [data.method, data.bodyLength ?? data.body?.length];
}
