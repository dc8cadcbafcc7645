// OFAuth as far as the Access loads need it: a small answer and a large one, over HTTP on loopback.

import { createServer } from "node:http";

const small = JSON.stringify({ list: [{ id: 12345, name: "Jane", username: "jane", subscribedOn: true }], hasMore: false });
const large = JSON.stringify({ list: Array.from({ length: 8192 }, (_, id) => ({ id, text: "m".repeat(106) })) });

/** The bodies, by path. */
export const ANSWERS = Object.freeze({ "/v2/access/subscribers": small, "/v2/access/chats/12345/messages": large });

/** @returns {Promise<{url: string, close: () => void}>} */
export async function startUpstream(apiKey) {
  const bodies = Object.fromEntries(Object.entries(ANSWERS).map(([path, text]) => [path, Buffer.from(text)]));
  const server = createServer({ keepAliveTimeout: 60_000 }, ({ url, headers }, response) => {
    const body = bodies[url];
    const id = headers["x-connection-id"];
    response.writeHead(body ? 200 : 404, {
      "content-type": "application/json",
      "content-length": body?.length ?? 0,
      "x-request-id": "req_bench",
      // What the call carried, for the check that all sides send the same.
      "x-bench-sent": headers.apikey === apiKey && id ? id : "nothing",
      "set-cookie": "never=passed",
    });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => (server.close(), server.closeAllConnections()) };
}
