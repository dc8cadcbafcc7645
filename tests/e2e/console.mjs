// The console as a deployment serves it, in a browser.

import { copyVendored } from "../../scripts/vendor.mjs";
import { startBrowser } from "../browser/browser.mjs";
import { connectionEvent } from "../emulator/events.mjs";
import { startGateway } from "./harness.mjs";

/**
 * @typedef {object} Console
 * @property {import("./harness.mjs").Gateway} gateway
 * @property {import("playwright-core").Browser} browser
 * @property {string} url   of the page, without a view
 * @property {(page: import("playwright-core").Page, view?: string) => Promise<void>} signIn   opens a view, and signs in
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Console>} */
export async function startConsole(options = {}) {
  copyVendored();
  const gateway = await startGateway({ assets: true, ...options });
  const browser = await startBrowser().catch(async (error) => {
    await gateway.close();
    throw error;
  });
  const url = `http://127.0.0.1:${gateway.port}/console/`;
  return {
    gateway,
    browser,
    url,
    async signIn(page, view = "/") {
      await page.goto(`${url}#${view}`);
      await page.getByLabel("Gateway key").fill(gateway.vars.GATEWAY_KEY.split(",")[0]);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
    },
    close: () => Promise.all([browser.close(), gateway.close()]),
  };
}

/**
 * Lets OFAuth report connections, whose names tell them apart.
 * @param {import("./harness.mjs").Gateway} gateway
 * @param {{id: string, user?: string | null, status?: string, name?: string, username?: string}[]} connections
 * @returns {Promise<string[]>} their handles
 */
export async function report(gateway, connections) {
  const handles = [];
  for (const { id, user = "user_1", status = "active", name = id.slice(5), username = name.toLowerCase() } of connections) {
    gateway.emulator.connections.put({ id, clientReferenceId: user, status });
    const userData = { id: String(1_000 + handles.length), name, username, avatar: null };
    const event = connectionEvent("connection.updated", { id, clientReferenceId: user, status, userData });
    const { outcome, text } = await gateway.deliver(event);
    if (outcome !== "applied") throw new Error(`${id}: ${text}`);
    handles.push((await gateway.call("GET", `/edge/connections/${encodeURIComponent(id)}`)).json().handle);
  }
  return handles;
}
