"""How the refusals of webhooks become problems."""

import pytest

from shared.api.errors import Refused
from shared.api.operations.webhooks import register_webhook
from shared.api.resources.webhooks import NewWebhook
from shared.webhooks.model import MAX_ENDPOINTS
from tests.fakes.api import ApiParts


def test_endpoint_beyond_the_most_is_a_problem_of_no_field() -> None:
    parts = ApiParts()
    for number in range(MAX_ENDPOINTS):
        parts.call(register_webhook, body=NewWebhook(f"https://crm.example/{number}"))
    with pytest.raises(Refused) as refused:
        parts.call(register_webhook, body=NewWebhook("https://crm.example/more"))
    assert (refused.value.code, refused.value.values) == ("too_many_webhooks", {})
