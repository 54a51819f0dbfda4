"""Sends HTTP requests to Exchange through exchangelib's sessions: one request gives one response or one typed error.

exchangelib holds the connections and the OAuth credentials. A request goes directly to the session's adapter: preparing
each request anew and exchangelib's logging would cost several times as much CPU as parsing the response. Nothing here
sleeps or retries, except that a rejected token is renewed once.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypedDict

import requests
import urllib3
from exchangelib.configuration import Configuration
from exchangelib.credentials import OAuth2AuthorizationCodeCredentials
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.transport import OAUTH2
from exchangelib.version import EXCHANGE_2013_SP1, Version

from shared.errors import MailboxSyncError, Reason, RetryLater
from shared.http_headers import claims_of, retry_after_of
from shared.sources.bounded_tls import deadline
from shared.sources.ews.faults.forbidden import ForbiddenResponse, diagnose
from shared.sources.ews.faults.rules import Fault, error_of_fault, error_of_rule, rule_of_status
from shared.sources.ews.transport.deadline import BoundAdapter
from shared.sources.ews.transport.http_errors import fault_in, redacted
from shared.sources.ews.transport.soap_request import VERSION
from shared.sources.ews.transport.soap_response import ResponseProblem, parse, parse_count, soap_fault
from shared.sources.model import Access

_ERROR_BYTES = 65_536
_CHUNK = 1 << 18


def silence_loggers() -> None:
    """Disable the loggers that print bearer tokens and request XML, whatever level the host sets on the root logger.

    exchangelib logs headers and bodies at DEBUG and at ERROR; requests_oauthlib logs tokens at DEBUG.
    """
    for name in ("exchangelib", "requests_oauthlib", "oauthlib"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


silence_loggers()


@dataclass(frozen=True, slots=True)
class EwsLimits:
    """The limits of a request to EWS: seconds to connect, between two bytes, and in total; bytes of the response."""

    connect: float = 10.0
    silence: float = 60.0
    total: float = 150.0
    answer_bytes: int = 16 << 20
    batch_bytes: int = 8 << 20


class TransportSettings(TypedDict):
    """The machine's connection settings: its proxies and the certificates to trust."""

    stream: bool
    verify: bool | str
    cert: Any
    proxies: dict[str, str]


def transport_settings_for(url: str) -> TransportSettings:
    """Read the environment variables that the requests library knows. Callers do so once, since it is slow."""
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, True, None, None)
    proxies, verify = dict(found["proxies"]), found["verify"]
    return TransportSettings(
        stream=True, verify=True if verify is None else verify, cert=found["cert"], proxies=proxies
    )


class Channel(Protocol):
    """Sends requests; safe to use from several threads. Counts requests, and bytes of responses."""

    requests: int
    bytes_received: int

    def ask(self, envelope: bytes, answer_bytes: int | None = None) -> bytes:
        """Send one request and return the complete response, of at most `answer_bytes` bytes."""
        ...

    def close(self) -> None:
        """Close the connections and forget the token."""
        ...


@dataclass(frozen=True, slots=True)
class _HttpReply:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Credentials(OAuth2AuthorizationCodeCredentials):  # type: ignore[misc]
    """An access token without an expiry time; exchangelib loops forever on an expired one. `Access.renew` renews it."""

    def __init__(self, access: Access) -> None:
        super().__init__(access_token=_token(access.token))
        self._renew = access.renew

    def refresh(self, session: Any) -> None:
        """Obtain a fresh token. The protocol calls this under its lock, once for all sessions that received a 401."""
        if self._renew is not None:
            self.access_token = _token(self._renew())


def _token(value: str) -> dict[str, str]:
    return {"access_token": value, "token_type": "Bearer"}


class _Protocol(BaseProtocol):  # type: ignore[misc]
    """exchangelib's session pool without its process-wide cache, which would keep every mailbox's token forever."""

    HTTP_ADAPTER_CLS = BoundAdapter
    USERAGENT = "mailbox-sync"


