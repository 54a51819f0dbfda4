"""What the canned servers share: HTTP/1.1 over TLS, counts of what was served, and a message's MIME."""

import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CannedHandler(BaseHTTPRequestHandler):
    """One connection, kept open between requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    # Else the kernel holds the end of an answer back until the client acknowledges the rest: 40 ms a request.
    disable_nagle_algorithm = True

    def received(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def respond(self, kind: str, body: bytes) -> None:
        """Send a whole answer."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class Counts:
    """How many requests and bytes of each kind were served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}

    def add(self, kind: str, size: int) -> None:
        """Count one request and its answer's bytes."""
        with self._lock:
            count = self._counts.setdefault(kind, [0, 0])
            count[0] += 1
            count[1] += size

    def taken(self) -> bytes:
        """The counts as text (NAME=REQUESTS/BYTES...), begun anew."""
        with self._lock:
            told = " ".join(f"{name}={count}/{size}" for name, (count, size) in self._counts.items())
            self._counts.clear()
        return told.encode()


def mime_of(size: int) -> bytes:
    """A message's MIME of so many bytes."""
    text = "Received: from mail.example.org\r\nSubject: Bench\r\n\r\n" + "All work and no play is dull.\r\n" * 1000
    return (text * (size // len(text) + 1)).encode()[:size]


def listening(handler: type[CannedHandler], certificate: str, key: str) -> ThreadingHTTPServer:
    """A server on a port that the system gives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def serve_until_closed(server: ThreadingHTTPServer) -> None:
    """Print the port, and serve until the standard input is closed."""
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
