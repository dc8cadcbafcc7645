// The least that a Worker costs: it reads the body and answers. A GET passes the upstream's answer through.

import { Call } from "./job/call.js";

export default {
  async fetch(request, env) {
    const call = new Call("webhook");
    const response = request.method === "GET" ? await pass(request, env) : await answer(request);
    call.log(request.method, response.status);
    return response;
  },
};

function pass({ url }, env) {
  return fetch(env.OFAUTH_API_URL + url.slice(url.indexOf("/", 8)));
}

async function answer(request) {
  await request.arrayBuffer();
  return Response.json({ outcome: "applied" });
}
