// The demo app as `make run` has it: its backend beside a gateway and an emulated OFAuth, and a browser in front.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { startBrowser } from "../browser/browser.mjs";
import { eventually, startGateway } from "./harness.mjs";
import { hearWebhooks } from "./linking.mjs";
import { freePort } from "./port.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * @typedef {object} Demo
 * @property {import("./harness.mjs").Gateway} gateway
 * @property {import("playwright-core").Browser} browser
 * @property {string} url       the demo app's origin
 * @property {string} control   the emulator's control page
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Demo>} */
export async function startDemo() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: url, APP_RETURN_URL: `${url}/` } });
  hearWebhooks(gateway);
  const env = {
    ...process.env,
    PORT: String(port),
    GATEWAY_URL: `http://127.0.0.1:${gateway.port}`,
    GATEWAY_KEY: gateway.vars.GATEWAY_KEY,
  };
  const backend = spawn(process.execPath, ["examples/demo/backend.mjs"], { cwd: root, env, stdio: "inherit" });
  const browser = await startBrowser();
  const close = async () => {
    backend.kill();
    await Promise.all([browser.close(), gateway.close()]);
  };
  await eventually(async () => (await fetch(url)).ok);
  return { gateway, browser, url, control: `${gateway.emulator.url}/control`, close };
}

/**
 * Goes through OFAuth's pages in the window that Link opens, by its forms alone.
 * @param {import("playwright-core").Page} popup
 * @param {{email?: string, password?: string, cancelAt?: string}} [user]   cancelAt: the heading of the step to cancel at
 */
export async function passLink(popup, { email = "jane@creator.sandbox.com", password = "good-password", cancelAt } = {}) {
  const steps = [
    [/^(Link|Reconnect) your account$/, "Continue"],
    ["What the app may do", "Allow"],
    ["Log in", "Log in"],
  ];
  for (const [heading, button] of steps) {
    const title = popup.getByRole("heading", { name: heading });
    await title.waitFor();
    if (button === "Log in") {
      await popup.getByLabel("Email").fill(email);
      await popup.getByLabel("Password").fill(password);
    }
    const isEnd = (await title.textContent()) === cancelAt;
    await popup.getByRole("button", { name: isEnd ? "Cancel" : button }).click();
    if (isEnd) return;
  }
}
