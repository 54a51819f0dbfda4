"""Receives webhooks and prints the verified events: python receive_webhooks.py PORT CERTIFICATE KEY.

Needs the package standardwebhooks, and the endpoint's signing secret as WEBHOOK_SECRET in the environment.
"""

import json
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
seen: set[str] = set()  # a real receiver keeps these ids, and the events, in its database


class Receiver(BaseHTTPRequestHandler):
    """Verifies each request, returns challenges, and prints events."""

    def do_POST(self) -> None:
        """Answer within 15 seconds; do the work afterward."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = webhook.verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            self.answer(401, b"")
            return
        if event["type"] == "webhook.verification":
            self.answer(200, json.dumps({"challenge": event["data"]["challenge"]}).encode())
            return
        if self.headers["webhook-id"] not in seen:  # an event may come twice
            seen.add(self.headers["webhook-id"])
            print(json.dumps(event), flush=True)
        self.answer(204, b"")

    def answer(self, status: int, body: bytes) -> None:
        """Send a response."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(port: str, certificate: str, key: str) -> None:
    """Serve until interrupted."""
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
