"""Whom the API admits: every way to come without the right token, tenant or role."""

from typing import Any

import pytest

from shared.authorization.errors import TokenInvalid
from shared.authorization.identity.id_token import PublishedKeys, TokenValidator
from shared.authorization.identity.operators import ApiAuthenticator, ApiIdentity
from tests.fakes.authorization import OTHER_TENANT, TENANT, an_identity
from tests.fakes.clock import FakeClock
from tests.unit.authorization.test_id_token import AUTHORITY, CLIENT, Published, claims, signed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


ROLES = ("Operator", "Operator.Read", "Replica.Read")


def identified(clock: FakeClock, scheme: str = "Bearer ", tenant: str = TENANT, **changes: Any) -> ApiIdentity:
    """Who is admitted with a token of these claims."""
    body = claims(clock, **{"nonce": None, "azp": CLIENT, "scp": "user_impersonation", "roles": ["Operator"]} | changes)
    validator = TokenValidator(AUTHORITY, CLIENT, PublishedKeys(Published(), clock.monotonic), clock)
    return ApiAuthenticator(validator, tenant).authenticate(f"{scheme}{signed(body)}", ROLES)


def admitted(clock: FakeClock, scheme: str = "Bearer ", tenant: str = TENANT, **changes: Any) -> str:
    """The object id that is admitted with a token of these claims."""
    return identified(clock, scheme, tenant, **changes).object_id


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_an_operators_token_is_admitted(clock: FakeClock, scheme: str) -> None:
    assert admitted(clock, scheme) == an_identity().owner_id


@pytest.mark.parametrize("scheme", ["", "Basic ", "Bearer", "Bearer Bearer "])
def test_another_scheme_is_refused(clock: FakeClock, scheme: str) -> None:
    with pytest.raises(TokenInvalid):
        admitted(clock, scheme)


@pytest.mark.parametrize("tenant", [OTHER_TENANT, ""])
def test_a_role_of_another_tenant_is_refused(clock: FakeClock, tenant: str) -> None:
    """Also where no tenant is known to be the operators'."""
    with pytest.raises(TokenInvalid):
        admitted(clock, tenant=tenant)


@pytest.mark.parametrize("roles", [None, [], ["operator"], ["Another"], "Operator", {"Operator": 1}, [["Operator"]]])
def test_a_token_without_the_role_is_refused(clock: FakeClock, roles: object) -> None:
    with pytest.raises(TokenInvalid):
        admitted(clock, roles=roles)


@pytest.mark.parametrize("role", ROLES)
def test_a_token_gives_the_roles_that_it_has_and_no_other(clock: FakeClock, role: str) -> None:
    assert identified(clock, roles=[role, "Another", 7]).roles == {role}
