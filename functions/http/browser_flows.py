"""What every flow through Microsoft's pages has in common: its limits, who may start it, and the redirect."""

import time

import azure.functions as func

from functions.http.handler import HttpError
from functions.http.rate_limits import RateLimit, client_address
from functions.http.responses import redirect
from functions.http.session_auth import binding_cookie
from shared.app import app
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect

WAITING = "waiting"
"""The cookie of a person who waits for their administrator's approval; with it they continue with one click."""
WAITING_SECONDS = 30 * 24 * 3600

# Generous for one address: a whole office may share it on the day when everybody is invited.
_start_limit = RateLimit(burst=60, per_minute=60, together=20, monotonic=time.monotonic)
_callback_limit = RateLimit(burst=120, per_minute=120, together=20, monotonic=time.monotonic)


def begin(request: func.HttpRequest) -> None:
    """Allow only a person's own navigation to Microsoft, not an image, a frame, or a script of another page.

    Each of those would leave a flow in storage and a cookie in the browser, until it drops other cookies.
    """
    check_start(request)
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        raise HttpError("forbidden", refusal="foreign_page")
    if seconds := app().start_limit.wait():
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)}, refusal="start_limit")


def check_start(request: func.HttpRequest) -> None:
    """Raise HttpError if this client has opened too many pages that lead to a flow."""
    _check(request, _start_limit)


def check_return(request: func.HttpRequest) -> None:
    """Raise HttpError if this client has returned from Microsoft too often."""
    _check(request, _callback_limit)


def redirect_to_provider(start: AuthorizeRedirect) -> func.HttpResponse:
    """Redirect to Microsoft's page, with the cookie that binds the flow to this browser."""
    return redirect(start.url, cookies=[binding_cookie(start)])


def _check(request: func.HttpRequest, limit: RateLimit) -> None:
    seconds = limit.wait(client_address(request.headers.get("X-Forwarded-For", "")))
    if seconds:
        raise HttpError("too_many_requests", headers={"Retry-After": str(seconds)})
