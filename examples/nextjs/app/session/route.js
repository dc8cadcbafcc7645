import { gateway, USER } from "../../gateway.js";

/** A session token for the page: it expires, and opens only the data of one user. */
export async function POST() {
  const { data, error } = await gateway().sessions.create({ clientReferenceId: USER, permissions: ["profile:read", "connections:link"] });
  return new Response(error ? error.message : data.token, { status: error ? 502 : 200, headers: { "cache-control": "no-store" } });
}
