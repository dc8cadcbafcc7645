// Puts the OpenAPI document together: operations.mjs and schemas.mjs are written by hand, code.mjs and types.mjs read the sources.

import { version } from "../manifest.mjs";
import { ANY_METHOD, listAccessRoutes, listErrors, listPermissions } from "./code.mjs";
import { FILES, OPERATIONS, SERVER_ROUTES } from "./operations.mjs";
import { buildSchemas, refTo } from "./schemas.mjs";

const SCHEMES = { server: "gatewayKey", page: "sessionToken", console: "consoleToken" };
const PROXIED = ["BAD_REQUEST", "CONNECTION_NOT_FOUND", "NOT_IMPLEMENTED", "UPSTREAM_UNREACHABLE", "STORAGE_UNAVAILABLE", "STORAGE_KEY_MISSING"];
// A call with another method or path reaches no operation.
const OF_NO_OPERATION = { RouteNotFound: "ROUTE_NOT_FOUND", MethodNotAllowed: "METHOD_NOT_ALLOWED" };

const DESCRIPTION = `The HTTP surface of ofauth-edge, a Cloudflare Worker between your app and [OFAuth](https://ofauth.com). \`/webhooks/ofauth\` is for OFAuth, \`/v2/*\` passes calls to OFAuth, and \`/edge/*\` answers from the Worker's own storage.

**Credentials.** A server sends a gateway key, a page a session token, and the console a console token: as \`Authorization: Bearer\`, or as \`apikey\`. The Worker refuses a gateway key that a page of another site sends.

**Methods.** A route that takes GET also takes HEAD, except \`/link/callback\` and \`/edge/live\`. Another method gets 405 \`METHOD_NOT_ALLOWED\`, and \`Allow\` lists those that the route takes. Another path gets 404 \`ROUTE_NOT_FOUND\`.

**Pages of other sites** may call \`/v2/*\` and \`/edge/*\` if \`ALLOWED_ORIGINS\` lists their origin. The Worker answers a preflight request with 204, or with 403 \`ORIGIN_DENIED\`.

**Answers.** An answer may get more members in a later version. Every answer forbids caching.`;

const TAGS = {
  Connections: "The accounts that your users have linked.",
  Events: "Events of OFAuth that the Worker has stored.",
  Monitoring: "What the Worker counts, and whether everything is all right.",
  Sessions: "Tokens for pages and for the console.",
  Users: "All that belongs to a user.",
  Link: "The dialog in which a user links an account.",
  Webhooks: "What OFAuth sends.",
  Operation: "For the people who run the Worker.",
  Pages: "Files of the folder www. Cloudflare serves them before the Worker is asked, except the console, which the Worker serves.",
  "Access API": "Calls on a linked account, which the Worker passes to OFAuth. It adds the API key and the connection id. It passes any method on. OFAuth documents bodies, queries and answers.",
  "Other routes of OFAuth": "Calls that the Worker passes to OFAuth for servers. It passes any method on, except for a Link session. OFAuth documents bodies, queries and answers.",
};

const HEADERS = {
  RequestId: ["Names the request. It is OFAuth's request id if OFAuth's answer has one.", { type: "string" }],
  Source: ["`upstream` if the answer is OFAuth's, and `gateway` if the Worker made it.", { type: "string", enum: ["gateway", "upstream"] }],
  Action: ["What a client should do about the error.", refTo("Action")],
  RetryAfter: ["How long to wait, in seconds.", { type: "string", pattern: "^[0-9]+$" }],
};
const headerRef = (name) => ({ $ref: `#/components/headers/${name}` });
const COMMON_HEADERS = { "X-Request-Id": headerRef("RequestId"), "X-OFAuth-Edge": headerRef("Source") };

const errors = listErrors();

