"""Adds the events of each change to the row that is written, so that a crash can lose none of them.

See docs/decisions/0016-events-in-the-row.md.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from shared.errors import MailboxSyncError
from shared.mailboxes.model import Mailbox
from shared.mailboxes.outbox.events import EventType, MailboxEvent, decode, encode, new_event, status_events

_log = logging.getLogger(__name__)


class Outbox:
    """What a registry needs to store events and to hand them on.

    `wants` tells whether anybody is to be told of events of this type and tenant; others are not stored. `publish`
    hands events on; it raises if it cannot, and the dispatch does it at its next tick.
    """

    def __init__(
        self,
        wants: Callable[[EventType, str], bool] = lambda _type, _tenant: False,
        publish: Callable[[Sequence[MailboxEvent]], None] = lambda _: None,
    ) -> None:
        self._wants = wants
        self._publish = publish

    def with_events(self, before: Mailbox | None, after: Mailbox, now: datetime) -> Mailbox:
        """The row to write: the mailbox with the events of this change added to its outbox."""
        events = [*decode(after.outbox), *status_events(before, after, now)]
        return after.with_changes(outbox=self._encoded(events)) if events else after

    def at_erasure(self, mailbox: Mailbox, now: datetime) -> str:
        """The outbox of a mailbox whose row is about to be deleted: what it holds, and that it is erased."""
        return self._encoded([*decode(mailbox.outbox), new_event(EventType.ERASED, mailbox, now)])

    def published(self, outbox: str) -> list[MailboxEvent]:
        """Hand the events of an outbox on; returns those that may be removed from it, none if that failed."""
        events = decode(outbox)
        try:
            self._publish(events)
        except MailboxSyncError as error:
            _log.warning("events not published", exc_info=error)
            return []
        return events

    def _encoded(self, events: Iterable[MailboxEvent]) -> str:
        return encode([event for event in events if self._wants(event.type, event.tenant_id)])
