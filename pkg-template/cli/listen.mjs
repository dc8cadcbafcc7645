// `listen`: follows the webhooks of a gateway and sends each to a local app.

import { setTimeout as sleep } from "node:timers/promises";

import { instant, noPositionals, wholeNumber } from "./arguments.mjs";
import { UsageError } from "./errors.mjs";
import { Feed } from "./feed.mjs";
import { forward, FORWARD_OPTIONS, printForwarded, shortId, targetOf } from "./forward.mjs";
import { gatewayOf, GATEWAY_OPTIONS, isSafeForKeys, PassingFailure } from "./gateway.mjs";
import { shownUrl } from "./http.mjs";
import { timeOfDay } from "./output.mjs";
import { createPace } from "./pace.mjs";
import { loadState, saveState } from "./state.mjs";
import { explainRefusal } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const listen = {
  name: "listen",
  summary: "Follow the webhooks of a deployed gateway, and send each to your local app",
  positionals: "",
  about: `Each webhook is signed afresh with your local secret. Without --since it begins now. Press Ctrl-C to stop.
While your app is not there, listen waits for it. If your app answers with an error, listen reports that and goes on.
While the gateway is not there, listen tries again, after 1 s at first and 30 s at most.

The gateway keeps its lists in Workers KV, so a webhook may come a minute late. --user is quicker for connections.
On a gateway that is not on this machine, listen looks every 5 s, and every minute after two quiet minutes. Each look costs
two list operations of Workers KV, with --user one; Cloudflare's free plan has 1,000 a day.

Realtime events come only if EVENT_KEEP of the gateway keeps them.`,
  options: {
    ...GATEWAY_OPTIONS,
    ...FORWARD_OPTIONS,
    since: { type: "string", value: "time", help: "Begin with webhooks received then, such as 10m (ago), 2h or 2026-01-31T12:00:00Z" },
    state: { type: "string", value: "file", help: "Remember in this file what was sent, and go on there the next time" },
    user: { type: "string", value: "id", help: "Only webhooks about the user with this clientReferenceId" },
    type: { type: "string", value: "type", multiple: true, help: "Only this type, or types that begin so: connection.*" },
    interval: { type: "string", value: "seconds", help: "Look every so many seconds, also when it is quiet" },
  },
  examples: [
    [
      "GATEWAY_KEY and OFAUTH_WEBHOOK_SECRET are set",
      "ofauth-edge listen --url https://gateway.example --forward http://localhost:3000/webhooks",
    ],
    ["The variables are in a file. Start two hours back", "ofauth-edge listen --vars .env --forward http://localhost:3000/webhooks --since 2h"],
    ["Go on where it was stopped", "ofauth-edge listen --vars .env --forward http://localhost:3000/webhooks --state .listen.json"],
  ],
  async run({ values, positionals, env, output }) {
    noPositionals(positionals);
    const stop = new AbortController();
    const gateway = gatewayOf(values, env, stop.signal);
    const target = targetOf(values, env);
    const source = { origin: gateway.origin, user: values.user };
    const saved = values.state === undefined ? undefined : loadState(values.state, source);
    if (saved && values.since) throw new UsageError("--state says where to go on, so it excludes --since. Delete the file to begin elsewhere");
    const begin = saved ?? { since: instant(values, "since", Date.now()) ?? Date.now() };
    const feed = new Feed(gateway, { ...begin, user: values.user });
    const pace = createPace({ isLocal: gateway.isLocal, fixed: seconds(values) });
    const isType = typeFilter(values.type);
    const save = saver(values.state, source, feed);
    save(true);
    const listener = { gateway, feed, pace, target, output, save, signal: stop.signal, isType, next: begin.since };
    output.isEndless = true;
    for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => stop.abort());
    announce(gateway, target, begin, output);
    try {
      await follow(listener);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      save(true);
    }
    const next = `To go on: --since ${new Date(listener.next).toISOString()}`;
    output.note(`Stopped. ${values.state === undefined ? next : "The same command goes on where it was"}`);
    return 0;
  },
};

/** Writes the state at most twice a second, because it may hold many ids, or at once if it must. */
function saver(file, source, feed) {
  let written = -Infinity;
  return (must = false) => {
    if (file === undefined || (!must && performance.now() - written < 500)) return;
    saveState(file, source, feed);
    written = performance.now();
  };
}