/** The document. */
export function buildDocument() {
  const responses = Object.fromEntries(Object.entries(OF_NO_OPERATION).map(([name, code]) => [name, errorAnswer(errors[code].status, [code])]));
  const paths = {};
  for (const operation of [...OPERATIONS, ...files(), ...accessOperations(), ...serverOperations()]) {
    const { path, method, tag, id, summary, description, parameters, frames } = operation;
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = {
      tags: [tag],
      operationId: id,
      summary,
      ...(description && { description }),
      security: securityOf(operation),
      ...(parameters?.length && { parameters }),
      ...(operation.body && { requestBody: bodyOf(operation.body) }),
      responses: operation.isFile ? operation.answers : answersOf(operation, responses),
      ...(frames && { "x-websocket-frames": frames.map(refTo) }),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "ofauth-edge", version, description: DESCRIPTION, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/", description: "The Worker that serves this document." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: buildSchemas(), responses, headers: headers(), parameters: PARAMETERS, requestBodies: BODIES, securitySchemes: SECURITY },
  };
}

const PARAMETERS = {
  ConnectionId: {
    name: "x-connection-id",
    in: "header",
    description: "The connection: a handle, or for a server a handle or an id. A server must send it. A page may leave it out if its user has exactly one active connection, or no active one and exactly one that is not disconnected.",
    schema: { type: "string" },
    example: "acct_0635f7239bbba1dd908a651d100012e6",
  },
};
const BODIES = { Passed: { description: "Passed to OFAuth unread.", required: false, content: { "*/*": {} } } };
const SECURITY = {
  gatewayKey: { type: "http", scheme: "bearer", description: "One of the keys in GATEWAY_KEY. It opens every route, or those for which it has the right, and is for servers only." },
  sessionToken: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A token of one user, for a page. The names are those of the permissions that it needs." },
  consoleToken: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A token for the people who run the Worker." },
  apikey: { type: "apiKey", in: "header", name: "apikey", description: "Any of these credentials in another header. It is ignored if there is an Authorization header." },
};

function headers() {
  return Object.fromEntries(
    Object.entries(HEADERS).map(([name, [description, schema]]) => [name, { description, required: true, schema }]),
  );
}

function securityOf({ callers, permission }) {
  if (callers.length === 0) return [];
  const schemes = callers.map((caller) => ({ [SCHEMES[caller]]: caller === "page" && permission ? [permission] : [] }));
  return [...schemes, { apikey: [] }];
}

function bodyOf(body) {
  if (body.$ref) return body;
  const examples = Object.entries(body.examples ?? {}).map(([name, value]) => [name, { value }]);
  const content = { schema: refTo(body.schema), ...(examples.length && { examples: Object.fromEntries(examples) }) };
  return { required: body.required, content: { "application/json": content } };
}

/** All answers of an operation. Those of a family of routes are shared: `family` names them in `responses`. */
function answersOf(operation, responses) {
  const own = Object.entries(operation.answers ?? {}).map(([status, answer]) => [status, ownAnswer(answer)]);
  const answers = { ...Object.fromEntries(own), ...errorAnswers(operation) };
  if (operation.signatureErrors) answers[401] = signatureAnswer();
  if (operation.upstream) answers.default = upstreamAnswer(operation.upstream);
  if (operation.incomplete) answers.default = incompleteAnswer(operation.incomplete);
  if (!operation.family) return answers;
  const shared = Object.entries(answers).map(([status, answer]) => {
    const name = `${operation.family}${status === "default" ? "Answer" : status}`;
    responses[name] = answer;
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return Object.fromEntries(shared);
}

function ownAnswer({ schema, description, example, headers: own = {} }) {
  const texts = Object.entries(own).map(([name, what]) => [name, { description: what, required: true, schema: { type: "string" } }]);
  const content = schema && { "application/json": { schema: refTo(schema), ...(example && { example }) } };
  return { description, headers: { ...COMMON_HEADERS, ...Object.fromEntries(texts) }, ...(content && { content }) };
}

function errorAnswers(operation) {
  const codes = [...credentialErrors(operation), ...operation.errors, ...(operation.answers?.[503] ? [] : ["NOT_CONFIGURED"])];
  const statuses = [...new Set(codes.map((code) => errors[code].status))].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const answer = errorAnswer(status, codes.filter((code) => errors[code].status === status));
      const other = operation.incomplete ?? (operation.upstream && "UpstreamError");
      return [status, other ? withOther(answer, other) : answer];
    }),
  );
}

function credentialErrors({ callers }) {
  return callers.length === 0 ? [] : ["CREDENTIALS_MISSING", "CREDENTIALS_INVALID", "TOKEN_EXPIRED", "ORIGIN_DENIED", "PERMISSION_DENIED"];
}

