"""A signed-in person's session: a short-lived signed cookie with opaque ids only.

The server stores only the list of sessions that were ended early (revoked_sessions/table.py). Every sign-in creates a
new session, so a cookie that was planted in the browser before never becomes a signed-in session.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.authorization.errors import TokenInvalid
from shared.authorization.sessions.signing import Signer, derive, expiry_of

if TYPE_CHECKING:
    from shared.authorization.model import Identity
    from shared.authorization.port import RevokedSessions, SigningKeyRing

COOKIE = "session"
OPERATOR_ROLE = "Operator"
READER_ROLE = "Operator.Read"
"""May see the operator's pages and do nothing there."""
ROLE_LASTS = timedelta(minutes=15)
"""How long the role from a sign-in is valid. Then a new sign-in is needed, so that a removed role takes effect."""
RECENT = timedelta(minutes=10)
"""How old a person's last proof of identity may be for an action that cannot be undone."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and until when."""

    id: str
    tenant_id: str
    owner_id: str
    operator: bool
    signed_in_at: datetime
    authenticated_at: datetime
    """When the person last entered credentials: at the sign-in, or before it if Entra ID says so."""
    expires_at: datetime
    reader: bool = False
    """Whether the person may see the operator's pages without being an operator."""


class Sessions:
    """Creates and reads sessions. Only an account of `operator_tenant` can be an operator.

    The administrator of any tenant can assign the role Operator there, so the role alone proves nothing.
    """

    def __init__(
        self,
        ring: "SigningKeyRing",
        minutes: int,
        operator_tenant: str,
        clock: Callable[[], datetime],
        revoked: "RevokedSessions",
    ) -> None:
        self._ring = ring
        self._signer = Signer(ring, "session", clock)
        self._lasts = timedelta(minutes=minutes)
        self.operator_tenant = operator_tenant
        self._clock = clock
        self._revoked = revoked

    @property
    def max_age(self) -> int:
        """The cookie's lifetime in seconds."""
        return int(self._lasts.total_seconds())

    def open(self, identity: "Identity") -> str:
        """Create a session of this identity; returns the cookie's value."""
        now = self._clock()
        claims = {
            "sid": secrets.token_urlsafe(16),
            "tid": identity.tenant_id,
            "oid": identity.owner_id,
            "op": self.is_operator(identity),
            "rd": self._has_role(identity, READER_ROLE),
            "at": int(min(identity.authenticated_at or now, now).timestamp()),
        }
        return self._signer.sign(claims, now + self._lasts)

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if the cookie is missing or invalid, or the session is over.

        Raises:
            RetryLater, OperatorMustAct: the list of ended sessions cannot be read.
        """
        if not cookie:
            return None
        try:
            claims = self._signer.verify(cookie)
        except TokenInvalid:
            return None
        if self._revoked.contains(claims["sid"]):
            return None
        return Session(
            claims["sid"],
            claims["tid"],
            claims["oid"],
            claims["op"] is True,
            expiry_of(claims["iat"]),
            expiry_of(claims.get("at", claims["iat"])),  # cookies of the previous version have no `at`
            expiry_of(claims["exp"]),
            claims.get("rd") is True,
        )

    def end(self, session: Session) -> None:
        """End the session for every copy of its cookie."""
        self._revoked.add(session.id, session.expires_at)

    def is_ended(self, session_id: str) -> bool:
        """Whether a session was ended before it expired."""
        return self._revoked.contains(session_id)

    def is_role_recent(self, session: Session) -> bool:
        """Whether Entra ID confirmed the session's roles recently."""
        return self._clock() - session.signed_in_at <= ROLE_LASTS

    def is_recent(self, session: Session) -> bool:
        """Whether the person entered credentials recently."""
        return self._clock() - session.authenticated_at <= RECENT

    def is_operator(self, identity: "Identity") -> bool:
        """Whether this identity is an operator of this deployment."""
        return self._has_role(identity, OPERATOR_ROLE)

    def _has_role(self, identity: "Identity", role: str) -> bool:
        is_of_operators = bool(self.operator_tenant) and identity.tenant_id == self.operator_tenant
        return role in identity.roles and is_of_operators

    def csrf(self, session: Session) -> str:
        """Return the CSRF token of this session's forms, which another site cannot know."""
        return derive(self._ring.valid()[0], _purpose(session))

    def is_csrf_valid(self, session: Session, value: str) -> bool:
        """Whether a posted CSRF token is this session's. Another instance may have derived it from a newer key."""
        return self._matches(session, value) or self._matches(session, value, fresh=True)

    def _matches(self, session: Session, value: str, *, fresh: bool = False) -> bool:
        expected = (derive(key, _purpose(session)) for key in self._ring.valid(fresh=fresh))
        return any(hmac.compare_digest(one.encode(), value.encode()) for one in expected)


def _purpose(session: Session) -> str:
    return f"csrf {session.id}"


def operator_tenant_of(tenants: tuple[str, ...]) -> str:
    """Return the default tenant of operators: the only tenant that is allowed, else an empty text."""
    return tenants[0] if len(tenants) == 1 and "-" in tenants[0] else ""
