// The checks of `doctor` about Link, connections and the Access API.

import { bearer, codeOf, failedWith, json } from "./checks-answers.mjs";
import { clean } from "./output.mjs";

const CONNECTIONS = "Link and connections";

/** @type {import("./checks.mjs").Check[]} */
export const CONNECTION_CHECKS = [
  {
    id: "link",
    section: CONNECTIONS,
    title: "A Link session can be started",
    needsKey: true,
    run: checkLink,
  },
  {
    id: "list",
    section: CONNECTIONS,
    title: "Connections are stored and can be listed",
    needsKey: true,
    async run({ call, key, answers }) {
      const answer = await call("GET", "/edge/connections?limit=100", { headers: bearer(key) });
      const { list, total } = json(answer) ?? {};
      if (answer.status !== 200 || !Array.isArray(list)) return failedWith(answer);
      answers.active = list.find(({ status }) => status === "active");
      if (list.length === 0) return { status: "warn", detail: "there are none yet", fix: "Link a Sandbox account" };
      return { status: "ok", detail: `${total ?? "more than 1,000"} connections` };
    },
  },
  {
    id: "access",
    section: CONNECTIONS,
    title: "An Access call works with a stored connection",
    needsKey: true,
    async run({ call, key, answers: { active } }) {
      if (active === undefined) return { status: "skip", detail: "there is no active connection among the first" };
      const answer = await call("GET", `/edge/connections/${encodeURIComponent(active.handle)}/health`, { headers: bearer(key) });
      const { verdict } = json(answer) ?? {};
      if (verdict === "healthy") return { status: "ok", detail: clean(active.handle, 40) };
      const fixes = {
        relink: "The user of this connection must link again. Others may work",
        operator_error: "OFAuth refuses OFAUTH_API_KEY",
        upstream_down: "OFAuth does not answer",
      };
      const isOnlyThisOne = ["relink", "rate_limited", "unstable", "waiting"].includes(verdict);
      const detail = `${clean(active.handle, 40)}: ${clean(verdict ?? `HTTP ${answer.status}`, 40)}`;
      return { status: isOnlyThisOne ? "warn" : "fail", detail, ...(fixes[verdict] && { fix: fixes[verdict] }) };
    },
  },
  {
    id: "handles",
    section: CONNECTIONS,
    title: "A page sees handles in place of connection ids",
    needsKey: true,
    run: checkHandles,
  },
  {
    id: "status",
    section: CONNECTIONS,
    title: "/edge/status answers",
    needsKey: true,
    async run({ call, key }) {
      const answer = await call("GET", "/edge/status", { headers: bearer(key) });
      if (answer.status === 200) return { status: "ok" };
      if (answer.status === 404 && codeOf(answer) === "ROUTE_NOT_FOUND") return { status: "skip", detail: "not in this version of the gateway" };
      return failedWith(answer);
    },
  },
];

/** Starts a Link session and deletes it. Its client secret is never shown. */
async function checkLink({ call, key, link, url }) {
  if (!link) return { status: "skip", detail: "needs --link, and starts and deletes a Link session at OFAuth" };
  const headers = { ...bearer(key), "content-type": "application/json" };
  const body = JSON.stringify({ clientReferenceId: `doctor-${Date.now()}`, redirectUrl: `${url.origin}/link/callback` });
  const answer = await call("POST", "/v2/link/init", { headers, body });
  const { url: page, clientSecret, error } = json(answer) ?? {};
  if (answer.status >= 300 || typeof page !== "string") {
    const isUri = /redirect/i.test(`${error}`);
    const failed = failedWith(answer, isUri ? `Add ${url.origin}/link/callback to the redirect URIs at OFAuth` : undefined);
    return { ...failed, detail: `${failed.detail} ${clean(error ?? "")}`.trim() };
  }
  const path = `/v2/link/${encodeURIComponent(clientSecret ?? new URL(page).pathname.split("/").at(-1))}`;
  const deleted = await call("DELETE", path, { headers: bearer(key) });
  return deleted.status < 300 ? { status: "ok" } : { status: "ok", detail: "it was not deleted, and expires by itself" };
}

/** Lists the connections of a real user as that user's page does, with a token that lives for a minute. */
async function checkHandles({ call, key, answers: { active } }) {
  if (!active?.clientReferenceId) return { status: "skip", detail: "there is no active connection of a user among the first" };
  const headers = { ...bearer(key), "content-type": "application/json" };
  const body = JSON.stringify({ clientReferenceId: active.clientReferenceId, expiresIn: 60 });
  const { token } = json(await call("POST", "/edge/sessions", { headers, body })) ?? {};
  const { text } = await call("GET", "/edge/connections", { headers: bearer(token) });
  if (text.includes(JSON.stringify(active.id))) return { status: "fail", detail: "the list of a page has a connection id" };
  return text.includes(active.handle) ? { status: "ok" } : { status: "fail", detail: "the list of a page lacks the user's connection" };
}
