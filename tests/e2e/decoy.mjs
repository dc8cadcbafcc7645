// A host that must never be asked anything: whatever reaches it is remembered.

import { once } from "node:events";
import http from "node:http";

/** @returns {Promise<{server: http.Server, port: number, url: string, requests: string[], close: () => void}>} */
export async function startDecoy() {
  const requests = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end("decoy");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return { server, port, url: `http://127.0.0.1:${port}`, requests, close: () => server.close() };
}
