"""What authorization deals with: who signed in, tokens, pending sign-ins, authorizations, invitations, and approvals.

Every secret field has repr=False; no value of these types is ever logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.sources.model import AccessMode

GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""The pattern of Entra's ids, of tenants and of objects, as its tokens spell them."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The person who signed in, from a fully validated id token."""

    tenant_id: str
    owner_id: str
    """Entra's `oid`."""
    address: str
    """The sign-in name. It is not always an address of the person's mailbox."""
    display_name: str
    roles: tuple[str, ...] = ()
    authenticated_at: datetime | None = None
    """When the person last entered credentials, if the token says so. A sign-in can reuse an earlier one."""
    language: str = ""
    """The language that the person's browser asked for, if it is one of ours; the token does not tell it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The result of redeeming or refreshing: an access token with its expiry, and a refresh token if one came."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PendingFlow:
    """A pending sign-in. It is stored on the server and taken once; the browser holds only a binding secret.

    `flow` is the data that msal needs to redeem the code (state, nonce, code verifier). `intent` says what to do
    afterward.
    """

    state: str = field(repr=False)
    binding_digest: str = field(repr=False)
    flow: Mapping[str, object] = field(repr=False)
    intent: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Authorization:
    """The right to read one or more mailboxes. The refresh token is in the token store under this id, never here."""

    id: str
    mode: AccessMode
    tenant_id: str
    owner_id: str
    created_at: datetime
    address: str = ""
    """A service account's address; names are resolved from its mailbox. Personal: never logged."""
    refreshed_at: datetime | None = None
    """When a token was last obtained with it; the daily work refreshes what has been idle."""
    stored_at: datetime | None = None
    """When the stored refresh token was last written; None if none is stored."""
    revoked: bool = False
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key, and the key id that its signatures carry."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A request to the owner of one address to connect their mailbox. `reference` is the inviter's own text.

    `group` is the group for a mailbox that is connected by it; empty: none was named.
    """

    id: str
    address: str
    reference: str
    return_url: str
    expires_at: datetime
    used_at: datetime | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """An administrator's approval that a person waits for. The id is the secret in the link that they forward.

    `resume` is the intent to continue with; `tenant_id` is set only from a validated identity, else it is empty.
    """

    id: str = field(repr=False)
    resume: Mapping[str, str] = field(repr=False)
    tenant_id: str
    created_at: datetime
    granted_at: datetime | None = None
