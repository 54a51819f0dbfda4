"""The names of everything kept in Storage: what the deployment makes and the code expects to find."""

CONTAINERS = ("packs", "feed", "cursors", "leases")
"""Blob containers: contents, change feed, cursors, and the blobs that leases are taken on."""

TABLES = (
    "mailboxes",
    "owners",
    "runs",
    "issues",
    "audit",
    "items",
    "authorizations",
    "flows",
    "invitations",
    "approvals",
    "backoffs",
    "erasures",
    "revocations",
)
"""Tables: the registry and its index by owner, passes, items that failed, who did what, the items, how we may read
mailboxes with the sign-ins, invitations and approvals under way, and which tenants are to be left alone for a while;
erasures begun, until nothing of before them can be left; sessions that were ended before their time."""

QUEUES = ("sync-shards", "sync-mailboxes")
"""Queues: shards to dispatch, mailboxes to sync. Each has a `-poison` twin that the host makes when it needs it."""
