"""Authentication for the API: a Bearer token with a role of this application, issued by the operators' tenant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.authorization.errors import TokenInvalid
from shared.authorization.sessions.sessions import OPERATOR_ROLE

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

    def authenticate(self, header: str) -> ApiIdentity:
        """Return the caller of an Authorization header.

        The administrator of any tenant can assign roles there, so the tenant is checked as well.

        Raises:
            TokenInvalid: no token, an invalid one, or one of another tenant.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid("no Bearer token")
        claims = self._validator.api_token(token.strip())
        if not self._operator_tenant or claims["tid"] != self._operator_tenant:
            raise TokenInvalid("not of the operators' tenant")
        roles = claims.get("roles")
        named = frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()
        return ApiIdentity(str(claims["oid"]), named)


class OperatorAuthenticator:
    """Authenticates callers with the role Operator."""

    def __init__(self, validator: "TokenValidator", operator_tenant: str) -> None:
        self._authenticator = ApiAuthenticator(validator, operator_tenant)

    def authenticate(self, header: str) -> str:
        """Return the caller's object id from an Authorization header.

        Raises:
            TokenInvalid: no token, an invalid one, or one without the role.
        """
        identity = self._authenticator.authenticate(header)
        if OPERATOR_ROLE not in identity.roles:
            raise TokenInvalid("without the role")
        return identity.object_id
