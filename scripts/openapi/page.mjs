// Renders the document as a page of plain HTML. It has no script, so that the Content-Security-Policy of www/_headers holds for it.

const METHODS = ["get", "post", "put", "patch", "delete"];
const CALLERS = { gatewayKey: "a server", sessionToken: "a page", consoleToken: "the console" };
// Their operations differ in method, path and permission only.
const TABLES = ["Access API", "Other routes of OFAuth"];

/**
 * @param {object} document   of scripts/openapi/build.mjs
 * @returns {string}
 */
export function renderPage(document) {
  const groups = document.tags.map((tag) => ({ ...tag, operations: operationsOf(document, tag.name) }));
  const schemas = Object.entries(document.components.schemas);
  return `<!doctype html>
<!-- Written by scripts/openapi.mjs: node scripts/openapi.mjs -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>HTTP reference of ofauth-edge</title>
<link rel="stylesheet" href="/palette.css">
<link rel="stylesheet" href="/reference.css">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<h1>HTTP reference</h1>
<p>ofauth-edge ${escape(document.info.version)}. The same as <a href="/openapi.json">OpenAPI ${document.openapi}</a>.</p>
</header>
<nav aria-label="Contents">
<ul>
${groups.map(({ name }) => `<li><a href="#${anchor(name)}">${escape(name)}</a></li>`).join("\n")}
<li><a href="#errors">Error codes</a></li>
<li><a href="#schemas">Bodies</a></li>
</ul>
</nav>
<main id="content">
<section aria-label="Overview">
${markdown(document.info.description)}
</section>
${groups.map((group) => renderGroup(group, document)).join("\n")}
${renderErrors(document)}
<section aria-labelledby="schemas">
<h2 id="schemas">Bodies</h2>
${schemas.map(([name, schema]) => renderSchema(name, schema)).join("\n")}
</section>
</main>
</body>
</html>
`;
}

function operationsOf({ paths }, tag) {
  const all = Object.entries(paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
  return all.filter(({ tags }) => tags[0] === tag);
}

function renderGroup({ name, description, operations }, document) {
  const body = TABLES.includes(name) ? renderTable(name, operations, document) : operations.map((one) => renderOperation(one, document)).join("\n");
  return `<section aria-labelledby="${anchor(name)}">
<h2 id="${anchor(name)}">${escape(name)}</h2>
<p>${inline(description)}</p>
${body}
</section>`;
}

function renderOperation(operation, document) {
  const { method, path, operationId, summary, description, security, parameters = [], requestBody, responses } = operation;
  const frames = operation["x-websocket-frames"];
  return `<article aria-labelledby="${operationId}">
<h3 id="${operationId}"><span class="method">${method.toUpperCase()}</span> <code>${breakable(path)}</code></h3>
<p><strong>${escape(summary)}.</strong> ${description ? inline(description) : ""}</p>
<p>${callersOf(security)}</p>
${parameters.length ? `<h4>Parameters</h4>\n${list(parameters.map((one) => parameterLine(resolve(one, document))))}` : ""}
${requestBody ? `<h4>Body</h4>\n${renderBody(requestBody)}` : ""}
${frames ? `<h4>Frames</h4>\n<p>${frames.map(typeOf).join(", or ")}</p>` : ""}
<h4>Answers</h4>
${list(Object.entries(responses).map(([status, answer]) => answerLine(status, resolve(answer, document))))}
</article>`.replace(/\n{2,}/g, "\n");
}

function renderBody({ content }) {
  const { schema, examples = {} } = content["application/json"];
  return `<p>${typeOf(schema)}</p>\n${Object.values(examples).map(({ value }) => code(value)).join("\n")}`;
}

function renderTable(name, operations, document) {
  const [first] = operations;
  const hasPermissions = operations.some(({ security }) => permissionOf(security));
  const rows = operations.map(({ method, path, security, summary }) => {
    const last = hasPermissions ? `<code>${escape(permissionOf(security))}</code>` : inline(summary);
    return `<tr><td><span class="method">${method.toUpperCase()}</span></td><th scope="row"><code>${breakable(path)}</code></th><td>${last}</td></tr>`;
  });
  const { parameters, responses } = first;
  const connection = parameters.map((one) => resolve(one, document)).filter((one) => one.in === "header");
  return `<p>${callersOf(first.security.map(withoutPermission))}</p>
<h3 id="${anchor(name)}-parameters">Parameters</h3>
${list(connection.map(parameterLine))}
<h3 id="${anchor(name)}-answers">Answers</h3>
${list(Object.entries(responses).map(([status, answer]) => answerLine(status, resolve(answer, document))))}
<h3 id="${anchor(name)}-routes">Routes</h3>
<table>
<thead><tr><th scope="col">Method</th><th scope="col">Path</th><th scope="col">${hasPermissions ? "Permission of a page" : "What for"}</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function renderErrors({ components, paths }) {
  const answers = [...Object.values(paths).flatMap((item) => Object.values(item).flatMap(({ responses }) => Object.entries(responses))), ...Object.entries(components.responses)];
  const lines = components.schemas.ErrorCode.enum.map((code) => {
    const [, doc] = answers.map(([, { description = "" }]) => new RegExp(`\`${code}\`: (.*?)(?= \`[A-Z_]+\`: | Or OFAuth|$)`).exec(description)).find(Boolean);
    return `<code>${code}</code> ${inline(doc)}`;
  });
  return `<section aria-labelledby="errors">
<h2 id="errors">Error codes</h2>
<p>The <code>type</code> of an error of the Worker is one of these codes.</p>
${list(lines)}
</section>`;
}

