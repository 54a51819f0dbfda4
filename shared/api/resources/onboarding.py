"""Invitations, activations, service accounts, moves, and the limits of readers."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from shared.api.resources.values import Time

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")]
"""An opaque id of ours, or one of Entra ID."""
Guid = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""An id of Entra ID, in lower case."""


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite; `reference` comes back with `return_url`, where the person is sent afterward."""

    address: str
    reference: str = ""
    return_url: str = ""


class Invitation(Struct, frozen=True):
    """A link that connects one address once."""

    id: str
    url: str
    expires_at: Time


class InvitationEntry(Struct, frozen=True):
    """An invitation that was made, without its link. Once it is used, its address is not kept any more."""

    id: str
    address: str
    reference: str
    return_url: str
    expires_at: Time
    used_at: Time | None


class InvitationPage(Struct, frozen=True):
    """Invitations, those that expire last first. `next` is the cursor of the next page; empty on the last page."""

    invitations: list[InvitationEntry]
    next: str


class NewActivation(Struct, frozen=True, forbid_unknown_fields=True):
    """Which mailboxes to connect: `addresses` or `csv`; with a service account (`authorization`) or in a `tenant`."""

    addresses: Annotated[list[str], Meta(max_length=2000)] | None = None
    csv: str | None = None
    authorization: Id | None = None
    tenant: Guid | None = None


class ActivationResult(Struct, frozen=True):
    """What became of one name of the list."""

    asked: str
    address: str
    result: str
    mailbox_id: str
    reason: str
    support: str


class ActivationResults(Struct, frozen=True):
    """What became of each name, in order."""

    results: list[ActivationResult]


class ServiceAccount(Struct, frozen=True):
    """An account that reads many mailboxes."""

    id: str
    address: str
    signed_in_at: Time
    mailboxes: int


class ServiceAccountList(Struct, frozen=True):
    """The service accounts that are signed in."""

    service_accounts: list[ServiceAccount]


class RevokedServiceAccount(Struct, frozen=True):
    """A service account without a token, and until when the vault's soft delete still holds the token."""

    id: str
    held_until: Time | None


class MoveTarget(StrEnum):
    """The source that mailboxes are moved to; empty: what was asked before is taken back."""

    EWS = "ews"
    GRAPH = "graph"
    NOTHING = ""


class NewMove(Struct, frozen=True, forbid_unknown_fields=True):
    """Which mailboxes to move to which source: `mailboxes`, a `tenant`, or `all`; an empty `to` takes that back.

    With `dry_run` they are surveyed only; `force` overrules the safety stop.
    """

    to: MoveTarget
    mailboxes: Annotated[list[Id], Meta(max_length=5000)] | None = None
    tenant: Id | None = None
    all: bool | None = None
    dry_run: bool = False
    force: bool = False


class ReaderChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader is limited to. With neither tenants nor mailboxes, it may read none."""

    tenants: Annotated[list[Guid], Meta(max_length=100)] = []
    mailboxes: Annotated[list[Id], Meta(max_length=500)] = []


class Reader(Struct, frozen=True):
    """An account or application with the role Replica.Read, and the tenants and mailboxes that it may read."""

    object_id: str
    tenants: list[str]
    mailboxes: list[str]


class ReaderList(Struct, frozen=True):
    """All readers that are limited. A reader that is not listed may read all mailboxes."""

    readers: list[Reader]


class Me(Struct, frozen=True):
    """The caller: its object id, its roles, and what it is limited to (null: nothing)."""

    object_id: str
    roles: list[str]
    limits: Reader | None
