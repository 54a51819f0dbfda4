"""Keep-alive HTTPS connections to one host over http.client: bounded in time, size and number, never redirected.

A request costs a fraction of what requests and urllib3 take for it. Nothing here sleeps; a connection that the server
had closed while it lay idle is replaced once, since only reads are sent.
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

from shared.sources.bounded_tls import deadline, tls_context

_ERROR_BYTES = 65_536
_CHUNK = 1 << 18
_GZIP = 31
"""zlib's window bits for a gzip stream."""


class TransportFault(StrEnum):
    """What can go wrong below HTTP or while a body is received."""

    CONNECT = "no connection"
    CERTIFICATE = "certificate not trusted"
    SILENCE = "no answer in time"
    DRIP = "answer too slow"
    RESET = "connection broken"
    CUT = "answer cut short"
    OVERSIZED = "answer too large"


class TransportFailed(Exception):
    """A request got no whole answer. Says which kind of fault and nothing else: texts of errors quote URLs."""

    def __init__(self, fault: TransportFault) -> None:
        self.fault = fault
        super().__init__(fault.name.lower())


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How long a request may take: to connect, between two bytes, and in all (seconds); how large its answer may be."""

    connect: float = 10.0
    silence: float = 60.0
    total: float = 150.0
    answer_bytes: int = 32 << 20


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole answer, its body decoded. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """What the machine says about connections: a proxy (URL or empty), and the certificates to trust (a file)."""

    proxy: str
    bundle: str


def machine_settings(url: str) -> MachineSettings:
    """This machine's, by the environment variables that requests knows, so that both sources obey the same ones."""
    import requests
    from certifi import where

    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, True, None, None)
    proxies: Mapping[str, str] = found["proxies"]
    proxy = proxies.get("https") or proxies.get("all") or ""
    verify = found["verify"]
    return MachineSettings(proxy, verify if isinstance(verify, str) else where())


class _Connection(http.client.HTTPSConnection):
    """One connection, and whether an earlier request has used it."""

    used = False


class HttpsPool:
    """At most `connections` to one host; safe to use from several threads, each request on one connection."""

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
        """Send one request and give the whole answer, of at most `most` bytes once decoded.

        Raises: TransportFailed.
        """
        # Waiting for ever would hide a thread that never gives its connection back.
        if not self._free.acquire(timeout=self._limits.total):
            raise TransportFailed(TransportFault.SILENCE)
        try:
            with deadline(self._limits.total):
                return self._exchange(method, target, headers, body, most or self._limits.answer_bytes)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the connections. Requests under way end by themselves, then close theirs."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, most: int
    ) -> HttpReply:
        connection = self._taken()
        was_used, sound = connection.used, False
        try:
            response = self._asked(connection, method, target, headers, body)
            reply = self._received(response, most)
            sound = not response.will_close and response.isclosed()
            return reply
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as exc:
            if not was_used:
                raise TransportFailed(TransportFault.RESET) from _nameless(exc)
        except (OSError, http.client.HTTPException, zlib.error) as exc:
            raise TransportFailed(_fault_of(exc)) from _nameless(exc)
        finally:
            self._give_back(connection, sound)
        # The server had closed the idle connection: the others lie there just as long.
        self._drop_idle()
        return self._exchange(method, target, headers, body, most)

    def _asked(
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
            raise TransportFailed(TransportFault.CERTIFICATE) from _nameless(exc)
        except (OSError, http.client.HTTPException) as exc:
            raise TransportFailed(TransportFault.CONNECT) from _nameless(exc)
        connection.sock.settimeout(self._limits.silence)

    def _received(self, response: http.client.HTTPResponse, most: int) -> HttpReply:
        """The whole body, decoded. Errors are read whole as well, up to a bound: their codes say who acts."""
        is_error = response.status >= 400
        raw = self._body(response, _ERROR_BYTES if is_error else most, cut=is_error)
        with self._lock:
            self.bytes_received += len(raw)
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding", "").strip().lower() == "gzip":
            raw = _unzipped(raw, most)
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

    def _taken(self) -> _Connection:
        """An idle connection that is still open, the latest first, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._made()
            if not _is_readable(connection):
                return connection
            connection.close()

    def _made(self) -> _Connection:
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

    def _give_back(self, connection: _Connection, sound: bool) -> None:
        with self._lock:
            if sound and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _is_readable(connection: _Connection) -> bool:
    """Whether an idle connection has something to say, which can only be its end."""
    with contextlib.suppress(OSError, ValueError):
        return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
    return True


def _unzipped(data: bytes, most: int) -> bytes:
    """A gzip body. Raises TransportFailed when it is cut short or grows beyond `most`."""
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


def _nameless(exc: BaseException) -> Exception:
    """The exception's kind alone."""
    return ConnectionError(type(exc).__name__)
