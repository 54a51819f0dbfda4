"""How every trip to the identity provider begins: where the browser goes, and the cookie that binds it to its flow."""

from dataclasses import dataclass, field

from shared.authorization.sessions.signing import digest


@dataclass(frozen=True, slots=True)
class AuthorizeRedirect:
    """Where to send the browser, and the binding cookie to give it: __Host-, Secure, HttpOnly, SameSite=None."""

    url: str = field(repr=False)
    cookie: str
    binding: str = field(repr=False)
    max_age: int


def binding_cookie_name(state: str) -> str:
    """The name of a flow's own cookie: two sign-ins in two tabs do not disturb each other, and each is used once."""
    return f"flow-{digest(state)[:16]}"
