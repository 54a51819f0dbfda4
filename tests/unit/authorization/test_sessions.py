"""Sessions and our own signatures: what gets in, and everything that must not."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from shared.authorization.errors import TokenInvalid
from shared.authorization.sessions.sessions import Session, Sessions, operator_tenant_of
from shared.authorization.sessions.signing import Signer, TokenExpired
from tests.fakes.authorization import OTHER_TENANT, TENANT, MemoryRevokedSessions, Ring, an_identity
from tests.fakes.clock import FakeClock

ALEX = an_identity()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ring() -> Ring:
    return Ring(b"k" * 32)


@pytest.fixture
def sessions(ring: Ring, clock: FakeClock) -> Sessions:
    return Sessions(ring, 30, TENANT, clock, MemoryRevokedSessions())


def opened(sessions: Sessions) -> Session:
    session = sessions.read(sessions.open(ALEX))
    assert session is not None
    return session


def test_a_session_is_short(sessions: Sessions, clock: FakeClock) -> None:
    cookie = sessions.open(ALEX)
    clock.pass_by(minutes=29)
    assert sessions.read(cookie) is not None
    clock.pass_by(minutes=1)
    assert sessions.read(cookie) is None


def test_every_sign_in_makes_a_session_of_its_own(sessions: Sessions) -> None:
    first, second = opened(sessions), opened(sessions)
    assert first.id != second.id
    assert sessions.csrf(first) != sessions.csrf(second)


def test_a_cookie_tells_no_address_and_fits_the_header(sessions: Sessions) -> None:
    cookie = sessions.open(ALEX)
    body = base64.urlsafe_b64decode(cookie.split(".")[1] + "==").decode()
    assert "alex" not in body
    assert set(cookie) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert len(cookie) < 1000


def test_a_csrf_value_holds_for_its_own_session_alone(sessions: Sessions, ring: Ring) -> None:
    mine, other = opened(sessions), opened(sessions)
    value = sessions.csrf(mine)
    assert sessions.is_csrf_valid(mine, value)
    assert not sessions.is_csrf_valid(other, value)
    for wrong in ("", value[:-1], value + "x", "\u00e4", value.upper()):
        assert not sessions.is_csrf_valid(mine, wrong)
    ring.rotate()
    ring.valid(fresh=True)
    assert sessions.is_csrf_valid(mine, value)


def test_rotating_the_key_ends_no_session(sessions: Sessions, ring: Ring) -> None:
    before = sessions.open(ALEX)
    ring.rotate()
    after = Sessions(ring, 30, TENANT, FakeClock(), MemoryRevokedSessions())
    ring.valid(fresh=True)
    assert sessions.read(before) is not None
    assert sessions.read(after.open(ALEX)) is not None


def test_another_instances_newer_key_is_found(clock: FakeClock) -> None:
    ring = Ring()
    here = Sessions(ring, 30, TENANT, clock, MemoryRevokedSessions())
    here.open(ALEX)
    elsewhere = Ring()
    elsewhere.rotate()
    elsewhere.valid(fresh=True)
    cookie = Sessions(elsewhere, 30, TENANT, clock, MemoryRevokedSessions()).open(ALEX)
    ring.rotate()
    assert here.read(cookie) is not None
    assert ring.fresh_reads == 1


def test_a_form_that_another_instance_made_with_a_newer_key_is_taken(clock: FakeClock) -> None:
    ring = Ring()
    here = Sessions(ring, 30, TENANT, clock, MemoryRevokedSessions())
    session = opened(here)
    ring.rotate()
    elsewhere = Ring()
    elsewhere.rotate()
    elsewhere.valid(fresh=True)
    value = Sessions(elsewhere, 30, TENANT, clock, MemoryRevokedSessions()).csrf(session)
    assert here.is_csrf_valid(session, value)
    assert not here.is_csrf_valid(opened(here), value)


@pytest.mark.parametrize(
    ("roles", "tenant", "operator"),
    [(("Operator",), TENANT, True), ((), TENANT, False), (("operator",), TENANT, False),
     (("Operator",), OTHER_TENANT, False)],
)  # fmt: skip
def test_an_operator_has_the_role_in_the_operators_own_tenant(
    sessions: Sessions, roles: tuple[str, ...], tenant: str, operator: bool
) -> None:
    session = sessions.read(sessions.open(replace(ALEX, roles=roles, tenant_id=tenant)))
    assert session is not None
    assert session.operator is operator


def test_without_a_known_tenant_nobody_is_an_operator(ring: Ring, clock: FakeClock) -> None:
    assert operator_tenant_of(("organizations",)) == ""
    assert operator_tenant_of((TENANT, OTHER_TENANT)) == ""
    assert operator_tenant_of((TENANT,)) == TENANT
    assert not Sessions(ring, 30, "", clock, MemoryRevokedSessions()).is_operator(
        replace(ALEX, roles=("Operator",), tenant_id="")
    )


def part(value: dict[str, object]) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())
        .rstrip(b"=")
        .decode()
    )


def forgeries(good: str) -> dict[str, str]:
    header, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = part(claims | {"oid": "somebody-else", "op": True})
    none = part({"alg": "none", "kid": "k1", "typ": "session"})
    guessed = base64.urlsafe_b64encode(hmac.digest(b"", f"{header}.{other}".encode(), hashlib.sha256)).rstrip(b"=")
    return {
        "changed": f"{header}.{other}.{signature}",
        "unsigned": f"{none}.{other}.",
        "none": f"{none}.{other}.{signature}",
        "empty key": f"{header}.{other}.{guessed.decode()}",
        "cut": good[:-1],
        "longer": good + "A",
        "two parts": f"{header}.{body}",
        "four parts": f"{good}.x",
        "padding": good + "=",
        "not ascii": good + "\u00e4",
        "unknown key": f"{part({'alg': 'HS256', 'kid': 'k9', 'typ': 'session'})}.{body}.{signature}",
        "other header": f"{part({'alg': 'HS256', 'kid': 'k1', 'typ': 'session', 'x': 1})}.{body}.{signature}",
        "huge": "a" * 10_000,
        "nothing": "",
    }


@pytest.mark.parametrize("name", list(forgeries("e30.e30.x")))
def test_a_forged_session_is_none(sessions: Sessions, name: str) -> None:
    assert sessions.read(forgeries(sessions.open(ALEX))[name]) is None


def test_one_kind_of_token_never_passes_for_another(ring: Ring, clock: FakeClock, sessions: Sessions) -> None:
    invitation = Signer(ring, "invitation", clock).sign({"jti": "x"}, clock.now.replace(year=2030))
    assert sessions.read(invitation) is None
    with pytest.raises(TokenInvalid):
        Signer(ring, "invitation", clock).verify(sessions.open(ALEX))


def test_what_is_past_its_time_is_told_from_what_is_not_ours(ring: Ring, clock: FakeClock) -> None:
    signer = Signer(ring, "invitation", clock)
    token = signer.sign({}, clock())
    with pytest.raises(TokenExpired):
        signer.verify(token)


def test_any_jwt_library_can_check_an_outcome(ring: Ring, clock: FakeClock) -> None:
    token = Signer(ring, "JWT", clock).sign({"aud": "https://crm.example"}, clock.now.replace(year=2040))
    read = jwt.decode(
        token, b"k" * 32, algorithms=["HS256"], audience="https://crm.example", options={"verify_iat": False}
    )
    assert read["aud"] == "https://crm.example"


def test_a_token_that_the_first_version_signed_is_still_read(ring: Ring, clock: FakeClock) -> None:
    """Header and claims sorted, without spaces: what commit 4decee5 wrote."""
    header, body = (
        part({"alg": "HS256", "kid": "k1", "typ": "invitation"}),
        part({"exp": 4_000_000_000, "iat": 1, "jti": "x"}),
    )
    mac = base64.urlsafe_b64encode(hmac.digest(b"k" * 32, f"{header}.{body}".encode(), hashlib.sha256)).rstrip(b"=")
    token = f"{header}.{body}.{mac.decode()}"
    signer = Signer(ring, "invitation", clock)
    assert signer.verify(token) == {"exp": 4_000_000_000, "iat": 1, "jti": "x"}
    assert signer.sign({"jti": "x"}, clock.now.replace(year=2040)).startswith(f"{header}.")


def test_an_ended_session_is_none_whoever_has_copied_its_cookie(sessions: Sessions) -> None:
    """S14: signing out ends it on the server, and no other session of the same person."""
    cookie, other = sessions.open(ALEX), sessions.open(ALEX)
    session = sessions.read(cookie)
    assert session is not None
    sessions.end(session)
    assert sessions.read(cookie) is None
    assert sessions.is_ended(session.id)
    assert sessions.read(other) is not None


def test_an_operators_role_is_believed_for_a_quarter_of_an_hour(sessions: Sessions, clock: FakeClock) -> None:
    """S14: a role that was removed ends with it, however long sessions last."""
    operator = sessions.read(sessions.open(replace(ALEX, roles=("Operator",))))
    assert operator is not None
    assert not opened(sessions).operator
    clock.pass_by(minutes=15)
    assert sessions.is_role_recent(operator)
    clock.pass_by(seconds=1)
    assert operator.operator
    assert not sessions.is_role_recent(operator)


@pytest.mark.parametrize(
    ("minutes_before", "recent_for"), [(None, 10), (0, 10), (4, 6), (60, -1), (-30, 10)],
    ids=["unsaid", "now", "before", "long ago", "in the future"],
)  # fmt: skip
def test_what_cannot_be_undone_needs_a_recent_proof(
    sessions: Sessions, clock: FakeClock, minutes_before: int | None, recent_for: int
) -> None:
    """S14: a sign-in that went by an earlier one is as old as that."""
    proved = None if minutes_before is None else clock() - timedelta(minutes=minutes_before)
    session = sessions.read(sessions.open(replace(ALEX, authenticated_at=proved)))
    assert session is not None
    assert sessions.is_recent(session) is (recent_for >= 0)
    clock.pass_by(minutes=max(0, recent_for))
    assert sessions.is_recent(session) is (recent_for >= 0)
    clock.pass_by(seconds=1)
    assert not sessions.is_recent(session)


def test_a_session_of_the_version_before_is_read(sessions: Sessions, ring: Ring, clock: FakeClock) -> None:
    """It says nothing of when the person proved who they are: then it was at the sign-in."""
    claims = {"sid": "s", "tid": TENANT, "oid": ALEX.owner_id, "op": False}
    session = sessions.read(Signer(ring, "session", clock).sign(claims, clock() + timedelta(minutes=30)))
    assert session is not None
    assert session.authenticated_at == session.signed_in_at == clock()
