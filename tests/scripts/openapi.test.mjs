// www/openapi.json and www/reference.html against the sources:
//
// 1. the committed files are those that scripts/openapi.mjs writes,
// 2. the document has the routes, methods, permissions, query keys and error codes of the sources, and no others,
// 3. each body has the fields of its Rust struct, and no others,
// 4. the document keeps the rules of OpenAPI 3.1 that a program depends on,
// 5. the reader of the sources finds what is new, and throws at what it cannot read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Ajv2020 } from "ajv/dist/2020.js";

import { buildFiles } from "../../scripts/openapi.mjs";
import * as code from "../../scripts/openapi/code.mjs";
import { FILES } from "../../scripts/openapi/operations.mjs";
import { STRUCTS } from "../../scripts/openapi/schemas.mjs";
import { schemasOf } from "../../scripts/openapi/types.mjs";
import { allowedMethods, document } from "../openapi/document.mjs";

const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);
const { schemas } = document.components;

test("the committed files are those that node scripts/openapi.mjs writes", () => {
  for (const [file, text] of Object.entries(buildFiles())) assert.ok(read(file) === text, `node scripts/openapi.mjs writes ${file} anew`);
});

test("the document has the routes of route.rs and the files of www/, each with its methods, and no others", () => {
  const { declared, found } = code.listRouteVariants();
  assert.deepEqual(found, declared);
  const isListed = ({ path }) => code.listAccessRoutes().some((route) => route.path === path) || path.startsWith("/v2/access/proxy/");
  const described = Object.entries(document.paths).filter(([path]) => !isListed({ path }) && !FILES.some((file) => file.path === path));
  const inDocument = described.map(([path, item]) => `${path.replace(/\{\w+\}/g, "{}")} ${allowedMethods(item).sort()}`);
  const inSources = code.listRoutes().map(({ path, methods, hasHead }) => `${path} ${[...methods, ...(hasHead ? ["HEAD"] : [])].sort()}`);
  assert.deepEqual(inDocument.sort(), inSources.sort());
  const fileAt = (path) => (path.includes(".") ? path : `${path.replace(/\/$/, "/index")}.html`);
  for (const { path } of FILES) assert.ok(path in document.paths && read(`www${fileAt(path)}`), path);
});

test("the document has the routes of the Access API that routes.json lists, each with its permission", () => {
  const { any, link, write } = code.listPermissions();
  const permissionOf = ({ security }) => security.find(({ sessionToken }) => sessionToken)?.sessionToken[0];
  const listed = operations.filter(({ tags, path }) => tags[0] === "Access API" && !path.endsWith("{path}"));
  const lines = (routes) => routes.map(({ method, path, permission }) => `${method} ${path} ${permission}`).sort();
  assert.deepEqual(lines(listed.map((one) => ({ ...one, permission: permissionOf(one) }))), lines(code.listAccessRoutes()));
  for (const operation of operations.filter(({ path }) => path.startsWith("/v2/access/") && path.endsWith("{path}"))) {
    assert.equal(permissionOf(operation), any, operation.path);
  }
  const own = operations.filter(({ tags }) => tags[0] !== "Access API").map(permissionOf).filter(Boolean);
  assert.deepEqual([...new Set(own)].sort(), [link, write].sort());
});

test("the document has each error code of the sources, with its status, and no other", () => {
  const errors = code.listErrors();
  assert.deepEqual(schemas.ErrorCode.enum.toSorted(), Object.keys(errors).sort());
  const answers = operations.flatMap(({ responses }) => Object.entries(responses).map(([status, answer]) => [status, resolve(answer)]));
  const shared = Object.values(document.components.responses).map((answer) => [undefined, answer]);
  const used = new Set();
  for (const [status, answer] of [...answers, ...shared]) {
    for (const [, named] of JSON.stringify(answer.content ?? {}).matchAll(/"enum":(\["[A-Z_]+"(?:,"[A-Z_]+")*\])/g)) {
      for (const name of JSON.parse(named)) {
        used.add(name);
        if (status) assert.equal(String(errors[name].status), status, name);
      }
    }
  }
  assert.deepEqual([...used].sort(), Object.keys(errors).sort());
  assert.deepEqual(schemas.Action.enum.toSorted(), [...new Set(Object.values(errors).flatMap(({ actions }) => actions))].sort());
});

test("each list takes the query keys of list.rs, and no others", () => {
  const keys = code.listQueryKeys();
  const expected = { listConnections: keys.connections, listEvents: keys.events, listDeliveries: keys.events };
  for (const [id, names] of Object.entries(expected)) {
    const { parameters } = operations.find(({ operationId }) => operationId === id);
    assert.deepEqual(parameters.filter((one) => one.in === "query").map(({ name }) => name).sort(), names.toSorted(), id);
  }
});

test("each body has the fields of its Rust struct, and no others", () => {
  for (const [name, [file, struct, left = []]] of Object.entries(STRUCTS)) {
    const fields = code.listFields(file, struct);
    const { properties, required } = schemas[name];
    assert.deepEqual(Object.keys(properties).sort(), Object.keys(fields).filter((field) => !left.includes(field)).sort(), name);
    if (!required) continue;
    for (const [field, { isOptional }] of Object.entries(fields)) assert.ok(isOptional || required.includes(field), `${name}.${field}`);
  }
});

