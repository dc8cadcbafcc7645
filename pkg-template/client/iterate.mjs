// Yields all connections that match a filter, page by page.

import { failure, invalidAnswer } from "./response.mjs";

const PAGE_SIZE = 100;
const MAX_ROUNDS = 3;

/**
 * Yields a Result for each connection. A Result with an error is the last.
 *
 * No connection is missed if the consumer deletes or changes those that it has got. With a cursor, the next page begins after a
 * certain connection, not after a number of them. A list without cursors is read whole before its first connection is yielded.
 * @param listPage  reads one page
 */
export async function* iterate(listPage, filter) {
  const list = async (query) => {
    const page = await listPage(query);
    return page.error || Array.isArray(page.data.list) ? page : invalidAnswer();
  };
  let query;
  try {
    query = { limit: PAGE_SIZE, ...filter };
  } catch {
    return void (yield failure("bad_request", "INVALID_ARGUMENT", "filter: pass an object"));
  }
  let page = await list(query);
  if (page.data?.hasMore && !page.data.cursor) page = await readAllPages(list, { ...query, limit: PAGE_SIZE });
  for (;;) {
    if (page.error) return void (yield page);
    for (const data of page.data.list) yield { data, error: undefined };
    if (!page.data.cursor) return;
    page = await list({ ...query, offset: undefined, cursor: page.data.cursor });
  }
}

/**
 * Reads all pages of a list that has offsets instead of cursors: the connections of one user, the newest change first.
 *
 * The list may change between two pages. If a connection changes, it moves to the front and may be missed, but then another one
 * comes twice. If a connection is removed, a later one may be missed, but then the total changes. In both cases all pages are
 * read again, in MAX_ROUNDS rounds at most.
 */
async function readAllPages(list, query) {
  const connections = new Map();
  for (let round = 1, isStable = false; !isStable && round <= MAX_ROUNDS; round += 1) {
    const seen = new Set();
    let total;
    isStable = true;
    for (let offset = query.offset ?? 0, hasMore = true; hasMore; ) {
      const page = await list({ ...query, offset });
      if (page.error) return page;
      const seenBefore = seen.size;
      total ??= page.data.total;
      isStable &&= page.data.total === total;
      for (const connection of page.data.list) {
        isStable &&= !seen.has(connection?.handle);
        seen.add(connection?.handle);
        connections.set(connection?.handle, connection);
      }
      offset += page.data.list.length;
      // Stops if a page has nothing new: the gateway might send the same page again and again.
      hasMore = page.data.hasMore && seen.size > seenBefore;
    }
  }
  return { data: { list: [...connections.values()] }, error: undefined };
}
