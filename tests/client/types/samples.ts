// The types as they are used: compiled, never run. Nothing here needs a cast, and what is marked as an error must be one.

import { createClient, type ApiError, type Client, type Connection, type Result } from "../../../pkg-template/client.js";

declare function show(...values: unknown[]): void;
declare function is<T>(value: T): void;

const client: Client = createClient({ baseUrl: "https://gateway.example", apiKey: "key" });
createClient({ baseUrl: "https://gateway.example", apiKey: "key", dangerouslyAllowBrowser: true, retry: false });
createClient({ baseUrl: "https://gateway.example", token: "token", retry: { tries: 2, maxWait: 5 } });
createClient({ baseUrl: "https://gateway.example", token: () => "token" });
createClient({ baseUrl: "https://gateway.example", token: async () => "token", retry: undefined, fetch: undefined });
// @ts-expect-error neither
createClient({ baseUrl: "https://gateway.example" });
// @ts-expect-error both
createClient({ baseUrl: "https://gateway.example", apiKey: "key", token: "token" });
// @ts-expect-error nowhere
createClient({ token: "token" });
// @ts-expect-error for keys only
createClient({ baseUrl: "https://gateway.example", token: "token", dangerouslyAllowBrowser: true });
// @ts-expect-error gives no string
createClient({ baseUrl: "https://gateway.example", token: () => 1 });

export async function narrowing(): Promise<void> {
  const { data: connections, error } = await client.link.connections.getAll({ status: "active", limit: 50, offset: 0 });
  if (error) {
    is<ApiError>(error);
    is<undefined>(connections);
    if (error.type === "too_many_requests") is<number | undefined>(error.retryAfter);
    // @ts-expect-error no such type
    if (error.type === "rate_limited") show(error);
  } else {
    is<undefined>(error);
    is<number | null>(connections.total);
    for (const connection of connections.list) {
      is<Connection>(connection);
      is<string | null | undefined>(connection.metadata?.username);
      switch (connection.status) {
        case "active":
        case "expired":
          break;
        default:
          is<string>(connection.status);
      }
    }
  }
  // @ts-expect-error before error was looked at
  (await client.link.connections.getAll()).data.list;
}

export async function byId(): Promise<string | undefined> {
  const { data: connection, error } = await client.link.connections.getById("acct_1");
  if (error) return error.type === "not_found" ? undefined : error.message;
  const { data: profile } = await client.self.getMe({ authentication: { connectionId: connection.id } });
  is<string | undefined>(profile?.username);
  is<boolean | undefined>(profile?.isAuth);
  return profile?.name;
}

export async function every(): Promise<Map<string, string>> {
  const map = new Map<string, string>();
  for await (const { data: connection, error } of client.link.connections.live({}, { interval: 5_000 })) {
    if (error) throw new Error(error.message);
    is<string>(connection.status);
    break;
  }
  for await (const { data: connection, error } of client.link.connections.iterate({ status: "active" })) {
    if (error) break;
    if (connection.platformUserId !== null) map.set(connection.platformUserId, connection.id);
  }
  await client.link.connections.getAll({ platformUserId: 123456789 });
  await client.link.connections.getAll({ platformUserId: "12345678901234567890", clientReferenceId: undefined });
  // @ts-expect-error an id is no bigint
  await client.link.connections.getAll({ platformUserId: 1n });
  // @ts-expect-error no such filter
  await client.link.connections.getAll({ userId: "1" });
  // @ts-expect-error pages are the iterator's own
  client.link.connections.iterate({ offset: 5 });
  return map;
}

export async function others(): Promise<void> {
  const { data: link, error } = await client.link.init({ redirectUrl: "https://app.example", connectionId: null });
  if (!error) {
    if (link.url !== undefined) is<string>(link.url);
    else is<string>(link.clientSecret);
    if (link.mode === "whitelabel") is<string>(link.clientSecret);
  }
  const { data: session } = await client.sessions.create({ clientReferenceId: "user_1", permissions: ["profile:read"] });
  is<string | undefined>(session?.token);
  await client.sessions.create({ console: true });
  // @ts-expect-error whose?
  await client.sessions.create({ permissions: [] });
  const { data: health } = await client.link.connections.health("acct_1");
  if (health?.verdict === "rate_limited") is<number | undefined>(health.retryAfter);
  is<Result<{ success: boolean; message: string }>>(await client.link.connections.delete("acct_1"));
  is<Result<{ success: boolean; message: string }>>(await client.link.connections.invalidate("acct_1"));
  is<string[] | undefined>((await client.account.whoami()).data?.permissions);
  const page = await client.subscribers.list({ limit: 20, offset: 20, authentication: { connectionId: "acct_1" } });
  for (const subscriber of page.data?.list ?? []) is<string>(subscriber.username);
}

export async function access(): Promise<void> {
  const post = await client.access<{ id: number }>("/v2/access/posts", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: "hello" }),
    authentication: { connectionId: "acct_1" },
    timeout: 5_000,
  });
  if (post.error) is<ApiError>(post.error);
  else is<number>(post.data.id);
  is<Result<unknown>>(await client.access("/v2/access/self"));
  // @ts-expect-error redirects are never followed
  await client.access("/v2/access/self", { redirect: "follow" });
}
