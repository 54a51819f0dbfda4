"""The registry's port."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.mailboxes.model import Mailbox


@dataclass(frozen=True, slots=True)
class Run:
    """One pass as it is remembered: for the person's page and the operator's. Times UTC; no content."""

    mailbox_id: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    """done, continues, held (by the safety stop), or the Reason it failed for."""
    created: int = 0
    updated: int = 0
    moved: int = 0
    deleted: int = 0
    issues: int = 0
    bytes: int = 0
    requests: int = 0
    kind: str = "pass"
    """pass, or sweep."""


@dataclass(frozen=True, slots=True)
class ItemIssue:
    """One item that could not be synced: why, how often it was tried, when it is tried next. No content."""

    mailbox_id: str
    item_id: str
    folder_id: str
    reason: str
    support: str
    tries: int
    first_at: datetime
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure that was begun, by the id of its mailbox. `finished_at` None: something of it is left to do."""

    mailbox_id: str
    finished_at: datetime | None = None


class MailboxRegistry(Protocol):
    """Every connected mailbox, its runs and its issues."""

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        """Store a new mailbox. A mailbox that is being erased gives its address up to the new one.

        So does `instead_of`, the mailbox of a person who had the address before; nothing else of it changes.

        Raises:
            Conflict: that address has one already in its tenant, whoever owns it and whatever way it is read.
        """
        ...

    def get(self, mailbox_id: str) -> Mailbox:
        """One mailbox.

        Raises:
            NotFound: there is none.
            OperatorMustAct: this version cannot read it.
        """
        ...

    def of_owner(self, tenant_id: str, owner_id: str) -> list[Mailbox]:
        """The mailboxes that one signed-in identity owns.

        One that is being erased is among them until its owner connects the address again.
        """
        ...

    def at_address(self, tenant_id: str, address: str) -> Mailbox | None:
        """The mailbox of an address, whoever owns it, unless it is being erased."""
        ...

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """Read, change and replace under the ETag, again when somebody came between.

        Raises:
            NotFound: there is no such mailbox.
            BeingErased: it is marked for erasure; nothing has changed.
        """
        ...

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """Every mailbox of one shard, without those that this version cannot read."""
        ...

    def all(self) -> Iterator[Mailbox]:
        """Every mailbox, shard by shard, without those that this version cannot read."""
        ...

    def authorizations_in_use(self) -> Counter[str]:
        """How many mailboxes are read with each authorization; a disconnected one is not read any more.

        A mailbox that this version cannot read counts whatever its status: nothing of it may be deleted.
        """
        ...

    def record_run(self, run: Run) -> None:
        """Remember one pass."""
        ...

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """The last passes, newest first."""
        ...

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Forget the passes that began before; gives how many."""
        ...

    def put_issue(self, issue: ItemIssue) -> None:
        """Record or replace the issue of one item."""
        ...

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """The item is fine, or gone. Harmless when there is no issue."""
        ...

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """A mailbox's open issues."""
        ...

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Remember who did what: actor is an opaque id (oid, `operator`, `system`), act a word of ours."""
        ...

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Delete the mailbox's runs and issues and the mailbox itself; gives how many of what.

        Repeating it is harmless, and deletes what a late pass has recorded since. The erasure's record, if there is
        one, says afterward that it is finished.
        """
        ...

    def begin_erasure(self, mailbox_id: str) -> Mailbox:
        """Mark a mailbox for erasure, and record that it was begun; gives the mailbox. Harmless to repeat.

        Nothing is deleted yet. From the mark on `change` refuses the mailbox, and `add` passes it over. Against a
        change at the same moment there is one order: the mailbox given here has it, or it fails.

        Raises:
            NotFound: there is no such mailbox (any more).
        """
        ...

    def erasures(self) -> list[ErasureRecord]:
        """Every erasure that is recorded."""
        ...

    def forget_erasure(self, mailbox_id: str) -> None:
        """Drop an erasure's record. Harmless when gone."""
        ...


class Leases(Protocol):
    """One pass a mailbox at a time."""

    def acquire(self, mailbox_id: str, seconds: int = 60) -> "Lease | None":
        """A lease that expires by itself, renewed while held; None when somebody else holds it."""
        ...

    def forget(self, mailbox_id: str) -> None:
        """Remove what leases of an erased mailbox were taken on. Harmless when gone."""
        ...


class Lease(Protocol):
    """A held lease."""

    def lost(self) -> bool:
        """Whether renewing has failed, so that the pass must stop writing."""
        ...

    def release(self) -> None:
        """Give it back. Never raises."""
        ...


class SyncQueue(Protocol):
    """The two queues of the dispatch. Messages carry ids only."""

    def send_shard(
        self, shard: int, *, sweep: bool = False, tick: datetime | None = None, seconds_to_live: int | None = None
    ) -> None:
        """Ask for one shard's due mailboxes to be sent, or, once a day, for all of its mailboxes to be swept.

        `tick`: when the timer fired. A message that nobody consumes within `seconds_to_live` is dropped.
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
        """Ask for one pass (or one sweep) of one mailbox, not before the delay.

        `continuation` is the cursor sequence the asking pass ended at; a stale one ends at once. So does a `scheduled`
        one, if a pass has ended since that moment.
        """
        ...
