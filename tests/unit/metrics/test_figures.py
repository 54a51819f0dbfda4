"""What the program measures, where the facts are known: passes, waits, tokens, freshness, queue messages."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.functions.queue import QueueMessage

from functions.queue_metrics import inserted_at, record_delivery
from shared.app import app
from shared.errors import PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from shared.metrics.instruments import (
    BACK_OFF_WAIT,
    BACK_OFFS,
    FRESHNESS,
    ITEMS,
    MAILBOXES,
    PASS_DURATION,
    PASSES,
    QUEUE_AGE,
    REDELIVERIES,
    REQUESTS,
    SYNCED_MAILBOXES,
    TOKEN_REFRESHES,
)
from shared.metrics.recording import bounded
from shared.sources.model import SourceName
from shared.sync.moving.parity import MoveOutcome
from tests.fakes.authorization_stack import AuthorizationStack
from tests.fakes.metrics import recorded_metrics
from tests.fakes.sync_harness import SyncHarness
from tests.unit.mailboxes.test_transitions import a_mailbox
from tests.unit.scheduling.test_dispatch import NOW, Sent, dispatch


def test_pass_records_outcome_source_items_and_requests() -> None:
    sync = SyncHarness()
    sync.mailbox.add(sync.mailbox.inbox)
    with recorded_metrics() as metrics:
        sync.sync()
        assert metrics.sums(PASSES)["done", "ews", "pass"] == 1
        assert metrics.sums(ITEMS) == {("created", "ews"): 1}
        assert metrics.sums(REQUESTS)["ews",] > 0
        (point,) = metrics.points(PASS_DURATION)
        assert point.count == sum(metrics.sums(PASSES).values())


@pytest.mark.parametrize(("tenant_wide", "scope"), [(False, "mailbox"), (True, "tenant")])
def test_outage_records_its_reason_and_the_wait(tenant_wide: bool, scope: str) -> None:
    sync = SyncHarness()
    sync.tokens.error = RetryLater(Reason.THROTTLED, retry_after=600, tenant_wide=tenant_wide)
    with recorded_metrics() as metrics:
        sync.engine.sync("mailbox-1")
        assert metrics.sums(PASSES) == {("throttled", "ews", "pass"): 1}
        assert metrics.sums(BACK_OFFS) == {("throttled", scope): 1}
        assert metrics.sums(BACK_OFF_WAIT) == {("throttled",): pytest.approx(600 * 1.125)}


def test_every_outcome_reason_and_source_may_be_sent_as_it_is() -> None:
    outcomes = [*Reason, *MoveOutcome, "done", "held", "continues", "restated"]
    assert [one for one in outcomes if bounded(PASSES, {"outcome": str(one)})["outcome"] != str(one)] == []
    assert [one for one in SourceName if bounded(PASSES, {"source": one})["source"] != one] == []
    assert [one for one in Status if bounded(MAILBOXES, {"status": one})["status"] != one] == []


def test_request_for_a_token_records_its_outcome() -> None:
    stack = AuthorizationStack()
    authorization = stack.connect().authorization_id
    with recorded_metrics() as metrics:
        stack.access_tokens.access(authorization, "alex@contoso.example")
        stack.access_tokens.access(authorization, "alex@contoso.example")
        stack.access_tokens.forget(authorization)
        stack.entra.refuse = [PersonMustSignIn(Reason.GRANT_REVOKED)]
        with pytest.raises(PersonMustSignIn):
            stack.access_tokens.access(authorization, "alex@contoso.example")
        assert metrics.sums(TOKEN_REFRESHES) == {("done", "ews"): 1, (Reason.GRANT_REVOKED.value, "ews"): 1}


def test_dispatch_records_each_mailbox_by_status_and_freshness() -> None:
    def mailbox(name: str, status: Status, minutes: int) -> Mailbox:
        at = NOW - timedelta(minutes=minutes)
        return a_mailbox(id=name, status=status, complete_as_of=at, last_success_at=at, source=SourceName.GRAPH)

    shard = (
        mailbox("fresh", Status.ACTIVE, 20),
        mailbox("stale", Status.ACTIVE, 60),
        mailbox("late", Status.ACTIVE, 120),
        mailbox("blocked", Status.NEEDS_ADMIN, 3000),
        mailbox("signed-out", Status.NEEDS_SIGN_IN, 3000),
    )
    with recorded_metrics() as metrics:
        dispatch(Sent(), *shard).shard(0)
        assert metrics.sums(MAILBOXES) == {("active",): 3, ("needs_admin",): 1, ("needs_sign_in",): 1}
        assert metrics.sums(SYNCED_MAILBOXES) == {("fresh",): 1, ("stale",): 2, ("late",): 1}
        (point,) = metrics.points(FRESHNESS)
        assert (point.count, point.min, point.max) == (4, 20 * 60, 3000 * 60)


def test_sweep_does_not_count_the_mailboxes_again() -> None:
    with recorded_metrics() as metrics:
        dispatch(Sent(), a_mailbox()).shard(0, sweep=True)
        assert metrics.points(MAILBOXES) == []


def test_dispatch_that_fails_does_not_count_because_it_is_repeated() -> None:
    class Busy(Sent):
        def send_mailbox(self, mailbox_id: str, **more: object) -> None:
            raise RetryLater(Reason.UNAVAILABLE)

    with recorded_metrics() as metrics:
        with pytest.raises(RetryLater):
            dispatch(Busy(), a_mailbox()).shard(0)
        assert metrics.points(MAILBOXES) == []


def test_first_delivery_of_a_message_records_how_late_it_is() -> None:
    planned = datetime.now(UTC) - timedelta(minutes=5)
    app()
    with recorded_metrics() as metrics:
        record_delivery(QueueMessage(dequeue_count=1), "sync-mailboxes", planned)
        record_delivery(QueueMessage(dequeue_count=1), "sync-mailboxes", planned + timedelta(hours=1))
        record_delivery(QueueMessage(dequeue_count=1), "sync-mailboxes", None)
        (point,) = metrics.points(QUEUE_AGE)
        assert (point.count, point.min, metrics.points(REDELIVERIES)) == (2, 0, [])
        assert point.max >= 300


def test_later_delivery_counts_as_repeated_and_tells_nothing_of_the_queue() -> None:
    app()
    with recorded_metrics() as metrics:
        record_delivery(QueueMessage(dequeue_count=3), "jobs", datetime.now(UTC) - timedelta(minutes=5))
        assert metrics.sums(REDELIVERIES) == {("jobs",): 1}
        assert metrics.points(QUEUE_AGE) == []


def test_time_of_a_message_is_read_as_utc() -> None:
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert inserted_at(QueueMessage(insertion_time=noon.replace(tzinfo=None))) == noon
    assert inserted_at(QueueMessage(insertion_time=noon)) == noon
    assert inserted_at(QueueMessage()) is None
