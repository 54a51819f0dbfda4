"""A mailbox in which nothing happens costs one request; and nothing that happens hides behind a coarse mark."""

from datetime import timedelta

from shared.errors import Reason, RetryLater
from tests.fakes.sync_harness import ID, SyncHarness


def a_settled_world(**fields: object) -> SyncHarness:
    world = SyncHarness()
    for name, value in fields.items():
        setattr(world.mailbox, name, value)
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.clock.pass_by(minutes=30)
    return world


def test_idle_mailbox_costs_one_request_and_writes_to_registry_alone() -> None:
    world = a_settled_world()
    requests, writes = world.sources.requests.copy(), world.replica.writes
    world.sync()
    assert world.sources.requests - requests == {"folders": 1}
    assert world.replica.writes == writes
    assert world.stored.complete_as_of == world.clock()


def test_only_the_folder_that_changed_is_asked() -> None:
    world = a_settled_world()
    world.mailbox.add(world.mailbox.archive)
    requests = world.sources.requests.copy()
    world.sync()
    assert world.sources.requests - requests == {"folders": 1, "changes": 1, "fetch": 1}


def test_without_marks_every_folder_is_asked() -> None:
    world = a_settled_world(marks=False)
    requests = world.sources.requests.copy()
    world.sync()
    assert world.sources.requests - requests == {"folders": 1, "changes": 3}


def test_without_marks_throttling_server_is_still_read_to_the_end() -> None:
    world = a_settled_world(marks=False)
    for number in range(9):
        world.mailbox.add_folder(f"Folder {number}")
    begun = world.clock()
    for _ in range(3):
        world.sources.fail_at(6, RetryLater(Reason.THROTTLED, retry_after=60))
        world.engine.sync(ID)
        world.sources.calm()
        world.clock.pass_by(minutes=1)
    assert world.registry.runs(ID)[0].outcome == "done"
    assert world.stored.complete_as_of == begun
    world.assert_equal()


def test_a_change_in_the_same_second_as_the_look_is_seen_in_the_next_pass() -> None:
    world = a_settled_world()
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(seconds=0.4)
    world.mailbox.add(world.mailbox.inbox)
    for _ in range(2):
        world.sync()
        world.assert_equal()
        world.clock.pass_by(minutes=30)


def test_change_in_same_second_is_seen_though_our_clock_is_ahead() -> None:
    world = a_settled_world()
    ahead = world.new_engine(world.clock.apart(minutes=9))
    world.mailbox.add(world.mailbox.inbox)
    ahead.sync(world.stored.id)
    world.clock.pass_by(seconds=0.4)
    world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=1)
    ahead.sync(world.stored.id)
    world.assert_equal()


def test_passes_close_together_settle_a_mark_after_its_resolution() -> None:
    world = a_settled_world()
    world.mailbox.add(world.mailbox.inbox)
    asked = []
    for _ in range(4):
        before = world.sources.requests["changes"]
        world.sync()
        asked.append(world.sources.requests["changes"] - before)
        world.clock.now += timedelta(seconds=3)
    assert asked == [1, 1, 1, 0]
