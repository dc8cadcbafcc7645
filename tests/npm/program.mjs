// Runs the program `ofauth-edge` as a shell does, and receives what it sends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";

const running = new Set();
// Else a program that a failed test has left would go on.
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/**
 * @typedef {object} Options
 * @property {Record<string, string>} [env]   its variables, in place of those of this process
 * @property {string | Buffer} [input]        its stdin
 * @property {string} [node]                  the Node that runs it
 */

/**
 * @param {string} program   the file
 * @param {string} cwd       its folder
 */
export function programAt(program, cwd) {
  /** Starts it. `output` of the process grows. */
  const start = (args, { env = {}, node = process.execPath } = {}) => {
    const { PATH, HOME } = process.env;
    const child = spawn(node, [program, ...args], { cwd, env: { PATH, HOME, ...env }, stdio: "pipe" });
    child.output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (child.output[name] += text));
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
  };
  /**
   * Runs it to its end.
   * @param {string[]} args
   * @param {Options} [options]
   * @returns {Promise<{code: number, stdout: string, stderr: string}>}
   */
  const cli = async (args, options = {}) => {
    const child = start(args, options);
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(options.input ?? "");
    const [code] = await once(child, "close");
    return { code, ...child.output };
  };
  return { start, cli };
}

/**
 * An app that receives webhooks, on loopback.
 * @param {(request: {method: string, path: string, headers: object, body: Buffer}) => number | [number, string]} [answer]
 * @param {number} [port]
 */
export async function startApp(answer = () => 204, port = 0) {
  const requests = [];
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const request = { method: req.method, path: req.url, headers: req.headers, body: Buffer.concat(chunks) };
    requests.push(request);
    const [status, text = ""] = [answer(request)].flat();
    res.writeHead(status, { connection: "close" }).end(text);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  return { requests, port: server.address().port, url: `http://127.0.0.1:${server.address().port}/webhooks`, close };
}
