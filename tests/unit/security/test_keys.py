"""Whose signatures are believed: the keys of Entra ID, and our own."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.authorization.errors import SignInRefused, TokenInvalid
from shared.authorization.identity.id_token import (
    KEYS_MAX_AGE_SECONDS,
    PERSONAL_TENANT,
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
