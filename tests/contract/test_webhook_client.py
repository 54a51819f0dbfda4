"""The way to an endpoint, at servers that misbehave: one resolution, that address, no redirect, bounded."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from sandbox.tls.authority import Authority
from shared.sources.bounded_tls import tls_context
from shared.webhooks.https_client import ANSWER_BYTES, HttpsWebhookClient
from tests.contract.rogue_server import CLOSE, RogueServer, http

HEADERS = {"webhook-id": "msg_1", "Content-Type": "application/json"}


@pytest.fixture
def server(authority: Authority) -> Iterator[RogueServer]:
    rogue = RogueServer(authority.server_context())
    rogue.answers(http(status=204))
    thread = threading.Thread(target=rogue.accept, daemon=True)
    thread.start()
    yield rogue
    rogue.stop()
    thread.join(5)


class Resolver:
    """Resolves every name to the given addresses; counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.addresses


def a_client(authority: Authority, resolver: Resolver, *private: str, seconds: float = 30) -> HttpsWebhookClient:
    return HttpsWebhookClient(lambda: tls_context(str(authority.ca)), private, resolver, seconds)


def url_of(server: RogueServer, host: str = "localhost") -> str:
    return f"https://{host}:{server.url.split(':')[2].split('/')[0]}/hooks?key=1"


def test_request_reaches_the_address_that_was_resolved_once(server: RogueServer, authority: Authority) -> None:
    resolver = Resolver("127.0.0.1")
    answer = a_client(authority, resolver, "localhost").post(url_of(server), HEADERS, b"{}")
    assert (answer.status, answer.fault, answer.is_success) == (204, "", True)
    assert len(resolver.asked) == 1
    lines = server.requests[0].decode().lower().split("\r\n")
    assert lines[0] == "post /hooks?key=1 http/1.1"
    assert any(line.startswith("host: localhost:") for line in lines)
    assert "webhook-id: msg_1" in lines


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.4", "::1"])
def test_name_that_resolves_to_a_private_address_is_not_connected_to(
    server: RogueServer, authority: Authority, address: str
) -> None:
    resolver = Resolver("93.184.216.34", address)
    answer = a_client(authority, resolver).post(url_of(server, "crm.example"), HEADERS, b"{}")
    assert answer.fault == "refused_address"
    assert server.connections == 0


def test_certificate_of_another_name_is_refused(server: RogueServer, authority: Authority) -> None:
    client = a_client(authority, Resolver("127.0.0.1"), "crm.example")
    assert client.post(url_of(server, "crm.example"), HEADERS, b"{}").fault == "certificate"
    assert server.requests == []


def test_certificate_that_nobody_vouches_for_is_refused(server: RogueServer) -> None:
    import certifi

    client = HttpsWebhookClient(lambda: tls_context(certifi.where()), ["localhost"], Resolver("127.0.0.1"))
    assert client.post(url_of(server), HEADERS, b"{}").fault == "certificate"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_a_failed_attempt(server: RogueServer, authority: Authority, status: int) -> None:
    server.answers(http(status=status, Location="https://169.254.169.254/"))
    answer = a_client(authority, Resolver("127.0.0.1"), "localhost").post(url_of(server), HEADERS, b"{}")
    assert (answer.status, answer.is_success) == (status, False)
    assert len(server.requests) == 1


def test_only_the_beginning_of_an_answer_is_read(server: RogueServer, authority: Authority) -> None:
    server.answers(http(b"x" * 1_000_000, Retry_After="7"))
    answer = a_client(authority, Resolver("127.0.0.1"), "localhost").post(url_of(server), HEADERS, b"{}")
    assert (answer.status, len(answer.body), answer.retry_after) == (200, ANSWER_BYTES, 7.0)


def test_answer_that_drips_ends_with_the_requests_time(server: RogueServer, authority: Authority) -> None:
    whole = http(b"x" * 400)
    server.answers([step for byte in whole for step in (bytes([byte]), 0.2)])
    client = a_client(authority, Resolver("127.0.0.1"), "localhost", seconds=1.0)
    assert client.post(url_of(server), HEADERS, b"{}").fault == "timeout"


@pytest.mark.parametrize("script", [[CLOSE], [b"nonsense\r\n\r\n", CLOSE]], ids=["nothing", "nonsense"])
def test_server_that_does_not_speak_http_gives_no_answer(
    server: RogueServer, authority: Authority, script: list[bytes | float]
) -> None:
    server.answers(script)
    client = a_client(authority, Resolver("127.0.0.1"), "localhost")
    assert client.post(url_of(server), HEADERS, b"{}").fault == "no_answer"


def test_name_without_address_is_not_resolved(server: RogueServer, authority: Authority) -> None:
    assert a_client(authority, Resolver(), "localhost").post(url_of(server), HEADERS, b"{}").fault == (
        "refused_not_resolved"
    )


def test_fault_names_neither_host_nor_path(authority: Authority) -> None:
    client = a_client(authority, Resolver("127.0.0.1"), "localhost")
    answer = client.post("https://localhost:1/secret-path", HEADERS, b"{}")
    assert answer.fault in ("no_answer", "refused_port")
    assert "secret" not in repr(answer)
