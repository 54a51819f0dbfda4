"""The registry writes a change and its events in one row, on the fake and on Table Storage."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.events import EventType, MailboxEvent, decode, encode, new_event, with_event
from shared.mailboxes.outbox.outbox import Outbox
from shared.mailboxes.port import MailboxRegistry
from shared.mailboxes.table import TableRegistry
from shared.sources.model import SourceName
from tests.conftest import Azurite
from tests.contract.test_registry import Before, new_mailbox
from tests.fakes.registry import FakeRegistry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Listener:
    """Takes published events; `down` makes it fail, `deaf` are the types that nobody wants."""

    def __init__(self) -> None:
        self.events: list[MailboxEvent] = []
        self.down = False
        self.deaf: set[EventType] = set()

    def wants(self, kind: EventType, _tenant: str) -> bool:
        return kind not in self.deaf

    def publish(self, events: Sequence[MailboxEvent]) -> None:
        if self.down:
            raise RetryLater(Reason.UNAVAILABLE)
        self.events += events

    def types(self, mailbox: Mailbox) -> list[str]:
        return [event.type.value.partition(".")[2] for event in self.events if event.mailbox_id == mailbox.id]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(params=["fake", "azure"])
def registry(request: pytest.FixtureRequest, listener: Listener) -> Iterator[MailboxRegistry]:
    outbox = Outbox(listener.wants, listener.publish)
    if request.param == "fake":
        yield FakeRegistry(16, lambda: NOW, outbox)
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableRegistry(tables, 16, lambda: NOW, outbox)


def changed(registry: MailboxRegistry, mailbox: Mailbox, **changes: object) -> Mailbox:
    return registry.change(mailbox.id, lambda found: found.with_changes(**changes))


def test_each_change_of_status_is_told_once(registry: MailboxRegistry, listener: Listener) -> None:
    mailbox = registry.add(new_mailbox())
    changed(registry, mailbox, status=Status.NEEDS_SIGN_IN, reason="grant_revoked")
    changed(registry, mailbox, items=7)
    changed(registry, mailbox, status=Status.ACTIVE, reason="")
    changed(registry, mailbox, status=Status.NEEDS_ADMIN)
    changed(registry, mailbox, status=Status.SUSPENDED)
    changed(registry, mailbox, status=Status.ACTIVE)
    changed(registry, mailbox, source=SourceName.GRAPH, moved_at=NOW)
    changed(registry, mailbox, status=Status.PAUSED)
    changed(registry, mailbox, status=Status.ACTIVE)
    changed(registry, mailbox, status=Status.DISCONNECTED)
    changed(registry, mailbox, status=Status.ACTIVE)
    assert listener.types(mailbox) == [
        "connected", "needs_sign_in", "recovered", "needs_admin", "suspended", "recovered", "moved_to_graph",
        "connected",
    ]  # fmt: skip
    needs = next(event for event in listener.events if event.type is EventType.NEEDS_SIGN_IN)
    assert (needs.mailbox_id, needs.tenant_id, needs.data) == (mailbox.id, "t", {"reason": "grant_revoked"})
    assert len({event.id for event in listener.events}) == len(listener.events)
    assert registry.get(mailbox.id).outbox == ""


def test_event_that_cannot_be_published_stays_in_the_row(registry: MailboxRegistry, listener: Listener) -> None:
    mailbox = registry.add(new_mailbox())
    listener.events.clear()
    listener.down = True
    changed(registry, mailbox, status=Status.SUSPENDED)
    assert [event.type for event in decode(registry.get(mailbox.id).outbox)] == [EventType.SUSPENDED]
    changed(registry, mailbox, items=3)
    listener.down = False
    registry.publish_events(registry.get(mailbox.id))
    assert listener.types(mailbox) == ["suspended"]
    assert registry.get(mailbox.id).outbox == ""


def test_event_that_nobody_wants_is_not_stored(registry: MailboxRegistry, listener: Listener) -> None:
    listener.deaf, listener.down = set(EventType), True
    mailbox = registry.add(new_mailbox())
    changed(registry, mailbox, status=Status.SUSPENDED)
    assert registry.get(mailbox.id).outbox == ""


def test_erasure_is_told_with_what_was_left_unpublished(registry: MailboxRegistry, listener: Listener) -> None:
    mailbox = registry.add(new_mailbox())
    listener.down = True
    changed(registry, mailbox, status=Status.SUSPENDED)
    registry.begin_erasure(mailbox.id)
    registry.erase(mailbox.id)
    listener.down = False
    assert registry.publish_erasures() >= 1
    assert listener.types(mailbox) == ["connected", "suspended", "erased"]
    listener.events.clear()
    registry.publish_erasures()
    registry.erase(mailbox.id)
    assert listener.types(mailbox) == []


def test_crash_between_deleting_the_row_and_finishing_loses_no_event(
    storage: Azurite, credential: DefaultAzureCredential, listener: Listener
) -> None:
    def cut() -> None:
        raise ServiceResponseError("cut off")

    with TableServiceClient(storage.table, credential=credential) as tables:
        outbox = Outbox(listener.wants, listener.publish)
        whole = TableRegistry(tables, 16, lambda: NOW, outbox)
        mailbox = whole.add(new_mailbox())
        whole.begin_erasure(mailbox.id)
        broken = cast(TableServiceClient, Before(tables, "owners", "delete_entity", cut))
        with pytest.raises(RetryLater):
            TableRegistry(broken, 16, lambda: NOW, outbox).erase(mailbox.id)
        assert listener.types(mailbox) == ["connected"]
        whole.erase(mailbox.id)
    assert listener.types(mailbox) == ["connected", "erased"]


def test_full_outbox_keeps_the_newest_of_each_type() -> None:
    mailbox = new_mailbox(id=uuid.uuid4().hex)
    for number in range(40):
        synced = new_event(EventType.SYNCED, mailbox, NOW, after=number, feed=number + 1, created=2)
        mailbox = with_event(mailbox, synced)
        mailbox = with_event(mailbox, new_event(EventType.SUSPENDED, mailbox, NOW, reason=str(number)))
    events = decode(mailbox.outbox)
    assert len(mailbox.outbox) < 32_000
    synced_events = [event for event in events if event.type is EventType.SYNCED]
    assert sum(int(event.data["created"]) for event in synced_events) == 80
    assert (synced_events[0].data["after"], synced_events[-1].data["feed"]) == (0, 40)
    assert next(event for event in reversed(events) if event.type is EventType.SUSPENDED).data["reason"] == "39"


def test_event_of_a_newer_version_is_passed_over() -> None:
    stored = encode([new_event(EventType.SYNCED, new_mailbox(), NOW)])
    assert decode(stored.replace("mailbox.synced", "mailbox.renamed")) == []
    assert len(decode(stored)) == 1
