"""An item or a folder whose requests fail like an outage becomes an issue, and its mailbox goes on."""

from datetime import timedelta

import pytest

from tests.fakes.sync_harness import ID, SyncHarness


def test_item_that_looks_like_outage_pass_after_pass_becomes_issue() -> None:
    world = SyncHarness()
    for _ in range(4):
        world.mailbox.add(world.mailbox.inbox)
    world.sync()
    for _ in range(3):
        world.mailbox.add(world.mailbox.inbox)
    world.mailbox.choking.add(world.mailbox.in_folder(world.mailbox.inbox)[5].id)
    world.clock.pass_by(minutes=30)

    assert world.sync() == 5, "four that fail, and one that looks for the cause"
    assert len(world.items()) == 6
    assert [run.outcome for run in world.registry.runs(ID)][:5] == ["done", *["timed_out"] * 4]
    (issue,) = world.registry.issues(ID)
    assert (issue.item_id, issue.support) == (world.mailbox.in_folder(world.mailbox.inbox)[5].id, "silence")
    assert (world.stored.reason, world.stored.issues) == ("", 1)

    world.clock.now = issue.next_try_at
    assert world.sync() == 1, "what is tried again stops no pass"
    (issue,) = world.registry.issues(ID)
    assert issue.tries == 2

    world.mailbox.choking.clear()
    world.clock.now = issue.next_try_at
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_folder_that_looks_like_outage_pass_after_pass_becomes_issue() -> None:
    world = SyncHarness()
    for folder in (world.mailbox.inbox, world.mailbox.archive) * 3:
        world.mailbox.add(folder)
    world.mailbox.choking.add(world.mailbox.archive)

    assert world.sync() == 5
    assert {item.folder_id for item in world.items().values()} == {world.mailbox.inbox}
    (issue,) = world.registry.issues(ID)
    assert (issue.item_id, issue.support) == (world.mailbox.archive, "silence")
    assert world.stored.first_sync_done

    world.clock.now = issue.next_try_at
    assert world.sync() == 1
    world.mailbox.choking.clear()
    world.clock.pass_by(hours=24)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def assert_left_behind(world: SyncHarness, choking: list[str]) -> None:
    """After a few passes all of these have issues, and nothing else is held up; once they are well they are had."""
    assert world.sync() < 12
    assert {issue.item_id for issue in world.registry.issues(ID)} == set(choking)
    assert world.stored.reason == ""

    world.mailbox.choking.clear()
    world.quiet()
    world.assert_equal()


@pytest.mark.parametrize("is_known", [False, True])
def test_many_choking_items_are_left_behind_pass_by_pass(*, is_known: bool) -> None:
    """What was found out before patience ended is written down: else every pass would begin with the same ones."""
    world = SyncHarness()
    world.sources.patience = 2
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    choking = [world.mailbox.add(world.mailbox.inbox) for _ in range(5)]
    if is_known:
        world.sync()
        for item_id in choking:
            world.mailbox.update(item_id)
    world.mailbox.choking.update(choking)
    world.clock.pass_by(minutes=30)
    assert_left_behind(world, choking)


def test_many_choking_folders_are_left_behind_pass_by_pass() -> None:
    world = SyncHarness()
    world.sources.patience = 2
    choking = [world.mailbox.add_folder(f"Folder {number}") for number in range(5)]
    for folder in choking:
        world.mailbox.add(folder)
    world.mailbox.choking.update(choking)
    assert_left_behind(world, choking)


def test_item_whose_time_comes_during_a_pass_stops_no_pass() -> None:
    world = SyncHarness()
    chokes = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.choking.add(chokes)
    world.sync()
    (issue,) = world.registry.issues(ID)
    world.clock.now = issue.next_try_at - timedelta(seconds=10)
    world.mailbox.add(world.mailbox.archive)
    world.sources.at(2, lambda: world.clock.pass_by(seconds=20))
    assert world.sync() == 1
    (issue,) = world.registry.issues(ID)
    assert issue.tries == 2


def test_a_folder_that_looks_like_an_outage_stops_no_sweep_before_its_time() -> None:
    world = SyncHarness()
    for folder in (world.mailbox.inbox, world.mailbox.archive, world.mailbox.calendar):
        world.mailbox.add(folder)
    world.mailbox.choking.update({world.mailbox.archive, world.mailbox.calendar})
    world.sync()
    before = world.registry.issues(ID)
    assert len(before) == 2
    world.sweep()
    assert world.stored.swept_at == world.clock()
    assert [run.outcome for run in world.registry.runs(ID)][:2] == ["done", "done"], "none that failed"
    assert world.registry.issues(ID) == before
    world.mailbox.choking.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_item_tried_again_in_stuck_pass_is_not_taken_for_gone() -> None:
    """M1: what waits is not asked for, so nothing says that it is gone."""
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.update(item)
    world.mailbox.absent.add(item)
    world.clock.pass_by(minutes=1)
    world.sync()
    world.mailbox.choking.add(world.mailbox.archive)
    for _ in range(8):
        world.mailbox.add(world.mailbox.archive)
        world.clock.pass_by(minutes=5)
        world.engine.sync(ID)
    assert item in world.items()
    world.mailbox.choking.clear()
    world.mailbox.absent.clear()
    world.quiet()
    world.assert_equal()
