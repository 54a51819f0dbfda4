"""The ports of authorization: the identity provider, the token store, and the stores of pending flows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.authorization.model import Approval, Authorization, Identity, Invitation, PendingFlow, SigningKey, Tokens
from shared.sources.model import Access, SourceName


class IdentityProvider(Protocol):
    """The operations of Entra ID that this program uses."""

    def begin(
        self, *, redirect_uri: str, login_hint: str = "", prompt: str = "", claims: str = "", mail: bool = True
    ) -> tuple[str, Mapping[str, object]]:
        """Start an authorization code flow with PKCE; returns the URL for the browser and the flow to store.

        With `mail`, the flow asks for permission to read the mailbox; without, only for the person's identity.
        """
        ...

    def redeem(self, flow: Mapping[str, object], answer: Mapping[str, str]) -> tuple[Identity, Tokens]:
        """Redeem the code and fully validate the id token. Raises SignInRefused or the ActionNeeded errors."""
        ...

    def refresh(self, tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        """Return a new access token for a source and the rotated refresh token. One refresh token serves every source.

        Raises the ActionNeeded errors of shared.errors.
        """
        ...

    def app_token(self, tenant_id: str, source: SourceName = SourceName.EWS) -> Tokens:
        """Return an app-only access token for a source in that tenant."""
        ...

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        """Return the URL where an administrator approves the app for everyone."""
        ...


class TokenStore(Protocol):
    """Stores refresh tokens. Ids are never reused: the vault's soft delete holds the name of a deleted one."""

    def read(self, authorization_id: str) -> str:
        """Return the stored refresh token. Raises NotFound."""
        ...

    def write(self, authorization_id: str, refresh_token: str) -> None:
        """Store a token as the newest version and disable the previous one."""
        ...

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete it; returns until when the vault's soft delete still holds it, if it does. Idempotent."""
        ...


class FlowStore(Protocol):
    """Stores pending sign-ins."""

    def put(self, pending: PendingFlow) -> None:
        """Store a flow until it is taken or expires."""
        ...

    def take(self, state: str, binding_digest: str) -> PendingFlow:
        """Take a flow: exactly one caller gets it, and only with the binding that it was stored with.

        Raises (each is a NotFound as well):
            FlowUnknown: no such flow is stored.
            FlowReplayed: the flow was taken before.
            FlowExpired: the flow has expired.
            OtherBrowser: the binding is different; the flow stays for its own browser.
        """
        ...

    def sweep(self, now: datetime) -> int:
        """Delete flows that expired more than a day ago; returns how many of them were never taken.

        The time is limited: the rest is deleted the next day.
        """
        ...


class RevokedSessions(Protocol):
    """Stores the sessions that were ended before they expired."""

    def add(self, session_id: str, until: datetime) -> None:
        """End a session that would expire at `until`. Idempotent."""
        ...

    def contains(self, session_id: str) -> bool:
        """Whether a session was ended. If another instance ended it, this can take some seconds to become true."""
        ...


class StartCounter(Protocol):
    """Counts the sign-ins that all instances have started, for each time window."""

    def add(self, window: datetime, instance: str, starts: int) -> int:
        """Record one instance's starts in the window that ends at `window`; returns the total of all instances."""
        ...


class SigningKeyRing(Protocol):
    """The keys of one kind of signature."""

    def valid(self, *, fresh: bool = False) -> Sequence[SigningKey]:
        """Return the valid keys, the signing key first. `fresh` reads them again, but not too often."""
        ...


class InvitationStore(Protocol):
    """Stores invitations, so that each is used once and no link carries an address."""

    def put(self, invitation: Invitation) -> None:
        """Store a new invitation."""
        ...

    def get(self, invitation_id: str) -> Invitation:
        """Return an invitation. Raises NotFound."""
        ...

    def use(self, invitation_id: str, at: datetime) -> bool:
        """Mark the invitation as used and delete its address; returns True for exactly one caller."""
        ...

    def recent(self, limit: int, after: str = "") -> tuple[list[Invitation], str]:
        """Return the invitations that expire last, in this order, and what to give as `after` for more; empty: none.

        Those that were stored before version 0.2.0 are not listed.
        """
        ...


class ApprovalStore(Protocol):
    """Stores pending and granted approvals."""

    def put(self, approval: Approval) -> None:
        """Store or replace an approval."""
        ...

    def get(self, approval_id: str) -> Approval:
        """Return an approval. Raises NotFound."""
        ...


class AuthorizationStore(Protocol):
    """Stores authorizations, without their secrets."""

    def add(self, authorization: Authorization) -> Authorization:
        """Store a new authorization."""
        ...

    def get(self, authorization_id: str) -> Authorization:
        """Return an authorization. Raises NotFound."""
        ...

    def change(self, authorization_id: str, change: Callable[[Authorization], Authorization]) -> Authorization:
        """Read, change, and replace an authorization under its ETag. Raises NotFound."""
        ...

    def idle_since(self, before: datetime) -> list[Authorization]:
        """Return the authorizations last refreshed before this time, for the daily work."""
        ...

    def revoked_with_token(self) -> list[Authorization]:
        """Return the revoked authorizations whose token may still be stored, because its deletion was interrupted."""
        ...

    def service_accounts(self) -> list[Authorization]:
        """Return the authorizations of service accounts that are not revoked."""
        ...

    def delete(self, authorization_id: str) -> None:
        """Delete an authorization. Idempotent."""
        ...


class Revocations(Protocol):
    """Ends authorizations. Every method is safe to repeat; those that delete a token return until when the vault's soft
    delete still holds it."""

    def revoke(self, authorization_id: str) -> datetime | None:
        """Mark an authorization as revoked and delete its token. The record stays, so that an erasure can report."""
        ...

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete an authorization that nothing uses any more, with its token."""
        ...

    def delete_record(self, authorization_id: str) -> None:
        """Delete the record of a revoked authorization."""
        ...


class AccessTokens(Protocol):
    """Gives a pass its access to one mailbox."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        """Return access with a valid token for the source, from memory or new.

        `own` says that the mailbox belongs to the person who signed in. Raises the ActionNeeded errors of
        shared.errors.
        """
        ...

    def is_renewed(self, authorization_id: str, since: datetime) -> bool:
        """Whether another refresh token was stored after this time, so that a refusal may be of the one before."""
        ...
