"""The HTTP client for one mailbox over Graph: one request, one response, one typed error.

Nothing here sleeps or retries, except that a rejected token is renewed once. Requests to links from a response or from
storage carry our token, so only the link's path and query are used, on the configured host.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, urlsplit

from shared.errors import MailboxSyncError, Reason, RetryLater
from shared.http_headers import claims_of, retry_after_of
from shared.sources.graph.faults.errors import JsonFault, Refusal, code_in, of_fault
from shared.sources.https_pool import HttpReply, TransportFailed
from shared.sources.model import Access, RequestFigures
from shared.sources.port import FolderGone

_REDIRECTS = 3
_TOO_MANY = 429
_JSON = "application/json"
_ALWAYS = {"User-Agent": "mailbox-sync", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Part:
    """The result of one GET, alone or in a batch: a body, or the refusal."""

    body: bytes = b""
    refusal: Refusal | None = None
    with_state: bool = False

    def value(self) -> bytes:
        """The body. Raises the refusal's error."""
        error = self.error()
        if error is not None:
            raise error
        return self.body

    def error(self) -> MailboxSyncError | None:
        """The refusal's error; None if there is a body."""
        return self.refusal.error(with_state=self.with_state) if self.refusal is not None else None


class Channel(Protocol):
    """Sends requests, several at a time (HttpsPool)."""

    requests: int
    bytes_received: int

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None, most: int | None = None
    ) -> HttpReply:
        """Return the whole response. Raises TransportFailed."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class GraphClient:
    """The connections to one mailbox; safe to use from several threads, each request on one of them.

    `url` is the service's root with its version (https://graph.microsoft.com/v1.0). `is_tenant_wide` is called when the
    mailbox is throttled.
    """

    def __init__(
        self,
        url: str,
        access: Access,
        pool: Channel,
        clock: Callable[[], datetime],
        is_tenant_wide: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_tenant_wide = is_tenant_wide
        self._root = urlsplit(url).path.rstrip("/")
        self._pool = pool
        self._clock = clock
        self._renew = access.renew
        self._token = access.token
        self._lock = threading.Lock()
        self.mailbox = _mailbox_path(access)

    @property
    def figures(self) -> RequestFigures:
        """The requests and bytes so far."""
        return RequestFigures(self._pool.requests, self._pool.bytes_received)

    def get(
        self,
        path: str,
        *,
        prefer: Sequence[str] = (),
        accept: str = _JSON,
        most: int | None = None,
        with_state: bool = False,
    ) -> bytes:
        """GET a path below the service's root. `with_state`: it carries a delta token, which may cause an error.

        Raises: what the status and the code, or the transport, lead to by the table in errors.py.
        """
        part = self.ask(path, prefer=prefer, accept=accept, most=most)
        return replace(part, with_state=with_state).value()

    def ask(self, path: str, *, prefer: Sequence[str] = (), accept: str = _JSON, most: int | None = None) -> Part:
        """GET a path and return the result. Raises the error of a transport fault."""
        headers = {"Accept": accept}
        if prefer:
            headers["Prefer"] = ", ".join(prefer)
        request = _Request("GET", self._root + path, headers, most=most)
        reply = self._answered(request)
        for _ in range(_REDIRECTS):
            if reply.status != 308:
                break
            # The folders of an online archive have another root, within the service.
            target = _behind_our_host(reply.headers.get("location", ""))
            reply = self._answered(replace(request, target=target))
        return self._part(reply)

    def post(self, path: str, body: bytes, *, most: int | None = None) -> bytes:
        """POST JSON for a query ($batch, translateExchangeIds). Raises as `get` does."""
        headers = {"Accept": _JSON, "Content-Type": _JSON}
        request = _Request("POST", self._root + path, headers, body, most)
        try:
            return self._part(self._answered(request)).value()
        except FolderGone as exc:
            # A POST names no item or folder, so "not found" is not about one.
            raise RetryLater(Reason.UNAVAILABLE, support=str(exc)) from exc

    def relative(self, link: str) -> str:
        """Return the path and query, below the service's root, of a link in a response.

        Raises: RetryLater when it leads elsewhere.
        """
        target = _behind_our_host(link)
        if not target.startswith(self._root + "/"):
            raise of_fault(JsonFault.FOREIGN_LINK)
        return target[len(self._root) :]

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
        """Return the refusal in an unsuccessful response; header names are in lower case."""
        return Refusal(
            status,
            code_in(body),
            retry_after_of(headers, self._clock),
            claims_of(headers),
            tenant_wide=status == _TOO_MANY and self._is_tenant_wide(),
        )

    def renewed(self, rejected: str) -> bool:
        """Whether there is another token than the rejected one now. It is fetched once for all threads with a 401."""
        with self._lock:
            if self._token == rejected and self._renew is not None:
                self._token = self._renew()
            return self._token != rejected

    def now(self) -> datetime:
        """The time, aware UTC."""
        return self._clock()

    @property
    def token(self) -> str:
        """The access token in use."""
        with self._lock:
            return self._token

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._pool.close()
        with self._lock:
            self._token, self._renew = "", None

    def _answered(self, request: "_Request") -> HttpReply:
        """Send the request, and again with a fresh token if the service rejects ours."""
        token = self.token
        reply = self._sent(request, token)
        if reply.status == 401 and self.renewed(token):
            reply = self._sent(request, self.token)
        return reply

    def _sent(self, request: "_Request", token: str) -> HttpReply:
        if not token:
            raise RetryLater(Reason.UNAVAILABLE, "the mailbox was closed")
        headers = {"Authorization": f"Bearer {token}", **_ALWAYS, **request.headers}
        try:
            return self._pool.send(request.method, request.target, headers, request.body, request.most)
        except TransportFailed as exc:
            raise of_fault(exc.fault) from exc

    def _part(self, reply: HttpReply) -> Part:
        if 200 <= reply.status < 300:
            return Part(reply.body)
        return Part(refusal=self.refusal(reply.status, reply.headers, reply.body))


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None
    most: int | None = None


def _mailbox_path(access: Access) -> str:
    """Return the path of the mailbox. A person's own is `me`, since a sign-in name is not always an address."""
    if access.own:
        return "/me"
    return "/users/" + quote(access.address, safe="@")


def _behind_our_host(link: str) -> str:
    """Return the path and query of a link, without its host. Raises RetryLater if it is not a link to the service."""
    parts = urlsplit(link)
    if not parts.path.startswith("/") or parts.path.startswith("//") or any(mark <= " " or mark > "~" for mark in link):
        raise of_fault(JsonFault.FOREIGN_LINK)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
