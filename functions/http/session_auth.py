"""Session authentication: the signed-in person of a request, and the check that a form belongs to their session."""

from urllib.parse import urlsplit

import azure.functions as func

from functions.http.handler import HttpError, read_cookie, read_form, require_same_origin
from functions.http.responses import cookie
from shared.app import app
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect
from shared.authorization.sessions.sessions import COOKIE, Session
from shared.pages import paths


def require_session(request: func.HttpRequest) -> Session:
    """Return the session of a request.

    Raises:
        HttpError: session_expired, or operator_session_expired on the operator's pages.
    """
    session = app().sessions.read(read_cookie(request, COOKIE))
    if session is None:
        if urlsplit(request.url).path.startswith(paths.OPERATOR):
            raise HttpError("operator_session_expired")
        raise HttpError("session_expired")
    return session


def require_operator(request: func.HttpRequest) -> Session:
    """Return the operator's session. The role is checked at Entra ID again after a while: it may have been removed.

    Raises:
        HttpError: operator_session_expired, not_operator. A GET is redirected to a sign-in instead of the problem page.
    """
    session = require_session(request)
    if not session.operator:
        raise HttpError("not_operator", refusal="no_role")
    _require_recent_role(request, session)
    return session


def require_operator_view(request: func.HttpRequest) -> Session:
    """Return the session of somebody who may see the operator's pages: the role Operator, or Operator.Read.

    Raises:
        HttpError: as `require_operator`.
    """
    session = require_session(request)
    if not (session.operator or session.reader):
        raise HttpError("not_operator", refusal="no_role")
    _require_recent_role(request, session)
    return session


def _require_recent_role(request: func.HttpRequest, session: Session) -> None:
    if not app().sessions.is_role_recent(session):
        activating = urlsplit(request.url).path.startswith(paths.ACTIVATE)
        target = paths.SIGN_IN_TO_ACTIVATE if activating else paths.SIGN_IN_FOR_OPERATOR
        is_view = request.method in ("GET", "HEAD")
        raise HttpError(
            "operator_session_expired",
            303 if is_view else None,
            {"Location": target} if is_view else None,
            target=target,
        )


def read_session_form(request: func.HttpRequest, session: Session) -> dict[str, str]:
    """Return the fields of a form that a page of this session posted.

    Raises:
        HttpError: forbidden, when the form came from anywhere else; malformed.
    """
    require_same_origin(request)
    fields = read_form(request)
    if not app().sessions.is_csrf_valid(session, fields.get("csrf", "")):
        raise HttpError("forbidden", refusal="csrf")
    return fields


def binding_cookie(start: AuthorizeRedirect) -> str:
    """Return the Set-Cookie line that binds a sign-in to this browser.

    The cookie is SameSite=None, because Microsoft returns by a cross-site POST; so it is valid for one flow only.
    """
    return cookie(start.cookie, start.binding, max_age=start.max_age, same_site="None")
