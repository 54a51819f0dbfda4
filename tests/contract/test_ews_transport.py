"""The EWS session against servers that misbehave below and above HTTP: each error says who acts, and comes in time."""

import base64
import gzip
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.tls.authority import Authority, trust
from shared.errors import (
    ActionNeeded,
    AdministratorMustAct,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.sources.ews.sources import EwsSources
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.model import Access, AccessMode
from shared.sources.port import MailSource
from tests.contract.rogue_server import CLOSE, RESET, RogueServer, Step, http, rogue_server
from tests.unit.ews.soap_samples import answer, fault, success
from tests.unit.ews.test_folders import folder, found

TOKEN = "the-secret-token"
GOOD = answer("FindFolder", found(folder("A", distinguished="inbox")))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IN_CHUNKS = b"30d40\r\n" + GOOD + b" " * (200_000 - len(GOOD)) + b"\r\n0\r\n\r\n"
"""A body above the limit in a single chunk, whatever length the headers declare."""
LIMITS = EwsLimits(connect=2.0, silence=0.4, total=1.2, answer_bytes=100_000)


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[RogueServer]:
    for name, value in trust(authority.ca).items():
        monkeypatch.setenv(name, value)
    with rogue_server(authority) as running:
        yield running


type Open = Callable[..., MailSource]


@pytest.fixture
def opened(server: RogueServer) -> Iterator[Open]:
    sources: list[MailSource] = []

    def open_it(renew: Callable[[], str] | None = None, mode: AccessMode = AccessMode.DELEGATED) -> MailSource:
        source = EwsSources(server.url, connections=2, limits=LIMITS, clock=lambda: NOW).open(
            Access("alex@contoso.example", mode, TOKEN, renew)
        )
        sources.append(source)
        return source

    yield open_it
    for source in sources:
        source.close()


def refused(source: MailSource) -> ActionNeeded:
    with pytest.raises(ActionNeeded) as caught:
        source.folders()
    assert TOKEN not in repr(caught.value)
    assert "alex@" not in str(caught.value)
    return caught.value


def test_a_request_carries_the_token_and_names_the_mailbox_for_routing(server: RogueServer, opened: Open) -> None:
    server.answers(http(GOOD))

    assert len(opened().folders()) == 1

    head = server.requests[0].decode().lower()
    assert f"authorization: bearer {TOKEN}" in head
    assert "x-anchormailbox: alex@contoso.example" in head


def test_an_address_in_any_script_and_of_any_shape_can_be_asked_for(server: RogueServer) -> None:
    server.answers(http(GOOD))
    source = EwsSources(server.url, limits=LIMITS).open(
        Access("jürgen\r\nX-Evil: 1@例え.example", AccessMode.IMPERSONATION, TOKEN)
    )

    assert len(source.folders()) == 1
    source.close()
    assert b"\r\nX-Evil" not in server.requests[0].partition(b"\r\n\r\n")[0]


def test_waiting_for_a_free_connection_ends_with_the_request_timeout(server: RogueServer, opened: Open) -> None:
    server.answers([0.3, http(GOOD)])
    source = opened()

    with ThreadPoolExecutor(6) as pool:
        found = [pool.submit(source.folders) for _ in range(6)]
        assert server.asked.wait(60)
        source.close()
        outcomes = [future.exception() for future in found]

    assert all(outcome is None or isinstance(outcome, RetryLater) for outcome in outcomes)


def test_requests_share_a_connection(server: RogueServer, opened: Open) -> None:
    server.answers(http(GOOD))
    source = opened()

    for _ in range(5):
        source.folders()

    assert server.connections == 1


def test_a_compressed_answer_is_read(server: RogueServer, opened: Open) -> None:
    server.answers(http(gzip.compress(GOOD), Content_Encoding="gzip"))

    assert len(opened().folders()) == 1


def test_a_length_that_is_no_number_is_none(server: RogueServer, opened: Open) -> None:
    server.answers([http(GOOD).replace(f"Length: {len(GOOD)}".encode(), "Length: ²".encode("latin-1")), CLOSE])

    assert len(opened().folders()) == 1


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (http(status=400), OperatorMustAct, Reason.OUR_CONFIGURATION),
        (http(status=401), PersonMustSignIn, Reason.TOKEN_REJECTED),
        (http(status=403), AdministratorMustAct, Reason.EWS_BLOCKED),
        (http(b"licence", status=403), AdministratorMustAct, Reason.NO_LICENSE),
        (http(status=404), OperatorMustAct, Reason.OUR_CONFIGURATION),
        (http(status=409), RetryLater, Reason.UNAVAILABLE),
        (http(status=412), RetryLater, Reason.UNAVAILABLE),
        (http(status=429), RetryLater, Reason.THROTTLED),
        (http(b"<html>oops</html>", status=500, content_type="text/html"), RetryLater, Reason.UNAVAILABLE),
        (http(fault("ErrorServerBusy"), status=500), RetryLater, Reason.THROTTLED),
        (http(fault("ErrorNonExistentMailbox"), status=500), AdministratorMustAct, Reason.NO_MAILBOX),
        (http(status=503), RetryLater, Reason.UNAVAILABLE),
        (http(status=504), RetryLater, Reason.TIMED_OUT),
        (http(status=302, Location="/ews/genericerrorpage.htm"), RetryLater, Reason.UNAVAILABLE),
        (http(fault("ErrorServerBusy")), RetryLater, Reason.THROTTLED),
        (http(GOOD, content_type="text/html"), RetryLater, Reason.BAD_ANSWER),
        (http(b"<html>sign in here</html>"), RetryLater, Reason.BAD_ANSWER),
        (http(GOOD[:-30]), RetryLater, Reason.BAD_ANSWER),
        (http(GOOD.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1)), RetryLater, Reason.BAD_ANSWER),
        (http(b"x" * 200_000), RetryLater, Reason.BAD_ANSWER),
        (http(b"", Transfer_Encoding="chunked") + IN_CHUNKS, RetryLater, Reason.BAD_ANSWER),
        (http(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"), RetryLater, Reason.BAD_ANSWER),
        (http(b"no gzip", Content_Encoding="gzip"), RetryLater, Reason.BAD_ANSWER),
    ],
)  # fmt: skip
def test_an_answer_says_who_acts(
    server: RogueServer, opened: Open, given: bytes, kind: type[ActionNeeded], reason: Reason
) -> None:
    server.answers(given)

    error = refused(opened())

    assert isinstance(error, kind)
    assert error.reason is reason


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([CLOSE], Reason.UNAVAILABLE),
        ([RESET], Reason.UNAVAILABLE),
        ([http(GOOD)[:-40], CLOSE], Reason.BAD_ANSWER),
        ([http(GOOD)[:300], 0.2, RESET], Reason.BAD_ANSWER),
        ([b"SSH-2.0-OpenSSH\r\n", CLOSE], Reason.UNAVAILABLE),
        ([3.0], Reason.TIMED_OUT),
        ([http(GOOD)[:300], 3.0], Reason.TIMED_OUT),
        ([part for byte in http(GOOD) for part in (bytes([byte]), 0.05)], Reason.TIMED_OUT),
        ([http(GOOD)[:250], *[part for byte in GOOD for part in (bytes([byte]), 0.05)]], Reason.TIMED_OUT),
    ],
    ids=["closed", "reset", "cut", "reset in the body", "no HTTP", "silence", "silence in the body", "dripping headers",
         "dripping body"],
)  # fmt: skip
def test_a_connection_that_fails_is_tried_later_and_never_waited_for_long(
    server: RogueServer, opened: Open, steps: list[Step], reason: Reason
) -> None:
    server.answers(steps)
    started = time.monotonic()

    error = refused(opened())

    assert isinstance(error, RetryLater)
    assert error.reason is reason
    assert time.monotonic() - started < 20 * LIMITS.total


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "Mon, 23 Nov 2026 12:02:00 GMT"}, 120.0),
        ({"Retry_After": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_time_to_wait_is_passed_on_in_seconds(
    server: RogueServer, opened: Open, status: int, headers: dict[str, Any], seconds: float | None
) -> None:
    server.answers(http(status=status, **headers))

    error = refused(opened())

    assert isinstance(error, RetryLater)
    assert error.retry_after == seconds


def test_a_busy_fault_names_its_time_in_milliseconds(server: RogueServer, opened: Open) -> None:
    server.answers(http(fault("ErrorServerBusy", 12_500), status=503))

    error = refused(opened())

    assert isinstance(error, RetryLater)
    assert error.retry_after == 12.5


def test_a_busy_fault_may_leave_its_time_to_the_header(server: RogueServer, opened: Open) -> None:
    server.answers(http(fault("ErrorServerBusy"), status=503, Retry_After="9"))

    error = refused(opened())

    assert isinstance(error, RetryLater)
    assert error.retry_after == 9.0


def test_a_rejected_token_is_renewed_once_and_the_request_repeated(server: RogueServer, opened: Open) -> None:
    server.answers(http(status=401), http(GOOD))
    renewals: list[str] = []

    source = opened(lambda: renewals.append("x") or "fresh-token")  # type: ignore[func-returns-value]
    source.folders()
    source.folders()

    assert len(renewals) == 1
    assert b"Bearer fresh-token" in server.requests[1]
    assert b"Bearer fresh-token" in server.requests[2]


def test_a_fresh_token_that_is_rejected_too_is_for_the_person(server: RogueServer, opened: Open) -> None:
    server.answers(http(status=401))

    error = refused(opened(lambda: "fresh-token"))

    assert isinstance(error, PersonMustSignIn)
    assert not error.definite
    assert len(server.requests) == 2


def test_what_renewing_raises_is_passed_on(server: RogueServer, opened: Open) -> None:
    server.answers(http(status=401))

    def renew() -> str:
        raise OperatorMustAct(Reason.OUR_CREDENTIAL)

    assert isinstance(refused(opened(renew)), OperatorMustAct)


def test_a_claims_challenge_is_kept_for_the_next_sign_in(server: RogueServer, opened: Open) -> None:
    claims = '{"access_token":{"nbf":{"essential":true}}}'
    challenge = f'Bearer error="insufficient_claims", claims="{base64.b64encode(claims.encode()).decode()}"'
    server.answers(http(status=401, WWW_Authenticate=challenge))

    error = refused(opened())

    assert isinstance(error, PersonMustSignIn)
    assert error.claims == claims


def test_a_connection_is_not_used_again_after_a_fault(server: RogueServer, opened: Open) -> None:
    second = http(answer("FindFolder", success("FindFolder", "<m:RootFolder/>")))
    server.answers(http(fault("ErrorServerBusy")) + second, http(GOOD))
    source = opened()
    refused(source)

    assert len(source.folders()) == 1
    assert server.connections == 2


def test_a_connection_broken_once_does_not_spoil_the_next_request(server: RogueServer, opened: Open) -> None:
    server.answers([RESET], http(GOOD))
    source = opened()
    refused(source)

    assert len(source.folders()) == 1


def test_a_server_with_another_certificate_is_not_spoken_to(
    server: RogueServer, opened: Open, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Authority.at(tmp_path_factory.mktemp("stranger"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.ca))
    server.answers(http(GOOD))

    error = refused(opened())

    assert isinstance(error, OperatorMustAct)
    assert server.requests == []


def test_a_server_that_is_not_there_is_tried_later(server: RogueServer, opened: Open) -> None:
    server.stop()

    error = refused(opened())

    assert isinstance(error, RetryLater)
    assert error.reason is Reason.UNAVAILABLE


def test_nothing_secret_is_logged_however_loudly_logging_is_turned_up(
    server: RogueServer, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers(http(GOOD), http(status=500), [RESET], http(fault("ErrorAccessDenied")), http(status=401))
    source = opened()
    source.folders()
    for _ in range(4):
        refused(source)
    source.close()

    assert TOKEN not in caplog.text
    assert "alex@contoso.example" not in caplog.text
    assert "secret words" not in caplog.text


def test_closing_forgets_the_token(server: RogueServer, opened: Open) -> None:
    server.answers(http(GOOD))
    source = opened()
    source.folders()
    source.close()

    assert isinstance(refused(source), RetryLater)
    assert len(server.requests) == 1
