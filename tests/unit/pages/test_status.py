"""The effective status: what a person is told follows from the record and the clock alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.not_copied import NotCopied, not_copied
from shared.pages.catalog import english
from shared.pages.mailbox_actions import MailboxAction
from shared.pages.my_sync import actions_for, group_issues, live_values
from shared.pages.pages import Pages
from shared.pages.status import Tone, estimate_key, next_sync_at, progress, status_view
from shared.sync.recording.pass_result import PassResult
from shared.sync.recording.run_recorder import outcome_of
from tests.unit.pages.samples import FIRST, INTERVAL, ISSUES, MAILBOX, MINUTE, NOW, RUNS, STATES, my_sync, run


def state(mailbox: Mailbox) -> str:
    return status_view(mailbox, NOW, INTERVAL).state


def test_a_mailbox_synced_within_two_intervals_is_up_to_date() -> None:
    assert state(MAILBOX.with_changes(last_success_at=NOW - 2 * INTERVAL)) == "up_to_date"


def test_an_active_mailbox_without_success_for_two_intervals_is_late() -> None:
    late = status_view(MAILBOX.with_changes(last_success_at=NOW - 2 * INTERVAL - MINUTE), NOW, INTERVAL)
    assert (late.state, late.tone, late.act) == ("late", Tone.ATTENTION, MailboxAction.SYNC)


def test_a_pass_under_way_does_not_hide_that_a_mailbox_is_late() -> None:
    assert state(MAILBOX.with_changes(last_success_at=NOW - 3 * INTERVAL, syncing_since=NOW)) == "late"


def test_a_first_sync_that_never_began_becomes_late() -> None:
    assert state(FIRST.with_changes(syncing_since=None, created_at=NOW - 3 * INTERVAL)) == "late"


def test_a_long_first_sync_is_not_late_while_its_passes_go_on() -> None:
    long = FIRST.with_changes(created_at=NOW - timedelta(days=2), syncing_since=None, last_pass_at=NOW - MINUTE)
    assert state(long) == "first_sync"
    assert state(long.with_changes(last_pass_at=None, syncing_since=NOW - MINUTE)) == "first_sync"


def test_a_first_sync_whose_passes_only_fail_becomes_late() -> None:
    failing = FIRST.with_changes(
        created_at=NOW - timedelta(hours=5), syncing_since=None, last_pass_at=NOW - MINUTE, reason="timed_out"
    )
    assert state(failing) == "late"


def test_a_pass_that_began_too_long_ago_is_not_under_way_any_more() -> None:
    assert state(MAILBOX.with_changes(syncing_since=NOW - timedelta(hours=1))) == "up_to_date"


def test_a_reason_that_nobody_has_described_is_not_shown() -> None:
    assert status_view(MAILBOX.with_changes(status=Status.SUSPENDED, reason="weird"), NOW, INTERVAL).reason == ""


@pytest.mark.parametrize(
    ("status", "act"),
    [
        (Status.PAUSED, MailboxAction.START),
        (Status.SUSPENDED, MailboxAction.START),
        (Status.NEEDS_SIGN_IN, MailboxAction.SIGN_IN),
        (Status.NEEDS_ADMIN, MailboxAction.APPROVAL),
        (Status.DISCONNECTED, MailboxAction.SIGN_IN),
    ],
)
def test_a_mailbox_that_is_not_active_names_the_one_thing_to_do(status: Status, act: MailboxAction) -> None:
    assert status_view(MAILBOX.with_changes(status=status), NOW, INTERVAL).act is act


@pytest.mark.parametrize("name", STATES)
def test_nothing_is_offered_twice_and_erasing_always_is(name: str) -> None:
    mailbox = STATES[name][0]
    now_shown = status_view(mailbox, NOW, INTERVAL)
    acts = actions_for(mailbox, now_shown)
    assert now_shown.act not in acts
    assert acts.count(MailboxAction.ERASE) == 1


def test_a_sync_is_not_offered_while_one_is_under_way() -> None:
    syncing = STATES["syncing"][0]
    assert MailboxAction.SYNC not in actions_for(syncing, status_view(syncing, NOW, INTERVAL))


def test_the_next_sync_is_the_next_tick() -> None:
    at = next_sync_at(MAILBOX, NOW, INTERVAL)
    assert at == NOW.replace(hour=14, minute=30)


def test_the_next_sync_is_the_first_tick_that_finds_the_mailbox_due() -> None:
    at = next_sync_at(MAILBOX.with_changes(due_at=NOW + timedelta(hours=3)), NOW, INTERVAL)
    assert at == NOW.replace(hour=17, minute=30)


def test_the_next_sync_of_a_night_is_on_the_next_day() -> None:
    at = next_sync_at(MAILBOX, NOW.replace(hour=23, minute=45), INTERVAL)
    assert at == NOW.replace(day=24, hour=0, minute=0)


@pytest.mark.parametrize("status", [Status.PAUSED, Status.SUSPENDED, Status.NEEDS_SIGN_IN, Status.DISCONNECTED])
def test_no_next_sync_is_promised_for_a_mailbox_that_is_not_in_the_rota(status: Status) -> None:
    assert next_sync_at(MAILBOX.with_changes(status=status), NOW, INTERVAL) is None


def test_progress_counts_what_is_in_the_copy_against_what_is_in_scope() -> None:
    made = progress(FIRST, [], NOW)
    assert made is not None
    assert (made.done, made.total, made.percent) == (4321, 12480, 34)


def test_an_estimate_goes_by_the_speed_of_the_pass_under_way() -> None:
    made = progress(FIRST.with_changes(items=3000, in_scope=9000, syncing_since=NOW - 3 * MINUTE), [], NOW)
    assert made is not None
    assert made.minutes == 6


def test_an_estimate_uses_ended_passes_and_the_waits_between_them() -> None:
    runs = [run(6, seconds=240, created=2000), run(16, seconds=240, created=2000)]
    made = progress(FIRST.with_changes(items=4000, in_scope=6000), runs, NOW)
    assert made is not None
    assert made.minutes == 7


@pytest.mark.parametrize(
    "early",
    [
        FIRST.with_changes(items=99),
        FIRST.with_changes(syncing_since=NOW - timedelta(seconds=5)),
        FIRST.with_changes(syncing_since=None),
        FIRST.with_changes(status=Status.PAUSED),
    ],
)
def test_nothing_is_estimated_without_evidence(early: Mailbox) -> None:
    made = progress(early, [], NOW)
    assert made is not None
    assert made.minutes is None


def test_progress_never_says_all_before_it_is_done() -> None:
    made = progress(FIRST.with_changes(items=12500), [], NOW)
    assert made is not None
    assert (made.done, made.percent) == (12480, 99)


def test_there_is_no_progress_before_the_total_is_known_nor_after_the_end() -> None:
    assert progress(FIRST.with_changes(in_scope=0), [], NOW) is None
    assert progress(MAILBOX, RUNS, NOW) is None


def test_long_estimates_are_told_in_hours() -> None:
    assert estimate_key(None) == ("progress.estimate_none", 0)
    assert estimate_key(90) == ("progress.estimate_minutes", 90)
    assert estimate_key(150) == ("progress.estimate_hours", 2)


def test_issues_are_grouped_by_reason_the_most_frequent_first() -> None:
    groups = group_issues(ISSUES)
    assert [(group.reason, group.count, group.support) for group in groups] == [
        ("item_too_large", 2, ()),
        ("item_corrupt", 1, ("ErrorX",)),
    ]


def test_a_failed_pass_without_changes_does_not_say_nothing_was_new() -> None:
    sessions = live_values(MAILBOX, RUNS, [], NOW, INTERVAL)["sessions"]
    failed = [session for session in sessions if session.failed]
    assert [session.result for session in failed] == ["problems.throttled.title"]
    assert failed[0].quiet


@pytest.mark.parametrize(
    "result", [PassResult(finished=True), PassResult(finished=True, deletions_blocked=True), PassResult()]
)
def test_a_session_that_ended_without_an_error_is_never_shown_as_a_fault(result: PassResult) -> None:
    (session,) = live_values(MAILBOX, [replace(RUNS[0], outcome=outcome_of(result))], [], NOW, INTERVAL)["sessions"]
    assert not session.failed
    assert session.result in english()


def test_a_suspended_mailbox_needs_attention() -> None:
    """U6: ten failures in a row are no choice of anybody's, as pausing is."""
    suspended = MAILBOX.with_changes(status=Status.SUSPENDED, reason="bad_answer")
    assert status_view(suspended, NOW, INTERVAL).tone is Tone.ATTENTION
    assert status_view(MAILBOX.with_changes(status=Status.PAUSED), NOW, INTERVAL).tone is Tone.STOPPED


