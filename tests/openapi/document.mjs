// Compares exchanges with www/openapi.json. What the document leaves open for later versions is closed here: an answer may have
// no member that the document does not name.

import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";

export const document = JSON.parse(readFileSync(new URL("../../www/openapi.json", import.meta.url), "utf8"));

// Of these headers, an answer may have only those that the document names for it.
const NAMED_HEADERS = ["x-ofauth-edge-action", "retry-after", "location", "sec-websocket-protocol"];
const PASSED_ON = ["Access API", "Other routes of OFAuth"];
// No route of the Worker takes them, at any path.
const NEVER = ["TRACE", "TRACK", "CONNECT"];
const UPSTREAM_ERROR = "#/components/schemas/UpstreamError";

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
ajv.addVocabulary(["components", "example"]);
ajv.addSchema({ $id: "document", components: { schemas: close(document.components.schemas) } });
const validators = new Map();

const operations = Object.entries(document.paths)
  .map(([path, item]) => ({ path, item, form: formOf(path), rank: [path.includes("{path}"), path.split("{").length] }))
  .sort((a, b) => Number(a.rank[0]) - Number(b.rank[0]) || a.rank[1] - b.rank[1] || b.path.length - a.path.length);

/**
 * @typedef {object} Exchange   as tests/e2e/record.mjs writes it
 * @property {string} method
 * @property {string} target
 * @property {string[]} requestHeaders
 * @property {string} [requestBody]
 * @property {number} status
 * @property {Record<string, string>} headers
 * @property {string | null} [body]
 */

/**
 * What is wrong with an exchange, and which operation it was. An exchange without an operation must be one of those that the
 * document's description names.
 * @param {Exchange} exchange
 * @returns {{faults: string[], operation?: object, code?: string}}
 */
export function check(exchange) {
  const found = find(exchange);
  const code = parse(exchange.body)?.type;
  if (isPreflight(exchange)) return { faults: checkPreflight(exchange, code), code };
  if (!found.operation) return { faults: checkRefusal(exchange, found, code), code };
  const { operation } = found;
  const answer = answerOf(operation, exchange);
  if (!answer) return { faults: [`the status ${exchange.status} is not documented for ${operation.operationId}`], operation, code };
  const faults = [...checkHeaders(exchange, answer), ...checkBody(exchange, answer), ...checkRequest(exchange, operation)];
  return { faults, operation, code };
}

