"""The caller of the API: a Bearer token with a role of this application.

Nothing that a browser sends automatically is accepted, so a page of another site cannot call the API.
"""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import azure.functions as func

from functions.http.handler import HttpError
from functions.http.rate_limits import RateLimit, client_address
from functions.refusals import note
from shared.app import app
from shared.authorization.errors import TokenInvalid, TokenWithoutRole
from shared.errors import RetryLater

if TYPE_CHECKING:
    from shared.api.access import Caller, Role
    from shared.authorization.identity.operators import ApiAuthenticator, ApiIdentity

_bad_tokens = RateLimit(burst=30, per_minute=30, together=20, monotonic=time.monotonic)


def caller_of(request: func.HttpRequest, allowed: "Collection[Role]") -> "Caller":
    """Return the caller with its roles and, for a reader, its limits. `allowed` are the roles that the operation needs.

    A caller who was refused too often has to wait before another token is validated, because a token with an invented
    key id can cause a request to Entra ID.

    Raises:
        HttpError: unauthenticated, too_many_requests.
        Forbidden: the token has no role at all. A caller with another role is for `Caller.require` to refuse.
    """
    from shared.api.access import Caller, Role

    identity = _authenticated(request, allowed)
    roles = frozenset(map(Role, identity.roles))
    limits = app().readers.get(identity.object_id) if Role.REPLICA_READ in roles else None
    return Caller(identity.object_id, roles, limits)


def _authenticated(request: func.HttpRequest, allowed: "Collection[Role]") -> "ApiIdentity":
    from shared.api.access import Role
    from shared.api.errors import Forbidden

    address = client_address(request.headers.get("X-Forwarded-For", ""))
    if seconds := _bad_tokens.blocked(address):
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)}, refusal="bearer_limit")
    try:
        return _authenticator().authenticate(request.headers.get("Authorization", ""), list(Role))
    except (TokenInvalid, RetryLater) as exc:
        _bad_tokens.wait(address)
        if isinstance(exc, RetryLater):
            raise
        if isinstance(exc, TokenWithoutRole):
            note("bearer", str(exc))
            raise Forbidden(allowed) from exc
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HttpError("unauthenticated", headers=headers, refusal="bearer", detail=str(exc)) from exc


def _authenticator() -> "ApiAuthenticator":
    """Return the authenticator of the API's callers; their tenant is the same as for the pages."""
    from shared.authorization.identity.operators import ApiAuthenticator

    return ApiAuthenticator(app().token_validator, app().sessions.operator_tenant)
