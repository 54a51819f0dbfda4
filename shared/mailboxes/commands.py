"""The commands on a connected mailbox: sync now, pause, start, reset, disconnect, erase.

The caller has checked that the requester may act on the mailbox. `actor` is an opaque id for the audit trail.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.authorization.model import Authorization
from shared.authorization.port import Revocations
from shared.mailboxes import transitions
from shared.mailboxes.erasures.erasing import ErasureReceipt, MailboxErasure
from shared.mailboxes.errors import MailboxStopped, SyncedTooRecently
from shared.mailboxes.model import Mailbox, Status, is_own
from shared.mailboxes.port import Leases, MailboxRegistry, SyncQueue
from shared.replica.port import Replica
from shared.sources.model import SourceName

SYNC_NOW_INTERVAL = timedelta(minutes=1)
MAX_REMEMBERED = 4096


class MailboxCommands:
    """The commands on connected mailboxes."""

    def __init__(
        self,
        *,
        registry: MailboxRegistry,
        replica: Replica,
        leases: Leases,
        queue: SyncQueue,
        revocations: Revocations,
        clock: Callable[[], datetime],
        wait: Callable[[float], object],
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._revocations = revocations
        self._clock = clock
        self._erasure = MailboxErasure(
            registry=registry,
            replica=replica,
            leases=leases,
            revoke=self._delete_token,
            forget=self._forget,
            clock=clock,
            wait=wait,
        )
        self._requested: OrderedDict[str, datetime] = OrderedDict()
        self._guard = threading.Lock()

    def sync_now(self, mailbox_id: str, actor: str) -> None:
        """Queue a pass now.

        Raises:
            SyncedTooRecently: less than a minute after the last pass or the last request.
            MailboxStopped: the mailbox is disconnected, paused or suspended, or waits for a sign-in.
        """
        mailbox = self._registry.get(mailbox_id)
        if mailbox.status in (Status.DISCONNECTED, Status.NEEDS_SIGN_IN, Status.PAUSED, Status.SUSPENDED):
            raise MailboxStopped
        self._check_interval(mailbox)
        self._queue.send_mailbox(mailbox_id)
        self._registry.record_audit(mailbox_id, actor, "sync_now")

    def pause(self, mailbox_id: str, actor: str) -> Mailbox:
        """Stop passes until the mailbox is started again."""
        return self._changed(mailbox_id, actor, "pause", transitions.paused)

    def start(self, mailbox_id: str, actor: str) -> Mailbox:
        """Resume passes and queue the first one now."""
        mailbox = self._changed(mailbox_id, actor, "start", transitions.started)
        if mailbox.status is Status.ACTIVE:
            self._queue.send_mailbox(mailbox_id)
        return mailbox

    def reset(self, mailbox_id: str, actor: str, *, at_once: bool = True) -> Mailbox:
        """Have the next pass read the mailbox anew and compare every item with the replica; queue that pass now.

        Nothing is deleted, and what has not changed is not downloaded again. Not `at_once`: the pass is the one of the
        next tick; for callers that cannot write to the queue.

        Raises:
            MailboxStopped: the mailbox is paused or disconnected.
        """
        now = self._clock()
        mailbox = self._changed(mailbox_id, actor, "reset", lambda before: transitions.reset(before, now))
        if at_once and mailbox.status is Status.ACTIVE:
            self._queue.send_mailbox(mailbox_id)
        return mailbox

    def disconnect(self, mailbox_id: str, actor: str) -> Mailbox:
        """Stop syncing permanently and delete the token now; the replica stays.

        The mailbox keeps its authorization's id, so that an erasure can report what the vault still holds. The status
        is changed before the token is deleted. Otherwise a pass could start in between and ask for a new sign-in.
        """
        mailbox = self._changed(mailbox_id, actor, "disconnect", _disconnected)
        self._delete_token(mailbox)
        return mailbox

    def erase(self, mailbox_id: str, actor: str) -> ErasureReceipt:
        """Delete everything of a mailbox.

        It is marked before the first deletion. An interrupted erasure can be requested again, and the daily work
        completes it. A sign-in after the mark gets a new mailbox; what a sign-in stored just before the mark is erased
        with the mailbox.

        Raises:
            OnHold: a legal hold forbids it; nothing has changed.
            PassStillRunning: a pass did not end in time; the mailbox is marked, but nothing of its replica is deleted.
        """
        return self._erasure.run(mailbox_id, actor)

    def finish_erasures(self) -> int:
        """Complete interrupted erasures and clean up after completed ones; return how many were completed."""
        return self._erasure.finish()

    def _delete_token(self, mailbox: Mailbox) -> datetime | None:
        """Delete the token if it is the person's own."""
        return self._revocations.revoke(mailbox.authorization_id) if _owns_authorization(mailbox) else None

    def _forget(self, mailbox: Mailbox) -> None:
        """Delete the authorization's record if it is the person's own."""
        if _owns_authorization(mailbox):
            self._revocations.delete_record(mailbox.authorization_id)

    def _changed(self, mailbox_id: str, actor: str, act: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        mailbox = self._registry.change(mailbox_id, change)
        self._registry.record_audit(mailbox_id, actor, act)
        return mailbox

    def sync_possible_at(self, mailbox: Mailbox) -> datetime | None:
        """When `sync_now` is possible again, after a pass or a request; None: now."""
        now = self._clock()
        with self._guard:
            possible_at = self._possible_at(mailbox, now)
        return possible_at if possible_at > now else None

    def _possible_at(self, mailbox: Mailbox, now: datetime) -> datetime:
        """By the last pass, and by what this instance was asked: a queue that lags must not be filled by clicking."""
        asked = (self._requested.get(mailbox.id), mailbox.last_pass_at, mailbox.syncing_since)
        return max((at + SYNC_NOW_INTERVAL for at in asked if at is not None), default=now)

    def _check_interval(self, mailbox: Mailbox) -> None:
        now = self._clock()
        with self._guard:
            possible_at = self._possible_at(mailbox, now)
            if possible_at > now:
                raise SyncedTooRecently(int((possible_at - now).total_seconds()) + 1)
            self._requested[mailbox.id] = now
            self._requested.move_to_end(mailbox.id)
            while len(self._requested) > MAX_REMEMBERED:
                self._requested.popitem(last=False)


def _owns_authorization(mailbox: Mailbox) -> bool:
    """Whether the authorization ends with the mailbox. One of a service account, the app or a shared mailbox stays."""
    return is_own(mailbox) and bool(mailbox.authorization_id)


def _disconnected(mailbox: Mailbox) -> Mailbox:
    return transitions.disconnected(mailbox).with_changes(authorization_id=mailbox.authorization_id)


def new_mailbox(
    authorization: Authorization,
    address: str,
    display_name: str,
    now: datetime,
    source: SourceName = SourceName.EWS,
) -> Mailbox:
    """A newly connected mailbox. Its id is opaque; the registry sets its shard."""
    return Mailbox(
        id=secrets.token_hex(16),
        shard=0,
        tenant_id=authorization.tenant_id,
        owner_id=authorization.owner_id,
        address=address,
        display_name=display_name,
        authorization_id=authorization.id,
        mode=authorization.mode,
        created_at=now,
        source=source,
    )
