"""The daily maintenance of one replica: it needs no mail server, so a stopped mailbox gets it too."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared.errors import Conflict, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import Lease, MailboxRegistry
from shared.replica.port import Cursor, Replica
from shared.sync.budget import LeaseLost
from shared.sync.limits import Limits
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.retention import Retention
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor
from shared.sync.state.sync_state import from_notes

_log = logging.getLogger(__name__)


class Maintenance:
    """Deletes what is kept no longer: items that left, the bytes of deleted items, old run records."""

    def __init__(
        self,
        *,
        replica: Replica,
        registry: MailboxRegistry,
        recorder: RunRecorder,
        scope_of: Callable[[Mailbox], Scope],
        limits: Limits,
        clock: Callable[[], datetime],
    ) -> None:
        self._replica = replica
        self._registry = registry
        self._recorder = recorder
        self._scope_of = scope_of
        self._limits = limits
        self._clock = clock

    def maintain(self, mailbox: Mailbox, lease: Lease) -> None:
        """Do all of it for a mailbox that is not read now.

        Pages are recorded that are not in the change log yet, not just those written here: the maintenance of another
        day may have crashed after it wrote some, and no pass of a stopped mailbox would record them.

        Raises:
            RetryLater: another writer has moved on.
        """
        settled = SettledCursor(mailbox, self._registry, self._clock)
        self.compact(mailbox)
        try:
            cursor = self._replica.load(mailbox.id, settled.etag)
            after = self.expire(settled, cursor, lease)
        except LeaseLost:
            _log.warning("maintenance stopped without its lease")
            return
        except Conflict as exc:
            raise RetryLater(Reason.CONFLICT, "another writer moved on") from exc
        if after.sequence > settled.mailbox.logged_sequence:
            self._recorder.feed_grew(settled.mailbox, after.sequence)

    def compact(self, mailbox: Mailbox) -> None:
        """Remove the bytes of deleted items and old run records."""
        now = self._clock()
        self._replica.compact(mailbox.id, now, self._limits.deleted_days, lambda: self._on_hold(mailbox.id))
        oldest = now - self._limits.runs_kept
        if mailbox.created_at < oldest:
            self._registry.forget_runs(mailbox.id, oldest)

    def expire(self, settled: SettledCursor, cursor: Cursor, lease: Lease) -> Cursor:
        """Delete the items that left and whose retention is over; returns the cursor that follows.

        Without a group that exists it is unknown how long they are kept, so none is deleted.

        Raises:
            LeaseLost: another pass may be running.
            Conflict: another writer has moved on.
        """
        if not from_notes(cursor.notes).keeps_left:
            return cursor
        mailbox_id = settled.mailbox.id
        try:
            scope = self._scope_of(settled.mailbox)
        except OperatorMustAct as error:
            _log.error("items that left not expired", exc_info=error)
            return cursor
        retention = Retention(
            self._replica,
            settled,
            lease,
            scope=scope,
            limits=self._limits,
            on_hold=lambda: self._on_hold(mailbox_id),
            now=self._clock(),
        )
        return retention.expire(cursor)

    def _on_hold(self, mailbox_id: str) -> bool:
        """Whether nothing of the copy may be deleted now: it is on legal hold, or its row has just been deleted."""
        try:
            return self._registry.get(mailbox_id).hold_since is not None
        except NotFound:
            return True
