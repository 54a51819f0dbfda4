"""The ports of authorization: the identity provider, the token store, the flows under way.

Everything secret in here has repr=False; nothing here is ever logged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.sources.port import Access, AccessMode


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, from a fully validated id token."""

    tenant_id: str
    owner_id: str
    """Entra's `oid`."""
    address: str
    display_name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What redeeming or refreshing gives: an access token with its end, and a refresh token if one came."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PendingFlow:
    """A sign-in under way. Kept on our side, taken once, dead after its end; the browser holds only a binding secret.

    `flow` is what msal needs to redeem (state, nonce, code verifier). `intent` says what to do afterwards.
    """

    state: str = field(repr=False)
    binding_digest: str = field(repr=False)
    flow: Mapping[str, object] = field(repr=False)
    intent: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Authorization:
    """How one or more mailboxes may be read. The refresh token is in the token store under this id, never here."""

    id: str
    mode: AccessMode
    tenant_id: str
    owner_id: str
    created_at: datetime
    refreshed_at: datetime | None = None
    """When a token was last obtained with it: what the daily look goes by."""
    stored_at: datetime | None = None
    """When the stored refresh token was last written."""
    revoked: bool = False
    version: str = field(default="", compare=False)


class IdentityProvider(Protocol):
    """Entra ID, seen from here."""

    def begin(
        self, *, redirect_uri: str, login_hint: str = "", prompt: str = "", claims: str = "", scopes: Sequence[str] = ()
    ) -> tuple[str, Mapping[str, object]]:
        """Begin an authorization code flow with PKCE: where to send the browser, and what to keep until it is back."""
        ...

    def redeem(self, flow: Mapping[str, object], answer: Mapping[str, str]) -> tuple[Identity, Tokens]:
        """Redeem the code and validate the id token in full. Raises as shared.errors says who acts."""
        ...

    def refresh(self, tenant_id: str, refresh_token: str) -> Tokens:
        """A new access token, and the rotated refresh token. Raises as shared.errors says who acts."""
        ...

    def app_token(self, tenant_id: str) -> Tokens:
        """An app-only access token for Exchange in that tenant."""
        ...

    def admin_consent_url(self, *, tenant: str, redirect_uri: str, state: str) -> str:
        """Where an administrator approves for everyone."""
        ...


class TokenStore(Protocol):
    """Refresh tokens at rest."""

    def read(self, authorization_id: str) -> str:
        """The stored refresh token. Raises NotFound."""
        ...

    def write(self, authorization_id: str, refresh_token: str) -> None:
        """Store a token as the newest version and disable the one before."""
        ...

    def delete(self, authorization_id: str) -> datetime | None:
        """Delete it; gives until when the vault's soft delete still holds it, if it says so. Harmless when gone."""
        ...


class FlowStore(Protocol):
    """Sign-ins under way."""

    def put(self, pending: PendingFlow) -> None:
        """Keep a flow until it is taken or expires."""
        ...

    def take(self, state: str) -> PendingFlow:
        """Take a flow: exactly one caller gets it. Raises NotFound when unknown, taken or expired."""
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

    def delete(self, authorization_id: str) -> None:
        """Forget it. Harmless when gone."""
        ...


class AccessTokens(Protocol):
    """What a pass asks for: the access to one mailbox."""

    def access(self, authorization_id: str, address: str) -> Access:
        """A live access token, from memory or freshly obtained. Raises as shared.errors says who acts."""
        ...
