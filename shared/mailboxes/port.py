"""The ports of the registry, the leases, and the queues."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.mailboxes.model import Mailbox


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one pass, for the person's and the operator's pages. Times are UTC; it holds no content."""

    mailbox_id: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    """`done`, `continues`, `held` (by the safety stop), or the Reason of its failure. Of a move: `moved`, `restated`
    (its rows), `surveyed`, or `blocked` (by the safety stop)."""
    created: int = 0
    updated: int = 0
    moved: int = 0
    deleted: int = 0
    issues: int = 0
    bytes: int = 0
    requests: int = 0
    kind: str = "pass"
    """`pass`, `sweep`, or `move`."""


@dataclass(frozen=True, slots=True)
class ItemIssue:
    """One item that could not be synced: the reason, the number of tries, and the next one. It holds no content.

    `folder` (its path), `subject` and `at` name it to its owner as far as they are known. Personal: never logged.
    """

    mailbox_id: str
    item_id: str
    folder_id: str
    reason: str
    support: str
    tries: int
    first_at: datetime
    next_try_at: datetime
    folder: str = ""
    subject: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action: when, by whom (an opaque id), and which. `key` is its place in the trail."""

    key: str
    at: datetime
    actor: str
    act: str


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """The record of an erasure, by mailbox id. If `finished_at` is None, it is not complete.

    `outbox` holds the events that the erased mailbox left unpublished, and that it is erased.
    """

    mailbox_id: str
    finished_at: datetime | None = None
    outbox: str = ""


class MailboxRegistry(Protocol):
    """All connected mailboxes with their runs and issues.

    Every change of a mailbox is written together with the events that it means (outbox/events.py), in one row.
    """

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        """Store a new mailbox. A mailbox that is being erased gives its address up to the new one.

        So does `instead_of`, the mailbox of a person who had the address before; nothing else of it changes.

        Raises:
            Conflict: that address has one already in its tenant, whoever owns it and whatever way it is read.
        """
        ...

    def get(self, mailbox_id: str) -> Mailbox:
        """Return one mailbox.

        Raises:
            NotFound: it does not exist.
            OperatorMustAct: this version cannot read it.
        """
        ...

    def of_owner(self, tenant_id: str, owner_id: str, *, readable_only: bool = False) -> list[Mailbox]:
        """Return the mailboxes that one signed-in identity owns.

        They include one that is being erased, until its owner connects the address again.

        Raises:
            OperatorMustAct: this version cannot read one of them; with `readable_only` it is left out.
        """
        ...

    def at_address(self, tenant_id: str, address: str) -> Mailbox | None:
        """The mailbox of an address, whoever owns it, unless it is being erased."""
        ...

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        """Read, change and replace a mailbox under its ETag; repeat after a conflict.

        `known`, the mailbox as it was read or written before, saves the first read.

        Raises:
            NotFound: the mailbox does not exist.
            BeingErased: it is marked for erasure; nothing has changed.
        """
        ...

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """Iterate over the mailboxes of one shard, except those that this version cannot read."""
        ...

    def all(self) -> Iterator[Mailbox]:
        """Iterate over all mailboxes, shard by shard, except those that this version cannot read."""
        ...

    def page(self, after: str, limit: int) -> list[Mailbox]:
        """Return the first `limit` mailboxes after the id `after` in the registry's order, which is not that of ids.

        The mailbox `after` may have been erased. Mailboxes that this version cannot read are left out.
        """
        ...

    def authorizations_in_use(self) -> Counter[str]:
        """Count the mailboxes per authorization, without disconnected ones.

        A mailbox that this version cannot read counts in any status, so that nothing of it is deleted.
        """
        ...

    def record_run(self, run: Run) -> None:
        """Store the record of one pass. A pass that found nothing new is part of the mailbox instead: quiet_runs.py."""
        ...

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first. Of passes in a row that found nothing new, it has the last one."""
        ...

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Delete the runs that started before this time; return how many."""
        ...

    def put_issue(self, issue: ItemIssue) -> None:
        """Create or replace the issue of one item."""
        ...

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """Delete the issue of an item that is fine or deleted; no error if there is none."""
        ...

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """Return a mailbox's open issues, except those that this version cannot read."""
        ...

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Record an action. `actor` is an opaque id (oid, `operator`, `system`), `act` the action's name."""
        ...

    def audit_trail(self, mailbox_id: str, after: str = "", limit: int = 100) -> list[AuditEntry]:
        """Return the actions on a mailbox (or invitation), newest first, from the one after the key `after`."""
        ...

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Delete the mailbox with its runs and issues; return the number of deleted rows by kind.

        It is safe to repeat, and then deletes what a late pass has recorded since. If the erasure has a record, the
        record says afterward that it is finished.
        """
        ...

    def begin_erasure(self, mailbox_id: str) -> Mailbox:
        """Mark a mailbox for erasure, record the start, and return the mailbox. Safe to repeat.

        Nothing is deleted yet. From the mark on, `change` refuses the mailbox and `add` ignores it. A concurrent change
        is either included in the mailbox returned here, or it fails. So a hold and a mark exclude each other.

        Raises:
            NotFound: the mailbox does not exist (any more).
            OnHold: a legal hold forbids the erasure; nothing is marked.
        """
        ...

    def erasures(self) -> list[ErasureRecord]:
        """Return all recorded erasures, except those that this version cannot read."""
        ...

    def forget_erasure(self, mailbox_id: str) -> None:
        """Delete an erasure's record; no error if there is none."""
        ...

    def publish_events(self, mailbox: Mailbox) -> None:
        """Hand on the events that a mailbox's row still holds, and remove them from it. Never raises.

        `change`, `add` and `erase` do this by themselves; what a crash or an outage left is found by the dispatch.
        """
        ...

    def publish_erasures(self) -> int:
        """Hand on the events that erased mailboxes left behind; returns the number of erasures with such events."""
        ...


class Leases(Protocol):
    """Leases that allow one pass per mailbox at a time."""

    def acquire(self, mailbox_id: str, seconds: int = 60) -> "Lease | None":
        """Acquire a lease that is renewed while held and otherwise expires; None if somebody else holds it."""
        ...

    def forget(self, mailbox_id: str) -> None:
        """Delete what an erased mailbox's leases were stored in; no error if it does not exist."""
        ...


class Lease(Protocol):
    """A held lease."""

    def lost(self) -> bool:
        """Whether renewal has failed, so that the pass must stop writing."""
        ...

    def release(self) -> None:
        """Release the lease. Never raises."""
        ...


class SyncQueue(Protocol):
    """The two queues of the dispatch. Their messages contain only ids and times."""

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Send a message to dispatch one shard's due mailboxes, or, once a day, to sweep all of its mailboxes.

        `tick` is the time at which the timer fired. A message that nobody consumes within `seconds_to_live` is dropped.
        """
        ...

    def send_mailbox(
        self,
        mailbox_id: str,
        *,
        delay_seconds: int = 0,
        continuation: int | None = None,
        sweep: bool = False,
        scheduled: datetime | None = None,
    ) -> None:
        """Send a message for one pass (or one sweep) of one mailbox, to be delivered after the delay.

        `continuation` is the cursor's sequence number at the end of the pass that sends it; a continuation for another
        number ends at once. A message with `scheduled` ends at once if a pass has ended since that time.
        """
        ...
