"""Items that left the mailbox are kept for the days of the retention, marked, and then deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.mailboxes import transitions
from shared.mailboxes.model import Status
from shared.replica.port import FeedKind
from shared.sync.budget import LeaseLost
from shared.sync.retention import Retention
from shared.sync.scope import Scope
from shared.sync.state.settled_cursor import SettledCursor
from tests.fakes.sync_harness import ID, OUT, SyncHarness

KEEPING = Scope(folders_out=OUT, retention_days=30)


class Kept(SyncHarness):
    """A mailbox with one message in the inbox and one in a folder of its own, under a retention of 30 days."""

    def __init__(self, scope: Scope = KEEPING) -> None:
        super().__init__(scope)
        self.projects = self.mailbox.archive
        self.mail = self.mailbox.add(self.mailbox.inbox)
        self.other = self.mailbox.add(self.projects)
        self.sync()
        self.assert_equal()

    def later(self, **time: float) -> None:
        """Let time pass, then sync."""
        self.clock.pass_by(**time)
        self.sync()

    def next_day(self, days: int = 1) -> None:
        """Let days pass, then sweep."""
        self.clock.pass_by(hours=24 * days)
        self.sweep()

    def delete(self, mail: str | None = None) -> None:
        """The person deletes a message."""
        self.mailbox.delete(mail or self.mail)
        self.later(minutes=30)


@pytest.fixture
def world() -> Kept:
    return Kept()


def test_without_retention_an_item_is_gone_with_the_mailbox() -> None:
    world = Kept(Scope(folders_out=OUT))
    world.delete()
    assert world.left() == {}
    assert world.feed()[-1] == (FeedKind.DELETE, world.mail)


def test_item_that_left_is_marked_and_its_content_kept(world: Kept) -> None:
    before = world.items()[world.mail]
    world.delete()
    world.assert_equal()
    assert set(world.items()) == {world.other}
    (left,) = world.left().values()
    assert (left.left_at, left.left_folder_id, left.folder_id) == (world.clock(), world.mailbox.inbox, "")
    assert before.folder_id == world.mailbox.inbox
    assert left.with_changes(left_at=None, left_folder_id="", folder_id=before.folder_id) == before
    assert world.feed()[-1] == (FeedKind.LEAVE, world.mail)
    assert world.stored.items == 1
    world.next_day()
    world.next_day(8)
    assert world.replica.content(ID, left)
    assert set(world.left()) == {world.mail}
    world.assert_equal()


def test_item_is_deleted_when_its_days_are_over(world: Kept) -> None:
    world.delete()
    world.next_day(29)
    assert set(world.left()) == {world.mail}
    world.delete(world.other)
    world.next_day()
    assert set(world.left()) == {world.other}
    assert world.feed()[-1] == (FeedKind.DELETE, world.mail)
    world.assert_equal()
    world.assert_logged()
    world.next_day(30)
    assert world.left() == {}
    writes = world.replica.writes
    world.next_day()
    world.assert_equal()
    assert world.replica.writes - writes <= 2


def test_stopped_mailbox_lets_its_items_go_too(world: Kept) -> None:
    world.delete()
    world.registry.change(ID, transitions.paused)
    world.next_day(29)
    assert set(world.left()) == {world.mail}
    world.next_day()
    assert world.left() == {}
    assert world.stored.status is Status.PAUSED
    world.assert_logged()
    world.registry.change(ID, transitions.started)
    world.sync()
    world.assert_equal()


def test_hold_keeps_items_until_it_is_lifted(world: Kept) -> None:
    world.delete()
    world.registry.change(ID, lambda before: transitions.on_hold(before, "Matter 7", "op", world.clock()))
    world.next_day(31)
    assert set(world.left()) == {world.mail}
    world.registry.change(ID, transitions.without_hold)
    world.next_day()
    assert world.left() == {}


def test_hold_that_is_set_meanwhile_stops_before_the_next_page(world: Kept) -> None:
    world.mailbox.delete(world.mail)
    world.delete(world.other)
    world.clock.pass_by(hours=24 * 31)
    answers = iter([False, True])
    lease = world.leases.acquire(ID)
    assert lease is not None

    def retention(on_hold: Callable[[], bool]) -> Retention:
        settled = SettledCursor(world.stored, world.registry, world.clock)
        limits = replace(world.limits, page_items=1)
        return Retention(
            world.replica, settled, lease, scope=KEEPING, limits=limits, on_hold=on_hold, now=world.clock()
        )

    cursor = world.replica.load(ID)
    after = retention(lambda: next(answers)).expire(cursor)
    assert (after, after.sequence) == (world.replica.load(ID), cursor.sequence + 1)
    assert len(world.left()) == 1
    lease.lose()
    with pytest.raises(LeaseLost):
        retention(lambda: False).expire(after)
    assert len(world.left()) == 1
    lease.release()
    world.sweep()
    assert world.left() == {}
    world.assert_logged()


def test_shorter_retention_acts_on_items_that_left_before(world: Kept) -> None:
    world.delete()
    world.rescope(replace(KEEPING, retention_days=1))
    world.next_day()
    assert world.left() == {}


def test_retention_that_ends_leaves_nothing_behind(world: Kept) -> None:
    world.delete()
    world.rescope(replace(KEEPING, retention_days=0))
    world.sync()
    assert set(world.left()) == {world.mail}
    world.next_day()
    assert world.left() == {}
    world.delete(world.other)
    assert world.left() == {}


def test_item_that_a_setting_excludes_is_not_kept(world: Kept) -> None:
    world.rescope(replace(KEEPING, folders_out=(*OUT, "Projects")))
    world.later(minutes=30)
    world.assert_equal()
    assert world.left() == {}


def test_item_that_left_goes_when_a_setting_excludes_it(world: Kept) -> None:
    world.delete(world.other)
    world.rescope(replace(KEEPING, folders_out=(*OUT, "Projects")))
    world.later(minutes=30)
    assert world.left() == {}
    secret = world.mailbox.add(world.mailbox.inbox, private=True)
    world.rescope(replace(KEEPING, private_items=True))
    world.later(minutes=30)
    world.delete(secret)
    assert set(world.left()) == {secret}
    world.rescope(KEEPING)
    world.next_day()
    assert world.left() == {}


def test_items_of_a_deleted_folder_are_kept(world: Kept) -> None:
    world.mailbox.delete_folder(world.projects)
    world.later(minutes=30)
    world.assert_equal()
    (left,) = world.left().values()
    assert (left.source_id, left.left_folder_id) == (world.other, world.projects)


def test_item_that_moves_keeps_its_key_and_does_not_leave(world: Kept) -> None:
    key = world.key(world.mail)
    moved = world.mailbox.move(world.mail, world.projects)
    world.later(minutes=30)
    world.assert_equal()
    assert world.key(moved) == key
    assert world.left() == {}


def test_item_that_comes_back_is_the_same_item_again(world: Kept) -> None:
    key, downloads = world.key(world.mail), world.sources.downloads.copy()
    trash = world.mailbox.move(world.mail, world.mailbox.bin)
    world.later(minutes=30)
    assert set(world.left()) == {world.mail}
    back = world.mailbox.move(trash, world.mailbox.inbox)
    world.later(minutes=30)
    world.assert_equal()
    assert world.key(back) == key
    assert world.left() == {}
    assert world.sources.downloads == downloads
    world.next_day(31)
    world.assert_equal()


def test_crash_at_any_write_loses_no_item_that_left() -> None:
    for write in range(1, 12):
        world = Kept()
        world.mailbox.delete(world.mail)
        world.mailbox.delete(world.other)
        world.clock.pass_by(minutes=30)
        world.replica.crash_at(write)
        _survive(world.sync)
        world.quiet()
        assert len(world.left()) == 2
        world.assert_equal()
        world.clock.pass_by(hours=24 * 31)
        world.replica.crash_at(write)
        _survive(world.sweep)
        world.quiet()
        world.next_day()
        assert world.left() == {}
        world.assert_equal()
        world.assert_logged()


def _survive(act: object) -> None:
    from tests.fakes.replica import Crash

    try:
        act()  # type: ignore[operator]
    except Crash:
        return


def test_time_of_leaving_is_that_of_the_pass(world: Kept) -> None:
    world.mailbox.delete(world.mail)
    world.clock.pass_by(hours=3)
    world.sync()
    (left,) = world.left().values()
    assert left.left_at is not None
    assert world.clock() - left.left_at < timedelta(minutes=1)


@pytest.mark.parametrize("write", range(1, 5))
def test_pages_of_crashed_maintenance_of_stopped_mailbox_are_told(write: int) -> None:
    world = Kept()
    world.mailbox.delete(world.mail)
    world.delete(world.other)
    world.registry.change(ID, transitions.paused)
    world.clock.pass_by(hours=24 * 31)
    world.replica.crash_at(write)
    _survive(world.sweep)
    world.next_day()
    assert world.left() == {}
    world.assert_logged()
    assert world.stored.feed_sequence == world.replica.load(ID).sequence
