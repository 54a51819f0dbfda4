"""Authentication for the API: a Bearer token with a role of this application, issued by the operators' tenant."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.authorization.errors import TokenInvalid, TokenWithoutRole

if TYPE_CHECKING:
    from shared.authorization.identity.id_token import TokenValidator


@dataclass(frozen=True, slots=True)
class ApiIdentity:
    """Who calls the API: the object id of the person or application, and the app roles in the token."""

    object_id: str
    roles: frozenset[str]


class ApiAuthenticator:
    """Authenticates the API's callers: people, and other systems with app-only tokens."""

    def __init__(self, validator: "TokenValidator", operator_tenant: str) -> None:
        self._validator = validator
        self._operator_tenant = operator_tenant

    def authenticate(self, header: str, roles: Collection[str]) -> ApiIdentity:
        """Return the caller of an Authorization header, with those of `roles` that the token has.

        The administrator of any tenant can assign roles there, so the tenant is checked as well.

        Raises:
            TokenInvalid: no token, an invalid one, or one of another tenant.
            TokenWithoutRole: a valid token without any of the roles.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid("no Bearer token")
        claims = self._validator.api_token(token.strip())
        if not self._operator_tenant or claims["tid"] != self._operator_tenant:
            raise TokenInvalid("not of the operators' tenant")
        given = claims.get("roles")
        held = frozenset(roles) & {role for role in given if isinstance(role, str)} if isinstance(given, list) else None
        if not held:
            raise TokenWithoutRole("without a role")
        return ApiIdentity(str(claims["oid"]), held)
