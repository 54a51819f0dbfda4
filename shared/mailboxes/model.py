"""A mailbox as we know it, and the plain rules of its life. No vendor, no clock, no storage in here."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.sources.port import AccessMode, SourceName


class Status(StrEnum):
    """What a mailbox is doing, as its person would put it."""

    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_SIGN_IN = "needs_sign_in"
    NEEDS_ADMIN = "needs_admin"
    SUSPENDED = "suspended"
    DISCONNECTED = "disconnected"


SYNCED = frozenset({Status.ACTIVE, Status.NEEDS_ADMIN})
"""The statuses that stay in the rota: what an administrator cures shows only by trying."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One connected mailbox. `id` is opaque; addresses are personal and never leave storage and the owner's pages.

    `owner_id` is Entra's object id of who signed in (`oid`), with `tenant_id` the identity that is pinned.
    `rejections` and `failures` count in a row; a success resets both. `version` is the stored entity's ETag.
    """

    id: str
    shard: int
    tenant_id: str
    owner_id: str
    address: str
    """The primary address, as the mail server has it; the sign-in name until it has said so."""
    display_name: str
    authorization_id: str
    mode: AccessMode
    created_at: datetime
    source: SourceName = SourceName.EWS
    """Which source reads it: what was stored before there were two is read over EWS."""
    status: Status = Status.ACTIVE
    reason: str = ""
    support: str = ""
    claims: str = ""
    rejections: int = 0
    failures: int = 0
    first_sync_done: bool = False
    items: int = 0
    in_scope: int = 0
    """How many items the source reports in the folders that are in scope, at the last look."""
    issues: int = 0
    not_provided: int = 0
    """How many items its folders count that its source does not give, at the last daily sweep."""
    syncing_since: datetime | None = None
    last_pass_at: datetime | None = None
    last_success_at: datetime | None = None
    complete_as_of: datetime | None = None
    swept_at: datetime | None = None
    sweep_missing: int = 0
    sweep_extra: int = 0
    due_at: datetime | None = None
    """Not to be dispatched before; None: with every tick. Set while something has to pass or be cured first."""
    sign_in_name: str = ""
    """What its person signs in with, where it was connected by signing in. Not always an address of the mailbox."""
    erasing_since: datetime | None = None
    """When its erasure was asked for: a mark that nothing takes back. Only the erasure touches the mailbox now."""
    version: str = field(default="", compare=False)

    @property
    def signs_in_as(self) -> str:
        """The name that its person signs in with, as far as it is known."""
        return self.sign_in_name or self.address

    def with_changes(self, **changes: object) -> "Mailbox":
        """The same mailbox with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


SHARED_OWNER_PREFIX = "shared-"
"""How the owner of a shared mailbox begins: it is read with the authorization of a person, whose own it stays."""


def is_own(mailbox: Mailbox) -> bool:
    """Whether it is read by its own person's sign-in; a shared mailbox is read by somebody else's."""
    return mailbox.mode is AccessMode.DELEGATED and not mailbox.owner_id.startswith(SHARED_OWNER_PREFIX)


def is_due(mailbox: Mailbox, now: datetime) -> bool:
    """Whether a dispatch at `now` should send this mailbox to be synced."""
    return mailbox.status in SYNCED and (mailbox.due_at is None or mailbox.due_at <= now)


def is_overtaken(mailbox: Mailbox, scheduled: datetime | None, *, sweep: bool = False) -> bool:
    """Whether a pass, or a sweep, has ended since the moment that a message was scheduled for.

    Messages pile up while nothing consumes them; the first one does what all of them ask for.
    """
    last = mailbox.swept_at if sweep else mailbox.last_pass_at
    return scheduled is not None and last is not None and last >= scheduled


def has_replica(mailbox: Mailbox) -> bool:
    """Whether there may be a copy of it, which the daily round keeps in order whatever the mailbox's status."""
    return mailbox.last_pass_at is not None and mailbox.erasing_since is None


def is_late(mailbox: Mailbox, now: datetime, interval: timedelta) -> bool:
    """Whether an active mailbox has had no success for three intervals: what the freshness alarm counts.

    One that waits for its administrator is tried ever more seldom on purpose, and has alarms of its own.
    """
    return mailbox.status is Status.ACTIVE and (mailbox.last_success_at or mailbox.created_at) < now - 3 * interval
