"""Whose signatures are believed: the keys of Entra ID, and our own."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from shared.authorization.errors import SignInRefused, TokenInvalid
from shared.authorization.identity.id_token import (
    ASK_AGAIN_SECONDS,
    KEYS_MAX_AGE_SECONDS,
    KEYS_MIN_AGE_SECONDS,
    PERSONAL_TENANT,
    UNKNOWN_KEPT,
    UNKNOWN_SECONDS,
    PublishedKey,
    PublishedKeys,
    TokenValidator,
    identity_of,
)
from shared.errors import Reason, RetryLater
from tests.fakes.authorization import TENANT
from tests.fakes.clock import FakeClock
from tests.unit.authorization.test_id_token import AUTHORITY, CLIENT, KEY, Published, claims, jwk, signed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Ailing:
    """Publishes its keys once, and is ill from then on."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.asked > 1:
            raise RetryLater(Reason.UNAVAILABLE)
        return {"keys": [jwk(KEY)]}


def test_invented_key_ids_cause_no_flood_of_key_requests(clock: FakeClock) -> None:
    published = Ailing()
    keys = PublishedKeys(published, clock.monotonic)
    assert keys.key("k")
    clock.pass_by(seconds=61)
    for number in range(5):
        with pytest.raises((RetryLater, TokenInvalid)):
            keys.key(f"invented-{number}")
    assert published.asked == 2
    assert keys.key("k")


def test_keys_past_their_time_are_not_believed_though_no_newer_can_be_had(clock: FakeClock) -> None:
    keys = PublishedKeys(Ailing(), clock.monotonic)
    assert keys.key("k")
    clock.pass_by(seconds=KEYS_MAX_AGE_SECONDS + 1)
    for _ in range(2):
        with pytest.raises(RetryLater):
            keys.key("k")


class Slow:
    """Answers when it is told to; `fails` says whether with an error."""

    def __init__(self) -> None:
        self.asked = 0
        self.waiting = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.fails = False

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        self.waiting.release()
        assert self.go_on.acquire(timeout=300)
        if self.fails:
            raise RetryLater(Reason.TIMED_OUT)
        return {"keys": [jwk(KEY)]}


@contextmanager
def asking(slow: Slow, keys: PublishedKeys, kid: str) -> Iterator["Future[PublishedKey]"]:
    """Another thread asks for a key, and Entra ID does not answer before the block ends."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(keys.key, kid)
        try:
            assert slow.waiting.acquire(timeout=300)
            yield asked
        finally:
            slow.go_on.release()


def test_a_known_key_does_not_wait_for_an_invented_one(clock: FakeClock) -> None:
    """S9: anybody can invent an id; a valid call must not wait for it while Entra ID is slow."""
    slow = Slow()
    slow.go_on.release()
    keys = PublishedKeys(slow, clock.monotonic)
    assert keys.key("k")
    assert slow.waiting.acquire(timeout=300)
    clock.pass_by(seconds=61)
    with asking(slow, keys, "invented") as asked:
        assert keys.key("k"), "not behind the other's request"
        with pytest.raises(RetryLater):
            keys.key("a new one perhaps")
        assert not asked.done()
    with pytest.raises(TokenInvalid):
        asked.result()
    assert slow.asked == 2


@pytest.mark.parametrize("fails", [False, True])
def test_the_first_keys_are_fetched_once_for_all_who_wait(clock: FakeClock, fails: bool) -> None:
    """S9: and whoever has waited for a fetch that failed does not begin another at once."""
    slow = Slow()
    slow.fails = fails
    keys = PublishedKeys(slow, clock.monotonic)
    with ThreadPoolExecutor(4) as pool:
        with asking(slow, keys, "k") as first:
            others = [pool.submit(keys.key, "k") for _ in range(4)]
        results = [one.exception() for one in (first, *others)]
    assert [type(error) for error in results] == [RetryLater if fails else type(None)] * 5
    assert slow.asked == 1
    clock.pass_by(seconds=ASK_AGAIN_SECONDS + 1)
    slow.fails = False
    slow.go_on.release()
    assert keys.key("k")


def test_an_id_that_was_not_published_makes_us_ask_once(clock: FakeClock) -> None:
    """S9: the same invented id again and again, for ten minutes."""
    published = Published()
    keys = PublishedKeys(published, clock.monotonic)
    keys.key("k")
    for _ in range(8):
        clock.pass_by(seconds=KEYS_MIN_AGE_SECONDS + 1)
        with pytest.raises(TokenInvalid):
            keys.key("invented")
    assert published.asked == 2
    clock.pass_by(seconds=UNKNOWN_SECONDS)
    published.keys.append(jwk(KEY, "invented"))
    assert keys.key("invented")


def test_remembering_unknown_ids_takes_bounded_memory(clock: FakeClock) -> None:
    keys = PublishedKeys(Published(), clock.monotonic)
    keys.key("k")
    for number in range(UNKNOWN_KEPT + 5):
        clock.pass_by(seconds=KEYS_MIN_AGE_SECONDS + 1)
        with pytest.raises(TokenInvalid):
            keys.key(f"invented-{number}")
    assert len(keys._unknown) == UNKNOWN_KEPT


@pytest.mark.parametrize(
    ("issuer", "good"),
    [
        (f"{AUTHORITY}/{TENANT}/v2.0", True),
        (f"{AUTHORITY}/{{tenantid}}/v2.0", True),
        (f"{AUTHORITY}/{PERSONAL_TENANT}/v2.0", False),
        ("https://elsewhere.example/{tenantid}/v2.0", False),
        (7, False),
    ],
)
def test_a_key_signs_for_the_issuer_that_it_is_published_for_alone(clock: FakeClock, issuer: Any, good: bool) -> None:
    """A key of the personal accounts has once signed tokens of organizations: microsoft.com, Storm-0558, 2023."""
    keys = PublishedKeys(Published(jwk(KEY, issuer=issuer)), clock.monotonic)
    validator = TokenValidator(AUTHORITY, CLIENT, keys, clock)
    if good:
        assert validator.id_token(signed(claims(clock)), "n")
    else:
        with pytest.raises(TokenInvalid):
            validator.id_token(signed(claims(clock)), "n")


def test_an_address_that_nobody_has_verified_says_nothing(clock: FakeClock) -> None:
    """`email` is whatever a tenant's administrator wrote; an invitation would take it for the invited address."""
    body = claims(clock, preferred_username=None, email="victim@contoso.example")
    with pytest.raises(SignInRefused, match="sign_in_failed"):
        identity_of(body, [TENANT])
