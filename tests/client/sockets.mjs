// The gateway's side of `/edge/live` for a test: a small WebSocket server (RFC 6455) on the server of server.mjs.

import { createHash } from "node:crypto";
import { once } from "node:events";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;

/**
 * Takes WebSockets on a server. `accept(url, protocols, index)` says what becomes of each one: nothing or `{frames}` opens it, a
 * number refuses it with that status, `"hang"` leaves it without an answer.
 * @param {import("node:http").Server} server
 * @returns {{server: import("node:http").Server, sockets: FakeSocket[], attempts: {url: string, protocols: string[], at: number}[],
 *   opened: (count: number) => Promise<FakeSocket>}}
 *   attempts: every upgrade that was asked for, refused ones too; opened: waits until so many are open, and gives the last one
 */
export function takeSockets(server, accept = () => ({ frames: [{ resync: true, seq: 1 }] })) {
  const sockets = [];
  const attempts = [];
  server.on("upgrade", (request, connection) => {
    connection.on("error", () => {});
    const { url, headers } = request;
    const protocols = headers["sec-websocket-protocol"].split(/, */);
    const answer = accept(url, protocols, attempts.length) ?? {};
    attempts.push({ url, protocols, at: performance.now() });
    if (answer === "hang") return;
    if (typeof answer === "number") return void connection.end(`HTTP/1.1 ${answer} Refused\r\nContent-Length: 0\r\n\r\n`);
    const key = createHash("sha1").update(headers["sec-websocket-key"] + GUID).digest("base64");
    const lines = ["101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${key}`];
    connection.write(`HTTP/1.1 ${[...lines, `Sec-WebSocket-Protocol: ${protocols[0]}`].join("\r\n")}\r\n\r\n`);
    const socket = new FakeSocket(connection, url, protocols);
    sockets.push(socket);
    for (const frame of answer.frames ?? []) socket.send(frame);
    server.emit("socket", socket);
  });
  const opened = async (count) => {
    while (sockets.length < count) await once(server, "socket");
    return sockets[count - 1];
  };
  return { server, sockets, attempts, opened };
}

class FakeSocket {
  /** What the client has sent. */
  received = [];
  /** Whether "ping" is answered. */
  isAlive = true;

  constructor(connection, url, protocols) {
    Object.assign(this, { connection, url, protocols });
    this.closed = new Promise((resolve) => connection.once("close", resolve));
    let bytes = Buffer.alloc(0);
    connection.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      // Frames of the client are short and masked.
      while (bytes.length >= 6 && bytes.length >= 6 + (bytes[1] & 127)) {
        const length = bytes[1] & 127;
        const [mask, payload] = [bytes.subarray(2, 6), bytes.subarray(6, 6 + length)];
        this.#take(bytes[0] & 15, payload.map((byte, index) => byte ^ mask[index % 4]));
        bytes = bytes.subarray(6 + length);
      }
    });
  }

  #take(opcode, payload) {
    if (opcode === CLOSE) {
      this.#write(CLOSE, payload);
      return void this.connection.end();
    }
    const text = payload.toString();
    this.received.push(text);
    if (text === "ping" && this.isAlive) this.#write(TEXT, Buffer.from("pong"));
  }

  /** Sends a frame of the wire format, or text as it is. */
  send(frame) {
    this.#write(TEXT, Buffer.from(typeof frame === "string" ? frame : JSON.stringify(frame)));
  }

  close(code) {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#write(CLOSE, payload);
  }

  /** Cuts the connection without a word. */
  drop() {
    this.connection.destroy();
  }

  #write(opcode, payload) {
    if (payload.length > 65_535) throw new Error("the frame is too long for a test");
    const isLong = payload.length > 125;
    const head = Buffer.alloc(isLong ? 4 : 2);
    head[0] = 0x80 | opcode;
    head[1] = isLong ? 126 : payload.length;
    if (isLong) head.writeUInt16BE(payload.length, 2);
    if (!this.connection.destroyed) this.connection.write(Buffer.concat([head, payload]));
  }
}
