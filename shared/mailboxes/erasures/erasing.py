"""Erases a mailbox: a mark, the deletions in order, and the daily work on erasures that were interrupted.

docs/decisions/0010-erasure.md explains why no stalled, crashed or late worker can undo an erasure.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import MailboxSyncError, NotFound, OperatorMustAct, RetryLater
from shared.mailboxes.errors import OnHold, PassStillRunning
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import ErasureRecord, Lease, Leases, MailboxRegistry
from shared.replica.port import Replica

_log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 30
"""Seconds that an erasure waits for a running pass to notice the mark."""
DAILY_TIME_LIMIT = timedelta(minutes=5)
"""Time that the daily work spends on erasures. Their order changes daily, so that each of them gets its turn."""
RECORD_LIFETIME = timedelta(days=30)
"""How long an erasure is cleaned up after. The host ends a function after 30 minutes and the queue drops a message
after a week, so no worker from before the erasure is left by then, however long it stalled."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure has deleted, and until when the vault's soft delete still holds the token.

    `reconnected`: the owner has signed in again since it began, so that the address is synced, as another mailbox.
    `organization_copy`: an operator has activated the address since, and that copy is the organization's.
    """

    mailbox_id: str
    address: str
    erased_at: datetime
    erased: Mapping[str, int]
    held_until: datetime | None
    reconnected: bool = False
    organization_copy: bool = False


class MailboxErasure:
    """Erases mailboxes. `revoke` deletes a mailbox's own token, `forget` its record; both are safe to repeat."""

    def __init__(
        self,
        *,
        registry: MailboxRegistry,
        replica: Replica,
        leases: Leases,
        revoke: Callable[[Mailbox], datetime | None],
        forget: Callable[[Mailbox], None],
        clock: Callable[[], datetime],
        wait: Callable[[float], object],
    ) -> None:
        self._registry = registry
        self._replica = replica
        self._leases = leases
        self._revoke = revoke
        self._forget = forget
        self._clock = clock
        self._wait = wait

    def run(self, mailbox_id: str, actor: str) -> ErasureReceipt:
        """Mark the mailbox and erase it.

        Raises:
            NotFound: the mailbox does not exist (any more).
            OnHold: a legal hold forbids it; nothing has changed.
            PassStillRunning: a pass did not end in time; the mailbox is marked, but nothing of its replica is deleted.
        """
        mailbox = self._marked(mailbox_id, actor)
        self._registry.record_audit(mailbox_id, actor, "erase")
        self._revoke(mailbox)
        return self._erased(mailbox, self._lease(mailbox_id), actor)

    def _marked(self, mailbox_id: str, actor: str) -> Mailbox:
        """Mark the mailbox. A request that a hold refuses is in the audit trail too."""
        try:
            return self._registry.begin_erasure(mailbox_id)
        except OnHold:
            self._registry.record_audit(mailbox_id, actor, "erase_refused")
            raise

    def finish(self) -> int:
        """Complete interrupted erasures and clean up after completed ones; return how many were completed.

        A worker that stalled during an erasure, continued and died before its cleanup has left data under the mailbox's
        id. It is deleted here, every day until no such worker can be left. Stops at the time limit.
        """
        started, finished = self._clock(), 0
        for record in sorted(self._registry.erasures(), key=lambda record: _turn(record, started)):
            if self._clock() > started + DAILY_TIME_LIMIT:
                break
            try:
                finished += self._finished(record)
            except Exception as error:  # even a defect with one mailbox must not end the erasures of all others
                if isinstance(error, OperatorMustAct) and not error.of_one:
                    raise
                _log.warning("erasure not completed", exc_info=error, extra={"mailbox_id": record.mailbox_id})
        return finished

    def _finished(self, record: ErasureRecord) -> bool:
        """Whether the erasure was incomplete and is completed now."""
        if record.finished_at is not None:
            self._clean(record.mailbox_id, forget=self._clock() - record.finished_at > RECORD_LIFETIME)
            return False
        with suppress(NotFound):
            mailbox = self._registry.get(record.mailbox_id)
            # Recorded but not marked: the request died between the two, and nothing has been erased.
            lease = self._leases.acquire(mailbox.id) if mailbox.erasing_since is not None else None
            if lease is not None:
                self._erased(mailbox, lease, "system")
            return lease is not None
        self._clean(record.mailbox_id)
        return True

    def _clean(self, mailbox_id: str, *, forget: bool = False) -> None:
        """Delete what was written since a mailbox was erased; `forget`: also delete the record and the tombstone."""
        self._replica.erase(mailbox_id)
        self._registry.erase(mailbox_id)
        self._forget_lease(mailbox_id)
        if forget:
            self._replica.forget_erased(mailbox_id)
            self._registry.forget_erasure(mailbox_id)

    def _erased(self, mailbox: Mailbox, lease: Lease, actor: str) -> ErasureReceipt:
        """Erase a marked mailbox whose lease is held. Raises NotFound if another erasure has just completed."""
        try:
            self._registry.get(mailbox.id)
            # Again: the pass that was running may have stored a refreshed token.
            held_until = self._revoke(mailbox)
            erased = dict(self._replica.erase(mailbox.id))
            self._forget(mailbox)
            self._registry.record_audit(mailbox.id, actor, "erased")
            erased |= self._registry.erase(mailbox.id)
        finally:
            lease.release()
        self._forget_lease(mailbox.id)
        standing = self._standing(mailbox)
        return ErasureReceipt(
            mailbox.id,
            mailbox.address,
            self._clock(),
            erased,
            held_until,
            reconnected=standing is not None and standing.owner_id == mailbox.owner_id,
            organization_copy=standing is not None and standing.owner_id != mailbox.owner_id,
        )

    def _standing(self, mailbox: Mailbox) -> Mailbox | None:
        """The address's present mailbox. Everything is erased: a registry that cannot be asked is no reason to fail."""
        try:
            return self._registry.at_address(mailbox.tenant_id, mailbox.address)
        except RetryLater:
            return None

    def _forget_lease(self, mailbox_id: str) -> None:
        """Delete the lease's empty blob. Everything else is deleted, so a failure can wait for the next day."""
        try:
            self._leases.forget(mailbox_id)
        except MailboxSyncError as error:
            _log.warning("lease of erased mailbox not deleted", exc_info=error, extra={"mailbox_id": mailbox_id})

    def _lease(self, mailbox_id: str) -> Lease:
        """Acquire the mailbox's lease, so that no pass writes while its replica is deleted."""
        for _ in range(LEASE_WAIT_SECONDS):
            lease = self._leases.acquire(mailbox_id)
            if lease is not None:
                return lease
            self._wait(1.0)
        raise PassStillRunning("a pass is still running")


def _turn(record: ErasureRecord, now: datetime) -> tuple[bool, str]:
    """Sort key: incomplete erasures first, the others in a different order every day."""
    return record.finished_at is not None, hashlib.sha256(f"{now.date()} {record.mailbox_id}".encode()).hexdigest()
