// `replay`: sends one kept webhook to a local app again.

import { onlyPositional } from "./arguments.mjs";
import { Failure, UsageError } from "./errors.mjs";
import { connectionEvents, isNoticed, listConnections, otherEvents } from "./events.mjs";
import { forward, FORWARD_OPTIONS, isDigest, printForwarded, targetOf } from "./forward.mjs";
import { gatewayOf, GATEWAY_OPTIONS } from "./gateway.mjs";
import { explainRefusal } from "./webhooks.mjs";

/** @type {import("./program.mjs").Command} */
export const replay = {
  name: "replay",
  summary: "Send one webhook that a gateway keeps to your local app again",
  positionals: "<id>",
  about: `The id is the one that listen prints, and that the gateway's lists have. Of a digest, the first 8 characters are enough.
Bodies are kept for EVENT_TTL_SECONDS of the gateway, which is 7 days by default.`,
  options: {
    ...GATEWAY_OPTIONS,
    ...FORWARD_OPTIONS,
    connection: { type: "string", value: "handle", help: "Look only at this connection, which is quicker" },
  },
  examples: [["Send it again", "ofauth-edge replay fc2d0795e6a5 --vars .env --forward http://localhost:3000/webhooks"]],
  async run({ values, positionals, env, output }) {
    const id = onlyPositional(positionals, "id");
    if (id === undefined) throw new UsageError("Which webhook? Pass its id: ofauth-edge replay <id>");
    const gateway = gatewayOf(values, env);
    const target = targetOf(values, env);
    const event = await findEvent(gateway, id, values.connection);
    if (event === undefined) {
      const hint = "Is it an id of this gateway, and younger than its EVENT_TTL_SECONDS? Its lists may be a minute late";
      throw new Failure("The gateway keeps no webhook with this id", hint);
    }
    if (event.body === null) throw new Failure("The gateway has deleted the body of this webhook, because it is older than EVENT_TTL_SECONDS");
    const result = await forward(event, target);
    printForwarded(event, result, output);
    const hint = result.answer && !result.ok ? explainRefusal(result.answer, target.url) : result.error?.hint;
    if (hint) output.note(hint);
    return result.ok ? 0 : 1;
  },
};

async function findEvent(gateway, wanted, handle) {
  const begins = (id) => isDigest(id) && wanted.length >= 8 && id.startsWith(wanted.toLowerCase());
  const isMeant = ({ id }) => id === wanted || begins(id);
  const findAt = (handle) => findIn(connectionEvents(gateway, handle), (event) => isMeant(event) && !isNoticed(event));
  if (handle !== undefined) return findAt(handle);
  const other = await findIn(otherEvents(gateway), isMeant);
  if (other) return other;
  const { connections } = await listConnections(gateway);
  // The connections that changed last are the likeliest.
  for (const { handle } of connections.sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt))) {
    const event = await findAt(handle);
    if (event) return event;
  }
  return undefined;
}

async function findIn(pages, isMeant) {
  for await (const page of pages) {
    const event = page.find(isMeant);
    if (event) return event;
  }
  return undefined;
}
