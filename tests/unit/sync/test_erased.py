"""A message of the queue that meets an erasure: it may stand still anywhere, and brings nothing back.

Rows S1 and S2 of the field cases; docs/decisions/0010-erasure.md.
"""

from collections.abc import Callable

import pytest

from shared.errors import NotFound
from shared.mailboxes import transitions
from shared.mailboxes.port import Lease
from shared.replica.store import BlobTableReplica
from shared.sync.engine import SyncEngine
from tests.fakes.moving import ask
from tests.fakes.storage import MemoryBlobs, MemoryRows, Plan
from tests.fakes.sync_harness import ID, SyncHarness
from tests.unit.replica.samples import only_tombstone


def erase(world: SyncHarness) -> None:
    """Everything that another instance does, the mailbox's lease aside."""
    world.registry.begin_erasure(ID)
    world.replica.erase(ID)
    world.registry.erase(ID)


class LeaseTaken:
    """Leases of which the first is granted only after something else has happened."""

    def __init__(self, world: SyncHarness, happens: Callable[[], object]) -> None:
        self._leases = world.leases
        self._happens = [happens]

    def acquire(self, mailbox_id: str, seconds: int = 60) -> Lease | None:
        if self._happens:
            self._happens.pop()()
        return self._leases.acquire(mailbox_id, seconds)

    def forget(self, mailbox_id: str) -> None:
        self._leases.forget(mailbox_id)


def stalled(world: SyncHarness, happens: Callable[[], object]) -> SyncEngine:
    world.leases = LeaseTaken(world, happens)  # type: ignore[assignment]
    return world.new_engine()


@pytest.fixture
def world() -> SyncHarness:
    world = SyncHarness()
    for _ in range(3):
        world.mailbox.add(world.mailbox.inbox)
    return world


def test_s2a_mailbox_erased_before_the_lease_is_not_read(world: SyncHarness) -> None:
    """S2a: the message stalled, and took the lease of a mailbox that had been erased meanwhile."""
    leases = world.leases
    stalled(world, lambda: erase(world)).sync(ID)
    assert world.sources.requests.total() == 0
    assert world.replica._stored.get(ID) is None
    assert world.registry.runs(ID) == []
    assert not leases.held


def test_s2a_mailbox_stopped_before_the_lease_is_not_read(world: SyncHarness) -> None:
    """S2a, its neighbor: paused or disconnected in the same gap."""
    stalled(world, lambda: world.registry.change(ID, transitions.disconnected)).sync(ID)
    assert world.sources.requests.total() == 0
    assert world.stored.last_pass_at is None


@pytest.mark.parametrize("sweep", [False, True])
def test_s1_marked_mailbox_is_neither_synced_nor_compacted(world: SyncHarness, sweep: bool) -> None:
    world.sync()
    world.registry.begin_erasure(ID)
    requests, writes = world.sources.requests.total(), world.replica.writes
    if sweep:
        world.engine.sync(ID, sweep=True)
    else:
        world.engine.sync(ID)
    assert (world.sources.requests.total(), world.replica.writes) == (requests, writes)


@pytest.mark.parametrize("request_", range(1, 7))
def test_s2b_pass_that_stands_still_at_a_request_leaves_nothing(world: SyncHarness, request_: int) -> None:
    world.sources.at(request_, lambda: erase(world))
    world.engine.sync(ID)
    assert world.sources.requests.total() >= request_
    assert list(world.replica.items(ID)) == []
    assert list(world.replica.feed(ID)) == []
    with pytest.raises(NotFound):
        world.replica.derived(ID, "occurrences")
    assert world.registry.runs(ID) == []
    with pytest.raises(NotFound):
        world.registry.get(ID)


@pytest.mark.parametrize("write", range(1, 12))
def test_s2b_first_pass_that_stands_still_at_a_write_leaves_nothing(world: SyncHarness, write: int) -> None:
    """S2b: the replica's own order of writes, with the engine above it."""
    plan = Plan()
    blobs, rows = MemoryBlobs(plan), MemoryRows(plan)
    world.replica = BlobTableReplica(blobs, rows)  # type: ignore[assignment]
    world.engine = world.new_engine()
    plan.before(write, lambda: erase(world))
    world.engine.sync(ID)
    if plan.writes >= write:
        assert blobs.blobs == {}
        assert only_tombstone(rows, ID)


def test_s2a_compaction_of_a_mailbox_erased_before_the_lease_does_nothing(world: SyncHarness) -> None:
    world.sync()
    world.registry.change(ID, transitions.paused)
    world.clock.pass_by(hours=24 * 30)
    world.leases = LeaseTaken(world, lambda: erase(world))  # type: ignore[assignment]
    writes = world.replica.writes
    world.new_engine().sync(ID, sweep=True)
    assert world.replica.writes == writes + 2, "only the erasure has written"


@pytest.mark.parametrize("is_write", [False, True], ids=["request", "write"])
@pytest.mark.parametrize("number", range(1, 14))
def test_s2b_move_that_stands_still_anywhere_leaves_nothing(number: int, *, is_write: bool) -> None:
    """S2b, its neighbor: a survey, a switch, or a restatement."""
    plan, world = Plan(), SyncHarness(moves=True)
    blobs, rows = MemoryBlobs(plan), MemoryRows(plan)
    world.replica = BlobTableReplica(blobs, rows)  # type: ignore[assignment]
    world.engine = world.new_engine()
    for _ in range(3):
        world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.sources.versions_differ = True
    ask(world)
    begun = plan.writes, world.sources.requests.total()
    (plan.before if is_write else world.sources.at)(number, lambda: erase(world))

    world.sync()

    if (plan.writes - begun[0] if is_write else world.sources.requests.total() - begun[1]) >= number:
        assert blobs.blobs == {}
        assert only_tombstone(rows, ID)
        assert world.registry.runs(ID) == []
