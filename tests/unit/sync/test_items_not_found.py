"""An item that is listed but not found is an issue until it is found or its deletion is certain."""

import pytest

from shared.sync.limits import Limits
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.mark.parametrize("known", [False, True], ids=["new", "changed"])
def test_listed_item_not_found_for_a_while_is_an_issue(known: bool) -> None:
    """M1: never taken for gone until the folder says so, however often it is not found."""
    world = SyncHarness()
    items = [world.mailbox.add(world.mailbox.inbox) for _ in range(49)]
    if known:
        world.sync()
        for item in items:
            world.mailbox.update(item)
    world.mailbox.absent.update(items)
    for _ in range(4):
        world.sync()
        assert {issue.item_id for issue in world.registry.issues(ID)} == set(items)
        assert len(world.items()) == (49 if known else 0)
        world.clock.pass_by(hours=9)
    world.mailbox.absent.clear()
    world.clock.pass_by(hours=25)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []
    assert len(world.items()) == 49


def test_item_not_found_and_deleted_later_leaves_no_issue() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.absent.add(item)
    world.sync()
    world.mailbox.delete(item)
    world.clock.pass_by(minutes=1)
    world.sync()
    assert world.registry.issues(ID) == []


def test_item_not_found_whose_deletion_nobody_reports_leaves_no_issue() -> None:
    """M1: the state is lost with the deletion; the folder is listed when the issue is tried again."""
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    item = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.absent.add(item)
    world.sync()
    del world.mailbox.mails[item]
    for _ in range(2):
        world.clock.pass_by(minutes=40)
        world.sync()
    assert world.registry.issues(ID) == []
    world.assert_equal()


def test_item_not_found_just_after_it_was_written_is_kept() -> None:
    """M1: written before its folder's state moved on, then asked for by its id."""
    world = SyncHarness(page=2, limits=Limits(budget_seconds=5, page_items=1, overlap=False))
    items = [world.mailbox.add(world.mailbox.inbox) for _ in range(6)]
    world.clock.step = 1
    world.engine.sync(ID)
    world.mailbox.absent.update(items)
    world.clock.step = 0
    world.pump()
    world.mailbox.absent.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()


def test_item_that_moved_while_it_could_not_be_fetched_is_looked_for_in_its_new_folder() -> None:
    """The old folder lost its state, so the comparison took over the issue that the new folder had."""
    world = SyncHarness(immutable_ids=True)
    mailbox = world.mailbox
    item = mailbox.add(mailbox.inbox)
    world.sync()
    key = world.key(item)
    mailbox.silent.add(item)
    mailbox.move(item, mailbox.archive)
    mailbox.invalidate(mailbox.inbox)
    world.clock.pass_by(hours=1)
    world.sync()
    assert [issue.folder_id for issue in world.registry.issues(ID)] == [mailbox.inbox]

    mailbox.silent.clear()
    world.clock.pass_by(hours=1)
    world.sync()

    assert world.key(item) == key
    world.assert_equal()
    assert world.registry.issues(ID) == []
