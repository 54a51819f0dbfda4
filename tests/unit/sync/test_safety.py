"""The safety stop: a mailbox that suddenly answers empty is not erased until a second pass, later, says the same."""

import pytest

from shared.errors import Reason
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    """A synced mailbox of sixty items in the inbox and twenty in another folder."""
    world = SyncHarness()
    for number in range(80):
        world.mailbox.add(world.mailbox.archive if number % 4 == 0 else world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.clock.pass_by(minutes=30)
    return world


def test_a_mailbox_without_folders_keeps_its_replica_and_recovers(world: SyncHarness) -> None:
    complete = world.stored.complete_as_of
    world.mailbox.blank = True
    world.sync()
    assert len(world.items()) == 80
    assert world.registry.runs(ID)[0].outcome == "held"
    assert world.stored.complete_as_of == complete
    world.mailbox.blank = False
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
    assert "safety" not in world.replica.load(ID).notes


def test_a_second_pass_an_interval_later_believes_it(world: SyncHarness) -> None:
    for folder in (world.mailbox.inbox, world.mailbox.archive):
        world.mailbox.empty_folder(folder)
    world.sync()
    world.clock.pass_by(minutes=5)
    world.sync()
    assert len(world.items()) == 80, "five minutes later is not later"
    world.clock.pass_by(minutes=25)
    world.sync()
    assert world.items() == {}
    world.assert_equal()


def test_new_mail_arrives_while_deletions_are_held(world: SyncHarness) -> None:
    world.mailbox.empty_folder(world.mailbox.inbox)
    arrived = world.mailbox.add(world.mailbox.archive)
    world.sync()
    assert arrived in world.items()
    assert len(world.items()) == 81


def test_restored_mailbox_is_read_anew_and_old_copy_goes_at_second_scan(world: SyncHarness) -> None:
    world.mailbox.recreate()
    world.sync()
    assert len(world.items()) == 160
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


def test_a_small_deletion_is_believed_at_once(world: SyncHarness) -> None:
    for mail in world.mailbox.in_folder(world.mailbox.inbox)[:30]:
        world.mailbox.delete(mail.id)
    world.sync()
    assert len(world.items()) == 50


def test_folders_that_a_setting_takes_out_of_scope_are_no_alarm(world: SyncHarness) -> None:
    world.rescope(world.scope.__class__(folders_in=("calendar",)))
    world.sync()
    assert world.items() == {}


def test_sweep_finding_most_of_a_folder_gone_waits_an_interval(world: SyncHarness) -> None:
    for mail in world.mailbox.in_folder(world.mailbox.inbox):
        del world.mailbox.mails[mail.id]
    for _ in range(60):
        world.mailbox.add(world.mailbox.inbox)
    world.sweep()
    assert len(world.items()) == 140
    world.sync()
    assert len(world.items()) == 140
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


def test_retried_issue_is_not_deleted_while_deletions_are_blocked(world: SyncHarness) -> None:
    chosen = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    world.mailbox.update(chosen)
    world.mailbox.bad[chosen] = Reason.ITEM_CORRUPT
    world.sync()
    world.clock.pass_by(hours=1)
    mails = dict(world.mailbox.mails)
    for mail in world.mailbox.in_folder(world.mailbox.inbox):
        del world.mailbox.mails[mail.id]
    world.sync()
    assert len(world.items()) == 80
    assert [issue.item_id for issue in world.registry.issues(ID)] == [chosen]
    world.mailbox.mails |= mails
    world.mailbox.bad.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_occurrences_are_held_back_too(world: SyncHarness) -> None:
    """A change of the calendar's is read, the pass ends before it is expanded, and the next finds nothing at all."""
    event = world.mailbox.add(world.mailbox.calendar)
    world.sync()
    world.mailbox.update(event)
    world.clock.pass_by(minutes=30)
    world.replica.crash_at(4)
    with pytest.raises(Crash):
        world.sync()
    world.leases.held.clear()
    world.mailbox.blank = True
    world.sync()
    assert world.registry.runs(ID)[0].outcome == "held"
    assert world.occurring() == {event}
    world.mailbox.blank = False
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
