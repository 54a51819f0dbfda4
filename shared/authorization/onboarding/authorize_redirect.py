"""The redirect that starts each flow at the identity provider, with the cookie that binds the flow to its browser."""

from dataclasses import dataclass, field

from shared.authorization.sessions.signing import digest


@dataclass(frozen=True, slots=True)
class AuthorizeRedirect:
    """The URL for the browser and the binding cookie to set: __Host-, Secure, HttpOnly, SameSite=None."""

    url: str = field(repr=False)
    cookie: str
    binding: str = field(repr=False)
    max_age: int


def binding_cookie_name(state: str) -> str:
    """Return the name of a flow's own cookie, so that sign-ins in two tabs do not interfere with each other."""
    return f"flow-{digest(state)[:16]}"