class EwsSession:
    """The connections to one mailbox; safe to use from several threads, one request per connection."""

    def __init__(
        self,
        url: str,
        access: Access,
        limits: EwsLimits,
        *,
        connections: int,
        transport_settings: TransportSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._url = url
        self._mode = access.mode
        self._limits = limits
        self._clock = clock
        self._transport_settings = transport_settings
        self._closed = False
        self.requests = 0
        self.bytes_received = 0
        self._renewable = access.renew is not None
        self._free = threading.BoundedSemaphore(connections)
        anchor = "".join(mark for mark in access.address if mark > " ")
        self._headers = {"X-AnchorMailbox": anchor.encode(), "Accept": "text/xml"}
        self._protocol = _Protocol(
            config=Configuration(
                service_endpoint=url,
                credentials=_Credentials(access),
                auth_type=OAUTH2,
                version=Version(EXCHANGE_2013_SP1, VERSION),
                retry_policy=FailFast(),
                max_connections=connections,
            )
        )

    def ask(self, envelope: bytes, answer_bytes: int | None = None) -> bytes:
        """Send one request and return the complete response, whose content type is XML.

        Raises: the error that faults/rules.py maps the HTTP status, the SOAP fault or the transport fault to;
        BatchTooLarge for an oversized response.
        """
        limit = answer_bytes or self._limits.answer_bytes
        # exchangelib would wait forever for a free session.
        if not self._free.acquire(timeout=self._limits.total):
            raise error_of_fault(Fault.SILENCE)
        try:
            reply = self._reply(envelope, limit)
        finally:
            self._free.release()
        if reply.status != 200:
            raise self._error_of(reply)
        if not _is_xml(reply):
            raise error_of_fault(Fault.NOT_XML)
        return reply.body

    def _reply(self, envelope: bytes, limit: int) -> _HttpReply:
        """Send the request, once more with a fresh token if the server rejects ours."""
        if self._closed:
            # exchangelib would fetch a token itself.
            raise RetryLater(Reason.UNAVAILABLE, "the mailbox was closed")
        session = self._protocol.get_session()
        reusable = False
        try:
            reply = self._post(session, envelope, limit)
            if reply.status == 401 and self._renewable:
                session = self._protocol.refresh_credentials(session)
                reply = self._post(session, envelope, limit)
            # Some servers send a second response after a fault, so that connection is not used again.
            reusable = reply.status == 200 and b"Fault>" not in reply.body[:2048]
        finally:
            self._release_session(session, reusable)
        return reply

    def close(self) -> None:
        """Close the connections and forget the token. Requests in flight finish, then close theirs."""
        self._closed = True
        self._protocol.close()
        self._protocol.credentials.access_token = None

    def _release_session(self, session: Any, reusable: bool) -> None:
        if self._closed:
            self._protocol.close_session(session)
        elif reusable:
            self._protocol.release_session(session)
        else:
            self._protocol.retire_session(session)

    def _post(self, session: Any, envelope: bytes, limit: int) -> _HttpReply:
        self.requests += 1
        prepared = self._prepared(session)
        prepared.body = envelope
        prepared.headers["Content-Length"] = str(len(envelope))
        timeout = (self._limits.connect, self._limits.silence)
        try:
            with deadline(self._limits.total):
                response = session.get_adapter(self._url).send(prepared, timeout=timeout, **self._transport_settings)
                reply = self._read(response, limit)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise error_of_fault(fault_in(exc)) from redacted(exc)
        self.bytes_received += len(reply.body)
        return reply

    def _prepared(self, session: Any) -> requests.PreparedRequest:
        """The prepared request that all requests of a session reuse; it carries the session's token."""
        if not hasattr(session, "prepared"):
            prepared = requests.PreparedRequest()
            prepared.method, prepared.url = "POST", self._url
            prepared.headers = requests.structures.CaseInsensitiveDict({**session.headers, **self._headers})
            session.prepared = session.auth(prepared)
        request: requests.PreparedRequest = session.prepared
        return request

    def _read(self, response: requests.Response, limit: int) -> _HttpReply:
        """Read and decode the whole body within the limit. The connection is free or closed afterward."""
        if response.status_code != 200:
            limit = _ERROR_BYTES
        raw = response.raw
        length = parse_count(response.headers.get("Content-Length", ""))
        is_plain = not any(name in response.headers for name in ("Content-Encoding", "Transfer-Encoding"))
        if length is not None and length <= limit and is_plain:
            # Read it in one piece: joining pieces costs as much as receiving them.
            return _HttpReply(response.status_code, response.headers, raw.read(decode_content=False))
        body = self._in_pieces(response, limit)
        if len(body) > limit and response.status_code == 200:
            raise error_of_fault(Fault.OVERSIZED)
        return _HttpReply(response.status_code, response.headers, body)

    def _in_pieces(self, response: requests.Response, limit: int) -> bytes:
        """Read a body of unknown or compressed length, up to the limit and at most one chunk more."""
        parts: list[bytes] = []
        size = 0
        try:
            while size <= limit and (part := response.raw.read(_CHUNK, decode_content=True)):
                size += len(part)
                parts.append(part)
        finally:
            if size > limit or not response.raw.closed:
                response.close()
        return b"".join(parts)

    def _error_of(self, reply: _HttpReply) -> MailboxSyncError:
        retry_after = retry_after_of(reply.headers, self._clock)
        support = f"http_{reply.status}"
        if reply.status == 401:
            return error_of_rule(rule_of_status(401), support, claims=claims_of(reply.headers))
        if reply.status == 403:
            return diagnose(ForbiddenResponse(self._mode, reply.headers, reply.body)).error()
        problem = _soap_problem(reply)
        if problem is not None:
            return ResponseProblem(problem.code, problem.retry_after or retry_after).error()
        return error_of_rule(rule_of_status(reply.status), support, retry_after=retry_after)


def _soap_problem(reply: _HttpReply) -> ResponseProblem | None:
    """The SOAP fault in the body of an error response; Exchange sends some faults with HTTP 500 or 503."""
    if reply.status < 500 or not _is_xml(reply):
        return None
    try:
        problem = soap_fault(parse(reply.body))
    except MailboxSyncError:
        return None
    return problem if problem and problem.code.startswith("Error") else None


def _is_xml(reply: _HttpReply) -> bool:
    kind = reply.headers.get("Content-Type", "text/xml").partition(";")[0].strip().lower()
    return kind in {"text/xml", "application/xml", "application/soap+xml"} and reply.body.lstrip()[:1] in (
        b"<",
        b"\xef",
    )
