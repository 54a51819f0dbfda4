"""The events of a mailbox for other programs. Pure rules: events follow from the row before and after a change.

An event is thin: ids, counts, a reason. It never holds an address, a subject or content.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.mailboxes.model import Mailbox, Status
from shared.sources.model import SourceName

MAX_PENDING = 32
"""How many unpublished events a row keeps; beyond that it keeps the newest of each type. A property holds 64 KiB."""


class EventType(StrEnum):
    """What happened to a mailbox."""

    CONNECTED = "mailbox.connected"
    SYNCED = "mailbox.synced"
    NEEDS_SIGN_IN = "mailbox.needs_sign_in"
    NEEDS_ADMIN = "mailbox.needs_admin"
    SUSPENDED = "mailbox.suspended"
    RECOVERED = "mailbox.recovered"
    ERASED = "mailbox.erased"
    MOVED_TO_GRAPH = "mailbox.moved_to_graph"


_STOPPED = {
    Status.NEEDS_SIGN_IN: EventType.NEEDS_SIGN_IN,
    Status.NEEDS_ADMIN: EventType.NEEDS_ADMIN,
    Status.SUSPENDED: EventType.SUSPENDED,
}
"""The statuses in which somebody has to act, each with its event."""


@dataclass(frozen=True, slots=True)
class MailboxEvent:
    """One event. `id` stays the same at every delivery of it; `data` holds what only this type of event has."""

    id: str
    type: EventType
    at: datetime
    tenant_id: str
    mailbox_id: str
    data: Mapping[str, int | str] = field(default_factory=dict)


def new_event(kind: EventType, mailbox: Mailbox, at: datetime, **data: int | str) -> MailboxEvent:
    """An event of this mailbox with a new id."""
    return MailboxEvent(f"msg_{secrets.token_hex(16)}", kind, at, mailbox.tenant_id, mailbox.id, data)


def status_events(before: Mailbox | None, after: Mailbox, now: datetime) -> list[MailboxEvent]:
    """The events that follow from a change of a row; `before` is None for a new mailbox."""
    found: list[MailboxEvent] = []
    was, is_ = None if before is None else before.status, after.status
    if is_ is Status.ACTIVE and was in (None, Status.DISCONNECTED):
        found.append(new_event(EventType.CONNECTED, after, now, source=after.source.value))
    if is_ is not was and is_ in _STOPPED:
        found.append(new_event(_STOPPED[is_], after, now, reason=after.reason))
    if is_ is Status.ACTIVE and was in _STOPPED:
        found.append(new_event(EventType.RECOVERED, after, now))
    if before is not None and _moved_to_graph(before, after):
        found.append(new_event(EventType.MOVED_TO_GRAPH, after, now))
    return found


def _moved_to_graph(before: Mailbox, after: Mailbox) -> bool:
    return (before.source, after.source) == (SourceName.EWS, SourceName.GRAPH) and after.moved_at != before.moved_at


def with_event(mailbox: Mailbox, event: MailboxEvent) -> Mailbox:
    """The mailbox with one more event in its outbox."""
    return mailbox.with_changes(outbox=encode([*decode(mailbox.outbox), event]))


def without_events(mailbox: Mailbox, published: Iterable[MailboxEvent]) -> Mailbox:
    """The mailbox without the events that have been published."""
    ids = {event.id for event in published}
    return mailbox.with_changes(outbox=encode([event for event in decode(mailbox.outbox) if event.id not in ids]))


def encode(events: Sequence[MailboxEvent]) -> str:
    """Events as a row stores them; empty if there are none."""
    rows = [[e.id, e.type.value, e.at.isoformat(), e.tenant_id, e.mailbox_id, dict(e.data)] for e in condensed(events)]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def decode(stored: str) -> list[MailboxEvent]:
    """The events of a row, without those that only a newer version can read: they must not stop all other work."""
    try:
        rows = json.loads(stored) if stored else []
    except ValueError:
        return []
    return [event for row in rows if (event := _event(row)) is not None] if isinstance(rows, list) else []


def _event(row: Any) -> MailboxEvent | None:
    """One stored event; None if this version cannot read it."""
    try:
        id_, kind, at, tenant_id, mailbox_id, data = row
        if not all(isinstance(text, str) for text in (id_, tenant_id, mailbox_id)) or not isinstance(data, dict):
            return None
        return MailboxEvent(id_, EventType(kind), datetime.fromisoformat(at), tenant_id, mailbox_id, data)
    except (ValueError, TypeError):
        return None


def condensed(events: Sequence[MailboxEvent]) -> list[MailboxEvent]:
    """At most MAX_PENDING events: if there are more, the newest of each type, and all synced ones as one."""
    if len(events) <= MAX_PENDING:
        return list(events)
    newest = {event.type: event for event in events}
    synced = [event for event in events if event.type is EventType.SYNCED]
    if synced:
        newest[EventType.SYNCED] = _merged(synced)
    return sorted(newest.values(), key=lambda event: event.at)


def _merged(synced: Sequence[MailboxEvent]) -> MailboxEvent:
    """One event for several: from the first one's feed page to the last one's, with the sum of the counts."""
    first, last = synced[0].data, synced[-1].data
    data: dict[str, int | str] = {
        name: sum(int(event.data.get(name, 0)) for event in synced) if name in SYNCED_COUNTS else value
        for name, value in last.items()
    }
    return replace(
        synced[-1],
        id=f"msg_{secrets.token_hex(16)}",
        data=data | {name: first[name] for name in ("after", "changes_after") if name in first},
    )


SYNCED_COUNTS = ("created", "updated", "moved", "deleted")
"""The counts of a synced event. `after` and `feed` are the exact numbers of its feed pages."""