function seconds(values) {
  const number = wholeNumber(values, "interval", undefined, 1);
  return number === undefined ? undefined : number * 1_000;
}

function typeFilter(types = ["*"]) {
  const patterns = types.flatMap((list) => list.split(","));
  const wrong = patterns.find((pattern) => !/^[^*\s]*\*?$/.test(pattern) || pattern === "");
  if (wrong !== undefined) throw new UsageError("--type is a type, or the beginning of one and *");
  const matches = (type) => (pattern) => (pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern);
  return (type) => patterns.some(matches(type ?? ""));
}

function announce({ origin }, { url, signer }, { since }, output) {
  output.note(`From ${origin}, received since ${new Date(since).toISOString()}`);
  output.note(`To   ${shownUrl(url)}, signed as ${signer.scheme}`);
  if (!isSafeForKeys(url)) output.note("Warning: this address is not https and not this machine. Webhooks hold connection ids, which are credentials");
}

/** Polls until it is stopped. Keeps in `next` the time from which to go on. */
async function follow(listener) {
  const { gateway, feed, pace, output, save, signal, isType } = listener;
  for (let polls = 0; !signal.aborted; polls++) {
    const polled = await pollUntilAnswered(listener);
    if (polled === undefined) return;
    if (polls === 0) {
      output.note("Ready. The gateway accepts the key");
      warnOfClock(gateway, output);
    }
    for (const event of polled.events) {
      if (isType(event.type) && !(await deliver(event, listener))) return;
      listener.next = Date.parse(event.receivedAt) + 1;
      feed.finish(event);
      save();
    }
    feed.settle();
    save();
    await pause(pace.next(polled), signal);
  }
}

/** The times of webhooks are the gateway's. With a clock that is ahead, new ones would look old. */
function warnOfClock({ clockSkew }, output) {
  if (Math.abs(clockSkew) < 30) return;
  const direction = clockSkew > 0 ? "ahead of" : "behind";
  output.note(`The clock of this machine is ${Math.abs(clockSkew)} s ${direction} the gateway's. Set it, or pass --since with some minutes more`);
}

/** Polls again and again until the gateway answers. Returns undefined if it is stopped. */
async function pollUntilAnswered({ feed, output, signal }) {
  for (let tries = 0; ; tries++) {
    try {
      const polled = await feed.poll();
      if (tries > 0) output.note(`${timeOfDay()}  The gateway answers again`);
      return polled;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof PassingFailure)) throw error;
      const wait = (error.retryAfter ?? 0) * 1_000 || backoff(tries);
      output.note(`${timeOfDay()}  ${error.message}. Next try in ${Math.ceil(wait / 1_000)} s`);
      await pause(wait, signal);
    }
  }
}

/** Sends one webhook, and prints what became of it. Waits for the app while nothing listens there. False if it is stopped. */
async function deliver(event, listener) {
  const { target, output, signal } = listener;
  for (let tries = 0; !signal.aborted; tries++) {
    const result = await forward(event, target, signal);
    if (!result.error?.refused) {
      if (tries > 0) output.note(`${timeOfDay()}  Your app is there`);
      printForwarded(event, result, output);
      if (!result.ok) hintOnce(event, result, listener);
      return true;
    }
    // The first try, then about two a minute.
    if (tries % 6 === 0) output.note(`${timeOfDay()}  ${result.error.message}. Waiting for your app`);
    await pause(Math.min(backoff(tries), 5_000), signal);
  }
  return false;
}

/** What to do about a failure, at the first one only. */
function hintOnce({ id }, { answer }, listener) {
  if (listener.hasHinted) return;
  listener.hasHinted = true;
  const { output, target } = listener;
  const hint = answer && explainRefusal(answer, target.url);
  if (hint) output.note(hint);
  output.note(`To send it again: ofauth-edge replay ${shortId(id)}, with the same options`);
}

/** How long to wait after a failure, in ms: 1 s, doubled up to 30 s, less a random part so that many do not come together. */
function backoff(tries) {
  return Math.min(1_000 * 2 ** Math.min(tries, 10), 30_000) * (0.8 + Math.random() * 0.2);
}

/** Ends early if it is stopped. */
function pause(ms, signal) {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