/** What is wrong with a value, as a body or a frame of this schema. */
export function validate(schema, value) {
  const key = JSON.stringify(schema);
  if (!validators.has(key)) validators.set(key, ajv.compile(absolute(schema)));
  const isValid = validators.get(key);
  return isValid(value) ? [] : isValid.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

/** The methods that the document has for a path of it, as the header `Allow` lists them. */
export function allowedMethods(item) {
  const methods = Object.keys(item).map((method) => method.toUpperCase());
  const takesHead = methods.includes("GET") && !["finishLink", "openLive"].includes(item.get.operationId);
  return takesHead ? [...methods, "HEAD"] : methods;
}

function find({ method, target }) {
  const path = target.split("?")[0];
  const segments = path.split("/").filter((segment) => segment !== "");
  const isWebhook = segments.join("/") === "webhooks/ofauth";
  const entry = operations.find(({ form }) => form.test(isWebhook ? "/webhooks/ofauth" : path));
  if (!entry) return {};
  // On these routes the Worker passes any method on, and the document has the usual ones.
  const [first] = Object.values(entry.item);
  const isPassed = PASSED_ON.includes(first.tags[0]) && !entry.path.startsWith("/v2/link/") && !NEVER.includes(method);
  const own = method === "HEAD" && allowedMethods(entry.item).includes("HEAD") ? "get" : method.toLowerCase();
  const listed = entry.path.startsWith("/v2/access/") ? operations.find(({ form, item }) => form.test(path) && item[own]) : entry;
  return { item: entry.item, path, operation: (listed ?? entry).item[own] ?? (isPassed ? first : undefined) };
}

/** Whether a browser asks if a page of another site may call. Only these paths are for such pages. */
function isPreflight({ method, target, requestHeaders }) {
  return method === "OPTIONS" && requestHeaders.includes("access-control-request-method") && /^\/(v2|edge)\//.test(target);
}

function checkPreflight({ status }, code) {
  return status === 204 || ["ORIGIN_DENIED", "NOT_CONFIGURED"].includes(code) ? [] : [`a preflight got ${status} ${code}`];
}

/** An exchange that reached no operation. The answer to HEAD has no body, so it names no code. */
function checkRefusal({ method, status, headers }, { item }, code) {
  const isRefused = (wanted, type) => status === wanted && (code === type || method === "HEAD");
  if (isRefused(503, "NOT_CONFIGURED")) return [];
  if (NEVER.includes(method) && status === 405) return [];
  if (!item) return isRefused(404, "ROUTE_NOT_FOUND") ? [] : [`${status} ${code} on a path that is not documented`];
  if (!isRefused(405, "METHOD_NOT_ALLOWED")) return [`${status} ${code} on a method that is not documented`];
  const [allowed, expected] = [headers.allow.split(", "), allowedMethods(item)].map((methods) => methods.sort().join());
  return allowed === expected ? [] : [`Allow is ${allowed}, and the document has ${expected}`];
}

function answerOf({ responses }, { status, headers }) {
  if (headers["x-ofauth-edge"] === "upstream") return resolve(responses.default);
  const own = resolve(responses[status]);
  const media = own?.content?.["application/json"];
  if (media?.schema.anyOf) {
    const anyOf = media.schema.anyOf.filter(({ $ref }) => $ref !== UPSTREAM_ERROR);
    return { ...own, content: { "application/json": { schema: { anyOf } } } };
  }
  const other = resolve(responses.default);
  return own ?? (other?.content["application/json"] && other);
}

function checkHeaders({ headers }, { headers: documented = {}, content }) {
  const faults = ["cache-control", "x-content-type-options"].filter((name) => !(name in headers)).map((name) => `there is no ${name}`);
  const isPassed = content?.["*/*"] !== undefined;
  const names = Object.keys(documented).map((name) => name.toLowerCase());
  for (const [name, header] of Object.entries(documented)) {
    const value = headers[name.toLowerCase()];
    const { required, schema } = resolve(header);
    if (value === undefined) faults.push(...(required ? [`there is no ${name}`] : []));
    else faults.push(...validate(schema, value).map((fault) => `${name}: ${fault}`));
  }
  const others = isPassed ? [] : NAMED_HEADERS.filter((name) => name in headers && !names.includes(name));
  return [...faults, ...others.map((name) => `${name} is not documented`)];
}

function checkBody({ method, body, headers }, { content }) {
  // The recorder leaves a long body out.
  if (content?.["*/*"] || body === null) return [];
  const types = Object.keys(content ?? {});
  if (types.length > 0 && !types.includes("application/json")) {
    return types.includes(headers["content-type"]?.split(";")[0]) ? [] : [`the Content-Type is ${headers["content-type"]}`];
  }
  const schema = content?.["application/json"].schema;
  if (!schema || method === "HEAD") return body ? ["there is a body"] : [];
  if (headers["content-type"] !== "application/json") return [`the Content-Type is ${headers["content-type"]}`];
  const value = parse(body);
  return value === undefined ? ["the body is not JSON"] : validate(schema, value);
}

/** What the Worker accepts must be documented. */
function checkRequest({ target, status, headers, requestBody }, { operationId, parameters = [], requestBody: documented }) {
  if (status >= 300 || headers["x-ofauth-edge"] !== "gateway") return [];
  const query = parameters.filter((parameter) => parameter.in === "query");
  const faults = [];
  // These two read the keys that they know, and ignore others.
  for (const [key, text] of query.length > 0 && operationId !== "finishLink" ? new URLSearchParams(target.split("?")[1]) : []) {
    const parameter = query.find(({ name }) => name === key);
    const value = parameter?.schema.type === "integer" ? Number(text) : text;
    faults.push(...(parameter ? validate(parameter.schema, value) : ["it is not documented"]).map((fault) => `query ${key}: ${fault}`));
  }
  const schema = documented?.content?.["application/json"]?.schema;
  if (schema && operationId !== "receiveWebhook" && requestBody) {
    faults.push(...validate(schema, parse(requestBody)).map((fault) => `request: ${fault}`));
  }
  return faults;
}

function formOf(path) {
  const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{path\}/g, ".*").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`, "s");
}

function resolve(value) {
  return value?.$ref ? value.$ref.split("/").slice(1).reduce((at, key) => at[key], document) : value;
}

function absolute(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/'));
}

/** The schemas, of which no object may have more members than are named. An object without required members stays open. */
function close(schema) {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(close);
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
  return schema.properties && schema.required ? { additionalProperties: false, ...closed } : closed;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
