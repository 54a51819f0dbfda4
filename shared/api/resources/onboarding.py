"""Invitations, activations, service accounts, moves, and the limits of readers."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from shared.api.resources.groups import GroupName
from shared.api.resources.values import Time
from shared.authorization.model import GUID

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")]
"""An opaque id of ours, or one of Entra ID."""
Guid = Annotated[str, Meta(pattern=f"^{GUID}$")]
"""An id of Entra ID, in lower case."""


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite; `reference` comes back with `return_url`, where the person is sent afterward."""

    address: str
    """The address of the mailbox that the invitation is for."""
    reference: str = ""
    """A text of yours that comes back with `return_url`, at most 200 characters."""
    return_url: str = ""
    """Where the person is sent afterward: one of the addresses in RETURN_URLS, with any query."""
    group: GroupName | None = None
    """The group for a mailbox that is new or was disconnected; left out: new ones are in none."""


class Invitation(Struct, frozen=True):
    """A link that connects one address once."""

    id: str
    """The id of the invitation, as the audit trail has it."""
    url: str
    """The link to send to the person."""
    expires_at: Time
    """Until when the link is valid."""


class InvitationEntry(Struct, frozen=True):
    """An invitation that was made, without its link. Once it is used, its address is not kept any more."""

    id: str
    """The id of the invitation."""
    address: str
    """The address it is for; empty once it is used."""
    reference: str
    """The text of whoever made it."""
    return_url: str
    """Where the person is sent afterward."""
    expires_at: Time
    """Until when the link is valid."""
    used_at: Time | None
    """When it was used; null if it was not."""
    group: str
    """The group that it names; empty if it names none."""


class InvitationPage(Struct, frozen=True):
    """Invitations, those that expire last first. `next` is the cursor of the next page; empty on the last page."""

    invitations: list[InvitationEntry]
    """The invitations."""
    next: str
    """The `cursor` of the next page; empty on the last page."""


class NewActivation(Struct, frozen=True, forbid_unknown_fields=True):
    """Which mailboxes to connect: `addresses` or `csv`; with a service account (`authorization`) or in a `tenant`."""

    addresses: Annotated[list[str], Meta(max_length=2000)] | None = None
    """The addresses, or names in the directory."""
    csv: str | None = None
    """The same as the text of a CSV file."""
    authorization: Id | None = None
    """The id of the service account to read them with."""
    tenant: Guid | None = None
    """The tenant to read in with app-only access."""
    group: GroupName | None = None
    """The group for those that are new or were disconnected; left out: new ones are in none."""


class ActivationResult(Struct, frozen=True):
    """What became of one name of the list."""

    asked: str
    """The name as it was given."""
    address: str
    """The address that it stands for; empty if it was not found."""
    result: str
    """`active`, `already`, `failed`, or `not_tried`."""
    mailbox_id: str
    """The mailbox; empty if there is none."""
    reason: str
    """Why it failed; empty if it did not."""
    support: str
    """The error number of Microsoft, if there is one."""


class ActivationResults(Struct, frozen=True):
    """What became of each name, in order."""

    results: list[ActivationResult]
    """The results."""


class ServiceAccount(Struct, frozen=True):
    """An account that reads many mailboxes."""

    id: str
    """The id of its authorization."""
    address: str
    """Its address."""
    signed_in_at: Time
    """When it last signed in."""
    mailboxes: int
    """How many mailboxes are read with it."""


class ServiceAccountList(Struct, frozen=True):
    """The service accounts that are signed in."""

    service_accounts: list[ServiceAccount]
    """The service accounts."""


class RevokedServiceAccount(Struct, frozen=True):
    """A service account without a token, and until when the vault's soft delete still holds the token."""

    id: str
    """The id of its authorization."""
    held_until: Time | None
    """Until when the vault's soft delete still holds the token; null if it does not."""


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
    """The source to move to; empty takes back what was asked before."""
    mailboxes: Annotated[list[Id], Meta(max_length=5000)] | None = None
    """The ids of the mailboxes."""
    tenant: Id | None = None
    """All mailboxes of this tenant."""
    all: bool | None = None
    """True for all mailboxes."""
    dry_run: bool = False
    """Survey only."""
    force: bool = False
    """Overrule the safety stop."""


class ReaderChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader is limited to. With neither tenants nor mailboxes, it may read none."""

    tenants: Annotated[list[Guid], Meta(max_length=100)] = []
    """The ids of tenants whose mailboxes it may read."""
    mailboxes: Annotated[list[Id], Meta(max_length=500)] = []
    """The ids of single mailboxes that it may read."""


class Reader(Struct, frozen=True):
    """An account or application with the role Replica.Read, and the tenants and mailboxes that it may read."""

    object_id: str
    """The object id of the account or application."""
    tenants: list[str]
    """The tenants whose mailboxes it may read."""
    mailboxes: list[str]
    """The single mailboxes that it may read."""


class ReaderList(Struct, frozen=True):
    """All readers that are limited. A reader that is not listed may read all mailboxes."""

    readers: list[Reader]
    """The readers."""


class Me(Struct, frozen=True):
    """The caller: its object id, its roles, and what it is limited to (null: nothing)."""

    object_id: str
    """The object id of the caller."""
    roles: list[str]
    """Its app roles."""
    limits: Reader | None
    """What it may read; null: all mailboxes, as far as its roles allow."""
