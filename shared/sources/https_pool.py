"""Keep-alive HTTPS connections to one host over http.client, limited in time, size and number. Follows no redirects.

A request costs a fraction of the CPU time that requests and urllib3 need. Nothing here sleeps. If the server had closed
an idle connection, the request is repeated once on a new one; this is safe since all requests are reads.
"""

import contextlib
import http.client
import select
import ssl
import threading
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from shared.machine_settings import MachineSettings
from shared.sources.bounded_tls import deadline, tls_context

_ERROR_BYTES = 65_536
_CHUNK = 1 << 18
_GZIP = 31
"""The zlib window bits that select a gzip stream."""


class TransportFault(StrEnum):
    """The faults below HTTP and while a body is received."""

    CONNECT = "no connection"
    CERTIFICATE = "certificate not trusted"
    SILENCE = "no answer in time"
    DRIP = "answer too slow"
    RESET = "connection broken"
    CUT = "answer cut short"
    OVERSIZED = "answer too large"


class TransportFailed(Exception):
    """A request got no complete response. It names the kind of fault only: texts of vendor errors quote URLs."""

    def __init__(self, fault: TransportFault) -> None:
        self.fault = fault
        super().__init__(fault.name.lower())


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of a request: seconds to connect, between two bytes, and in total; bytes of the response."""

    connect: float = 10.0
    silence: float = 60.0
    total: float = 150.0
    answer_bytes: int = 32 << 20


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A complete response with its body decoded. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Connection(http.client.HTTPSConnection):
    """One connection. `used` says whether an earlier request went over it."""

    used = False


class HttpsPool:
    """At most `connections` connections to one host; safe to use from several threads, one request per connection."""

    def __init__(self, url: str, limits: RequestLimits, connections: int, machine: MachineSettings) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._limits = limits
        self._machine = machine
        self._free = threading.BoundedSemaphore(connections)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closed = False
        self.requests = 0
        self.bytes_received = 0

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None, most: int | None = None
    ) -> HttpReply:
        """Send one request and return the complete response, of at most `most` bytes once decoded.

        Raises: TransportFailed.
        """
        # Waiting forever would hide a thread that never returns its connection.
        if not self._free.acquire(timeout=self._limits.total):
            raise TransportFailed(TransportFault.SILENCE)
        try:
            with deadline(self._limits.total):
                return self._exchange(method, target, headers, body, most or self._limits.answer_bytes)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the idle connections. Requests in flight finish, then close theirs."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, most: int
    ) -> HttpReply:
        connection = self._take_connection()
        was_used, reusable = connection.used, False
        try:
            response = self._send_over(connection, method, target, headers, body)
            reply = self._read_response(response, most)
            reusable = not response.will_close and response.isclosed()
            return reply
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as exc:
            if not was_used:
                raise TransportFailed(TransportFault.RESET) from _redacted(exc)
        except (OSError, http.client.HTTPException, zlib.error) as exc:
            raise TransportFailed(_fault_of(exc)) from _redacted(exc)
        finally:
            self._return_connection(connection, reusable)
        # The server had closed this idle connection. The other idle ones are as old, so close them too.
        self._drop_idle()
        return self._exchange(method, target, headers, body, most)

    def _send_over(
        self, connection: _Connection, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        if connection.sock is None:
            self._connect(connection)
        with self._lock:
            self.requests += 1
        connection.used = True
        connection.request(method, target, body, dict(headers))
        return connection.getresponse()

    def _connect(self, connection: _Connection) -> None:
        try:
            connection.connect()
        except (ssl.SSLCertVerificationError, FileNotFoundError) as exc:
            raise TransportFailed(TransportFault.CERTIFICATE) from _redacted(exc)
        except (OSError, http.client.HTTPException) as exc:
            raise TransportFailed(TransportFault.CONNECT) from _redacted(exc)
        connection.sock.settimeout(self._limits.silence)

    def _read_response(self, response: http.client.HTTPResponse, most: int) -> HttpReply:
        """Read and decode the whole body. Error bodies are read up to a limit: their codes say who has to act."""
        is_error = response.status >= 400
        raw = self._body(response, _ERROR_BYTES if is_error else most, cut=is_error)
        with self._lock:
            self.bytes_received += len(raw)
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding", "").strip().lower() == "gzip":
            raw = _gunzip(raw, most)
        return HttpReply(response.status, headers, raw)

    def _body(self, response: http.client.HTTPResponse, most: int, *, cut: bool) -> bytes:
        if response.length is not None and response.length <= most:
            return response.read()
        parts: list[bytes] = []
        size = 0
        while size <= most and (part := response.read(_CHUNK)):
            size += len(part)
            parts.append(part)
        if size > most and not cut:
            raise TransportFailed(TransportFault.OVERSIZED)
        return b"".join(parts)[:most]

    def _take_connection(self) -> _Connection:
        """Return the most recently used idle connection that is still open, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._new_connection()
            if not _is_readable(connection):
                return connection
            connection.close()

    def _new_connection(self) -> _Connection:
        context = tls_context(self._machine.bundle)
        if not self._machine.proxy:
            return _Connection(self._host, self._port, timeout=self._limits.connect, context=context)
        proxy = urlsplit(self._machine.proxy if "//" in self._machine.proxy else f"//{self._machine.proxy}")
        connection = _Connection(proxy.hostname or "", proxy.port or 80, timeout=self._limits.connect, context=context)
        headers = {}
        if proxy.username:
            login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + b64encode(login.encode()).decode()
        connection.set_tunnel(self._host, self._port, headers)
        return connection

    def _return_connection(self, connection: _Connection, reusable: bool) -> None:
        with self._lock:
            if reusable and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _is_readable(connection: _Connection) -> bool:
    """Whether an idle connection has data to read, which can only be the server closing it."""
    with contextlib.suppress(OSError, ValueError):
        return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
    return True


def _gunzip(data: bytes, most: int) -> bytes:
    """Decompress a gzip body. Raises TransportFailed if it is cut short or exceeds `most` bytes."""
    stream = zlib.decompressobj(_GZIP)
    plain = stream.decompress(data, most + 1)
    if len(plain) > most:
        raise TransportFailed(TransportFault.OVERSIZED)
    if not stream.eof:
        raise TransportFailed(TransportFault.CUT)
    return plain


def _fault_of(exc: Exception) -> TransportFault:
    if isinstance(exc, TimeoutError):
        return TransportFault.DRIP if "time is up" in str(exc) else TransportFault.SILENCE
    if isinstance(exc, (http.client.HTTPException, zlib.error)):
        return TransportFault.CUT
    return TransportFault.RESET


def _redacted(exc: BaseException) -> Exception:
    """The exception's type name only: its text may quote a URL."""
    return ConnectionError(type(exc).__name__)
