"""Sample values of the operator's pages of webhooks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.mailboxes.outbox.events import EventType
from shared.pages.console.webhooks import EndpointForm, webhook_values, webhooks_values
from shared.webhooks.endpoints import Registered
from shared.webhooks.model import Answer, Delivery, DeliveryStatus, Endpoint

NOW = datetime(2026, 11, 23, 14, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORKING = Endpoint(
    "4f1c2a7e4f1c2a7e",
    "https://crm.example/hooks/mailbox-sync",
    NOW - timedelta(days=30),
    "operator-oid",
    description="CRM of the sales team",
    events=(EventType.SYNCED, EventType.ERASED),
    tenants=("7a0f5c1e-0000-4000-8000-000000000001",),
    verified_at=NOW - timedelta(days=30),
)
FAILING = WORKING.with_changes(
    id="e2", url="https://archive.example/", events=(), failing_since=NOW - 50 * MINUTE, failed_deliveries=3
)
UNVERIFIED = WORKING.with_changes(id="e3", url=f"https://new.example/{'long/' * 30}", description="", verified_at=None)
DISABLED = WORKING.with_changes(id="e4", enabled=False)
GONE = WORKING.with_changes(id="e5", enabled=False, disabled_reason="gone")
ENDPOINTS = {
    "working": WORKING,
    "failing": FAILING,
    "unverified": UNVERIFIED,
    "disabled": DISABLED,
    "gone": GONE,
}
"""An endpoint in each state."""


def delivery(number: int, minutes_ago: int = 5, **changes: Any) -> Delivery:
    """A delivery of so many minutes ago that was queued and not tried yet."""
    at = NOW - minutes_ago * MINUTE
    one = Delivery(f"d{number}", WORKING.id, f"msg_{number}", EventType.SYNCED.value, f"{number:032x}", at, "{}")
    return one.with_changes(**changes)


DELIVERIES = {
    "pending": delivery(1),
    "retried": delivery(2, attempts=2, answer=503, attempted_at=NOW - MINUTE, next_attempt_at=NOW + 4 * MINUTE),
    "delivered": delivery(3, status=DeliveryStatus.DELIVERED, attempts=1, answer=204, attempted_at=NOW - 5 * MINUTE),
    "overdue": delivery(4, 300),
    "failed": delivery(
        5, 3000, status=DeliveryStatus.FAILED, attempts=10, fault="certificate", attempted_at=NOW - 60 * MINUTE
    ),
    "canceled": delivery(6, 4000, status=DeliveryStatus.CANCELED, fault="something_new", mailbox_id=""),
}
"""A delivery in each state."""


EXTRA: dict[str, object] = {"csrf": "c", "is_operator": True, "done": ""}
TYPED = EndpointForm("http://crm.example/", "CRM", ("mailbox.synced",), ("t1", "t2"))


def webhook_pages() -> dict[str, tuple[str, dict[str, object]]]:
    """The pages that are looked at, by name: the template and its values."""
    deliveries = list(DELIVERIES.values())
    unanswered = Registered(UNVERIFIED, Answer(fault="certificate"))
    made = webhook_values(WORKING, [], NOW, challenged=_returned(WORKING), secret="whsec_" + "A" * 44)
    refused = webhook_values(UNVERIFIED, deliveries, NOW, challenged=unanswered, form=TYPED, refused="tenants")
    return {
        "webhooks": ("console/webhooks", webhooks_values(list(ENDPOINTS.values())) | EXTRA),
        "webhook": ("console/webhook", webhook_values(FAILING, deliveries, NOW) | EXTRA | {"done": "test"}),
        "webhook-made": ("console/webhook", made | EXTRA),
        "webhook-change-refused": ("console/webhook", refused | EXTRA),
        "webhook-confirm-rotate": (
            "console/confirm_webhook",
            {"csrf": "c", "endpoint": WORKING, "action": "rotate"},
        ),
    }


def webhook_variants() -> dict[str, tuple[str, dict[str, object]]]:
    """Further shapes of these pages, which only differ in their words."""
    rotated = WORKING.with_changes(previous_secret_until=NOW + timedelta(hours=24))
    unreturned = Registered(UNVERIFIED, Answer(404))
    reader: dict[str, object] = {"is_operator": False}
    return {
        "webhooks-none": ("console/webhooks", webhooks_values([]) | EXTRA | reader),
        "webhooks-refused": ("console/webhooks", webhooks_values([WORKING], TYPED, "url_not_https") | EXTRA),
        "webhook-reader": (
            "console/webhook",
            webhook_values(FAILING, list(DELIVERIES.values()), NOW) | EXTRA | reader,
        ),
        "webhook-rotated": ("console/webhook", webhook_values(rotated, [], NOW, secret="whsec_" + "B" * 44) | EXTRA),
        "webhook-unreturned": ("console/webhook", webhook_values(UNVERIFIED, [], NOW, challenged=unreturned) | EXTRA),
        "webhook-gone": ("console/webhook", webhook_values(GONE, [], NOW) | EXTRA),
        "webhook-confirm-delete": (
            "console/confirm_webhook",
            {"csrf": "c", "endpoint": WORKING, "action": "delete"},
        ),
    }


def _returned(endpoint: Endpoint) -> Registered:
    return Registered(endpoint, Answer(200), has_returned_challenge=True)
