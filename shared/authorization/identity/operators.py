"""Authentication for the operator's API: a Bearer token with the role Operator, issued by the operators' tenant."""

from typing import TYPE_CHECKING

from shared.authorization.errors import TokenInvalid
from shared.authorization.sessions.sessions import OPERATOR_ROLE

if TYPE_CHECKING:
    from shared.authorization.identity.id_token import TokenValidator


class OperatorAuthenticator:
    """Authenticates the API's callers: people, and other systems with app-only tokens."""

    def __init__(self, validator: "TokenValidator", operator_tenant: str) -> None:
        self._validator = validator
        self._operator_tenant = operator_tenant

    def authenticate(self, header: str) -> str:
        """Return the caller's object id from an Authorization header.

        The administrator of any tenant can assign the role there, so the tenant is checked as well.

        Raises:
            TokenInvalid: no token, an invalid one, or one without the role.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid("no Bearer token")
        claims = self._validator.api_token(token.strip())
        roles = claims.get("roles")
        if not self._operator_tenant or claims["tid"] != self._operator_tenant:
            raise TokenInvalid("not of the operators' tenant")
        if not isinstance(roles, list) or OPERATOR_ROLE not in roles:
            raise TokenInvalid("without the role")
        return str(claims["oid"])