@pytest.mark.parametrize("status", [Status.PAUSED, Status.DISCONNECTED])
def test_a_pass_that_still_runs_is_shown_after_stopping(status: Status) -> None:
    """U7: what it has read already is still added."""
    mailbox = MAILBOX.with_changes(status=status, syncing_since=NOW - MINUTE)
    assert status_view(mailbox, NOW, INTERVAL).state == "stopping"
    assert status_view(mailbox, NOW, INTERVAL).live
    assert status_view(mailbox.with_changes(syncing_since=None), NOW, INTERVAL).state == status


def test_an_estimate_does_not_climb_while_nothing_moves() -> None:
    """U13: a server that makes us wait says nothing about the speed."""
    since = NOW - 3 * MINUTE
    first = FIRST.with_changes(items=3000, in_scope=9000, syncing_since=since, counted_at=NOW)
    seen = {getattr(progress(first, [], NOW + minutes * MINUTE), "minutes", None) for minutes in (0, 5, 20)}
    assert seen == {6}


def test_one_minute_is_told_in_the_singular() -> None:
    """U13."""
    assert "every minute," in english().text("landing.lead", organization="Contoso", count=1)
    assert "every 30 minutes," in english().text("landing.lead", organization="Contoso", count=30)


def test_issues_are_named_the_latest_first() -> None:
    """U9."""
    groups = {group.reason: group for group in group_issues(ISSUES)}
    assert [issue.subject for issue in groups["item_too_large"].named] == ["Report 2", ""]
    many = [replace(ISSUES[0], item_id=str(number)) for number in range(50)]
    (group,) = group_issues(many)
    assert (group.count, len(group.named)) == (50, 20)
    (unnamed,) = group_issues([replace(ISSUES[0], folder="")])
    assert unnamed.named == ()


