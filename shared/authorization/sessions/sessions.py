"""A signed-in person's session: a signed cookie, short, with opaque ids alone.

On our side there is only the list of sessions that were ended early (revoked_sessions/table.py). Every sign-in makes a
new session: whatever cookie the browser had before gives nobody a signed-in session.
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
    from shared.authorization.port import Identity, RevokedSessions, SigningKeyRing

COOKIE = "session"
OPERATOR_ROLE = "Operator"
ROLE_LASTS = timedelta(minutes=15)
"""How long the role of a sign-in is believed: a role that was removed ends with it. Then Entra ID is asked again."""
RECENT = timedelta(minutes=10)
"""How long ago a person may have proved who they are, for what cannot be undone."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in here, until when."""

    id: str
    tenant_id: str
    owner_id: str
    operator: bool
    signed_in_at: datetime
    authenticated_at: datetime
    """When the person last proved who they are: at the sign-in, or before, as far as Entra ID says so."""
    expires_at: datetime


class Sessions:
    """Makes and reads sessions. Only an account of `operator_tenant` can be an operator.

    Anybody's administrator can assign the role Operator in their own tenant, so the role alone says nothing.
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
        """Seconds for the cookie."""
        return int(self._lasts.total_seconds())

    def open(self, identity: "Identity") -> str:
        """The cookie's value for a new session of this identity."""
        now = self._clock()
        claims = {
            "sid": secrets.token_urlsafe(16),
            "tid": identity.tenant_id,
            "oid": identity.owner_id,
            "op": self.is_operator(identity),
            "at": int(min(identity.authenticated_at or now, now).timestamp()),
        }
        return self._signer.sign(claims, now + self._lasts)

    def read(self, cookie: str) -> Session | None:
        """The session that a cookie stands for; None when there is none, or none any more.

        Raises RetryLater, OperatorMustAct: whether it was ended cannot be asked.
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
            expiry_of(claims.get("at", claims["iat"])),  # none in those of the version before
            expiry_of(claims["exp"]),
        )

    def end(self, session: Session) -> None:
        """End it everywhere, whoever has a copy of its cookie."""
        self._revoked.add(session.id, session.expires_at)

    def is_ended(self, session_id: str) -> bool:
        """Whether a session was ended before its time."""
        return self._revoked.contains(session_id)

    def has_role_now(self, session: Session) -> bool:
        """Whether the session is an operator's whose role Entra ID has confirmed lately."""
        return session.operator and self._clock() - session.signed_in_at <= ROLE_LASTS

    def is_recent(self, session: Session) -> bool:
        """Whether the person proved lately who they are."""
        return self._clock() - session.authenticated_at <= RECENT

    def is_operator(self, identity: "Identity") -> bool:
        """Whether this identity runs the service."""
        return (
            OPERATOR_ROLE in identity.roles
            and bool(self.operator_tenant)
            and identity.tenant_id == self.operator_tenant
        )

    def csrf(self, session: Session) -> str:
        """The value that a form of this session carries, and a form of another site cannot know."""
        return derive(self._ring.valid()[0], _purpose(session))

    def is_csrf_valid(self, session: Session, value: str) -> bool:
        """Whether a posted form is one of this session's; another instance may have made it with a newer key."""
        return self._made_by_us(session, value) or self._made_by_us(session, value, fresh=True)

    def _made_by_us(self, session: Session, value: str, *, fresh: bool = False) -> bool:
        made = (derive(key, _purpose(session)) for key in self._ring.valid(fresh=fresh))
        return any(hmac.compare_digest(one.encode(), value.encode()) for one in made)


def _purpose(session: Session) -> str:
    return f"csrf {session.id}"


def operator_tenant_of(tenants: tuple[str, ...]) -> str:
    """Where operators come from when no setting says so: the one tenant that is served, if it is one."""
    return tenants[0] if len(tenants) == 1 and "-" in tenants[0] else ""
