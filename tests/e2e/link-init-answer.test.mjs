// What a session gets of OFAuth's answer when it begins Link: 1. nothing if it names no page, 2. the page and when
// it ends, and nothing else, 3. OFAuth's errors as they came.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, afterEach, beforeEach, test } from "node:test";

import { refusal, startGateway } from "./harness.mjs";
import { begin, begun, browserOf } from "./linking.mjs";

const APP = "https://app.example";

const gateway = await startGateway({ vars: { ALLOWED_ORIGINS: APP, APP_RETURN_URL: "https://return.example/linked" } });
const oddOFAuth = await startOddOFAuth();
const other = await startGateway({ vars: { OFAUTH_API_URL: oddOFAuth.url, ALLOWED_ORIGINS: APP } });
after(async () => {
  await gateway.close();
  await other.close();
  oddOFAuth.close();
});
const { emulator } = gateway;
beforeEach(() => emulator.clear());
afterEach(() => emulator.heal());

const PAGE = "https://link.ofauth.com/cs_page";
const LEAK = "cs_LEAK_5f2a";
const NO_PAGES = [
  "http://link.ofauth.com/LEAK",
  "javascript:LEAK()",
  "JaVaScRiPt:LEAK()",
  "data:text/html,LEAK",
  "//LEAK.example/",
  "/LEAK",
  "LEAK",
  "",
  "https://LEAK@link.ofauth.com/",
  "https://link.ofauth.com\\@LEAK/",
  "https:///LEAK",
];
const SESSION = { cookie: "sess=LEAK_raw; auth_id=1", userAgent: "LEAK_agent" };

test("an answer without a hosted page is a 502, and nothing of it reaches a session", async () => {
  const secret = { clientSecret: LEAK, expiresAt: "2026-11-20T12:00:00Z" };
  const wrong = [
    { mode: "whitelabel", ...secret },
    { mode: "whitelabel", url: PAGE, ...secret },
    secret,
    { mode: "hosted", ...secret },
    { mode: "Hosted", url: PAGE, ...secret },
    { mode: 1, url: PAGE, ...secret },
    { mode: "hosted", url: null, ...secret },
    { mode: "hosted", url: [PAGE], ...secret },
    ...NO_PAGES.map((url) => ({ mode: "hosted", url, ...secret })),
    [{ mode: "hosted", url: PAGE }, LEAK],
    `{"mode":"hosted","url":"${PAGE}","clientSecret":"${LEAK}"`,
    `<!doctype html><h1>${LEAK}</h1>`,
    "",
    "null",
    JSON.stringify({ mode: "hosted", url: PAGE, clientSecret: LEAK, more: "x".repeat(70_000) }),
  ];
  for (const body of wrong) {
    const answer = await beginWith({ body });
    const what = typeof body === "string" ? body.slice(0, 80) : JSON.stringify(body);
    assert.deepEqual(refusal(answer), [502, "UPSTREAM_UNREACHABLE"], what);
    assertTight(answer, what);
  }
  const html = await beginWith({ headers: { "content-type": "text/html" }, body: { mode: "hosted", url: PAGE } });
  assert.deepEqual(refusal(html), [502, "UPSTREAM_UNREACHABLE"]);
  assert.doesNotMatch(other.logs.join("\n"), /LEAK/);
});

test("only the URL and the expiry of OFAuth's answer reach a session", async () => {
  const more = { clientSecret: LEAK, session: SESSION, connection: { id: "conn_LEAK" }, token: "LEAK" };
  const headers = { "x-client-secret": LEAK, location: `https://link.ofauth.com/${LEAK}`, "x-request-id": "req_LEAK" };
  for (const mode of ["hosted", undefined, null]) {
    for (const expiresAt of ["2026-11-20T12:00:00Z", "soon", undefined]) {
      const answer = await beginWith({ headers, body: { mode, url: PAGE, expiresAt, ...more } });
      assert.equal(answer.status, 200, answer.text);
      const expected = { mode: "hosted", url: PAGE, ...(expiresAt && { expiresAt }) };
      assert.deepEqual(answer.json(), expected);
      assertTight(answer);
    }
  }
  const created = await beginWith({ status: 201, body: { url: PAGE, ...more } });
  assert.deepEqual([created.status, created.json()], [200, { mode: "hosted", url: PAGE }]);
});

test("an error of OFAuth passes as it came, with the members that OFAuth's SDKs read", async () => {
  const verdicts = { 400: "give_up", 401: "operator", 403: "give_up", 429: "retry", 500: "retry" };
  for (const [status, verdict] of Object.entries(verdicts).map(([code, word]) => [Number(code), word])) {
    const body = { error: "No", type: status === 401 ? "UNAUTHORIZED" : "SOME_TYPE", requestId: "req_1" };
    const answer = await beginWith({ status, body, headers: { "x-request-id": "req_1" } });
    assert.deepEqual([answer.status, answer.json()], [status, { ...body, message: body.error, code: body.type }]);
    const { "x-ofauth-edge": by, "x-ofauth-edge-action": action, "x-request-id": requestId } = answer.headers;
    assert.deepEqual([by, action, requestId], ["upstream", verdict, "req_1"], String(status));
  }
  emulator.fault({ kind: "status", code: 503, body: "html" });
  const down = await begin(browserOf(gateway, "user_ada"));
  assert.deepEqual([down.status, down.headers["x-ofauth-edge"], begun(gateway).length], [503, "upstream", 1], "sent once");
  emulator.heal();
  emulator.fault({ kind: "drop" });
  assert.deepEqual(refusal(await begin(browserOf(gateway, "user_ada"))), [502, "UPSTREAM_UNREACHABLE"]);
});

/** A session's init, answered by OFAuth as given. */
function beginWith(answer) {
  oddOFAuth.answer = answer;
  return begin(browserOf(other, "user_ada"), { redirectUrl: `${APP}/back` });
}

function assertTight(answer, what) {
  assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), /LEAK|clientSecret|whitelabel/, what);
}

/** An OFAuth that answers with `answer`, whatever it is asked. */
async function startOddOFAuth() {
  const odd = { requests: [], answer: {}, url: "", close: () => server.close() && server.closeAllConnections() };
  const server = http.createServer((request, response) => {
    odd.requests.push(request.url);
    request.resume();
    const { status = 200, headers = {}, body = "" } = odd.answer;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  odd.url = `http://127.0.0.1:${server.address().port}`;
  return odd;
}
