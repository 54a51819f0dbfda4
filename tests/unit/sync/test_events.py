"""The events of passes name every page of the feed, whatever crashes."""

from collections.abc import Sequence

import pytest

from shared.mailboxes.model import Mailbox
from shared.mailboxes.outbox.events import EventType, MailboxEvent
from shared.mailboxes.outbox.outbox import Outbox
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


class Told:
    """Everything that was published. At the publishing with the number `crash_at` the process dies."""

    def __init__(self) -> None:
        self.events: list[MailboxEvent] = []
        self.crash_at = 0

    def publish(self, events: Sequence[MailboxEvent]) -> None:
        self.crash_at -= 1
        if self.crash_at == 0:
            raise Crash
        self.events += events

    def pages(self) -> list[int]:
        """The feed pages that events named, each as often as it was named."""
        synced = (event.data for event in self.events if event.type is EventType.SYNCED)
        return [page for data in synced for page in range(int(data["after"]) + 1, int(data["feed"]) + 1)]


def listened() -> tuple[SyncHarness, Told]:
    told = Told()
    return SyncHarness(outbox=Outbox(lambda _type, _tenant: True, told.publish)), told


def changed(world: SyncHarness) -> None:
    for _ in range(3):
        world.mailbox.add(world.mailbox.inbox)


def test_each_pass_that_wrote_pages_is_told_once() -> None:
    world, told = listened()
    assert [event.type for event in told.events] == [EventType.CONNECTED]
    changed(world)
    world.sync()
    world.sync()
    changed(world)
    world.sync()
    sequence = world.replica.load(ID).sequence
    assert told.pages() == list(range(1, sequence + 1))
    first = told.events[1].data
    assert (first["created"], first["items"], first["changes_after"]) == (3, 3, 1_000_000)
    assert told.events[-1].data["created"] == 3


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("store", ["replica", "registry", "publish"])
def test_crash_anywhere_leaves_no_page_untold(store: str, at: int) -> None:
    world, told = listened()
    world.sync()
    changed(world)
    if store == "publish":
        told.crash_at = at
    else:
        (world.replica if store == "replica" else world.registry).fail_at(at, Crash())
    try:
        world.sync()
    except Crash:
        world.engine = world.new_engine()
    world.quiet()
    told.crash_at = 0
    world.registry.publish_events(world.registry.get(ID))
    assert set(told.pages()) == set(range(1, world.replica.load(ID).sequence + 1))


def test_pass_that_another_one_has_overtaken_takes_nothing_back() -> None:
    """It is paused when it has written its pages, and recorded ten minutes later, when another pass has ended."""
    world, told = listened()
    world.sync()
    changed(world)
    append = world.change_log.append

    def paused(mailbox_id: str, tenant_id: str, known: int, sequence: int) -> None:
        world.change_log.append = append  # type: ignore[method-assign]
        world.leases.expire(ID)
        world.clock.pass_by(minutes=10)
        changed(world)
        world.sync()
        overtaking.append(world.stored)
        append(mailbox_id, tenant_id, known, sequence)

    overtaking: list[Mailbox] = []
    world.change_log.append = paused  # type: ignore[method-assign]
    world.sync()

    assert world.stored == overtaking[0]
    assert told.pages() == list(range(1, world.replica.load(ID).sequence + 1))
    assert all(int(event.data["after"]) < int(event.data["feed"]) for event in told.events[1:])


def test_nothing_is_stored_when_nobody_listens() -> None:
    world = SyncHarness()
    changed(world)
    world.sync()
    assert (world.stored.outbox, world.stored.feed_sequence) == ("", world.replica.load(ID).sequence)
