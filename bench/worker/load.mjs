// Sends requests over eight kept connections, as many at once.

import { Agent, request } from "node:http";

const CONNECTIONS = 8;

/**
 * Sends all requests and checks each answer.
 * @param {number} port
 * @param {{method: string, path: string, headers?: object, body?: Buffer, expect?: {status: number, text?: string,
 *   bytes?: number}}[]} requests
 */
export async function drive(port, requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const sender = async () => {
    while (next < requests.length) {
      const sent = requests[next++];
      check(sent, await send(port, sent, agent));
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, sender));
  } finally {
    agent.destroy();
  }
}

/** Sends one request. Answers status, headers and body. */
export function send(port, { method, path, headers = {}, body }, agent) {
  const length = body ? { "content-length": body.length } : {};
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers: { ...headers, ...length }, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function check({ method, path, expect }, { status, body }) {
  const { text, bytes } = expect;
  const isText = text === undefined || body.toString() === text;
  const isComplete = bytes === undefined || body.length === bytes;
  if (status === expect.status && isText && isComplete) return;
  throw new Error(`${method} ${path}: ${status} ${body.subarray(0, 300)}, and not ${JSON.stringify(expect)}`);
}
