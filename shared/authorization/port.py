"""The ports of authorization: the identity provider, the token store, the flows under way.

Everything secret in here has repr=False; nothing here is ever logged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.sources.port import Access, AccessMode, SourceName


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, from a fully validated id token."""

    tenant_id: str
    owner_id: str
    """Entra's `oid`."""
    address: str
    """What they sign in with. Not always an address of their mailbox."""
    display_name: str
    roles: tuple[str, ...] = ()
    authenticated_at: datetime | None = None
    """When the person last proved who they are, if the token says so; a sign-in may go by an earlier one."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What redeeming or refreshing gives: an access token with its end, and a refresh token if one came."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PendingFlow:
    """A sign-in under way. Kept on our side, taken once, dead after its end; the browser holds only a binding secret.

    `flow` is what msal needs to redeem (state, nonce, code verifier). `intent` says what to do afterward.
    """

    state: str = field(repr=False)
    binding_digest: str = field(repr=False)
    flow: Mapping[str, object] = field(repr=False)
    intent: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Authorization:
    """How one or more mailboxes may be read. The refresh token is in the token store under this id, never here."""

    id: str
    mode: AccessMode
    tenant_id: str
    owner_id: str
    created_at: datetime
    address: str = ""
    """Who signed in, for a service account: the mailbox that names are looked up from. Personal: never logged."""
    refreshed_at: datetime | None = None
    """When a token was last obtained with it: what the daily look goes by."""
    stored_at: datetime | None = None
    """When the stored refresh token was last written; None: none is stored (any more)."""
    revoked: bool = False
    version: str = field(default="", compare=False)


class IdentityProvider(Protocol):
    """Entra ID, seen from here."""

    def begin(
        self, *, redirect_uri: str, login_hint: str = "", prompt: str = "", claims: str = "", mail: bool = True
    ) -> tuple[str, Mapping[str, object]]:
        """Begin an authorization code flow with PKCE: where to send the browser, and what to keep until it is back.

        `mail`: ask for reading the mailbox; without, only for who the person is.
        """
        ...

    def redeem(self, flow: Mapping[str, object], answer: Mapping[str, str]) -> tuple[Identity, Tokens]:
        """Redeem the code and validate the id token in full. Raises as shared.errors says who acts."""
        ...

    def refresh(self, tenant_id: str, refresh_token: str, source: SourceName = SourceName.EWS) -> Tokens:
        """A new access token for a source, and the rotated refresh token: one refresh token serves every source.

        Raises as shared.errors says who acts.
        """
        ...

    def app_token(self, tenant_id: str, source: SourceName = SourceName.EWS) -> Tokens:
        """An app-only access token for a source in that tenant."""
        ...

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        """Where an administrator approves for everyone."""
        ...


class TokenStore(Protocol):
    """Refresh tokens at rest. Ids are never used again: a deleted one stays taken while the vault holds it."""

    def read(self, authorization_id: str) -> str:
        """The stored refresh token. Raises NotFound."""
        ...

    def write(self, authorization_id: str, refresh_token: str) -> None:
        """Store a token as the newest version and disable the one before."""
        ...

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete it; gives until when the vault's soft delete still holds it, if it does. Harmless to repeat."""
        ...


class FlowStore(Protocol):
    """Sign-ins under way."""

    def put(self, pending: PendingFlow) -> None:
        """Keep a flow until it is taken or expires."""
        ...

    def take(self, state: str, binding_digest: str) -> PendingFlow:
        """Take a flow: exactly one caller gets it, and only with the binding it was put with.

        Raises (all of them NotFound as well): FlowUnknown, FlowReplayed when it was taken before, FlowExpired,
        OtherBrowser when the binding is another; that leaves the flow for whom it belongs to.
        """
        ...

    def sweep(self, now: datetime) -> int:
        """Forget flows that ended more than a day ago; gives how many of them nobody had come back from.

        Bounded in time: what is left is forgotten the next day.
        """
        ...


class RevokedSessions(Protocol):
    """Sessions that were ended before their time."""

    def add(self, session_id: str, until: datetime) -> None:
        """End a session that would have lasted until then. Harmless to repeat."""
        ...

    def contains(self, session_id: str) -> bool:
        """Whether a session was ended; what another instance has ended may take some seconds to be known."""
        ...


class StartCounter(Protocol):
    """How many sign-ins all instances have begun, in windows of time."""

    def add(self, window: datetime, instance: str, starts: int) -> int:
        """Note how many one instance has begun in the window that ends then; gives how many all of them have."""
        ...


class SigningKeyRing(Protocol):
    """The keys of one kind of signature."""

    def valid(self, *, fresh: bool = False) -> Sequence["SigningKey"]:
        """The keys that are good now, the one to sign with first. `fresh`: ask again, though not more than needed."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key and the name that signatures carry of it."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody was asked to connect the mailbox of one address. `reference` is the inviter's own."""

    id: str
    address: str
    reference: str
    return_url: str
    expires_at: datetime
    used_at: datetime | None = None


class InvitationStore(Protocol):
    """Invitations, so that each is used once and no link carries an address."""

    def put(self, invitation: Invitation) -> None:
        """Keep a new one."""
        ...

    def get(self, invitation_id: str) -> Invitation:
        """One of them. Raises NotFound."""
        ...

    def use(self, invitation_id: str, at: datetime) -> bool:
        """Mark it used and forget its address; True for exactly one caller, ever."""
        ...


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody waits for an administrator's approval. The id is the secret of the link that they send on.

    `resume` is the intent to go on with; `tenant_id` only when a validated identity said so, else empty.
    """

    id: str = field(repr=False)
    resume: Mapping[str, str] = field(repr=False)
    tenant_id: str
    created_at: datetime
    granted_at: datetime | None = None


class ApprovalStore(Protocol):
    """Approvals waited for."""

    def put(self, approval: Approval) -> None:
        """Keep or replace one."""
        ...

    def get(self, approval_id: str) -> Approval:
        """One of them. Raises NotFound."""
        ...


class AuthorizationStore(Protocol):
    """Authorizations, without their secrets."""

    def add(self, authorization: Authorization) -> Authorization:
        """Store a new one."""
        ...

    def get(self, authorization_id: str) -> Authorization:
        """One of them. Raises NotFound."""
        ...

    def change(self, authorization_id: str, change: Callable[[Authorization], Authorization]) -> Authorization:
        """Read, change and replace under the ETag. Raises NotFound."""
        ...

    def idle_since(self, before: datetime) -> list[Authorization]:
        """Those not refreshed since, for the daily look."""
        ...

    def revoked_with_token(self) -> list[Authorization]:
        """Those revoked whose token may still be stored: whatever was to delete it broke off."""
        ...

    def service_accounts(self) -> list[Authorization]:
        """Those of service accounts, without what was revoked."""
        ...

    def delete(self, authorization_id: str) -> None:
        """Forget it. Harmless when gone."""
        ...


class AccessTokens(Protocol):
    """What a pass asks for: the access to one mailbox."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        """A live access token for the source, from memory or new; `own`: for the mailbox of who signed in.

        Raises as shared.errors says who acts.
        """
        ...