def test_what_is_not_copied_is_told_apart() -> None:
    """U9: 12 not copied, 12 left out, none with issues."""
    lacking = MAILBOX.with_changes(first_sync_done=True, in_scope=112, items=100)
    shown = {issues: not_copied(lacking.with_changes(issues=issues)) for issues in (0, 5, 50)}
    assert shown == {0: NotCopied(12, 0, 0, 0, 12), 5: NotCopied(12, 5, 0, 0, 7), 50: NotCopied(12, 12, 0, 0, 0)}
    assert live_values(lacking, [], [], NOW, INTERVAL)["not_copied"] == shown[0]
    assert live_values(lacking.with_changes(items=112), [], [], NOW, INTERVAL)["not_copied"] is None


def test_private_items_are_told_from_other_settings() -> None:
    lacking = MAILBOX.with_changes(first_sync_done=True, in_scope=112, items=100)
    assert not_copied(lacking.with_changes(private_left_out=12)) == NotCopied(12, 0, 12, 0, 0)
    assert not_copied(lacking.with_changes(private_left_out=9, issues=1, not_provided=1)) == NotCopied(12, 1, 9, 1, 1)


def test_parts_that_were_counted_at_other_times_still_add_up() -> None:
    """A private item that changes twice between two sweeps is counted twice."""
    lacking = MAILBOX.with_changes(first_sync_done=True, in_scope=112, items=100)
    shown = not_copied(lacking.with_changes(private_left_out=20, issues=2, not_provided=30))
    assert shown == NotCopied(12, 2, 10, 0, 0)


def test_nothing_is_missing_before_the_first_sync_has_ended() -> None:
    assert not_copied(FIRST) is None


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"private_left_out": 12}, "12 items are not copied: 12 private, 0 with issues."),
        ({"issues": 12}, "12 items are not copied: 12 with issues."),
        (
            {"private_left_out": 3, "not_provided": 4, "issues": 1},
            "12 items are not copied: 3 private, 4 not given by Microsoft Graph, 4 left out by other settings, "
            "1 with issues.",
        ),
    ],
)
def test_the_page_says_what_is_not_copied(counts: dict[str, int], sentence: str) -> None:
    template, values = my_sync("up-to-date")
    mailbox = MAILBOX.with_changes(first_sync_done=True, in_scope=112, items=100, **counts)
    html = Pages("Contoso").render(template, **values | live_values(mailbox, [], [], NOW, INTERVAL))
    assert f'<p class="fine" id="not-copied">{sentence}</p>' in html
