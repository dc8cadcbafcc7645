"""The backend of an app, with Python's standard library alone. It holds the gateway key, which no page may have."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import HTTPRedirectHandler, Request, build_opener

GATEWAY_URL, GATEWAY_KEY = os.environ["GATEWAY_URL"], os.environ["GATEWAY_KEY"]
PORT = int(os.environ.get("PORT", "3000"))
USER = "user_1"  # Here everybody is user_1. Your app takes the id of the user who is logged in, and percent-encodes it in a URL.


class NoRedirects(HTTPRedirectHandler):
    redirect_request = lambda *_: None  # urllib would send the gateway key to wherever a redirect leads.


def call(method, path, body=None, headers={}):
    credentials = {"Authorization": f"Bearer {GATEWAY_KEY}", "Content-Type": "application/json"}
    request = Request(GATEWAY_URL + path, body and json.dumps(body).encode(), {**credentials, **headers}, method=method)
    with build_opener(NoRedirects).open(request, timeout=30) as response:
        return json.load(response)


def accounts():
    """The user's accounts as a page may see them: each with its handle, and without its connection id."""
    connections = call("GET", f"/edge/connections?clientReferenceId={USER}&limit=100")["list"]
    return [{"handle": one["handle"], "status": one["status"], **profile(one["status"], one["handle"])} for one in connections]


def profile(status, handle):
    try:
        return {"profile": call("GET", "/v2/access/self", headers={"x-connection-id": handle})} if status == "active" else {}
    except OSError as error:  # A refusal is an HTTPError, whose header says what to do, such as "relink" or "retry".
        return {"action": getattr(error, "headers", {}).get("x-ofauth-edge-action", "retry")}


def session():
    user = {"clientReferenceId": USER, "permissions": ["profile:read", "connections:link"]}
    return {"token": call("POST", "/edge/sessions", user)["token"]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        make = {"GET /accounts": accounts, "POST /session": session}.get(f"{self.command} {self.path}")
        # Another site's name may point to this machine. Your app checks for its own name.
        is_for_this_machine = self.headers["Host"] in (f"127.0.0.1:{PORT}", f"localhost:{PORT}")
        try:
            status, answer = (200, make()) if make and is_for_this_machine else (404, {})
        except OSError as error:
            status, answer = 502, {"error": str(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_POST = do_GET


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
