// A Worker beside the one under test, in the place of Analytics Engine. It also passes messages on to the objects of the
// metrics, so that a test can set what was counted hours ago.
//
// Over HTTP: GET / answers the points. POST /{shard}/{path} asks an object, with the body as head.

import { WorkerEntrypoint } from "cloudflare:workers";

const points = [];

export class Points extends WorkerEntrypoint {
  writeDataPoint(point) {
    points.push(point);
  }
}

export default {
  async fetch(request, env) {
    if (request.method === "GET") return Response.json(points);
    const [, shard, ...path] = new URL(request.url).pathname.split("/");
    return new Response(await env.METRICS_STORE.getByName(shard).answer(path.join("/"), await request.text()));
  },
};
