"""From an event to an endpoint: who gets it, signatures, retries, giving up, and what is shown of it."""

from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.errors import NotFound, Reason, RetryLater
from shared.mailboxes.outbox.events import EventType, MailboxEvent, new_event
from shared.webhooks.deliverer import REST_SECONDS
from shared.webhooks.errors import TooManyWebhooks, WebhookExists, WebhookRefused
from shared.webhooks.model import DELIVERIES_KEPT, MAX_ENDPOINTS, RETRY_DELAYS, Answer, DeliveryStatus, is_overdue
from shared.webhooks.publisher import CACHED_SECONDS, Publisher
from tests.fakes.webhooks import WebhookHarness
from tests.unit.mailboxes.test_transitions import a_mailbox


@pytest.fixture
def harness() -> WebhookHarness:
    return WebhookHarness()


def an_event(harness: WebhookHarness, kind: EventType = EventType.SYNCED, tenant: str = "t") -> MailboxEvent:
    return new_event(kind, a_mailbox(tenant_id=tenant), harness.clock(), feed=3, after=2)


def test_event_reaches_an_endpoint_that_verifies_it(harness: WebhookHarness) -> None:
    registered = harness.commands.create("https://crm.example/hooks", "op")
    harness.publisher.publish([an_event(harness)])
    harness.work()
    _, headers, body = harness.receiver.received[0]
    with pytest.raises(WebhookVerificationError):  # the fake clock's time is too far from the real one
        Webhook(registered.secret).verify(body, headers)
    fresh = Webhook(registered.secret).sign(headers["webhook-id"], harness.clock(), body)
    assert headers["webhook-signature"] == fresh
    assert body == (
        '{"type":"mailbox.synced","timestamp":"2026-11-23T12:00:00+00:00",'
        '"data":{"mailbox_id":"m1","tenant_id":"t","feed":3,"after":2}}'
    )
    (delivery,) = harness.commands.deliveries(registered.endpoint.id, 10)
    assert (delivery.status, delivery.attempts, delivery.answer) == (DeliveryStatus.DELIVERED, 1, 200)


def test_endpoints_get_the_events_and_tenants_they_chose(harness: WebhookHarness) -> None:
    every = harness.register()
    erased = harness.register(EventType.ERASED)
    tenant = harness.register(tenants=("other",))
    events = [an_event(harness), an_event(harness, EventType.ERASED), an_event(harness, tenant="other")]
    assert harness.publisher.wants(EventType.SYNCED, "other")
    harness.publisher.publish(events)
    counts = [len(harness.commands.deliveries(endpoint.id, 10)) for endpoint in (every, erased, tenant)]
    assert counts == [3, 1, 1]


def test_nobody_wants_an_event_without_a_ready_endpoint(harness: WebhookHarness) -> None:
    assert not harness.publisher.wants(EventType.SYNCED, "t")
    endpoint = harness.register(EventType.ERASED)
    harness.clock.pass_by(seconds=CACHED_SECONDS + 1)
    assert not harness.publisher.wants(EventType.SYNCED, "t")
    assert harness.publisher.wants(EventType.ERASED, "t")
    harness.commands.change(endpoint.id, {"enabled": False}, "op")
    harness.clock.pass_by(seconds=CACHED_SECONDS + 1)
    assert not harness.publisher.wants(EventType.ERASED, "t")


def test_unverified_endpoint_gets_nothing_until_it_returns_the_challenge(harness: WebhookHarness) -> None:
    harness.receiver.returns_challenge = False
    endpoint = harness.register()
    assert endpoint.verified_at is None
    harness.publisher.publish([an_event(harness)])
    assert harness.commands.deliveries(endpoint.id, 10) == []
    harness.receiver.returns_challenge = True
    assert harness.commands.verify(endpoint.id).endpoint.verified_at == harness.clock()


