"""Every way to confuse a token's reader: each has to be refused."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.authorization.errors import AccountRefused, TokenInvalid
from shared.authorization.identity.id_token import (
    KEYS_MAX_AGE_SECONDS,
    KEYS_MIN_AGE_SECONDS,
    PERSONAL_TENANT,
    PublishedKeys,
    TokenValidator,
    identity_of,
)
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.fakes.clock import FakeClock

AUTHORITY = "https://login.example"
CLIENT = "7b1e6d3a-0f5c-4a58-9d3e-5a0b7f6c2d11"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 -- to be refused


def jwk(key: rsa.RSAPrivateKey, kid: str = "k", **changes: Any) -> dict[str, Any]:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": public["n"], "e": public["e"]} | changes


class Published:
    """What Entra ID publishes, and how often it was asked for."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys) or [jwk(KEY)]
        self.asked = 0

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        return {"keys": self.keys}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def validator(clock: FakeClock, published: Published | None = None) -> TokenValidator:
    return TokenValidator(AUTHORITY, CLIENT, PublishedKeys(published or Published(), clock.monotonic), clock)


def claims(clock: FakeClock, **changes: Any) -> dict[str, Any]:
    now = int(clock().timestamp())
    good = {
        "aud": CLIENT,
        "iss": f"{AUTHORITY}/{TENANT}/v2.0",
        "tid": TENANT,
        "oid": an_identity().owner_id,
        "nonce": "n",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "preferred_username": "alex@contoso.example",
        "name": "Alex",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(body: dict[str, Any], key: Any = KEY, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": "k"} | header)


def test_a_good_token_is_believed(clock: FakeClock) -> None:
    found = validator(clock).id_token(signed(claims(clock)), "n")
    assert identity_of(found, ["organizations"]).address == "alex@contoso.example"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-client"},
        {"aud": None},
        {"aud": f"api://{CLIENT}"},
        {"iss": f"{AUTHORITY}/{OTHER_TENANT}/v2.0"},
        {"iss": f"https://elsewhere.example/{TENANT}/v2.0"},
        {"iss": f"https://sts.windows.net/{TENANT}/"},
        {"iss": None},
        {"tid": OTHER_TENANT},
        {"tid": None},
        {"tid": "../evil", "iss": f"{AUTHORITY}/../evil/v2.0"},
        {"oid": None},
        {"oid": "not-an-object-id"},
        {"oid": 7},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": None},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(clock: FakeClock, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        validator(clock).id_token(signed(claims(clock, **changes)), "n")


def test_an_empty_nonce_never_matches(clock: FakeClock) -> None:
    with pytest.raises(TokenInvalid):
        validator(clock).id_token(signed(claims(clock, nonce="")), "")


@pytest.mark.parametrize(("seconds", "good"), [(3600, True), (3700, True), (3721, False), (-119, True), (-121, False)])
def test_times_have_a_small_leeway(clock: FakeClock, seconds: int, good: bool) -> None:
    token = signed(claims(clock))
    clock.pass_by(seconds=seconds)
    if good:
        assert validator(clock).id_token(token, "n")["oid"]
    else:
        with pytest.raises(TokenInvalid):
            validator(clock).id_token(token, "n")


def signed_by_hand(body: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    """RS256 without the library's own objections to weak keys."""
    text = f"{encoded({'alg': 'RS256', 'kid': 'k'})}.{encoded(body)}"
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def without_signature(body: dict[str, Any]) -> str:
    return f"{encoded({'alg': 'none', 'kid': 'k'})}.{encoded(body)}."


def with_the_public_key_as_secret(body: dict[str, Any]) -> str:
    """HS256 with the published key: what a reader that lets the header choose the algorithm would believe."""
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"{encoded({'alg': 'HS256', 'kid': 'k'})}.{encoded(body)}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{text}.{mac}"


@pytest.mark.parametrize(
    "forge",
    [
        without_signature,
        with_the_public_key_as_secret,
        lambda body: signed(body, FOREIGN),
        lambda body: signed(body, FOREIGN, jwk=jwk(FOREIGN)),
        lambda body: signed(body, FOREIGN, jku="https://elsewhere.example/keys"),
        lambda body: signed(body, kid="unknown"),
        lambda body: signed(body, kid="../../k"),
        lambda body: signed(body, algorithm="RS512"),
        lambda body: signed(body, algorithm="PS256"),
        lambda body: signed(body)[:-4] + "AAAA",
        lambda body: signed(body).rpartition(".")[0] + ".",
        lambda body: "",
        lambda body: "a.b.c",
        lambda body: "....",
        lambda body: "\xff",
        lambda body: signed(body) + "\xe9",
        lambda body: signed(body | {"padding": "x" * 20_000}),
    ],
    ids=["none", "hs256", "foreign", "jwk", "jku", "kid", "path", "rs512", "ps256", "changed", "cut", "empty", "abc",
         "dots", "latin", "latin-end", "huge"],
)  # fmt: skip
def test_a_forged_token_is_refused(clock: FakeClock, forge: Any) -> None:
    with pytest.raises(TokenInvalid):
        validator(clock).id_token(forge(claims(clock)), "n")


@pytest.mark.parametrize(
    "entry",
    [
        jwk(WEAK),
        jwk(KEY, use="enc"),
        jwk(KEY, kty="oct", k="c2VjcmV0"),
        {"kty": "RSA", "kid": "k", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "k"},
    ],
    ids=["weak", "encryption", "symmetric", "broken", "empty"],
)
def test_a_published_key_that_must_not_sign_is_not_used(clock: FakeClock, entry: dict[str, Any]) -> None:
    key = WEAK if entry == jwk(WEAK) else KEY
    with pytest.raises(TokenInvalid):
        validator(clock, Published(entry)).id_token(signed_by_hand(claims(clock), key), "n")


def test_a_new_key_is_found_when_it_turns_up(clock: FakeClock) -> None:
    published = Published()
    check = validator(clock, published)
    check.id_token(signed(claims(clock)), "n")
    published.keys.append(jwk(FOREIGN, "new"))
    clock.pass_by(seconds=KEYS_MIN_AGE_SECONDS + 1)
    assert check.id_token(signed(claims(clock), FOREIGN, kid="new"), "n")["oid"]
    assert published.asked == 2


def test_invented_key_ids_do_not_make_us_ask_again_and_again(clock: FakeClock) -> None:
    published = Published()
    check = validator(clock, published)
    for number in range(50):
        with pytest.raises(TokenInvalid):
            check.id_token(signed(claims(clock), kid=f"invented-{number}"), "n")
    assert published.asked == 1


def test_a_withdrawn_key_is_forgotten_in_time(clock: FakeClock) -> None:
    published = Published()
    check = validator(clock, published)
    check.id_token(signed(claims(clock)), "n")
    published.keys.clear()
    clock.pass_by(seconds=KEYS_MAX_AGE_SECONDS + 1)
    with pytest.raises(TokenInvalid):
        check.id_token(signed(claims(clock)), "n")


def test_an_id_token_does_not_open_the_api(clock: FakeClock) -> None:
    with pytest.raises(TokenInvalid):
        validator(clock).api_token(signed(claims(clock, roles=["Operator"])))
    with pytest.raises(TokenInvalid):
        validator(clock).api_token(signed(claims(clock, roles=["Operator"], azp=CLIENT)))


@pytest.mark.parametrize("audience", [CLIENT, f"api://{CLIENT}"])
def test_an_access_token_of_ours_opens_the_api(clock: FakeClock, audience: str) -> None:
    token = signed(claims(clock, aud=audience, nonce=None, azp=CLIENT, scp="user_impersonation", roles=["Operator"]))
    assert validator(clock).api_token(token)["roles"] == ["Operator"]


CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
OID = an_identity().owner_id


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({"azp": CLI, "scp": "user_impersonation"}, True),
        ({"azp": CLI, "scp": "other user_impersonation", "idtyp": "user"}, True),
        ({"azp": CLI, "idtyp": "app"}, True),
        ({"azp": CLI, "sub": OID}, True),
        ({"azp": "another", "scp": "user_impersonation"}, False),
        ({"azp": "another", "idtyp": "app"}, False),
        ({"azp": "another", "sub": OID}, False),
        ({"azp": "", "scp": "user_impersonation"}, False),
        ({"azp": [CLI], "scp": "user_impersonation"}, False),
        ({"azp": CLI}, False),
        ({"azp": CLI, "sub": "pairwise"}, False),
        ({"azp": CLI, "sub": OID, "idtyp": "user"}, False),
        ({"azp": CLI, "scp": ""}, False),
        ({"azp": CLI, "scp": "user_impersonation2"}, False),
        ({"azp": CLI, "scp": "user_impersonation", "idtyp": "app"}, False),
        ({"azp": CLI, "scp": "Mail.Read", "sub": OID}, False),
    ],
)
def test_an_access_token_opens_the_api_by_an_allowed_client_and_its_scope(
    clock: FakeClock, changes: dict[str, Any], good: bool
) -> None:
    """S10: also with the role, a token that another program got is not for this one."""
    token = signed(claims(clock, nonce=None, roles=["Operator"], **changes))
    check = TokenValidator(AUTHORITY, CLIENT, PublishedKeys(Published(), clock.monotonic), clock, [CLI])
    if good:
        assert check.api_token(token)["oid"] == OID
    else:
        with pytest.raises(TokenInvalid):
            check.api_token(token)


def test_personal_accounts_and_other_tenants_are_told_apart(clock: FakeClock) -> None:
    with pytest.raises(AccountRefused, match="personal_account"):
        identity_of(claims(clock, tid=PERSONAL_TENANT), ["organizations"])
    with pytest.raises(AccountRefused, match="tenant_not_allowed"):
        identity_of(claims(clock), [OTHER_TENANT])
    assert identity_of(claims(clock), [OTHER_TENANT, TENANT]).tenant_id == TENANT


def test_names_cannot_carry_lines_nor_go_on_for_ever(clock: FakeClock) -> None:
    found = identity_of(claims(clock, name="A\r\nSet-Cookie: x\x00" + "a" * 1000), ["organizations"])
    assert found.display_name.startswith("ASet-Cookie: x")
    assert len(found.display_name) == 200
    assert identity_of(claims(clock, roles="Operator"), ["organizations"]).roles == ()


@pytest.mark.parametrize(("said", "believed"), [(1_790_000_000, True), (None, False), ("1790000000", False),
                                                (True, False), (-1, False), (2**40, False)])  # fmt: skip
def test_when_a_person_proved_who_they_are(clock: FakeClock, said: object, believed: bool) -> None:
    """S14: `auth_time`, an optional claim."""
    found = identity_of(claims(clock, auth_time=said), ["organizations"]).authenticated_at
    assert found == (datetime.fromtimestamp(1_790_000_000, UTC) if believed else None)
