import { once } from "node:events";
import { createServer } from "node:net";

// Below the range in which systems choose the ports of outgoing connections. A port of that range could be taken by any test
// before the program that it is for listens.
const [FIRST, LAST] = [10_000, 32_000];

/** A port that is free now. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(() => true, () => false);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
