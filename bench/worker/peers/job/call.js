// A call: its id, its start, what the log says of it, and the answers that the Worker writes itself.

export class Refusal extends Error {
  constructor(status, type, message, actionRequired) {
    super(message);
    Object.assign(this, { status, type, actionRequired });
  }
}

export class Call {
  id = crypto.randomUUID();
  started = Date.now();
  type = null;
  upstreamRequestId = null;
  upstreamMs = null;

  constructor(route) {
    this.route = route;
  }

  json(status, value) {
    const headers = {
      "content-type": "application/json",
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
      "x-ofauth-edge": "gateway",
      "x-request-id": this.id,
    };
    return new Response(JSON.stringify(value), { status, headers });
  }

  outcome(outcome) {
    this.type = outcome;
    return this.json(200, { outcome });
  }

  refuse(error) {
    const { status = 503, type = "STORAGE_UNAVAILABLE", message, actionRequired } = error;
    this.type = type;
    return this.json(status, { error: message, message, type, code: type, requestId: this.id, actionRequired });
  }

  // The one log line of a call.
  log(method, status) {
    const { route, type, id: requestId, upstreamRequestId, upstreamMs } = this;
    const isLost = route === "webhook" && status >= 400;
    const level = status >= 500 ? "error" : isLost ? "warn" : "info";
    const upstream = { upstreamRequestId, upstreamMs };
    const ms = Date.now() - this.started;
    console.log(JSON.stringify({ level, route, method, status, type, requestId, ...upstream, detail: null, ms }));
  }
}
