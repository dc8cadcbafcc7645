import { connection as request } from "next/server";
import { gateway, USER } from "../gateway.js";
import { Connect } from "./connect.js";

/** A server component: it reads the accounts and their profiles with the gateway key, and a page gets only what it shows. */
export default async function Page() {
  await request(); // Rendered at each request, never by the build.
  const server = gateway();
  const { data, error } = await server.link.connections.getAll({ clientReferenceId: USER, limit: 100 });
  const linked = (data?.list ?? []).filter(({ status }) => status !== "disconnected");
  const accounts = await Promise.all(linked.map(async ({ id, handle, status, metadata }) => {
    const profile = status === "active" ? await server.self.getMe({ authentication: { connectionId: id } }) : {};
    return { handle, status, name: metadata.displayName ?? "An account", subscribers: profile.data?.subscribersCount };
  }));
  return (
    <main>
      <h1>Linked accounts</h1>
      <Connect gatewayUrl={process.env.GATEWAY_URL} />
      {error && <p>{error.message}</p>}
      <ul>
        {accounts.map(({ handle, status, name, subscribers }) => (
          <li key={handle}><strong>{name}</strong> {status} {subscribers !== undefined && `${subscribers} subscribers`}</li>
        ))}
      </ul>
    </main>
  );
}
