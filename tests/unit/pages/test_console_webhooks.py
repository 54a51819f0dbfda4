"""The values of the operator's pages of webhooks."""

import re

import pytest

from shared.pages.catalog import english
from shared.pages.console.webhooks import (
    CONFIRMED_FIRST,
    TOLD_AFTERWARD,
    EndpointForm,
    WebhookAction,
    actions_of,
    delivery_state,
    endpoint_form,
    endpoint_state,
    form_of,
    refusal_key,
)
from shared.pages.pages import Pages
from shared.webhooks.errors import TooManyWebhooks, WebhookExists, WebhookRefused
from shared.webhooks.model import Delivery, Endpoint
from tests.unit.pages.webhook_samples import (
    DELIVERIES,
    ENDPOINTS,
    NOW,
    WORKING,
    delivery,
    webhook_pages,
    webhook_variants,
)

PAGES = Pages("Contoso Ltd")
ALL = webhook_pages() | webhook_variants()


def html_of(name: str) -> str:
    template, values = ALL[name]
    return PAGES.render(template, **values)


@pytest.mark.parametrize(("state", "endpoint"), ENDPOINTS.items())
def test_endpoint_is_shown_in_its_state(state: str, endpoint: Endpoint) -> None:
    assert endpoint_state(endpoint).state == state
    assert english().text(f"console.webhooks.states.{state}")


def test_no_state_of_an_endpoint_or_a_delivery_is_without_a_sample() -> None:
    assert set(english().keys("console.webhooks.states")) == set(ENDPOINTS)
    assert set(english().keys("console.webhooks.deliveries.states")) == set(DELIVERIES)


@pytest.mark.parametrize(("state", "one"), DELIVERIES.items())
def test_delivery_is_shown_in_its_state(state: str, one: Delivery) -> None:
    assert delivery_state(one, NOW).state == state


def test_every_action_has_its_words() -> None:
    assert set(english().keys("console.webhooks.actions")) == set(WebhookAction)
    assert set(english().keys("console.webhooks.confirm")) == set(CONFIRMED_FIRST)
    assert set(english().keys("console.webhooks.done")) == {*TOLD_AFTERWARD, "change"}


def test_what_was_given_up_or_lost_can_be_queued_again_and_nothing_else() -> None:
    for state, one in DELIVERIES.items():
        assert (WebhookAction.REDELIVER in actions_of(WORKING, [one], NOW)) == (state in ("failed", "overdue"))
    older = WORKING.with_changes(failed_deliveries=1)
    assert WebhookAction.REDELIVER in actions_of(older, [delivery(1)], NOW)
    assert WebhookAction.REDELIVER not in actions_of(older.with_changes(enabled=False), [], NOW)


def test_form_is_read_back_as_it_is_shown() -> None:
    fields = {
        "url": " https://crm.example/ ",
        "description": "CRM",
        "event-mailbox.synced": "on",
        "event-mailbox.sneezed": "on",
        "tenants": "t1, t2\n t3",
        "secret": " whsec_x ",
    }
    form = endpoint_form(fields)
    assert (form.url, form.secret, form.tenants) == ("https://crm.example/", "whsec_x", ("t1", "t2", "t3"))
    assert form.events == ("mailbox.synced", "mailbox.sneezed")
    assert "whsec_x" not in repr(form)
    assert form_of(WORKING) == EndpointForm(WORKING.url, WORKING.description, WORKING.events, WORKING.tenants)


@pytest.mark.parametrize(
    "refused",
    [
        *(WebhookRefused("url", fault) for fault in ("not_https", "malformed", "port", "address", "wrong")),
        WebhookExists("e1"),
        TooManyWebhooks(),
        *(WebhookRefused(name) for name in ("events", "tenants", "description", "secret")),
    ],
    ids=str,
)
def test_every_refusal_is_told(refused: WebhookRefused | TooManyWebhooks) -> None:
    assert english().text(f"console.webhooks.refused.{refusal_key(refused)}")


def test_secret_is_on_the_page_of_the_response_that_made_it_alone() -> None:
    assert {name for name in ALL if "whsec_" in _values_shown(html_of(name))} == {
        "webhook-made",
        "webhook-rotated",
    }


def _values_shown(html: str) -> str:
    return " ".join(re.findall(r'value="([^"]*)"', html))


def test_reader_sees_the_endpoint_and_no_form() -> None:
    html = html_of("webhook-reader")
    assert "Given up" in html
    assert html.count("<form") == 1, "signing out"
    assert html_of("webhooks-none").count("<form") == 1


def test_answer_to_a_challenge_is_told() -> None:
    assert "is verified and gets events" in html_of("webhook-made")
    assert "its certificate is not valid" in html_of("webhook-change-refused")
    assert "with status 404" in html_of("webhook-unreturned")


def test_fault_without_a_sentence_is_shown_as_it_is() -> None:
    assert "something_new" in html_of("webhook")


@pytest.mark.parametrize("name", ALL)
def test_every_page_says_what_it_is(name: str) -> None:
    assert "<h1>" in html_of(name)


def test_refused_form_keeps_what_was_typed() -> None:
    html = html_of("webhooks-refused")
    assert 'value="http://crm.example/" aria-invalid="true"' in html
    assert 'name="event-mailbox.synced" checked' in html
    assert "<details open>" in html_of("webhook-change-refused")
