"""Endpoints that answer with what nobody expects, and operators who act twice or at the wrong time."""

import pytest

from shared.webhooks.model import Answer
from tests.fakes.webhooks import WebhookHarness


@pytest.fixture
def harness() -> WebhookHarness:
    return WebhookHarness()


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
