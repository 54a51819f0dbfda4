"""Who asks: the signed-in person behind a request, and proof that a form is one of their session's."""

from urllib.parse import urlsplit

import azure.functions as func

from functions.http.handler import HttpError, read_cookie, read_form, require_same_origin
from functions.http.responses import cookie
from shared.app import app
from shared.authorization.onboarding.authorize_redirect import AuthorizeRedirect
from shared.authorization.sessions.sessions import COOKIE, Session
from shared.pages import paths


def require_session(request: func.HttpRequest) -> Session:
    """The session of who asks.

    Raises:
        Refused: session_expired.
    """
    session = app().sessions.read(read_cookie(request, COOKIE))
    if session is None:
        operating = urlsplit(request.url).path.startswith(paths.OPERATOR)
        raise HttpError(
            "session_expired", target=paths.SIGN_IN_FOR_OPERATOR if operating else paths.SIGN_IN_FOR_SESSION
        )
    return session


def read_session_form(request: func.HttpRequest, session: Session) -> dict[str, str]:
    """The fields of a form that came from a page of this session.

    Raises:
        Refused: forbidden, when it came from anywhere else; malformed.
    """
    require_same_origin(request)
    fields = read_form(request)
    if not app().sessions.is_csrf_valid(session, fields.get("csrf", "")):
        raise HttpError("forbidden", refusal="csrf")
    return fields


def binding_cookie(start: AuthorizeRedirect) -> str:
    """The Set-Cookie line that binds a sign-in to this browser.

    SameSite=None, because Microsoft answers with a cross-site POST; that is why it is good for one flow alone.
    """
    return cookie(start.cookie, start.binding, max_age=start.max_age, same_site="None")
