"""A mailbox and the rules of its schedule. No vendor, no clock, no storage."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.sources.model import AccessMode, SourceName


class Status(StrEnum):
    """What a mailbox is doing, as shown to its person."""

    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_SIGN_IN = "needs_sign_in"
    NEEDS_ADMIN = "needs_admin"
    SUSPENDED = "suspended"
    DISCONNECTED = "disconnected"


SYNCED = frozenset({Status.ACTIVE, Status.NEEDS_ADMIN})
"""The statuses in which a mailbox is synced. Only a pass shows whether an administrator has fixed a problem."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One connected mailbox. `id` is opaque. Addresses are personal: they stay in storage and on the owner's pages.

    `owner_id` is the Entra object id (`oid`) of the account that signed in; together with `tenant_id` it is the pinned
    identity. `rejections` and `failures` count consecutive errors; a success resets both. `version` is the entity's
    ETag.
    """

    id: str
    shard: int
    tenant_id: str
    owner_id: str
    address: str
    """The primary address, as the mail server reports it; until then the sign-in name."""
    display_name: str
    authorization_id: str
    mode: AccessMode
    created_at: datetime
    source: SourceName = SourceName.EWS
    """The source that reads it. Mailboxes stored before there were two sources are read over EWS."""
    moving_to: SourceName | None = None
    """The source that it is to be moved to, or surveyed over."""
    move_asked_by: str = ""
    """Who asked for the move: verdict, schedule, or an operator's opaque id."""
    move_dry: bool = False
    """Whether it is to be surveyed only."""
    move_forced: bool = False
    """Whether an operator has overruled the safety stop of this move."""
    move_due_at: datetime | None = None
    """Not to be tried (again) before."""
    move_blocked: str = ""
    """Why it could not be moved at the last try, or could not be if it were time: a Reason, or `safety`."""
    moved_at: datetime | None = None
    parity_same: int = 0
    parity_changed: int = 0
    parity_new: int = 0
    parity_gone: int = 0
    parity_not_given: int = 0
    parity_fields_lost: int = 0
    """How the items compared at the last move or survey."""
    status: Status = Status.ACTIVE
    reason: str = ""
    support: str = ""
    claims: str = ""
    rejections: int = 0
    failures: int = 0
    first_sync_done: bool = False
    items: int = 0
    in_scope: int = 0
    """Number of items that the source reported in the folders in scope, as of the last pass."""
    issues: int = 0
    not_provided: int = 0
    """Number of items that the folders count but the source does not return, as of the last daily sweep."""
    private_left_out: int = 0
    """Number of private items that were met and not copied, as the sync counted them since the last sweep."""
    counted_at: datetime | None = None
    """When `items` last changed during the current pass."""
    syncing_since: datetime | None = None
    last_pass_at: datetime | None = None
    last_success_at: datetime | None = None
    complete_as_of: datetime | None = None
    swept_at: datetime | None = None
    sweep_missing: int = 0
    sweep_extra: int = 0
    due_at: datetime | None = None
    """Not dispatched before this time; None: at every tick. Set while it waits for something to pass or to be fixed."""
    sign_in_name: str = ""
    """The person's sign-in name, if the mailbox was connected by signing in. Not always an address of the mailbox."""
    language: str = ""
    """The language of the pages at the last sign-in, for mail; empty if nobody has signed in since it is noted."""
    group: str = ""
    """The name of its group (groups/model.py); empty: the settings of the deployment apply."""
    reset_at: datetime | None = None
    """When an operator last asked to read it anew; the pass that begins to notes the same time in its cursor."""
    erasing_since: datetime | None = None
    """When its erasure was requested. The mark is never removed; only the erasure changes the mailbox from then on."""
    hold_since: datetime | None = None
    """Since when a legal hold forbids deleting anything of its copy; None: there is none."""
    hold_by: str = ""
    """Who set the hold: an opaque id."""
    hold_reason: str = ""
    """Why, in the operator's words. For operators only; never logged."""
    feed_sequence: int = 0
    """The number of the newest feed page, as of the last pass that ended without an error."""
    logged_sequence: int = 0
    """The number of the newest feed page in the change log."""
    outbox: str = ""
    """Events of this mailbox that are not published yet: see outbox/events.py."""
    quiet_started_at: datetime | None = None
    """When the last pass began that found nothing new; it has no row among the runs (quiet_runs.py)."""
    quiet_ended_at: datetime | None = None
    quiet_requests: int = 0
    settled_cursor: str = ""
    """The ETag of the stored cursor, if it is proven that no feed page follows it (sync/state/settled_cursor.py)."""
    unsettled_since: datetime | None = None
    """Since when a pass that has not ended without an error may create feed pages."""
    version: str = field(default="", compare=False)

    @property
    def signs_in_as(self) -> str:
        """The person's sign-in name, as far as it is known."""
        return self.sign_in_name or self.address

    def with_changes(self, **changes: object) -> "Mailbox":
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


SHARED_OWNER_PREFIX = "shared-"
"""Prefix of a shared mailbox's owner id. It is read with a person's authorization, which remains that person's own."""


def is_own(mailbox: Mailbox) -> bool:
    """Whether it is read with its own person's sign-in; a shared mailbox is read with another person's."""
    return mailbox.mode is AccessMode.DELEGATED and not mailbox.owner_id.startswith(SHARED_OWNER_PREFIX)


def is_due(mailbox: Mailbox, now: datetime) -> bool:
    """Whether a dispatch at `now` should queue this mailbox."""
    return mailbox.status in SYNCED and (mailbox.due_at is None or mailbox.due_at <= now)


def is_overtaken(mailbox: Mailbox, scheduled: datetime | None, *, sweep: bool = False) -> bool:
    """Whether a pass, or a sweep, has ended since the time that a message was scheduled for.

    Messages accumulate while nothing consumes them; the first one then does the work of all.
    """
    last = mailbox.swept_at if sweep else mailbox.last_pass_at
    return scheduled is not None and last is not None and last >= scheduled


def has_replica(mailbox: Mailbox) -> bool:
    """Whether it may have a replica, which the daily work maintains whatever the mailbox's status is."""
    return mailbox.last_pass_at is not None and mailbox.erasing_since is None


def is_late(mailbox: Mailbox, now: datetime, interval: timedelta) -> bool:
    """Whether an active mailbox has had no success for three intervals: what the freshness alert counts.

    A mailbox that waits for its administrator is deliberately tried less often, and has alerts of its own.
    """
    return mailbox.status is Status.ACTIVE and (mailbox.last_success_at or mailbox.created_at) < now - 3 * interval