def test_another_url_has_to_be_verified_again(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.returns_challenge = False
    changed = harness.commands.change(endpoint.id, {"url": "https://other.example/", "description": "new"}, "op")
    assert (changed.verified_at, changed.description) == (None, "new")
    harness.receiver.returns_challenge = True
    assert harness.commands.change(endpoint.id, {"description": "again"}, "op").verified_at is not None


def test_failed_attempts_are_repeated_over_two_days_then_given_up(
    harness: WebhookHarness, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(500)] * 20
    harness.publisher.publish([an_event(harness)])
    began = harness.clock()
    harness.work_for(hours=60)
    assert len(set(harness.receiver.events())) == 1
    assert len(harness.receiver.events()) == len(RETRY_DELAYS) + 1
    (delivery,) = harness.commands.deliveries(endpoint.id, 10)
    assert delivery.status is DeliveryStatus.FAILED
    assert delivery.attempted_at is not None
    assert timedelta(hours=47) < delivery.attempted_at - began < timedelta(hours=49)
    failing = harness.commands.get(endpoint.id)
    assert (failing.failing_since, failing.failed_deliveries) == (began, 1)
    assert "webhook delivery given up" in caplog.text
    harness.receiver.answers = []
    assert harness.commands.redeliver(endpoint.id, "op") == 1
    harness.work()
    assert harness.commands.deliveries(endpoint.id, 10)[0].status is DeliveryStatus.DELIVERED
    recovered = harness.commands.get(endpoint.id)
    assert (recovered.failing_since, recovered.failed_deliveries) == (None, 0)


def test_retry_after_is_obeyed_within_a_day(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(429, retry_after=3600), Answer(503, retry_after=10**6)]
    harness.publisher.publish([an_event(harness)])
    for wait in (timedelta(hours=1), timedelta(days=1)):
        harness.work()
        due = harness.commands.deliveries(endpoint.id, 1)[0].next_attempt_at
        assert due == harness.clock() + wait
        harness.clock.pass_by(seconds=wait.total_seconds() + 1)


def test_endpoint_that_does_not_answer_rests_and_costs_no_worker(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(fault="timeout")]
    harness.publisher.publish([an_event(harness), an_event(harness)])
    harness.work()
    assert len(harness.receiver.events()) == 1
    faults = {delivery.fault for delivery in harness.commands.deliveries(endpoint.id, 10)}
    assert faults == {"timeout", "resting"}
    harness.clock.pass_by(seconds=REST_SECONDS)
    harness.work_for(hours=1)
    assert {delivery.status for delivery in harness.commands.deliveries(endpoint.id, 10)} == {DeliveryStatus.DELIVERED}


def test_answer_gone_disables_the_endpoint(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(410)]
    harness.publisher.publish([an_event(harness)])
    harness.work()
    disabled = harness.commands.get(endpoint.id)
    assert (disabled.enabled, disabled.disabled_reason) == (False, "gone")
    assert harness.commands.deliveries(endpoint.id, 1)[0].status is DeliveryStatus.CANCELED
    assert harness.commands.change(endpoint.id, {"enabled": True}, "op").disabled_reason == ""


def test_pending_deliveries_of_a_disabled_endpoint_are_canceled(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.publisher.publish([an_event(harness)])
    harness.commands.change(endpoint.id, {"enabled": False}, "op")
    harness.work()
    assert harness.receiver.events() == []
    assert harness.commands.deliveries(endpoint.id, 1)[0].status is DeliveryStatus.CANCELED


def test_event_published_twice_is_delivered_once(harness: WebhookHarness) -> None:
    harness.register()
    event = an_event(harness)
    harness.publisher.publish([event])
    harness.publisher.publish([event])
    harness.work()
    harness.publisher.publish([event])
    harness.work_for(hours=50)
    assert harness.receiver.events() == [event.id]


def test_duplicate_message_does_not_double_the_retries(harness: WebhookHarness) -> None:
    harness.register()
    harness.receiver.answers = [Answer(500)] * 50
    event = an_event(harness)
    harness.publisher.publish([event])
    harness.publisher.publish([event])
    harness.work_for(hours=60)
    assert len(harness.receiver.events()) == len(RETRY_DELAYS) + 1


def test_event_stays_with_the_publisher_while_the_queue_is_down(harness: WebhookHarness) -> None:
    harness.register()
    event = an_event(harness)
    harness.queue.error = RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.publisher.publish([event])
    harness.queue.error = None
    harness.publisher.publish([event])
    harness.work()
    assert harness.receiver.events() == [event.id]


def test_crash_after_queueing_the_next_attempt_loses_none(harness: WebhookHarness) -> None:
    harness.register()
    harness.receiver.answers = [Answer(500)]
    event = an_event(harness)
    harness.publisher.publish([event])
    ((endpoint_id, delivery_id, attempt),) = harness.queue.take()
    harness.queue.error = RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.deliverer.attempt(endpoint_id, delivery_id, attempt)
    harness.queue.error = None
    assert harness.deliveries.get(endpoint_id, delivery_id).attempts == 0
    harness.deliverer.attempt(endpoint_id, delivery_id, attempt)
    assert harness.receiver.events() == [event.id] * 2


def test_daily_work_forgets_old_deliveries_and_finds_lost_messages(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    old, lost = an_event(harness), an_event(harness)
    harness.publisher.publish([old])
    harness.work()
    harness.clock.pass_by(days=DELIVERIES_KEPT.days - 1)
    harness.publisher.publish([lost := an_event(harness)])
    harness.queue.take()
    harness.clock.pass_by(days=1, hours=1)
    assert harness.deliverer.sweep() == 1
    harness.work()
    assert harness.receiver.events() == [old.id, lost.id]
    assert [delivery.event_id for delivery in harness.commands.deliveries(endpoint.id, 10)] == [lost.id]


def test_rotated_secret_signs_beside_the_previous_one_for_a_day(harness: WebhookHarness) -> None:
    registered = harness.commands.create("https://crm.example/hooks", "op")
    rotated = harness.commands.rotate(registered.endpoint.id, "op")
    assert rotated.current != registered.secret
    for count, hours in ((2, 25), (1, 0)):
        harness.publisher.publish([an_event(harness)])
        harness.work()
        headers = harness.receiver.received[-1][1]
        assert len(headers["webhook-signature"].split(" ")) == count
        harness.clock.pass_by(hours=hours)


def test_test_event_is_sent_once_and_kept(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(404)]
    assert harness.commands.test(endpoint.id, "op").status is DeliveryStatus.FAILED
    assert harness.commands.test(endpoint.id, "op").status is DeliveryStatus.DELIVERED
    assert [one.answer for one in harness.commands.deliveries(endpoint.id, 10)].count(404) == 1
    assert harness.commands.redeliver(endpoint.id, "op") == 0
    assert harness.queue.messages == []


def test_event_that_is_handed_on_while_its_endpoint_is_deleted_leaves_no_delivery(harness: WebhookHarness) -> None:
    """Another instance remembers the endpoint for half a minute."""
    endpoint = harness.register()
    other = Publisher(harness.endpoints, harness.deliveries, harness.queue, harness.clock.monotonic)
    other.publish([an_event(harness)])
    harness.commands.delete(endpoint.id, "op")
    other.publish([an_event(harness)])

    harness.work()

    assert harness.deliveries.recent(endpoint.id, 10) == []
    assert harness.receiver.received == []


def test_endpoint_whose_deliveries_cannot_be_deleted_can_be_deleted_again(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.publisher.publish([an_event(harness)])
    harness.deliveries.failure = RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.commands.delete(endpoint.id, "op")
    harness.deliveries.failure = None

    harness.commands.delete(endpoint.id, "op")

    assert harness.deliveries.recent(endpoint.id, 10) == []
    assert harness.endpoints.all() == []


def test_deleted_endpoint_leaves_nothing(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.publisher.publish([an_event(harness)])
    harness.commands.delete(endpoint.id, "op")
    harness.work()
    assert harness.receiver.events() == []
    assert harness.deliveries.recent(endpoint.id, 10) == []
    for call in (harness.commands.get, harness.secrets.read):
        with pytest.raises(NotFound):
            call(endpoint.id)
    assert [act for _, _, act in harness.audit] == ["webhook_create", "webhook_delete"]


@pytest.mark.parametrize(
    ("parameter", "fields"),
    [
        ("url", {"url": "http://crm.example/"}),
        ("url", {"url": 3}),
        ("events", {"events": ["mailbox.sneezed"]}),
        ("events", {"events": "mailbox.synced"}),
        ("tenants", {"tenants": ["a b"]}),
        ("tenants", {"tenants": [1]}),
        ("description", {"description": "x" * 201}),
        ("description", {"description": "a\nb"}),
        ("enabled", {"enabled": 1}),
    ],
)
def test_wrong_field_is_refused_and_named(harness: WebhookHarness, parameter: str, fields: dict[str, object]) -> None:
    endpoint = harness.register()
    with pytest.raises(WebhookRefused) as refused:
        harness.commands.change(endpoint.id, fields, "op")
    assert refused.value.parameter == parameter
    assert harness.commands.get(endpoint.id) == endpoint


@pytest.mark.parametrize("url", ["https://crm.example/hooks/0", "https://CRM.example:443/hooks/0"])
def test_url_of_another_endpoint_is_refused(harness: WebhookHarness, url: str) -> None:
    first, second = harness.register(), harness.register()
    for register in (
        lambda: harness.commands.create(url, "op"),
        lambda: harness.commands.change(second.id, {"url": url}, "op"),
    ):
        with pytest.raises(WebhookExists) as refused:
            register()
        assert (refused.value.endpoint_id, refused.value.parameter) == (first.id, "url")
    assert harness.commands.all() == [first, second]
    assert harness.commands.change(first.id, {"url": url}, "op").id == first.id


def test_endpoint_beyond_the_most_is_refused(harness: WebhookHarness) -> None:
    for _ in range(MAX_ENDPOINTS):
        harness.register()
    with pytest.raises(TooManyWebhooks):
        harness.register()


@pytest.mark.parametrize("secret", ["whsec_short", "no prefix", "whsec_" + "A" * 200, "whsec_\u00e9"])
def test_weak_or_malformed_secret_is_refused(harness: WebhookHarness, secret: str) -> None:
    with pytest.raises(WebhookRefused):
        harness.commands.create("https://crm.example/hooks", "op", secret=secret)
    assert harness.commands.all() == []


def test_delivery_whose_message_was_lost_is_queued_again_on_request(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.publisher.publish([event := an_event(harness)])
    harness.queue.take()
    assert harness.commands.redeliver(endpoint.id, "op") == 0
    harness.clock.pass_by(hours=2)
    assert is_overdue(harness.commands.deliveries(endpoint.id, 1)[0], harness.clock())
    assert harness.commands.redeliver(endpoint.id, "op") == 1
    assert harness.commands.redeliver(endpoint.id, "op") == 0
    harness.work()
    assert harness.receiver.events() == [event.id]


def test_endpoint_notes_until_when_two_secrets_are_valid(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    assert endpoint.previous_secret_until is None
    rotated = harness.commands.rotate(endpoint.id, "op")
    assert harness.commands.get(endpoint.id).previous_secret_until == rotated.previous_until


def test_challenge_that_is_not_returned_is_told_of_a_verified_endpoint_too(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    assert harness.commands.verify(endpoint.id).has_returned_challenge
    harness.receiver.returns_challenge = False
    again = harness.commands.verify(endpoint.id)
    assert (again.endpoint.verified_at is not None, again.has_returned_challenge) == (True, False)
