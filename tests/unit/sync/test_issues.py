"""One bad item never blocks a mailbox: it becomes an issue, is tried again ever more seldom, and is cured."""

from datetime import timedelta

import pytest

from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Status
from shared.sync.back_off.waits import is_stuck
from shared.sync.limits import Limits
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture
def world() -> SyncHarness:
    """A synced mailbox of which one item is corrupt."""
    world = SyncHarness()
    for _ in range(4):
        world.mailbox.add(world.mailbox.inbox)
    world.mailbox.bad[bad_item(world)] = Reason.ITEM_CORRUPT
    world.sync()
    return world


def bad_item(world: SyncHarness) -> str:
    return world.mailbox.in_folder(world.mailbox.inbox)[1].id


def test_the_others_arrive_and_the_mailbox_says_how_many_failed(world: SyncHarness) -> None:
    assert len(world.items()) == 3
    assert (world.stored.items, world.stored.issues) == (3, 1)
    assert world.stored.first_sync_done
    (issue,) = world.registry.issues(ID)
    assert (issue.item_id, issue.reason, issue.tries) == (bad_item(world), "item_corrupt", 1)
    assert issue.support == "ErrorItemCorrupt"


def test_it_is_tried_again_with_growing_delays(world: SyncHarness) -> None:
    waits = []
    for _ in range(4):
        (issue,) = world.registry.issues(ID)
        waits.append(round((issue.next_try_at - world.clock()).total_seconds() / 60))
        world.clock.now = issue.next_try_at
        world.sync()
    assert waits == [25, 120, 480, 1440]
    (issue,) = world.registry.issues(ID)
    assert issue.tries == 5


def test_before_its_time_it_costs_no_request(world: SyncHarness) -> None:
    world.clock.pass_by(minutes=16)
    world.sync()
    world.clock.pass_by(minutes=6)
    before = world.sources.requests.total()
    world.sync()
    assert world.sources.requests.total() == before + 1


def test_a_cured_item_arrives_and_its_issue_goes(world: SyncHarness) -> None:
    world.mailbox.bad.clear()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []
    assert world.stored.issues == 0


def test_the_issue_of_an_item_that_was_rewritten_and_is_fine_goes_at_once(world: SyncHarness) -> None:
    world.mailbox.update(bad_item(world))
    world.mailbox.bad.clear()
    world.clock.pass_by(minutes=1)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_the_issue_of_a_deleted_item_goes(world: SyncHarness) -> None:
    world.mailbox.delete(bad_item(world))
    world.clock.pass_by(minutes=1)
    world.sync()
    assert world.registry.issues(ID) == []


@pytest.mark.parametrize("overlap", [False, True], ids=["one after the other", "side by side"])
@pytest.mark.parametrize("round_changes", [4000, 1], ids=["in one round", "in two"])
@pytest.mark.parametrize("back", [False, True], ids=["to a folder read later", "to one read before"])
def test_the_issue_of_an_item_that_moved_under_its_own_id_moves_with_it(
    overlap: bool, round_changes: int, back: bool
) -> None:
    """The deletion that its old folder reports is not its end."""
    world = SyncHarness(limits=Limits(overlap=overlap, round_changes=round_changes), immutable_ids=True)
    mailbox = world.mailbox
    origin, target = (mailbox.archive, mailbox.inbox) if back else (mailbox.inbox, mailbox.archive)
    item = mailbox.add(origin)
    mailbox.bad[item] = Reason.ITEM_CORRUPT
    world.sync()
    mailbox.move(item, target)
    world.clock.pass_by(minutes=1)
    world.sync()
    (issue,) = world.registry.issues(ID)
    assert (issue.item_id, issue.folder_id) == (item, target)
    mailbox.bad.clear()
    world.clock.pass_by(hours=3)
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_the_issues_of_a_folder_that_is_no_longer_synced_go(world: SyncHarness) -> None:
    world.mailbox.move_folder(world.mailbox.inbox, world.mailbox.bin)
    world.clock.pass_by(minutes=1)
    world.sync()
    assert world.registry.issues(ID) == []


def test_an_item_whose_new_version_cannot_be_had_stays_at_its_old_one(world: SyncHarness) -> None:
    item = world.mailbox.in_folder(world.mailbox.inbox)[0].id
    content = world.content(item)
    world.mailbox.update(item)
    world.mailbox.bad[item] = Reason.ITEM_UNREADABLE
    world.clock.pass_by(minutes=1)
    world.sync()
    assert world.content(item) == content
    assert {issue.item_id for issue in world.registry.issues(ID)} == set(world.mailbox.bad)


