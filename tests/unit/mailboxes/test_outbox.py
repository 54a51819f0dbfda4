"""The outbox of a row that another version has written: what cannot be read stops neither the row nor its shard."""

import json
from datetime import UTC, datetime

import pytest

from shared.mailboxes.model import Status
from shared.mailboxes.outbox.events import EventType, MailboxEvent, decode, encode, new_event
from shared.mailboxes.outbox.outbox import Outbox
from tests.unit.mailboxes.test_transitions import a_mailbox

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENT = new_event(EventType.SUSPENDED, a_mailbox(id="m1"), NOW)
KNOWN = json.loads(encode([EVENT]))
UNREADABLE = [
    "cut off at the lim",
    '"text"',
    "7",
    json.dumps([["msg_1", "mailbox.synced", NOW.isoformat(), "t1", "m1", {}, "a field of a newer version"]]),
    json.dumps([["msg_1", "mailbox.synced", "yesterday", "t1", "m1", {}]]),
    json.dumps([["msg_1", "mailbox.renamed", NOW.isoformat(), "t1", "m1", {}]]),
    json.dumps([None, 7]),
    json.dumps([["msg_1", "mailbox.synced", NOW.isoformat(), "t1", "m1", ["counts"]]]),
    json.dumps([[1, "mailbox.synced", NOW.isoformat(), "t1", "m1", {}]]),
]


@pytest.mark.parametrize("stored", UNREADABLE)
def test_events_that_cannot_be_read_stop_neither_publishing_nor_changes(stored: str) -> None:
    handed_on: list[MailboxEvent] = []
    outbox = Outbox(lambda _kind, _tenant: True, handed_on.extend)
    before = a_mailbox(id="m1", outbox=stored)

    assert outbox.published(stored) == handed_on == []
    after = outbox.with_events(before, before.with_changes(status=Status.SUSPENDED), NOW)
    assert [event.type for event in decode(after.outbox)] == [EventType.SUSPENDED]


def test_events_beside_one_that_cannot_be_read_are_kept() -> None:
    assert decode(json.dumps([KNOWN[0], [*KNOWN[0], "of a newer version"], None])) == [EVENT]