function renderSchema(name, schema) {
  const { description, properties, required = [], enum: members, examples } = schema;
  const fields = Object.entries(properties ?? {}).map(
    ([field, one]) => `<code>${escape(field)}</code> (${[typeOf(one), !required.includes(field) && "optional"].filter(Boolean).join(", ")})${one.description ? ` ${inline(one.description)}` : ""}`,
  );
  const words = (values) => values.map((value) => `<code>${escape(String(value))}</code>`).join(", ");
  return `<article aria-labelledby="schema-${name}">
<h3 id="schema-${name}">${name}</h3>
${description ? `<p>${inline(description)}</p>` : ""}
${fields.length ? list(fields) : ""}
${members ? `<p>One of ${words(members)}.</p>` : ""}
${examples ? `<p>For example ${words(examples)}.</p>` : ""}
</article>`.replace(/\n{2,}/g, "\n");
}

function callersOf(security) {
  if (security.length === 0) return "Nobody needs a credential.";
  const callers = security.flatMap((one) => Object.keys(one)).filter((scheme) => scheme in CALLERS).map((scheme) => CALLERS[scheme]);
  const text = callers.length > 1 ? `${callers.slice(0, -1).join(", ")} or ${callers.at(-1)}` : callers[0];
  const permission = permissionOf(security);
  return `For ${text}.${permission ? ` The token of a page needs the permission <code>${escape(permission)}</code>.` : ""}`;
}

function permissionOf(security) {
  return security.find(({ sessionToken }) => sessionToken?.length)?.sessionToken[0];
}

function withoutPermission(scheme) {
  return Object.fromEntries(Object.keys(scheme).map((name) => [name, []]));
}

function parameterLine({ name, in: place, description = "", required, schema }) {
  const { minimum, maximum, default: usual } = schema;
  const range = minimum === undefined ? "" : ` From ${minimum} to ${maximum}${usual === undefined ? "" : `, by default ${usual}`}.`;
  return `<code>${escape(name)}</code> (${place}${required ? "" : ", optional"}) ${inline(description)}${range}`;
}

function answerLine(status, { description, content }) {
  const media = content?.["application/json"];
  const isOwn = media?.schema?.$ref;
  const example = media?.example ? code(media.example) : "";
  return `<strong>${status === "default" ? "Any other status" : status}</strong> ${inline(description)}${isOwn ? ` ${typeOf(media.schema)}` : ""}${example}`;
}

function typeOf(schema) {
  const { $ref, type, anyOf, items, enum: members, const: value } = schema;
  const name = $ref?.split("/").at(-1);
  if (name) return `<a href="#schema-${name}">${name}</a>`;
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  if (items) return `list of ${typeOf(items)}`;
  if (value !== undefined) return `<code>${escape(JSON.stringify(value))}</code>`;
  if (members) return members.map((member) => `<code>${escape(JSON.stringify(member))}</code>`).join(" or ");
  return escape([type ?? "anything"].flat().join(" or "));
}

function resolve(value, document) {
  return value.$ref ? value.$ref.split("/").slice(1).reduce((at, key) => at[key], document) : value;
}

const list = (items) => `<ul>\n${items.map((item) => `<li>${item}</li>`).join("\n")}\n</ul>`;
const code = (value) => `<pre>${escape(JSON.stringify(value, null, 1))}</pre>`;
const anchor = (name) => name.toLowerCase().replace(/\W+/g, "-");

/** A path may break into lines after each slash. */
function breakable(path) {
  return escape(path).replace(/\/(?=.)/g, "/<wbr>");
}

/** Paragraphs of the little Markdown that the descriptions use. */
function markdown(text) {
  return text.split("\n\n").map((paragraph) => `<p>${inline(paragraph)}</p>`).join("\n");
}

function inline(text) {
  return escape(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\[([^\]]+)\]\((https:[^)]+)\)/g, '<a href="$2" rel="noreferrer">$1</a>');
}

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
