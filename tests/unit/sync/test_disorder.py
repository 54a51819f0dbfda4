"""Duplicates and disorder: two of everything, in any order, on machines whose clocks differ."""

import threading

import pytest

from shared.scheduling.dispatch import Dispatch
from shared.sync.limits import Limits
from tests.fakes.summaries import MemorySummaries
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    """A mailbox of thirty items in small pages, never synced."""
    world = SyncHarness(limits=Limits(overlap=False, page_items=4), page=6)
    for number in range(30):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive)[number % 2])
    return world


@pytest.mark.parametrize("request_number", range(1, 12))
def test_a_writer_that_slipped_past_the_lease_is_fenced(world: SyncHarness, request_number: int) -> None:
    """The lease ends unnoticed in mid-pass and another worker does the whole sync; the first one must not write on."""

    def overtake() -> None:
        world.leases.expire(ID)
        world.new_engine(world.clock.apart(minutes=7)).sync(ID)

    world.sources.at(request_number, overtake)
    world.sync()
    world.assert_equal()
    assert len(world.feed()) == 30
    assert max(world.sources.downloads.values()) <= 2


@pytest.mark.parametrize("request_number", range(1, 12))
def test_a_lost_lease_that_is_noticed_stops_the_writing(world: SyncHarness, request_number: int) -> None:
    written: list[int] = []

    def lose() -> None:
        world.leases.held[ID].lose()
        written.append(world.replica.writes)

    world.sources.at(request_number, lose)
    world.engine.sync(ID)
    if written:
        assert world.replica.writes == written[0]
    world.leases.held.clear()
    world.sync()
    world.assert_equal()


def test_the_same_message_twice_at_once_does_the_work_once(world: SyncHarness) -> None:
    world.limits = Limits(page_items=4)
    world.engine = world.new_engine()
    workers = [threading.Thread(target=world.engine.sync, args=(ID,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    world.assert_equal()
    assert max(world.sources.downloads.values()) == 1


def test_two_dispatches_that_overlap_cost_one_pass(world: SyncHarness) -> None:
    """S13."""
    dispatch = Dispatch(world.registry, world.queue, 1, world.limits.interval, world.clock, summaries=MemorySummaries())
    dispatch.shard(0)
    dispatch.shard(0)
    assert len(world.queue.mailboxes) == 2
    world.pump()
    world.assert_equal()
    assert [run.created for run in world.registry.runs(ID)] == [30]


def test_a_repeated_continuation_is_stale_once_the_first_has_got_further(world: SyncHarness) -> None:
    world.limits = Limits(overlap=False, page_items=4, budget_seconds=6)
    world.engine = world.new_engine()
    world.clock.step = 1
    world.engine.sync(ID)
    message = world.queue.mailboxes[0]
    world.engine.sync(ID, message.continuation)
    asked = world.tokens.asked
    world.engine.sync(ID, message.continuation)
    assert world.tokens.asked == asked
    world.pump()
    world.assert_equal()


@pytest.mark.parametrize("minutes", [-12, -1, 1, 12])
def test_workers_whose_clocks_differ_by_minutes_take_turns(world: SyncHarness, minutes: float) -> None:
    engines = [world.engine, world.new_engine(world.clock.apart(minutes=minutes))]
    for turn in range(8):
        engines[turn % 2].sync(ID)
        world.assert_equal()
        world.mailbox.add(world.mailbox.inbox)
        world.mailbox.move(world.mailbox.in_folder(world.mailbox.inbox)[0].id, world.mailbox.archive)
        world.clock.pass_by(minutes=30)
    engines[0].sync(ID)
    world.assert_equal()
