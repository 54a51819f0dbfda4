"""Endpoints that answer with what nobody expects, and operators who act twice or at the wrong time."""

import pytest

from shared.mailboxes.outbox.events import EventType, new_event
from shared.webhooks.model import MAX_EARLIER_SECRETS, Answer, DeliveryStatus, Endpoint
from tests.fakes.webhooks import WebhookHarness
from tests.unit.mailboxes.test_transitions import a_mailbox


@pytest.fixture
def harness() -> WebhookHarness:
    return WebhookHarness()


def publish(harness: WebhookHarness) -> None:
    """Publish one event and make its first attempt."""
    harness.publisher.publish([new_event(EventType.SYNCED, a_mailbox(tenant_id="t"), harness.clock())])
    harness.work()


def delivery_status(harness: WebhookHarness, endpoint: Endpoint) -> DeliveryStatus:
    (delivery,) = harness.commands.deliveries(endpoint.id, 10)
    return delivery.status


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 4096,
        b'{"a":' * 800,
        b'{"challenge": "\\ud800"}',
        b'"\\ud800"',
        b"\xff\xfe",
        b'{"challenge": {}}',
        b"1e9999",
    ],
    ids=["lists", "objects", "surrogate", "surrogate_alone", "bytes", "object", "number"],
)
def test_challenge_answered_with_anything_leaves_endpoint_unverified(harness: WebhookHarness, body: bytes) -> None:
    harness.receiver.challenge_answers = [Answer(200, body=body)]
    registered = harness.commands.create("https://crm.example/hooks", "op")
    assert not registered.has_returned_challenge
    assert registered.secret
    assert harness.commands.get(registered.endpoint.id).verified_at is None


def test_given_up_deliveries_of_disabled_endpoint_wait_for_it(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.answers = [Answer(500)] * 20
    publish(harness)
    harness.work_for(hours=60)
    harness.receiver.answers = []
    harness.commands.change(endpoint.id, {"enabled": False}, "op")
    assert harness.commands.redeliver(endpoint.id, "op") == 0
    harness.work()
    assert delivery_status(harness, endpoint) is DeliveryStatus.FAILED
    harness.commands.change(endpoint.id, {"enabled": True}, "op")
    assert harness.commands.redeliver(endpoint.id, "op") == 1
    harness.work()
    assert delivery_status(harness, endpoint) is DeliveryStatus.DELIVERED


def test_gone_answered_by_previous_url_does_not_disable_the_new_one(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    harness.receiver.before_answer = lambda: harness.commands.change(endpoint.id, {"url": "https://new.example/"}, "op")
    harness.receiver.answers = [Answer(410)]
    publish(harness)
    after = harness.commands.get(endpoint.id)
    assert (after.url, after.enabled, after.failing_since) == ("https://new.example/", True, None)
    assert after.verified_at is not None
    harness.work_for(hours=1)
    assert delivery_status(harness, endpoint) is DeliveryStatus.DELIVERED


def test_secret_rotated_twice_leaves_every_secret_its_day(harness: WebhookHarness) -> None:
    registered = harness.commands.create("https://crm.example/hooks", "op")
    endpoint_id, secrets = registered.endpoint.id, [registered.secret]
    for _ in range(2):
        secrets.append(harness.commands.rotate(endpoint_id, "op").current)
        harness.clock.pass_by(hours=1)
    assert harness.secrets.read(endpoint_id).valid(harness.clock()) == tuple(reversed(secrets))
    harness.clock.pass_by(hours=22, minutes=30)
    assert harness.secrets.read(endpoint_id).valid(harness.clock()) == (secrets[2], secrets[1])
    harness.clock.pass_by(hours=1)
    assert harness.secrets.read(endpoint_id).valid(harness.clock()) == (secrets[2],)


def test_secret_rotated_again_and_again_signs_with_a_bounded_number(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    for _ in range(20):
        harness.commands.rotate(endpoint.id, "op")
    assert len(harness.secrets.read(endpoint.id).valid(harness.clock())) == MAX_EARLIER_SECRETS + 2


def test_event_on_its_way_while_the_url_changes_is_delivered(harness: WebhookHarness) -> None:
    endpoint = harness.register()
    event = new_event(EventType.SYNCED, a_mailbox(tenant_id="t"), harness.clock())

    def meanwhile() -> None:
        harness.publisher.publish([event])
        harness.work()

    harness.receiver.before_challenge = meanwhile
    changed = harness.commands.change(endpoint.id, {"url": "https://new.example/"}, "op")
    assert (changed.url, changed.verified_at) == ("https://new.example/", harness.clock())
    assert delivery_status(harness, endpoint) is DeliveryStatus.DELIVERED
