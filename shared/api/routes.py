"""The paths of the API below /api/v1, and the one pattern for each that other routes must not match.

It is apart from the operations, so that starting the app does not import them. A test compares the two.
"""

PREFIX = "api/v1"

PATHS = {
    "/activations": "activations",
    "/audit/{subject}": "audit_trail",
    "/changes": "changes",
    "/groups": "groups",
    "/groups/{group}": "group",
    "/invitations": "invitations",
    "/jobs": "jobs",
    "/jobs/{job}": "job",
    "/jobs/{job}/cancel": "job_cancel",
    "/mailboxes": "mailboxes",
    "/mailboxes/{mailbox}": "mailbox",
    "/mailboxes/{mailbox}/changes": "mailbox_changes",
    "/mailboxes/{mailbox}/disconnect": "mailbox_disconnect",
    "/mailboxes/{mailbox}/erase": "mailbox_erase",
    "/mailboxes/{mailbox}/folders": "mailbox_folders",
    "/mailboxes/{mailbox}/group": "mailbox_group",
    "/mailboxes/{mailbox}/hold": "mailbox_hold",
    "/mailboxes/{mailbox}/issues": "mailbox_issues",
    "/mailboxes/{mailbox}/items": "mailbox_items",
    "/mailboxes/{mailbox}/items/{item}": "mailbox_item",
    "/mailboxes/{mailbox}/items/{item}/attachments/{number}": "mailbox_item_attachment",
    "/mailboxes/{mailbox}/items/{item}/content": "mailbox_item_content",
    "/mailboxes/{mailbox}/items/{item}/parsed": "mailbox_item_parsed",
    "/mailboxes/{mailbox}/parity": "mailbox_parity",
    "/mailboxes/{mailbox}/pause": "mailbox_pause",
    "/mailboxes/{mailbox}/reset": "mailbox_reset",
    "/mailboxes/{mailbox}/runs": "mailbox_runs",
    "/mailboxes/{mailbox}/start": "mailbox_start",
    "/mailboxes/{mailbox}/sync": "mailbox_sync",
    "/me": "me",
    "/moves": "moves",
    "/readers": "readers",
    "/readers/{reader}": "reader",
    "/service-accounts": "service_accounts",
    "/service-accounts/{account}/revoke": "service_account_revoke",
    "/webhooks": "webhooks",
    "/webhooks/{webhook}": "webhook",
    "/webhooks/{webhook}/deliveries": "webhook_deliveries",
    "/webhooks/{webhook}/redeliver": "webhook_redeliver",
    "/webhooks/{webhook}/rotate": "webhook_rotate",
    "/webhooks/{webhook}/test": "webhook_test",
    "/webhooks/{webhook}/verify": "webhook_verify",
}
"""Each path, and the name of its function in Azure after `api_`."""

WAITING_PATHS = frozenset({"/changes", "/mailboxes/{mailbox}/changes"})
"""The paths whose answers may be waited for."""

_PART = "((?!/).)+"
"""Any part of a path. It has no brackets, which have a special meaning in route templates."""


def patterns() -> list[str]:
    """Expressions that match exactly the paths of the API."""
    found = []
    for path in PATHS:
        parts = [_PART if part.startswith("{") else part for part in path.strip("/").split("/")]
        found.append("/".join([PREFIX, *parts]))
    return [*found, "api/(docs|openapi.json)"]