def test_an_item_that_is_gone_before_it_is_fetched_is_no_issue() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sources.at(3, lambda: world.mailbox.delete(item))
    world.sync()
    assert world.registry.issues(ID) == []
    assert world.items() == {}


def test_crash_after_issue_was_written_leaves_none_of_a_healthy_item() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.add(world.mailbox.inbox)
    world.mailbox.bad[item] = Reason.ITEM_CORRUPT
    world.replica.crash_at(2)
    with pytest.raises(Crash):
        world.sync()
    assert len(world.registry.issues(ID)) == 1
    world.mailbox.bad.clear()
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_an_item_that_the_source_passes_over_in_silence_is_an_issue() -> None:
    world = SyncHarness()
    silent = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.silent.add(silent)
    world.sync()
    (issue,) = world.registry.issues(ID)
    assert issue.reason == "item_unreadable"


def test_rewritten_item_is_had_at_once_though_another_is_retried(world: SyncHarness) -> None:
    second = world.mailbox.in_folder(world.mailbox.inbox)[2].id
    world.mailbox.update(second)
    world.mailbox.bad[second] = Reason.ITEM_CORRUPT
    world.clock.pass_by(minutes=20)
    world.sync()
    assert len(world.registry.issues(ID)) == 2
    world.clock.pass_by(minutes=6)
    del world.mailbox.bad[second]
    world.mailbox.update(second)
    world.sync()
    assert [(issue.item_id, issue.tries) for issue in world.registry.issues(ID)] == [(bad_item(world), 2)]


@pytest.mark.parametrize(
    ("reason", "minutes", "status", "stuck"),
    [
        ("timed_out", 4, Status.ACTIVE, True),
        ("bad_answer", 30, Status.ACTIVE, True),
        ("timed_out", 30, Status.NEEDS_ADMIN, True),
        ("timed_out", 3, Status.ACTIVE, False),
        ("timed_out", None, Status.ACTIVE, False),
        ("", 30, Status.ACTIVE, False),
        ("ews_blocked", 30, Status.NEEDS_ADMIN, False),
    ],
)
def test_passes_are_stuck_when_the_wait_after_one_is_of_minutes(
    world: SyncHarness, reason: str, minutes: int | None, status: Status, stuck: bool
) -> None:
    now = world.clock()
    due = None if minutes is None else now + timedelta(minutes=minutes)
    mailbox = world.stored.with_changes(reason=reason, status=status, last_pass_at=now, due_at=due)
    assert is_stuck(mailbox, Limits()) is stuck
    assert is_stuck(mailbox, Limits(interval=timedelta(minutes=3))) is (stuck or minutes == 3)


def test_waiting_issue_does_not_hold_up_pass_stuck_for_another_reason(world: SyncHarness) -> None:
    """It is reported as changed, and is not asked for before its time."""
    (before,) = world.registry.issues(ID)
    world.mailbox.update(bad_item(world))
    world.clock.pass_by(minutes=1)
    reason, now = Reason.TIMED_OUT.value, world.clock()
    world.registry.change(
        ID, lambda mailbox: mailbox.with_changes(reason=reason, last_pass_at=now, due_at=now + timedelta(minutes=4))
    )
    fetched = world.sources.requests["fetch"]
    world.sync()
    assert world.sources.requests["fetch"] == fetched
    (issue,) = world.registry.issues(ID)
    assert issue == before, "nor is its time put off"
    world.mailbox.bad.clear()
    world.clock.now = issue.next_try_at
    world.sync()
    world.assert_equal()
    assert world.registry.issues(ID) == []


def test_a_folder_that_cannot_be_read_keeps_no_sweep_from_its_end(world: SyncHarness) -> None:
    world.mailbox.closed.add(world.mailbox.archive)
    world.clock.pass_by(hours=14)
    world.sweep()
    assert world.stored.swept_at is not None
    assert {issue.item_id for issue in world.registry.issues(ID)} == {bad_item(world), world.mailbox.archive}
    world.mailbox.closed.clear()
    world.clock.pass_by(hours=1)
    world.sync()
    assert {issue.item_id for issue in world.registry.issues(ID)} == {bad_item(world)}


def test_an_issue_that_a_crash_kept_from_being_dropped_is_looked_for_again() -> None:
    """Neither the mailbox, whose pass died before it was counted, nor the cursor may forget it until it is dropped."""
    world = SyncHarness()
    ill = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.bad[ill] = Reason.ITEM_CORRUPT
    world.mailbox.update(ill)
    world.registry.fail_at(2, Crash())
    with pytest.raises(Crash):
        world.sync()
    assert (len(world.registry.issues(ID)), world.stored.issues) == (1, 0)
    world.mailbox.bad.clear()
    world.leases.held.clear()
    world.clock.pass_by(hours=1)
    world.registry.fail_at(1, Crash())
    with pytest.raises(Crash):
        world.sync()
    assert world.replica.load(ID).folders[world.mailbox.inbox].items == 1
    assert len(world.registry.issues(ID)) == 1
    world.leases.held.clear()
    world.sync()
    assert world.registry.issues(ID) == []
    world.assert_equal()


