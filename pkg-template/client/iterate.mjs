// All connections under a filter, page by page.

import { failure, notOurs } from "./answer.mjs";

const PAGE = 100;
const ROUNDS = 3;

/**
 * Yields a Result for each connection; one with an error is the last. What the consumer does to a connection moves no
 * other out of sight: a cursor says after which connection the next page begins, not how many to skip, and a list without
 * a cursor is read whole before anything of it is yielded.
 * @param listed  reads a page
 */
export async function* iterate(listed, filter) {
  const list = async (query) => {
    const page = await listed(query);
    return page.error || Array.isArray(page.data.list) ? page : notOurs();
  };
  let query;
  try {
    query = { limit: PAGE, ...filter };
  } catch {
    return void (yield failure("bad_request", "INVALID_ARGUMENT", "filter must be an object that can be read"));
  }
  let page = await list(query);
  if (page.data?.hasMore && !page.data.cursor) page = await readWhole(list, { ...query, limit: PAGE });
  for (;;) {
    if (page.error) return void (yield page);
    for (const data of page.data.list) yield { data, error: undefined };
    if (!page.data.cursor) return;
    page = await list({ ...query, offset: undefined, cursor: page.data.cursor });
  }
}

/**
 * A user's own connections come newest first, by offset. One that moves while the pages are read may slip between two of
 * them; but then one comes twice, or the total changes: the pages are read again.
 */
async function readWhole(list, query) {
  const found = new Map();
  for (let round = 1, calm = false; !calm && round <= ROUNDS; round += 1) {
    const seen = new Set();
    let total;
    calm = true;
    for (let offset = query.offset ?? 0, more = true; more; ) {
      const page = await list({ ...query, offset });
      if (page.error) return page;
      const before = seen.size;
      total ??= page.data.total;
      calm &&= page.data.total === total;
      for (const item of page.data.list) {
        calm &&= !seen.has(item?.handle);
        seen.add(item?.handle);
        found.set(item?.handle, item);
      }
      offset += page.data.list.length;
      more = page.data.hasMore && seen.size > before;
    }
  }
  return { data: { list: [...found.values()] }, error: undefined };
}
