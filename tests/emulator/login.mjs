// The hosted Link pages: what the user does there, step by step, and how it ends. 1. pre-login: what this is; 2.
// authorization: what the app may do; 3. login: a sandbox login and its password; 4. 2fa: a code, if the login has one.
// Any step can be cancelled. Then the connection is made, or reconnected, and the browser sent back to the app.

import { accountOf } from "./account.mjs";
import { PAGE_HEADERS, sendPage } from "./answers.mjs";
import { userDataOf } from "./connections.mjs";
import { LINK_PREFIX, TRIES } from "./link.mjs";
import { endedPage, missingPage, stepPage } from "./pages.mjs";

/**
 * @typedef {object} Login
 * @property {string} email
 * @property {string} name   what comes before the @
 * @property {boolean} hasCode
 */

const PASSWORD = "good-password";
const CODE = "123456";

/**
 * Answers a page: GET shows the step the user is at, POST takes it. Every POST is answered with a redirect, so that going
 * back and reloading are harmless.
 * @param {import("./access.mjs").Call} call
 * @param {import("./emulator.mjs").Platform} platform
 */
export async function answerPage(call, platform) {
  const { req, res, path, body } = call;
  const session = platform.links.get(path.slice(LINK_PREFIX.length));
  if (!session) return sendPage(res, 404, missingPage());
  if (req.method !== "GET" && req.method !== "HEAD" && req.method !== "POST") return res.writeHead(405).end();

  if (!session.outcome && Date.now() >= session.expiresAt) {
    end(session, "failed", { status: "error", error_code: "session_expired" });
    return leave(res, session, platform);
  }
  if (req.method !== "POST") {
    const page = session.outcome ? endedPage(session) : stepPage(session, platform);
    return sendPage(res, 200, page);
  }
  if (!session.outcome) await take(session, new URLSearchParams(body.bytes?.toString() ?? ""), platform, res);
  if (session.outcome) leave(res, session, platform);
  else redirect(res, path);
}

async function take(session, form, platform, res) {
  session.problem = null;
  if (form.get("step") !== session.step) return undefined; // another tab has gone on: show where it is
  if (form.get("action") === "cancel") return end(session, "denied", { status: "cancelled", step: session.step });
  return STEPS[session.step](session, form, platform, res);
}

const STEPS = {
  "pre-login": (session) => void (session.step = "authorization"),
  authorization: (session) => void (session.step = "login"),
  login: logIn,
  "2fa": checkCode,
};

/** Two names are the emulator's own: `locked…` is an account OnlyFans has locked, `expired…` takes too long. */
async function logIn(session, form, platform, res) {
  session.typed = form.get("email") ?? "";
  const login = loginOf(session.typed);
  if (!login || form.get("password") !== PASSWORD) {
    return wrong(session, "That email and password do not match.", "invalid_credentials", "invalid_credentials");
  }
  if (login.name.startsWith("locked")) return end(session, "failed", { status: "error", error_code: "account_locked" });
  if (login.name.startsWith("expired")) return end(session, "failed", { status: "error", error_code: "session_expired" });
  session.login = login;
  if (!login.hasCode) return complete(session, platform, res);
  Object.assign(session, { step: "2fa", status: "awaiting_2fa", tries: TRIES });
  return undefined;
}

async function checkCode(session, form, platform, res) {
  if (form.get("code")?.replace(/\s/g, "") === CODE) return complete(session, platform, res);
  return wrong(session, "That code is not right.", "failed", "2fa_failed");
}

function wrong(session, problem, status, error_code) {
  session.tries -= 1;
  if (session.tries === 0) return end(session, status, { status: "error", error_code });
  session.problem = `${problem} ${session.tries === 1 ? "One try" : `${session.tries} tries`} left.`;
  return undefined;
}

/**
 * A connection that is there, expired or not, lives on under its id and keeps its person; any other id is passed over in
 * silence, and a new connection made.
 */
async function complete(session, { connections, outbox, switches }, res) {
  const { asked, permissions, clientReferenceId, login } = session;
  const isKnown = connections.get(asked) !== undefined;
  const { email, name } = login;
  const who = isKnown ? { id: asked } : { userData: { ...userDataOf(accountOf(email)), name, username: name } };
  const reference = clientReferenceId === null ? {} : { clientReferenceId };
  const lastCheckedAt = new Date().toISOString();
  const item = connections.put({ ...who, ...reference, status: "active", permissions, lastCheckedAt });
  session.connectionId = item.id;
  end(session, "completed", { status: "success", connection_id: item.id });
  const type = isKnown ? "connection.updated" : "connection.created";
  await outbox.announce(type, item, switches.values.linkWebhook, res);
}

function end(session, status, outcome) {
  session.status = status;
  session.outcome = outcome;
}

/** Back to the app, its own query kept; without an app to go to, the page says how it ended. */
function leave(res, { clientSecret, redirectUrl, clientReferenceId, outcome }, { switches }) {
  if (redirectUrl === null) return redirect(res, `${LINK_PREFIX}${clientSecret}`);
  const url = new URL(redirectUrl);
  for (const [name, value] of Object.entries(outcome)) url.searchParams.append(name, value);
  const isNamed = outcome.status === "success" || switches.values.linkReference === "always";
  if (clientReferenceId !== null && isNamed) url.searchParams.append("client_reference_id", clientReferenceId);
  redirect(res, url.href);
}

function loginOf(email) {
  const [, name, otp] = /^([^@\s]{1,64})@(?:creator|fan)(-otp)?\.sandbox\.com$/.exec(email.trim().toLowerCase()) ?? [];
  return name ? { email: email.trim().toLowerCase(), name, hasCode: otp !== undefined } : null;
}

function redirect(res, location) {
  res.writeHead(303, { ...PAGE_HEADERS, location, "content-length": 0 }).end();
}
