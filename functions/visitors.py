"""Who asks: the signed-in person behind a request, and proof that a form is one of their session's."""

from urllib.parse import urlsplit

import azure.functions as func

from functions.doors import Refused, cookie_of, form, from_our_pages
from functions.responses import cookie
from shared.app import app
from shared.authorization.sessions import COOKIE, Session
from shared.authorization.start import Start
from shared.pages import paths


def signed_in(request: func.HttpRequest) -> Session:
    """The session of who asks.

    Raises:
        Refused: session_expired.
    """
    session = app().sessions.read(cookie_of(request, COOKIE))
    if session is None:
        operating = urlsplit(request.url).path.startswith(paths.OPERATOR)
        raise Refused("session_expired", target=paths.SIGN_IN_TO_OPERATE if operating else paths.SIGN_IN_TO_LOOK)
    return session


def own_form(request: func.HttpRequest, session: Session) -> dict[str, str]:
    """The fields of a form that came from a page of this session.

    Raises:
        Refused: forbidden, when it came from anywhere else; malformed.
    """
    from_our_pages(request)
    fields = form(request)
    if not app().sessions.csrf_holds(session, fields.get("csrf", "")):
        raise Refused("forbidden")
    return fields


def binding_cookie(start: Start) -> str:
    """The Set-Cookie line that binds a sign-in to this browser.

    SameSite=None, because Microsoft answers with a cross-site POST; that is why it is good for one flow alone.
    """
    return cookie(start.cookie, start.binding, max_age=start.max_age, same_site="None")
