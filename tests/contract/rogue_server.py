"""An HTTPS server that answers each request with the bytes and the pauses that a test specifies."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sandbox.tls.authority import Authority

type Step = bytes | float
"""Bytes to send, or seconds to wait before the next step."""

CLOSE = b"<close>"
RESET = b"<reset>"


def http(body: bytes = b"", status: int = 200, content_type: str = "text/xml; charset=utf-8", **headers: str) -> bytes:
    """A complete HTTP response."""
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class RogueServer:
    """Serves its script and repeats the last part. Stores the received requests and counts the connections."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.script: list[list[Step]] = []
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        """Set by the first request."""
        self.connections = 0
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}/EWS/Exchange.asmx"
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def answers(self, *script: bytes | list[Step]) -> None:
        """Set the responses, one for each request."""
        self.script = [[part] if isinstance(part, bytes) else part for part in script]

    def accept(self) -> None:
        """Accept connections until the server is stopped."""
        while not self._stopping.is_set():
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._converse, args=(plain,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Accept no more connections."""
        self._stopping.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def _converse(self, plain: socket.socket) -> None:
        plain.settimeout(5)
        with plain, suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            while not self._stopping.is_set():
                request = self._read(connection)
                if request is None:
                    return
                self.requests.append(request)
                self.asked.set()
                steps = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if not self._play(connection, steps):
                    return

    def _read(self, connection: ssl.SSLSocket) -> bytes | None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0")
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def _play(self, connection: ssl.SSLSocket, steps: list[Step]) -> bool:
        for step in steps:
            if step == CLOSE:
                return False
            if step == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                return False
            if isinstance(step, float):
                time.sleep(step)
            else:
                connection.sendall(step)
        return True


@contextmanager
def rogue_server(authority: Authority, kind: type[RogueServer] = RogueServer) -> Iterator[RogueServer]:
    """Run a server until the block ends."""
    server = kind(authority.server_context())
    thread = threading.Thread(target=server.accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
