"""A folder that cannot be read becomes an issue; the other folders are synced."""

from datetime import timedelta

import pytest

from shared.errors import Reason
from shared.mailboxes.model import Status
from tests.fakes.sync_harness import ID, SyncHarness


def test_folder_listed_but_unknown_blocks_nothing_and_is_an_issue() -> None:
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    world.mailbox.ghosts.add(world.mailbox.archive)
    world.sync()
    assert len(world.items()) == 1
    assert world.stored.first_sync_done
    assert [issue.item_id for issue in world.registry.issues(ID)] == [world.mailbox.archive]
    world.mailbox.ghosts.clear()
    world.clock.pass_by(minutes=30)
    world.sync()
    assert world.registry.issues(ID) == []


def test_unreadable_folder_blocks_no_other_and_is_tried_more_seldom() -> None:
    world = SyncHarness(page=2)
    for folder in (world.mailbox.inbox, world.mailbox.archive) * 3:
        world.mailbox.add(folder)
    world.mailbox.closed.add(world.mailbox.archive)
    world.sync()
    assert {item.folder_id for item in world.items().values()} == {world.mailbox.inbox}
    assert (world.stored.first_sync_done, world.stored.status, world.stored.failures) == (True, Status.ACTIVE, 0)
    waits = []
    for _ in range(3):
        (issue,) = world.registry.issues(ID)
        assert (issue.item_id, issue.reason, issue.support) == (
            world.mailbox.archive,
            "item_refused",
            "ErrorAccessDenied",
        )
        waits.append(round((issue.next_try_at - world.clock()).total_seconds() / 60))
        asked = world.sources.requests["changes"]
        world.clock.now = issue.next_try_at - timedelta(minutes=1)
        world.sync()
        assert world.sources.requests["changes"] <= asked + 3, "only what may have changed unseen"
        world.clock.now = issue.next_try_at
        world.sync()
    assert waits == [25, 120, 480]
    world.mailbox.closed.clear()
    world.clock.pass_by(hours=24)
    world.sync()
    assert world.registry.issues(ID) == []
    world.assert_equal()


@pytest.mark.parametrize("is_first", [False, True])
def test_folder_whose_state_is_always_lost_blocks_no_other(*, is_first: bool) -> None:
    world = SyncHarness(page=2)
    if not is_first:
        world.sync()
        world.clock.pass_by(minutes=30)
    for folder in (world.mailbox.inbox, world.mailbox.archive) * 3:
        world.mailbox.add(folder)
    world.mailbox.forgetful.add(world.mailbox.inbox)

    world.sync(most=20)

    assert [item.folder_id for item in world.items().values()].count(world.mailbox.archive) == 3
    assert [issue.item_id for issue in world.registry.issues(ID)] == [world.mailbox.inbox]
    world.mailbox.forgetful.clear()
    for _ in range(2):
        world.clock.pass_by(hours=25)
        world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_what_a_folder_gave_before_it_could_not_be_read_is_kept() -> None:
    world = SyncHarness(page=2)
    for _ in range(6):
        world.mailbox.add(world.mailbox.inbox)
    world.sources.at(4, lambda: world.mailbox.closed.add(world.mailbox.inbox))
    world.sync()
    assert world.stored.items == 2
    world.sync()
    assert world.sources.downloads.total() == 2
    world.mailbox.closed.clear()
    world.clock.pass_by(hours=24)
    world.sync()
    world.assert_equal()
    assert max(world.sources.downloads.values()) == 1


def test_issue_of_item_moved_out_of_deleted_folder_stays() -> None:
    world = SyncHarness(immutable_ids=True)
    rescued = world.mailbox.add(world.mailbox.archive)
    world.sync()
    world.mailbox.move(rescued, world.mailbox.inbox)
    world.mailbox.delete_folder(world.mailbox.archive)
    world.mailbox.bad[rescued] = Reason.ITEM_CORRUPT
    world.clock.pass_by(minutes=30)
    world.sync()
    assert [(issue.item_id, issue.folder_id) for issue in world.registry.issues(ID)] == [(rescued, world.mailbox.inbox)]
    world.mailbox.bad.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    assert world.registry.issues(ID) == []
    world.assert_equal()


@pytest.mark.parametrize("request_", range(1, 6))
def test_occurrences_of_unreadable_calendar_are_written_once_it_can_be(request_: int) -> None:
    """It is closed at any moment of a sweep, also after its changes were read."""
    world = SyncHarness()
    world.mailbox.add(world.mailbox.calendar)
    world.sync()
    world.clock.pass_by(hours=14)
    world.sources.at(request_, lambda: world.mailbox.closed.add(world.mailbox.calendar))
    world.sweep()
    assert [issue.item_id for issue in world.registry.issues(ID)] == [world.mailbox.calendar]
    assert world.occurring() == set()
    world.mailbox.closed.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_occurrences_of_unknown_calendar_are_written_once_it_is_known() -> None:
    world = SyncHarness()
    event = world.mailbox.add(world.mailbox.calendar)
    world.sync()
    world.clock.pass_by(hours=14)
    world.sync()
    world.mailbox.ghosts.add(world.mailbox.calendar)
    world.sweep()
    assert world.occurring() == set()
    world.mailbox.ghosts.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    assert world.occurring() == {event}
    world.assert_equal()