function errorAnswer(status, codes) {
  const waits = status === 503 || status === 429;
  return {
    description: codes.map((code) => `\`${code}\`: ${errors[code].doc}`).join(" "),
    headers: { ...COMMON_HEADERS, "X-OFAuth-Edge-Action": headerRef("Action"), ...(waits && { "Retry-After": headerRef("RetryAfter") }) },
    content: { "application/json": { schema: { allOf: [refTo("Error"), { type: "object", properties: { type: { enum: codes } } }] } } },
  };
}

function signatureAnswer() {
  const schema = { allOf: [refTo("Error"), { type: "object", properties: { type: refTo("SignatureErrorCode") } }] };
  return { description: "The signature is missing or wrong. `type` says why.", headers: COMMON_HEADERS, content: { "application/json": { schema } } };
}

/** An answer of this status may also be that of OFAuth, or name the connections that OFAuth has refused to delete. */
function withOther(answer, name) {
  const { schema } = answer.content["application/json"];
  const description = name === "UpstreamError" ? `${answer.description} Or OFAuth's own error, if X-OFAuth-Edge is \`upstream\`.` : answer.description;
  return { ...answer, description, content: { "application/json": { schema: { anyOf: [schema, refTo(name)] } } } };
}

function upstreamAnswer(description) {
  return { description, headers: COMMON_HEADERS, content: { "*/*": {} } };
}

function incompleteAnswer(schema) {
  const description = "OFAuth refused to delete some connections. The status and `type` are those of its first refusal.";
  const [waiting, seconds] = HEADERS.RetryAfter;
  const wait = { description: `${waiting} It is there if OFAuth has named a time.`, schema: seconds };
  const headers = { ...COMMON_HEADERS, "X-OFAuth-Edge-Action": headerRef("Action"), "Retry-After": wait };
  return { description, headers, content: { "application/json": { schema: refTo(schema) } } };
}

function files() {
  return FILES.map(({ path, id, type, summary }) => ({
    ...{ method: "GET", path, id, tag: "Pages", callers: [], summary, isFile: true },
    answers: { 200: { description: "The file.", content: { [type]: {} } } },
  }));
}

/** The routes that OFAuth documents, each with its permission, and then all others under the same prefix. */
function accessOperations() {
  const { any } = listPermissions();
  const rest = [
    { path: "/v2/access/proxy/{path}", summary: "Passes a call to OnlyFans" },
    { path: "/v2/access/{path}", summary: "Passes a call that OFAuth does not document" },
  ].flatMap((route) => ANY_METHOD.map((method) => ({ ...route, method, permission: any })));
  return [...listAccessRoutes(), ...rest].map(({ method, path, permission, summary }) => ({
    method,
    path,
    id: idOf(method, path),
    tag: "Access API",
    callers: ["server", "page"],
    permission,
    summary: summary ?? `Needs ${permission}`,
    parameters: [...pathParameters(path), { $ref: "#/components/parameters/ConnectionId" }],
    ...(method !== "GET" && { body: { $ref: "#/components/requestBodies/Passed" } }),
    upstream: "OFAuth's answer. The header X-OFAuth-Edge-Action is there if it is an error.",
    errors: [...PROXIED, "CONNECTION_AMBIGUOUS", "ACCOUNT_CHANGED"],
    family: "Access",
  }));
}

function serverOperations() {
  return SERVER_ROUTES.flatMap(({ path, methods, id, summary }) =>
    (methods === "any" ? ANY_METHOD : methods).map((method) => ({
      method,
      path,
      id: `${method.toLowerCase()}${id}`,
      tag: "Other routes of OFAuth",
      callers: ["server"],
      summary,
      parameters: [...pathParameters(path), { $ref: "#/components/parameters/ConnectionId" }],
      ...(method !== "GET" && { body: { $ref: "#/components/requestBodies/Passed" } }),
      upstream: "OFAuth's answer. The header X-OFAuth-Edge-Action is there if it is an error.",
      errors: PROXIED,
      family: "Server",
    })),
  );
}

function pathParameters(path) {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    ...(name === "path" && { description: "The rest of the path. It may have slashes, which are not percent-encoded." }),
    schema: { type: "string" },
  }));
}

function idOf(method, path) {
  const words = path.split("/").slice(3).flatMap((segment) => segment.replace(/[{}]/g, "").split("-"));
  return method.toLowerCase() + ["access", ...words].map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}
