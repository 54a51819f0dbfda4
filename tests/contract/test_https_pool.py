"""The HTTPS pool against a server with arbitrary and slow responses."""

import gzip
import threading
from collections.abc import Iterator

import pytest

from sandbox.tls.authority import Authority, trust
from shared.machine_settings import MachineSettings, machine_settings
from shared.sources.https_pool import (
    HttpReply,
    HttpsPool,
    RequestLimits,
    TransportFailed,
    TransportFault,
)
from tests.contract.rogue_server import CLOSE, RESET, RogueServer, http, rogue_server

LIMITS = RequestLimits(answer_bytes=10_000)
IMPATIENT = RequestLimits(silence=0.3)
HURRIED = RequestLimits(total=1.0)
JSON = "application/json"


@pytest.fixture
def server(authority: Authority) -> Iterator[RogueServer]:
    with rogue_server(authority) as server:
        yield server


def pool_of(
    server: RogueServer, authority: Authority, *, limits: RequestLimits = LIMITS, connections: int = 4
) -> HttpsPool:
    return HttpsPool(server.url, limits, connections, MachineSettings("", str(authority.ca)))


@pytest.fixture
def pool(server: RogueServer, authority: Authority) -> Iterator[HttpsPool]:
    pool = pool_of(server, authority)
    yield pool
    pool.close()


def get(pool: HttpsPool, most: int | None = None) -> HttpReply:
    return pool.send("GET", "/v1.0/me", {"Accept-Encoding": "gzip"}, most=most)


def fault(pool: HttpsPool, most: int | None = None) -> TransportFault:
    with pytest.raises(TransportFailed) as raised:
        get(pool, most)
    return raised.value.fault


def test_answer_comes_whole_with_names_of_headers_in_lower_case(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(b'{"value":[]}', content_type=JSON, Retry_After="7"))

    reply = get(pool)

    assert (reply.status, reply.body, reply.headers["retry-after"]) == (200, b'{"value":[]}', "7")
    assert server.requests[0].startswith(b"GET /v1.0/me HTTP/1.1\r\n")


def test_connection_is_kept_and_used_again(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(b"1"))

    for _ in range(5):
        get(pool)

    assert server.connections == 1
    assert (pool.requests, pool.bytes_received) == (5, 5)


def test_zipped_answer_is_decoded_within_the_bound(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(gzip.compress(b"x" * 9_000), Content_Encoding="gzip"))
    assert get(pool).body == b"x" * 9_000

    server.answers(http(gzip.compress(b"x" * 90_000), Content_Encoding="gzip"))
    assert fault(pool) is TransportFault.OVERSIZED


@pytest.mark.parametrize("damaged", [gzip.compress(b"x" * 900, mtime=0)[:-9], b"no gzip at all"], ids=["cut", "other"])
def test_damaged_zip_is_an_answer_cut_short(server: RogueServer, pool: HttpsPool, damaged: bytes) -> None:
    server.answers(http(damaged, Content_Encoding="gzip"))

    assert fault(pool) is TransportFault.CUT


def test_chunked_answer_is_read_to_its_end(server: RogueServer, pool: HttpsPool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers(head + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    assert get(pool).body == b"abcdefg"
    assert get(pool).body == b"abcdefg"
    assert server.connections == 1


@pytest.mark.parametrize(
    "head", [b"Content-Length: 20000\r\n", b"Transfer-Encoding: chunked\r\n"], ids=["length", "chunked"]
)
def test_answer_beyond_the_bound_is_not_kept(server: RogueServer, pool: HttpsPool, head: bytes) -> None:
    body = b"x" * 20_000
    if b"chunked" in head:
        body = b"4e20\r\n" + body + b"\r\n0\r\n\r\n"
    server.answers(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)

    assert fault(pool) is TransportFault.OVERSIZED
    server.answers(http(b"1"))
    assert get(pool).body == b"1"
    assert server.connections == 2


def test_bound_of_a_single_request_may_be_larger(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(b"x" * 20_000))

    assert len(get(pool, most=30_000).body) == 20_000


def test_error_is_read_whole_whatever_its_size(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(b'{"error":{"code":"x"}}' + b" " * 30_000, 403))

    reply = get(pool)

    assert reply.status == 403
    assert reply.body.startswith(b'{"error"')


def test_connection_that_was_closed_while_idle_is_replaced(server: RogueServer, pool: HttpsPool) -> None:
    server.answers([http(b"1"), CLOSE], [http(b"2")])

    assert (get(pool).body, get(pool).body) == (b"1", b"2")
    assert server.connections == 2


def test_connection_that_breaks_before_any_answer_is_reset(server: RogueServer, pool: HttpsPool) -> None:
    server.answers([RESET])

    assert fault(pool) is TransportFault.RESET
    assert len(server.requests) == 1


def test_answer_that_ends_too_early_is_cut_short(server: RogueServer, pool: HttpsPool) -> None:
    server.answers([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", CLOSE])

    assert fault(pool) is TransportFault.CUT


def test_nonsense_is_an_answer_cut_short(server: RogueServer, pool: HttpsPool) -> None:
    server.answers([b"nonsense\r\n\r\n", CLOSE])

    assert fault(pool) is TransportFault.CUT


def test_server_that_says_nothing_is_silent(server: RogueServer, authority: Authority) -> None:
    server.answers([3.0])

    assert fault(pool_of(server, authority, limits=IMPATIENT)) is TransportFault.SILENCE


def test_slow_drip_ends_with_the_whole_requests_time(server: RogueServer, authority: Authority) -> None:
    drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *([0.2, b"x"] * 20)]
    server.answers(drip)  # type: ignore[arg-type]

    assert fault(pool_of(server, authority, limits=HURRIED)) is TransportFault.DRIP


def test_server_that_is_not_there_is_no_connection(authority: Authority) -> None:
    pool = HttpsPool("https://127.0.0.1:1", LIMITS, 1, MachineSettings("", str(authority.ca)))

    assert fault(pool) is TransportFault.CONNECT


def test_certificate_that_nobody_vouches_for_is_refused(server: RogueServer) -> None:
    from certifi import where

    pool = HttpsPool(server.url, LIMITS, 1, MachineSettings("", where()))

    assert fault(pool) is TransportFault.CERTIFICATE


def test_no_more_connections_than_allowed(server: RogueServer, authority: Authority) -> None:
    pool = pool_of(server, authority, connections=2)
    server.answers([0.1, http(b"1")])

    threads = [threading.Thread(target=get, args=(pool,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 8
    assert server.connections <= 2
    pool.close()


def test_closed_pool_leaves_no_connection(server: RogueServer, pool: HttpsPool) -> None:
    server.answers(http(b"1"))
    get(pool)

    pool.close()
    get(pool)
    get(pool)

    assert server.connections == 3


def test_errors_name_neither_host_nor_path(server: RogueServer, pool: HttpsPool) -> None:
    server.answers([RESET])
    with pytest.raises(TransportFailed) as raised:
        get(pool)

    text = f"{raised.value!r} {raised.value.__cause__!r}"
    assert "127.0.0.1" not in text
    assert "/me" not in text


def test_machines_settings_are_those_that_requests_obeys(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in trust(authority.ca).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "")

    assert machine_settings("https://graph.microsoft.com") == MachineSettings(
        "http://proxy.example:3128", str(authority.ca)
    )
