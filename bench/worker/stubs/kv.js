// Workers KV as the `kvNamespace` binding speaks to it: HTTP, the key in the path, the metadata in a header. Values stay in
// memory. The entrypoint `counts` answers how many operations there were since it was asked last.

const values = new Map();
let operations = {};

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    switch (request.method) {
      case "PUT":
        count("put");
        values.set(key, { value: await request.arrayBuffer(), metadata: request.headers.get("cf-kv-metadata") });
        return new Response();
      case "DELETE":
        count("delete");
        values.delete(key);
        return new Response();
      case "POST":
        count("bulk get");
        return Response.json(getMany(await request.json()));
      default:
        return key === "" ? list(url.searchParams) : get(key);
    }
  },
};

export const counts = {
  fetch() {
    const taken = operations;
    operations = {};
    return Response.json(taken);
  },
};

function get(key) {
  count("get");
  const found = values.get(key);
  if (!found) return new Response(null, { status: 404 });
  return new Response(found.value, { headers: found.metadata ? { "cf-kv-metadata": found.metadata } : {} });
}

function getMany({ keys, type, withMetadata }) {
  const read = (key) => {
    const found = values.get(key);
    if (!found) return null;
    const text = new TextDecoder().decode(found.value);
    const value = type === "json" ? JSON.parse(text) : text;
    return withMetadata ? { value, metadata: JSON.parse(found.metadata) } : value;
  };
  return Object.fromEntries(keys.map((key) => [key, read(key)]));
}

// Keys come in order. The cursor is the last key of the page before.
function list(query) {
  count("list");
  const [prefix, cursor] = [query.get("prefix") ?? "", query.get("cursor") ?? ""];
  const limit = Number(query.get("key_count_limit") ?? 1000);
  const rest = [...values.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort();
  const page = rest.slice(0, limit);
  const keys = page.map((name) => ({ name, metadata: JSON.parse(values.get(name).metadata) }));
  const more = page.length < rest.length ? { list_complete: false, cursor: page.at(-1) } : { list_complete: true };
  return Response.json({ keys, ...more });
}

function count(operation) {
  operations[operation] = (operations[operation] ?? 0) + 1;
}