@pytest.mark.parametrize("carries_items", [False, True])
def test_mail_without_mime_is_kept_in_part_and_tried_again(carries_items: bool) -> None:
    """M3: listed, counted and exported, marked as not original, with an issue until its MIME can be had."""
    world = SyncHarness(carries_items=carries_items)
    item = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.no_mime.add(item)
    world.sync()
    world.assert_equal()
    assert world.content(item) == b"body" + world.mailbox.mails[item].body
    assert world.items()[item].metadata["original"] is False
    (issue,) = world.registry.issues(ID)
    assert (issue.item_id, issue.reason, issue.support) == (item, "item_corrupt", "ErrorMimeContentConversionFailed")
    for tries in (2, 3):
        world.clock.pass_by(hours=10)
        lines = len(world.feed())
        world.sync()
        world.sweep()
        assert [issue.tries for issue in world.registry.issues(ID)] == [tries]
        assert len(world.feed()) <= lines + (tries == 2)
    world.mailbox.no_mime.clear()
    world.clock.pass_by(hours=25)
    world.sync()
    world.assert_equal()
    assert world.content(item) == b"mime" + world.mailbox.mails[item].body
    assert "original" not in world.items()[item].metadata
    assert world.registry.issues(ID) == []


@pytest.mark.parametrize("carries_items", [False, True])
def test_an_issue_names_its_item(carries_items: bool) -> None:
    """U9: folder, date and subject, where metadata can be had; the folder always."""
    world = SyncHarness(carries_items=carries_items)
    item = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.no_mime.add(item)
    world.sync()
    (issue,) = world.registry.issues(ID)
    kept = world.items()[item]
    assert (issue.folder, issue.subject, issue.at) == ("Inbox", kept.subject, kept.at)
    assert kept.subject


@pytest.mark.parametrize("carries_items", [False, True])
def test_a_first_sync_names_an_item_whose_content_fails(carries_items: bool) -> None:
    """U9: the metadata of the items that failed is asked for in one more request, and at most twice."""
    world = SyncHarness(carries_items=carries_items)
    bad, worse = (world.mailbox.add(world.mailbox.inbox) for _ in range(2))
    world.mailbox.bad_content[bad] = Reason.ITEM_UNREADABLE
    world.mailbox.bad[worse] = Reason.ITEM_CORRUPT
    world.sync()
    issues = {issue.item_id: issue for issue in world.registry.issues(ID)}
    mail = world.mailbox.mails[bad]
    assert (issues[bad].folder, issues[bad].subject, issues[bad].at) == ("Inbox", mail.subject, mail.at)
    assert issues[worse].folder == "Inbox"
    if not carries_items:
        assert (issues[worse].subject, issues[worse].at) == ("", None)
    assert {issue.tries for issue in issues.values()} == {1}


def test_a_name_that_cannot_be_asked_for_ends_no_pass() -> None:
    """U9: the failure is recorded already, so a server that is busy just then changes nothing else."""
    unnamed = 0
    for request in range(1, 12):
        world = SyncHarness()
        bad = world.mailbox.add(world.mailbox.inbox)
        world.mailbox.bad_content[bad] = Reason.ITEM_UNREADABLE
        world.sources.fail_at(request, RetryLater(Reason.TIMED_OUT))
        world.engine.sync(ID)
        issues = world.registry.issues(ID)
        assert [issue.tries for issue in issues] in ([], [1])
        unnamed += [issue.subject for issue in issues] == [""] and world.stored.first_sync_done
    assert unnamed == 1


def test_an_issue_of_an_item_that_is_held_names_it_as_it_is_held(world: SyncHarness) -> None:
    """U9."""
    assert all(issue.folder for issue in world.registry.issues(ID))


def test_mime_of_a_version_is_not_given_up_for_a_part_of_it() -> None:
    """M3: the daily comparison asks for what was kept when a category changed; its MIME cannot be had any more."""
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.categorize(item, ("red",))
    world.sync()
    world.mailbox.no_mime.add(item)
    world.sweep()
    assert world.content(item) == b"mime" + world.mailbox.mails[item].body
    assert len(world.registry.issues(ID)) == 1
    world.mailbox.no_mime.clear()
    world.quiet()
    world.assert_equal()
    assert world.assumed() == []
