"""A pass looks for the page after the cursor unless the registry proves that there is none; none is ever missed."""

from datetime import timedelta

import pytest

from shared.replica.storage_port import CURSORS, FEED, Blob
from shared.replica.store import BlobTableReplica
from shared.sync.state.settled_cursor import SURELY_ENDED, SettledCursor
from tests.fakes.registry import FakeRegistry
from tests.fakes.storage import Crash, MemoryBlobs, MemoryRows, Plan
from tests.fakes.sync_harness import ID, SyncHarness, a_mailbox

HALF_HOUR = timedelta(minutes=30)


class WatchedBlobs(MemoryBlobs):
    """Blobs that note which feed pages are asked for."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.looks: list[str] = []

    def get(self, container: str, name: str) -> Blob | None:
        if container == FEED:
            self.looks.append(name)
        return super().get(container, name)


class World(SyncHarness):
    """A mailbox with one item whose replica is in blobs and rows."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = Plan()
        self.blobs = WatchedBlobs(self.plan)
        self.replica = BlobTableReplica(self.blobs, MemoryRows(self.plan))  # type: ignore[assignment]
        self.engine = self.new_engine()
        self.mailbox.add(self.mailbox.inbox)
        self.sync()

    def looks(self, *, minutes: float = 30) -> int:
        """How many feed pages the next pass asks for."""
        self.clock.pass_by(minutes=minutes)
        self.blobs.looks.clear()
        self.sync()
        return len(self.blobs.looks)

    def settle(self) -> None:
        """Let so much time pass that the cursor is settled."""
        while not self.stored.settled_cursor:
            self.looks()

    def pages(self) -> int:
        """The number of pages in the feed."""
        return sum(container == FEED for container, _ in self.blobs.blobs)

    def cursor_names(self) -> int:
        """The number of the last page that the cursor names."""
        return self.replica.load(ID, self.blobs.blobs[CURSORS, ID][1]).sequence


def test_an_idle_mailbox_is_not_asked_for_the_next_page_after_an_hour() -> None:
    world = World()
    assert [world.looks() for _ in range(4)] == [1, 1, 0, 0]
    assert [world.looks() for _ in range(3)] == [0, 0, 0]


def test_a_pass_that_writes_pages_leaves_a_proof_too() -> None:
    world = World()
    world.settle()
    world.mailbox.add(world.mailbox.inbox)
    assert world.looks() == 0
    assert world.stored.settled_cursor == world.blobs.blobs[CURSORS, ID][1]
    assert world.looks() == 0
    world.assert_equal()


def test_page_of_a_crashed_pass_is_found_by_the_next_one() -> None:
    world = World()
    world.settle()
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.plan.after(2, Crash())  # the pack, then the feed page
    with pytest.raises(Crash):
        world.sync()
    world.leases.held.clear()
    assert (world.pages(), world.cursor_names()) == (2, 1)
    assert world.stored.settled_cursor == ""
    downloads = world.sources.downloads.total()
    assert world.looks() > 0
    assert world.cursor_names() == 2
    assert world.sources.downloads.total() == downloads
    world.assert_equal()


@pytest.mark.parametrize("meanwhile", [1, 2, 4])
def test_page_of_a_writer_that_lost_its_lease_is_found(meanwhile: int) -> None:
    """It stalls just before it creates its page. Others find nothing to do in the mailbox, which is as it was again."""
    world = World()
    world.settle()
    added = world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)

    def others() -> None:
        world.leases.expire(ID)
        world.mailbox.delete(added)
        for _ in range(meanwhile):
            world.clock.pass_by(minutes=10)
            world.new_engine().sync(ID)
        assert world.stored.settled_cursor == ""
        world.plan.after(stalled - world.plan.writes, Crash())

    stalled = world.plan.writes + 2  # the pack, then the feed page
    world.plan.before(2, others)
    with pytest.raises(Crash):
        world.engine.sync(ID)
    assert world.pages() == world.cursor_names() + 1
    assert world.looks() > 0
    assert world.pages() == world.cursor_names()
    world.assert_equal()


def test_a_row_of_an_earlier_version_proves_nothing_for_an_hour() -> None:
    world = World()
    world.settle()
    world.registry.change(ID, lambda row: row.with_changes(settled_cursor="", unsettled_since=None))
    assert [world.looks() for _ in range(3)] == [1, 1, 0]


def test_a_lost_or_replaced_cursor_is_not_trusted() -> None:
    world = World()
    world.settle()
    data, _, info = world.blobs.blobs[CURSORS, ID]
    world.blobs.blobs[CURSORS, ID] = (data, '"another"', info)
    assert world.looks() == 1
    del world.blobs.blobs[CURSORS, ID]
    assert world.looks() > 1
    world.assert_equal()


def test_the_proof_is_deleted_before_the_lease_is_checked_for_the_page() -> None:
    """Otherwise a pass that stalls between both could create a page that nobody looks for."""
    world = World()
    world.settle()
    seen: list[str] = []
    lost = world.leases.acquire
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)

    def acquire(mailbox_id: str, seconds: int = 60) -> object:
        lease = lost(mailbox_id, seconds)
        if lease is not None:
            plain = lease.lost
            lease.lost = lambda: seen.append(world.stored.settled_cursor) or plain()  # type: ignore[func-returns-value, method-assign]
        return lease

    world.leases.acquire = acquire  # type: ignore[assignment, method-assign]
    world.engine.sync(ID)
    assert world.pages() == 2
    assert "" in seen


def test_only_a_pass_that_accounts_for_all_others_writes_a_proof() -> None:
    world = World()
    now = world.clock()
    for mailbox, proves in (
        (a_mailbox(world.clock, settled_cursor="old", first_sync_done=True), True),
        (a_mailbox(world.clock, unsettled_since=now - SURELY_ENDED, first_sync_done=True), True),
        (a_mailbox(world.clock, unsettled_since=now - HALF_HOUR, first_sync_done=True), False),
        (a_mailbox(world.clock, first_sync_done=False), False),
    ):
        after = SettledCursor(mailbox, FakeRegistry(), world.clock).settle(mailbox, "new")
        assert after.settled_cursor == ("new" if proves else "")
        assert (after.unsettled_since is None) is proves
