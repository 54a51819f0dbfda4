"""HTTP/1.1 over one TLS connection: just what Azure Storage's REST interface needs, at a fraction of a library's cost.

A request with http.client costs twice the processor time of this, with azure-core five times, with a storage SDK ten
times. Not supported, because Storage does not use it: compression, redirects, trailers, and upgrades.
https://www.rfc-editor.org/rfc/rfc9112
"""

import contextlib
import select
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from typing import cast
from urllib.parse import unquote, urlsplit

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
"""How long to wait for the connection, and for each part of a response or of a request body."""

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200
_WITHOUT_BODY = frozenset({204, 304})


class ConnectionFailed(Exception):
    """The connection failed. `sent`: the server may have received the request, and may have acted on it."""

    def __init__(self, fault: str, *, sent: bool) -> None:
        super().__init__(fault)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class StorageResponse:
    """A complete response. Header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class HttpsConnection:
    """One keep-alive connection, opened at creation. Not thread-safe.

    Responses come in the order of the requests: `send` may be called again before `receive`.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext, proxy: str = "") -> None:
        try:
            self._socket = _open(host, port, context, proxy)
        except OSError as error:
            raise ConnectionFailed(type(error).__name__, sent=False) from error
        self._file = cast(BufferedReader, self._socket.makefile("rb", 16_384))
        self.reusable = True
        """Whether another request can follow the last response."""

    def send(self, head: bytes, body: Iterable[bytes | memoryview] = ()) -> None:
        """Send a request. Each part of the body has the whole timeout, however long the body is.

        Raises:
            ConnectionFailed
        """
        try:
            self._socket.sendall(head)
            for part in body:
                self._socket.sendall(part)
        except OSError as error:
            self.reusable = False
            raise ConnectionFailed(type(error).__name__, sent=True) from error

    def receive(self) -> StorageResponse:
        """Read the response to the oldest request that has none yet.

        Raises:
            ConnectionFailed: also if the response is cut short or is not HTTP.
        """
        reusable, self.reusable = self.reusable, False
        try:
            status, headers = self._head()
            content = self._body(status, headers)
        except (OSError, ValueError) as error:
            raise ConnectionFailed(type(error).__name__, sent=True) from error
        self.reusable = reusable and headers.get("connection", "").lower() != "close"
        return StorageResponse(status, headers, content)

    def is_stale(self) -> bool:
        """Whether the server has closed the idle connection: then there is something to read, the end."""
        try:
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._file.close()
            self._socket.close()

    def __del__(self) -> None:
        """Close the connection of a client that was dropped: a client lives as long as its process needs it."""
        if hasattr(self, "_file"):
            self.close()

    def _head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers; an interim response (1xx) is skipped."""
        while True:
            version, _, rest = self._line().partition(b" ")
            if not version.startswith(b"HTTP/1."):
                raise ValueError("not an HTTP response")
            status = int(rest[:3])
            headers = self._headers()
            if version == b"HTTP/1.0":
                headers.setdefault("connection", "close")
            if status >= 200:
                return status, headers

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            line = self._line()
            if not line:
                return headers
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        raise ValueError("too many headers")

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status in _WITHOUT_BODY:
            return b""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return b"".join(self._chunks())
        length = headers.get("content-length")
        if length is None:
            headers["connection"] = "close"
            return self._file.read()
        return self._exactly(int(length))

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            yield self._exactly(size)
            if self._line():
                raise ValueError("a chunk of another size")
        while self._line():
            pass

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size) if size else b""
        if len(data) != size:
            raise ConnectionResetError("the response is cut short")
        return data

    def _line(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the response is cut short")
        return line.rstrip(b"\r\n")


def _open(host: str, port: int, context: ssl.SSLContext, proxy: str) -> ssl.SSLSocket:
    """Connect, through a proxy if there is one, and complete the TLS handshake."""
    through = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else None
    address = (through.hostname or "", through.port or 80) if through else (host, port)
    plain = socket.create_connection(address, CONNECT_SECONDS)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if through is not None:
            _tunnel(plain, f"{host}:{port}", f"{unquote(through.username or '')}:{unquote(through.password or '')}")
        secured = context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
    secured.settimeout(READ_SECONDS)
    return secured


def _tunnel(plain: socket.socket, target: str, login: str) -> None:
    """Ask a proxy for a tunnel."""
    asked = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if login != ":":
        asked += f"Proxy-Authorization: Basic {b64encode(login.encode()).decode()}\r\n"
    plain.sendall(f"{asked}\r\n".encode("latin-1"))
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_LINE and (part := plain.recv(4096)):
        answer += part
    if not answer.partition(b" ")[2].startswith(b"200"):
        raise ConnectionRefusedError("the proxy refuses the tunnel")
