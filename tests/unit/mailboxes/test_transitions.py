"""The rules of a mailbox's life: who is asked to act, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import ActionNeeded, AdministratorMustAct, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status, is_due
from shared.mailboxes.transitions import (
    Thresholds,
    after_failure,
    after_sign_in,
    after_success,
    disconnected,
    paused,
    started,
)
from shared.sources.model import AccessMode

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
REJECTED = PersonMustSignIn(Reason.TOKEN_REJECTED, definite=False)
BLOCKED = AdministratorMustAct(Reason.EWS_BLOCKED)


def a_mailbox(**changes: object) -> Mailbox:
    return Mailbox(
        id="m1",
        shard=0,
        tenant_id="t",
        owner_id="o",
        address="alex@contoso.example",
        display_name="Alex",
        authorization_id="a1",
        mode=AccessMode.DELEGATED,
        created_at=NOW,
    ).with_changes(**changes)


def failing(mailbox: Mailbox, error: ActionNeeded, times: int, now: datetime = NOW) -> Mailbox:
    for _ in range(times):
        mailbox = after_failure(mailbox, error, now, Thresholds(), INTERVAL)
    return mailbox


def test_the_sixth_rejection_in_a_row_asks_to_sign_in() -> None:
    assert failing(a_mailbox(), REJECTED, 5).status is Status.ACTIVE
    assert failing(a_mailbox(), REJECTED, 6).status is Status.NEEDS_SIGN_IN


def test_a_success_between_rejections_starts_the_count_over() -> None:
    after = after_success(failing(a_mailbox(), REJECTED, 5), NOW)
    assert (after.rejections, after.failures, after.reason) == (0, 0, "")
    assert failing(after, REJECTED, 5).status is Status.ACTIVE


def test_a_definite_refusal_asks_to_sign_in_at_once_and_keeps_the_claims() -> None:
    refused = failing(a_mailbox(), PersonMustSignIn(Reason.INTERACTION_REQUIRED, claims='{"x":1}'), 1)
    assert (refused.status, refused.claims) == (Status.NEEDS_SIGN_IN, '{"x":1}')


@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.CONFLICT])
def test_an_outage_never_counts_however_long_it_lasts(reason: Reason) -> None:
    after = failing(a_mailbox(), RetryLater(reason), 1000)
    assert (after.status, after.rejections, after.failures) == (Status.ACTIVE, 0, 0)


def test_our_own_error_changes_nothing_at_all() -> None:
    before = a_mailbox(rejections=5, failures=9)
    assert failing(before, OperatorMustAct(Reason.OUR_CREDENTIAL), 50) == before


def test_answers_we_cannot_read_suspend_after_ten() -> None:
    assert failing(a_mailbox(), RetryLater(Reason.BAD_ANSWER), 9).status is Status.ACTIVE
    assert failing(a_mailbox(), RetryLater(Reason.BAD_ANSWER), 10).status is Status.SUSPENDED


def test_a_blocked_mailbox_waits_longer_and_never_asks_to_sign_in() -> None:
    once, twice = failing(a_mailbox(), BLOCKED, 1), failing(a_mailbox(), BLOCKED, 2)
    assert once.status is twice.status is Status.NEEDS_ADMIN
    assert once.due_at is not None
    assert twice.due_at is not None
    assert once.due_at < NOW + INTERVAL < twice.due_at
    assert failing(a_mailbox(), BLOCKED, 9).due_at <= NOW + timedelta(hours=24)  # type: ignore[operator]
    assert failing(a_mailbox(), BLOCKED, 10).status is Status.SUSPENDED


HIDDEN = AdministratorMustAct(Reason.ACCESS_DENIED, support="ErrorItemNotFound", definite=False)


def test_root_not_found_of_mailbox_read_before_asks_after_six_times() -> None:
    """M8: Exchange answers so now and then of a mailbox that is well."""
    read_before = a_mailbox(last_success_at=NOW)
    five = failing(read_before, HIDDEN, 5)

    assert (five.status, five.due_at, five.reason) == (Status.ACTIVE, None, "access_denied")
    assert after_success(five, NOW).failures == 0
    assert failing(read_before, HIDDEN, 6).status is Status.NEEDS_ADMIN


def test_root_not_found_of_mailbox_never_read_asks_at_once() -> None:
    """M8: Exchange says no more to those who have no right."""
    assert failing(a_mailbox(), HIDDEN, 1).status is Status.NEEDS_ADMIN
    assert failing(a_mailbox(last_success_at=NOW), BLOCKED, 1).status is Status.NEEDS_ADMIN


def test_a_blocked_mailbox_is_due_after_its_wait_and_freed_by_success() -> None:
    blocked = failing(a_mailbox(), BLOCKED, 1)
    assert not is_due(blocked, NOW)
    assert is_due(blocked, NOW + INTERVAL)
    freed = after_success(blocked, NOW)
    assert (freed.status, freed.due_at) == (Status.ACTIVE, None)


def test_signing_in_again_keeps_the_mailbox_and_clears_what_was_wrong() -> None:
    again = after_sign_in(failing(a_mailbox(items=7), REJECTED, 6), "a2")
    assert (again.id, again.items, again.status, again.authorization_id) == ("m1", 7, Status.ACTIVE, "a2")
    assert again.rejections == 0


def test_pausing_and_starting() -> None:
    assert paused(a_mailbox()).status is Status.PAUSED
    assert started(paused(a_mailbox())).status is Status.ACTIVE
    assert started(a_mailbox(status=Status.NEEDS_SIGN_IN)).status is Status.NEEDS_SIGN_IN
    assert paused(a_mailbox(status=Status.DISCONNECTED)).status is Status.DISCONNECTED


@pytest.mark.parametrize("status", [Status.PAUSED, Status.DISCONNECTED, Status.SUSPENDED, Status.NEEDS_SIGN_IN])
def test_a_pass_that_fails_after_its_mailbox_was_stopped_changes_nothing(status: Status) -> None:
    stopped = a_mailbox(status=status, failures=9)
    assert failing(stopped, PersonMustSignIn(Reason.GRANT_REVOKED), 20) == stopped


def test_only_running_mailboxes_are_due() -> None:
    assert {status for status in Status if is_due(a_mailbox(status=status), NOW)} == {
        Status.ACTIVE,
        Status.NEEDS_ADMIN,
    }


def test_disconnecting_forgets_the_authorization() -> None:
    gone = disconnected(a_mailbox())
    assert (gone.status, gone.authorization_id) == (Status.DISCONNECTED, "")
