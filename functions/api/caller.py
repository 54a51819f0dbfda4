"""The caller of the API: a Bearer token with the role Operator.

Nothing that a browser sends automatically is accepted, so a page of another site cannot call the API.
"""

import time

import azure.functions as func

from functions.http.handler import HttpError
from functions.http.parameters import is_id, refuse_unknown
from functions.http.rate_limits import RateLimit, client_address
from shared.app import app
from shared.authorization.errors import TokenInvalid
from shared.authorization.identity.operators import OperatorAuthenticator
from shared.errors import NotFound, RetryLater

_bad_tokens = RateLimit(burst=30, per_minute=30, together=20, monotonic=time.monotonic)


def authenticated_caller(request: func.HttpRequest, *parameters: str) -> str:
    """Return the opaque id of the API's caller; `parameters` are the allowed query parameters.

    A caller who was refused too often has to wait before another token is validated, because a token with an invented
    key id can cause a request to Entra ID.

    Raises:
        HttpError: unauthenticated, too_many_requests, malformed.
    """
    actor = _bearer(request)
    refuse_unknown(request.params, parameters)
    return actor


def _bearer(request: func.HttpRequest) -> str:
    caller = client_address(request.headers.get("X-Forwarded-For", ""))
    if seconds := _bad_tokens.blocked(caller):
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)}, refusal="bearer_limit")
    try:
        return _operators().authenticate(request.headers.get("Authorization", ""))
    except (TokenInvalid, RetryLater) as exc:
        _bad_tokens.wait(caller)
        if isinstance(exc, RetryLater):
            raise
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HttpError("unauthenticated", headers=headers, refusal="bearer", detail=str(exc)) from exc


def _operators() -> OperatorAuthenticator:
    """Return the authenticator of the API's callers; their tenant is the same as for the pages."""
    return OperatorAuthenticator(app().token_validator, app().sessions.operator_tenant)


def id_in_path(request: func.HttpRequest) -> str:
    """Return the id in the path. Raises NotFound for a text that cannot be an id."""
    given: str = request.route_params.get("id", "")
    if not is_id(given):
        raise NotFound("nothing has such an id")
    return given
