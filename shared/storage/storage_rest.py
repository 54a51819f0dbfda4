"""Requests to Azure Storage's REST interface over kept-alive connections, with the app's identity.

The storage SDKs cost a multiple of the processor time in a sync: see docs/decisions/0006-storage-over-rest.md. Nothing
here sleeps. A broken connection is retried twice at once, an error response never is: only the queue waits.
"""

import re
import ssl
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from shared.errors import MailboxSyncError, Reason, RetryLater
from shared.http_headers import retry_after_of
from shared.storage.azure_errors import error_of, translate_errors
from shared.storage.compact_json import load
from shared.storage.https_connection import ConnectionFailed, HttpsConnection, StorageResponse

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.machine_settings import MachineSettings

SCOPE = "https://storage.azure.com/.default"
CHUNK_BYTES = 65_536
"""Bytes per write. A socket applies its timeout to each write: one large write would be cut off while it progresses."""

ATTEMPTS = 3
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
"""Methods whose request may be sent again although the server may have received it."""

REFRESH_SECONDS = 300
"""How long before it expires a token is replaced."""

_CODE = re.compile(rb'"code" *: *"([A-Za-z]+)"|<Code>([A-Za-z]+)</Code>')


class StorageEndpoint(Protocol):
    """Where a service is and who asks it. An SDK's service client is one."""

    @property
    def url(self) -> str:
        """The service's URL."""
        ...

    @property
    def credential(self) -> Any:
        """The identity that requests are sent with."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Implements StorageEndpoint without an SDK."""

    url: str
    credential: "TokenCredential"


class StorageRestClient:
    """A client for one service endpoint and its credential. Safe to use from several threads.

    `headers` are sent with every request.
    """

    def __init__(self, url: str, credential: "TokenCredential", headers: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self._path = parts.path
        self._tokens = _TokenCache(credential)
        self._pool = _ConnectionPool(parts.hostname or "", parts.port or 443, self.url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        fixed = {"Host": host, "User-Agent": "mailbox-sync", **headers}
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())

    def send(
        self,
        method: str,
        path: str,
        *,
        expect: Collection[int],
        headers: Mapping[str, str],
        content: bytes | None = None,
        repeatable: bool = False,
    ) -> StorageResponse:
        """Send one request; raise an unexpected status as this program's error.

        `repeatable`: it may be sent again even if the server may have acted on it, whatever its method is.
        """
        token = self._tokens.token()
        head = self._head(method, path, token, headers, content)
        response = self._exchange(head, content, repeatable=repeatable or method in REPEATABLE)
        if response.status_code in expect:
            return response
        if response.status_code == 401:
            self._tokens.forget(token)
        raise _error_of_response(response)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def _head(self, method: str, path: str, token: str, headers: Mapping[str, str], content: bytes | None) -> bytes:
        """The request's first line and headers."""
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if content is not None or method in ("PUT", "POST"):
            own += f"Content-Length: {len(content or b'')}\r\n"
        if own.count("\n") != own.count("\r\n") or any(character in path for character in " \r\n"):
            raise ValueError("a request that is not one request")
        dated = f"x-ms-date: {formatdate(usegmt=True)}\r\nAuthorization: Bearer {token}\r\n"
        return f"{method} {self._path}/{path} HTTP/1.1\r\n{self._fixed}{dated}{own}\r\n".encode("latin-1")

    def _exchange(self, head: bytes, content: bytes | None, *, repeatable: bool) -> StorageResponse:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                connection = self._pool.take()
                if content and len(content) <= CHUNK_BYTES - len(head):
                    return self._pool.exchange(connection, head + content, ())
                return self._pool.exchange(connection, head, _chunks(content))
            except ConnectionFailed as error:
                if attempt == ATTEMPTS or (error.sent and not repeatable):
                    raise RetryLater(Reason.UNAVAILABLE, f"Azure could not be reached ({error})") from error
        raise AssertionError("unreachable")


class _ConnectionPool:
    """Idle connections to one host, the most recently used first, so that few are kept open. Thread-safe."""

    def __init__(self, host: str, port: int, url: str) -> None:
        self._host = host
        self._port = port
        self._url = url
        self._lock = threading.Lock()
        self._idle: list[HttpsConnection] = []

    def take(self) -> HttpsConnection:
        """Return an idle connection that is still open, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if not connection.is_stale():
                return connection
            connection.close()

    def exchange(self, connection: HttpsConnection, head: bytes, body: Iterable[bytes | memoryview]) -> StorageResponse:
        """Send a request, read its response, and keep the connection for the next one."""
        try:
            try:
                connection.send(head, body)
            except ConnectionFailed:
                self.close()
                raise
            return connection.receive()
        finally:
            if connection.reusable:
                with self._lock:
                    self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connect(self) -> HttpsConnection:
        machine = _machine(self._url)
        return HttpsConnection(self._host, self._port, _tls_context(machine.bundle), machine.proxy)


class _TokenCache:
    """The access token for Storage, until it is about to expire."""

    def __init__(self, credential: "TokenCredential") -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def token(self) -> str:
        """Return a valid token."""
        with self._lock:
            if not self._token or time.time() > self._ends - REFRESH_SECONDS:
                with translate_errors():
                    found = self._credential.get_token(SCOPE)
                self._token, self._ends = found.token, float(found.expires_on)
            return self._token

    def forget(self, token: str) -> None:
        """Do not use this token again."""
        with self._lock:
            if self._token == token:
                self._token = ""


@cache
def _machine(url: str) -> "MachineSettings":
    """How this machine reaches the service."""
    from shared.machine_settings import machine_settings

    return machine_settings(url)


@cache
def _tls_context(bundle: str) -> ssl.SSLContext:
    """The TLS context that all connections share."""
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _chunks(content: bytes | None) -> Iterable[bytes | memoryview]:
    """The body in parts of CHUNK_BYTES."""
    if not content:
        return ()
    view = memoryview(content)
    return (view[start : start + CHUNK_BYTES] for start in range(0, len(view), CHUNK_BYTES))


def error_code(response: StorageResponse) -> str:
    """Azure's error code: Blob and Queue Storage send a header, Table Storage names it in the body only."""
    if code := response.headers.get("x-ms-error-code"):
        return code
    found = _CODE.search(response.content[:4096])
    return (found[1] or found[2]).decode() if found else ""


def _error_of_response(response: StorageResponse) -> MailboxSyncError:
    return error_of(response.status_code, error_code(response), wait=retry_after_of(response.headers))


def etag_of(response: StorageResponse) -> str:
    """The ETag of a response. A response that lost its headers on the way is treated as an outage."""
    etag = response.headers.get("etag")
    if not etag:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response has no ETag")
    return etag


def row_of(response: StorageResponse) -> dict[str, Any]:
    """The row in a response."""
    row = _json_of(response)
    if not isinstance(row, dict) or "RowKey" not in row:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is no row")
    return row


def rows_of(response: StorageResponse) -> list[dict[str, Any]]:
    """The rows in the response to a query."""
    answer = _json_of(response)
    rows = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is no list of rows")
    return rows


def _json_of(response: StorageResponse) -> Any:
    try:
        return load(response.content)
    except ValueError as error:
        raise RetryLater(Reason.UNAVAILABLE, "Azure's response is not JSON") from error
