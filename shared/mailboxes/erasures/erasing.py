"""Erasing a mailbox: a mark, the deletions in their order, and what the daily round does about those that broke off.

docs/decisions/0010-erasure.md says why nothing that stands still, crashes or comes late can cross it.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import MailboxSyncError, NotFound, OperatorMustAct, RetryLater
from shared.mailboxes.errors import PassStillRunning
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import ErasureRecord, Lease, Leases, MailboxRegistry
from shared.replica.port import Replica

_log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 30
"""Seconds an erasure waits for a pass under way to notice that its mailbox is marked."""
DAILY_TIME_LIMIT = timedelta(minutes=5)
"""How long the daily round spends on erasures; the order changes from day to day, so that each has its turn."""
RECORD_LIFETIME = timedelta(days=30)
"""How long an erasure is looked after. The host ends a function after 30 minutes, the queue drops a message after a
week: no worker of before the erasure is left by then, whatever stood still."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure has removed, and what the vault's soft delete still holds, until when.

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
    """Erases mailboxes. `revoke` deletes a mailbox's own token, `forget` the record of it; both are safe to repeat."""

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
            NotFound: there is no such mailbox (any more).
            PassStillRunning: a pass did not end in time; the mailbox is marked, and nothing of its copy is deleted yet.
        """
        mailbox = self._registry.begin_erasure(mailbox_id)
        self._registry.record_audit(mailbox_id, actor, "erase")
        self._revoke(mailbox)
        return self._erased(mailbox, self._lease(mailbox_id), actor)

    def finish(self) -> int:
        """Finish the erasures that broke off, and look after those that are done; gives how many were finished.

        A worker that stood still during an erasure, woke up and died before it had cleaned up has left something under
        the mailbox's id: it is deleted here, every day until no such worker can be left. Stops in time.
        """
        began, finished = self._clock(), 0
        for record in sorted(self._registry.erasures(), key=lambda one: _turn(one, began)):
            if self._clock() > began + DAILY_TIME_LIMIT:
                break
            try:
                finished += self._finished(record)
            except (RetryLater, OperatorMustAct) as error:
                if isinstance(error, OperatorMustAct) and not error.of_one:
                    raise
                _log.warning("an erasure is left for tomorrow", exc_info=error, extra={"mailbox_id": record.mailbox_id})
        return finished

    def _finished(self, record: ErasureRecord) -> bool:
        """Whether there was something to finish, and it is."""
        if record.finished_at is not None:
            self._clean(record.mailbox_id, forget=self._clock() - record.finished_at > RECORD_LIFETIME)
            return False
        with suppress(NotFound):
            mailbox = self._registry.get(record.mailbox_id)
            # Recorded and not marked: whoever asked died between the two, and nothing has been erased.
            lease = self._leases.acquire(mailbox.id) if mailbox.erasing_since is not None else None
            if lease is not None:
                self._erased(mailbox, lease, "system")
            return lease is not None
        self._clean(record.mailbox_id)
        return True

    def _clean(self, mailbox_id: str, *, forget: bool = False) -> None:
        """Delete what has been written since a mailbox was erased; `forget`: that it was erased as well."""
        self._replica.erase(mailbox_id)
        self._registry.erase(mailbox_id)
        self._forget_lease(mailbox_id)
        if forget:
            self._replica.forget_erased(mailbox_id)
            self._registry.forget_erasure(mailbox_id)

    def _erased(self, mailbox: Mailbox, lease: Lease, actor: str) -> ErasureReceipt:
        """Erase a marked mailbox whose lease is held. Raises NotFound when another erasure has just finished."""
        try:
            self._registry.get(mailbox.id)
            # Once more: the pass that was under way may have stored a token that it had refreshed.
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
        """An empty blob. Everything else is gone, so that one stays until tomorrow is no reason to fail."""
        try:
            self._leases.forget(mailbox_id)
        except MailboxSyncError as error:
            _log.warning("a lease of an erased mailbox is left", exc_info=error, extra={"mailbox_id": mailbox_id})

    def _lease(self, mailbox_id: str) -> Lease:
        """The mailbox's lease, so that no pass writes while its replica is being removed."""
        for _ in range(LEASE_WAIT_SECONDS):
            lease = self._leases.acquire(mailbox_id)
            if lease is not None:
                return lease
            self._wait(1.0)
        raise PassStillRunning("a pass is still under way")


def _turn(record: ErasureRecord, now: datetime) -> tuple[bool, str]:
    """What is unfinished comes first; the rest in another order every day."""
    return record.finished_at is not None, hashlib.sha256(f"{now.date()} {record.mailbox_id}".encode()).hexdigest()