test("each JSON body of an operation is of a schema that is compared with the sources", () => {
  const compared = [...Object.keys(STRUCTS), ...Object.keys(schemasOf(["ConnectionPage", "Outcome", "Health", "Verdict"]))];
  // OFAuth's, what the next test compares, and what has no struct: tests/openapi/exchanges.test.mjs compares that with answers.
  const others = ["UpstreamError", "WebhookEvent", "LinkRequest", "ForwardPage", "Metrics", "Status"];
  const bodies = operations.flatMap(({ responses, requestBody }) => [...Object.values(responses).map(resolve), requestBody].filter(Boolean));
  const names = bodies.flatMap((body) => [...JSON.stringify(body.content ?? {}).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name));
  const unknown = [...new Set(names)].filter((name) => ![...compared, ...others, "SignatureErrorCode"].includes(name));
  assert.deepEqual(unknown, []);
});

test("the body that starts Link has the members that link.rs reads, and no others", () => {
  const text = read("src/core/gateway/link.rs").split("impl InitRequest")[1].split("\nimpl ")[0];
  const names = [...text.matchAll(/(?:text_field|fields\.get)\("(\w+)"\)/g)].map(([, name]) => name);
  const kept = [...text.matchAll(/matches!\([\w.()]+, "(\w+)" \| "(\w+)"\)/g)].flatMap(([, ...both]) => both);
  assert.equal(kept.length, 2);
  assert.deepEqual(Object.keys(schemas.LinkRequest.properties).sort(), [...new Set([...names, ...kept])].sort());
});

test("a route, an error or a field that is new in the sources is found, and a form that cannot be read is an error", () => {
  const route = read("src/core/gateway/route.rs");
  const withArm = (arm) => code.listRoutes(route.replace('        "/edge/events" =>', `        ${arm}\n$&`));
  assert.ok(withArm('"/edge/new" => only("PUT", Route::New),').some(({ path, methods }) => path === "/edge/new" && methods[0] === "PUT"));
  assert.throws(() => withArm("_ if is_new(path) => read(Route::New),"), /a pattern of another form: _ if is_new/);
  assert.throws(() => withArm('"/edge/new" => new_route(method),'), /an arm of another form/);
  const errors = read("src/core/gateway/error.rs");
  assert.throws(() => code.listErrors(errors.replace('("OVERLOADED",', '("NEW_CODE", "New."), $&')), /no variant has the code NEW_CODE/);
  assert.throws(() => code.listErrors(errors.replace('=> "OVERLOADED"', '=> "NEW_CODE"')), /error\.rs: Overloaded/);
  const reply = read("src/worker/http/reply.rs");
  const fields = code.listFields("reply.rs", "HealthzBody", reply.replace("struct HealthzBody {\n    ok: bool,", "$&\n    new_field: u8,"));
  assert.deepEqual(fields.newField, { isOptional: false });
  assert.throws(() => code.listFields("reply.rs", "NoSuchBody", reply), /has no struct NoSuchBody/);
});

test("each reference leads somewhere, each schema compiles, each example fits, and each id and path parameter is there once", () => {
  const text = JSON.stringify(document);
  for (const [, pointer] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    assert.ok(pointer.split("/").reduce((at, key) => at?.[key], document) !== undefined, pointer);
  }
  const ids = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  const ajv = new Ajv2020({ allowUnionTypes: true });
  ajv.addVocabulary(["components", "example"]);
  ajv.addSchema({ $id: "document", components: { schemas } });
  const isValid = (schema, value) => ajv.validate(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')), value);
  for (const { path, parameters = [], responses, requestBody, tags } of operations) {
    const inPath = parameters.map(resolve).filter((one) => one.in === "path");
    assert.deepEqual(inPath.map(({ name }) => `{${name}}`), path.match(/\{\w+\}/g) ?? [], path);
    assert.ok(document.tags.some(({ name }) => name === tags[0]), path);
    for (const body of [...Object.values(responses).map(resolve), requestBody ?? {}]) {
      const { schema = true, example, examples = {} } = body.content?.["application/json"] ?? {};
      const all = [...(example ? [example] : []), ...Object.values(examples).map(({ value }) => value)];
      for (const one of all) assert.ok(isValid(schema, one), `${path}: ${ajv.errorsText()}`);
    }
  }
  for (const name of Object.keys(schemas)) ajv.compile({ $ref: `document#/components/schemas/${name}` });
});

test("the page has each operation, error code and schema, and refers to nothing outside", () => {
  const page = read("www/reference.html");
  for (const { path, method } of operations) {
    assert.ok(page.includes(`<span class="method">${method}</span>`) && page.replaceAll("<wbr>", "").includes(`<code>${path}</code>`), path);
  }
  for (const name of [...schemas.ErrorCode.enum, ...Object.keys(schemas)]) assert.ok(page.includes(name), name);
  assert.doesNotMatch(page, /<script|<style|\sstyle=|\son\w+=|undefined|\[object/);
  const addresses = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address]) => address);
  assert.deepEqual([...new Set(addresses.filter((one) => !one.startsWith("#")))].sort(), ["/openapi.json", "/palette.css", "/reference.css", "https://ofauth.com"]);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const one of addresses.filter((address) => address.startsWith("#"))) assert.ok(ids.includes(one.slice(1)), one);
});

function resolve(value) {
  return value.$ref ? value.$ref.split("/").slice(1).reduce((at, key) => at[key], document) : value;
}
