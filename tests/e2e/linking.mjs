// What the tests of Link share: users who begin it, what OFAuth is asked for then, and how they come back.

import assert from "node:assert/strict";

import { visitLink } from "../emulator/visitor.mjs";
import { refusal, sessionOf } from "./harness.mjs";

export const JSON_TYPE = Object.freeze({ "content-type": "application/json" });
export const LIST = "/v2/account/connections?";

const SOME_SITE = "https://app.example";

/** From now on the emulator tells this gateway what happens to its connections. */
export function hearWebhooks({ emulator, port, vars }) {
  const url = `http://127.0.0.1:${port}/webhooks/ofauth`;
  emulator.outbox.sendTo({ url, ofauthSecret: vars.OFAUTH_WEBHOOK_SECRET, svixSecret: vars.SVIX_WEBHOOK_SECRET });
}

/** A user's browser: `gateway.call` with a token that may link. */
export function browserOf(gateway, sub, claims = {}) {
  return sessionOf(gateway, { sub, permissions: ["connections:link", "profile:read"], ...claims });
}

/** POST /v2/link/init; a string is sent as it is. */
export function begin(caller, body = {}, { query = "", headers = {} } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return caller("POST", `/v2/link/init${query}`, { headers: { ...JSON_TYPE, ...headers }, body: text });
}

/** The same, and the page to send the user to. */
export async function pageOf(caller, body) {
  const answer = await begin(caller, body);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().url;
}

/** Goes through OFAuth's pages and back to the gateway: see {@link comeBack}. */
export async function link(gateway, caller, body, user) {
  return comeBack(gateway, await visitLink(await pageOf(caller, body), user));
}

/**
 * Visits the callback, as the browser does when OFAuth sends it there. Whatever comes of it, the answer is not kept, is for
 * no other site's page, gives no referrer, and names no connection of OFAuth's and no user.
 * @param {URL | Record<string, string> | string} back   where it was sent, or the query to come with
 * @returns {Promise<{page: string, told: Record<string, string>, location: string}>}
 *   page: where the gateway sends it, without the query; told: the query
 */
export async function comeBack(gateway, back) {
  const query = back instanceof URL ? back.search : `?${new URLSearchParams(back)}`;
  const { status, headers, text } = await gateway.send("GET", `/link/callback${query}`, { headers: { origin: SOME_SITE } });
  assert.deepEqual([status, text], [303, ""]);
  assert.deepEqual([headers["cache-control"], headers["referrer-policy"]], ["private, no-store", "no-referrer"]);
  const whole = JSON.stringify(headers);
  assert.doesNotMatch(whole, /access-control|set-cookie|conn_|client_?reference/i);
  const { location } = headers;
  const { origin, pathname, searchParams } = new URL(location);
  const reference = new URLSearchParams(query).get("client_reference_id");
  if (reference) assert.ok(!decodeURIComponent(whole).includes(reference), whole);
  return { page: `${origin}${pathname}`, told: Object.fromEntries(searchParams), location };
}

/** The record as a server sees it. */
export async function recordOf(gateway, name) {
  const answer = await gateway.call("GET", `/edge/connections/${name}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

export async function handleOf(gateway, id) {
  return (await recordOf(gateway, id)).handle;
}

/** Asserts that the gateway keeps nothing of this id. */
export async function assertUnknown(gateway, id) {
  assert.deepEqual(refusal(await gateway.call("GET", `/edge/connections/${id}`)), [404, "CONNECTION_NOT_FOUND"], id);
}

/** What OFAuth was asked for with init, oldest first. */
export function begun({ emulator }) {
  const inits = emulator.requests.filter(({ method, path }) => method === "POST" && path.startsWith("/v2/link/init"));
  return inits.map(({ bodyText }) => JSON.parse(bodyText));
}

/** How many pages of OFAuth's list were asked for. */
export function pagesAsked({ emulator }) {
  return emulator.requests.filter(({ path }) => path.startsWith(LIST)).length;
}
