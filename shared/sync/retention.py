"""Deletes the items that left a mailbox when the days of their retention are over. It needs no mail server.

It is part of the daily work, also of a mailbox that is stopped. The days are those of today's settings: an item that
left under a longer retention goes by the shorter one. A legal hold keeps every item until it is lifted.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched

from shared.mailboxes.port import Lease
from shared.replica.port import Cursor, Replica, ReplicaItem
from shared.sync.budget import LeaseLost
from shared.sync.limits import Limits
from shared.sync.planning.item_changes import deletion
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor
from shared.sync.state.sync_state import from_notes, to_notes


class Retention:
    """Expires the items of one mailbox. `on_hold` is asked before each page, and `lease` must be held."""

    def __init__(
        self,
        replica: Replica,
        settled: SettledCursor,
        lease: Lease,
        *,
        scope: Scope,
        limits: Limits,
        on_hold: Callable[[], bool],
        now: datetime,
    ) -> None:
        self._replica = replica
        self._settled = settled
        self._lease = lease
        self._scope = scope
        self._limits = limits
        self._on_hold = on_hold
        self._now = now
        self._kept = False
        """Whether an item was met whose days are not over."""

    def expire(self, cursor: Cursor) -> Cursor:
        """Delete what is due, page by page; returns the cursor that follows.

        Items are deleted before their days are over if the settings exclude them by now.

        Raises:
            LeaseLost: another pass may be running.
            Conflict: another writer has moved on.
        """
        mailbox_id = self._settled.mailbox.id
        for batch in batched(self._due(mailbox_id), self._limits.page_items, strict=False):
            if self._on_hold():
                return cursor
            cursor = self._delete(mailbox_id, cursor, batch)
        return cursor if self._kept else self._without_mark(mailbox_id, cursor)

    def _due(self, mailbox_id: str) -> Iterator[ReplicaItem]:
        """The items to delete now. Notes whether others are kept."""
        oldest = self._now - timedelta(days=self._scope.retention_days)
        for item in self._replica.left_items(mailbox_id):
            if item.left_at is None or item.left_at <= oldest or not self._scope.still_has(item, self._now):
                yield item
            else:
                self._kept = True

    def _delete(self, mailbox_id: str, cursor: Cursor, batch: tuple[ReplicaItem, ...]) -> Cursor:
        self._settled.announce_page()
        if self._lease.lost():
            raise LeaseLost
        return self._replica.commit(mailbox_id, cursor, [deletion(item) for item in batch], cursor)

    def _without_mark(self, mailbox_id: str, cursor: Cursor) -> Cursor:
        """Note that no item is kept any more, so that the next days look for none."""
        state = from_notes(cursor.notes).with_changes(keeps_left=False)
        return self._replica.commit(mailbox_id, cursor, [], replace(cursor, notes=to_notes(state)))
