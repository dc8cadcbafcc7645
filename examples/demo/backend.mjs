// The backend of the demo app. It holds the gateway key. The page gets session tokens instead, which expire and open only the
// data of one user. `make run` starts it with the addresses and the key of its Worker.

import { createServer } from "node:http";
import { createClient } from "../../pkg/client.js"; // in your app: "ofauth-edge/client"
import { isForThisMachine, serveFile } from "./files.mjs";

const { GATEWAY_URL, GATEWAY_KEY, PORT } = process.env;
const gateway = createClient({ baseUrl: GATEWAY_URL, apiKey: GATEWAY_KEY });
const permissions = ["profile:read", "connections:link", "connections:write"];

createServer(async (request, response) => {
  if (!isForThisMachine(request)) return response.writeHead(421).end();
  if (request.url !== "/session") return serveFile(request, response, GATEWAY_URL);
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  // Here everybody is user_1. Your app takes the id of the user who is logged in.
  const { data, error } = await gateway.sessions.create({ clientReferenceId: "user_1", permissions });
  response.writeHead(error ? 502 : 200, { "content-type": "text/plain", "cache-control": "no-store" });
  response.end(error ? error.message : data.token);
}).listen(Number(PORT), "127.0.0.1");
