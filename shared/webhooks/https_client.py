"""Sends requests to endpoints: one resolution of the name, a connection to exactly that address, nothing followed.

Resolving again for the connection would allow a name that is public when it is checked and private when it is used.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlsplit

from shared.http_headers import retry_after_of
from shared.sources.bounded_tls import deadline
from shared.webhooks.egress import EgressRefused, check_addresses, check_url
from shared.webhooks.model import Answer

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""How long an endpoint may take to answer; Standard Webhooks recommends 15 to 30 seconds."""
ANSWER_BYTES = 4096
"""How much of an answer is read. Only the challenge of a verification is looked for in it."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, IPv4 first. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return [str(address[0]) for *_, address in ordered]


class HttpsWebhookClient:
    """Implements WebhookClient. `private_hosts` may have private addresses; `tls` gives the TLS context.

    `resolve` gives the addresses of a name; `seconds` bounds a request from the connection to the end of the answer.
    """

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext],
        private_hosts: Collection[str] = (),
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._tls = tls
        self._private_hosts = frozenset(host.lower() for host in private_hosts)
        self._resolve = resolve
        self._seconds = seconds

    def refusal_of(self, url: str) -> str:
        """Check the URL's text; its name is resolved with each request."""
        try:
            check_url(url, self._private_hosts)
        except EgressRefused as refused:
            return refused.fault
        return ""

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send one request. A redirect is an answer like any other."""
        try:
            return self._posted(url, headers, body)
        except EgressRefused as refused:
            return Answer(fault=f"refused_{refused.fault}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(fault=_fault_of(error))

    def _posted(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        host, port = check_url(url, self._private_hosts)
        address = check_addresses(host, self._resolve(host, port), self._private_hosts)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _PinnedConnection(host, port, address, self._tls())
        try:
            with deadline(self._seconds):
                return _exchanged(connection, target, headers, body)
        finally:
            connection.close()


def _fault_of(error: Exception) -> str:
    """The fault in a word. The error's own text may quote the URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "not_resolved" if isinstance(error, socket.gaierror | UnicodeError) else "no_answer"


class _PinnedConnection(http.client.HTTPSConnection):
    """A connection to one address, over which TLS checks the name of the URL."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS, context=context)
        self._address = address
        self._tls_context = context

    def connect(self) -> None:
        """Connect to the address, then shake hands with the name."""
        plain = socket.create_connection((self._address, self.port), CONNECT_SECONDS)
        try:
            self.sock = self._tls_context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        self.sock.settimeout(TOTAL_SECONDS)


def _exchanged(connection: _PinnedConnection, target: str, headers: dict[str, str], body: bytes) -> Answer:
    connection.request("POST", target, body, headers)
    response = connection.getresponse()
    beginning = response.read(ANSWER_BYTES)
    received = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, retry_after=retry_after_of(received), body=beginning)
