"""The names of everything in Storage that the deployment creates and the code expects."""

CONTAINERS = ("packs", "feed", "cursors", "leases")
"""Blob containers: contents, change feed, cursors, and the blobs that leases are acquired on."""

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
    "directory",
    "summaries",
    "webhooks",
    "deliveries",
    "jobs",
    "groups",
    "changes",
    "readers",
    "idempotency",
)
"""Tables: the registry and its index by owner, runs, issues, the audit trail, and items; authorizations with the sign-
ins, invitations and approvals in progress; tenants that must not be contacted for a while; erasures, until no worker
from before them can be left; sessions that were revoked before they expired; lists of mailboxes by address and status;
each shard's counts; bulk jobs; groups of mailboxes; the endpoints of webhooks with the deliveries to them; the change
log, the limits of the API's readers, and answers to idempotency keys."""

QUEUES = ("sync-shards", "sync-mailboxes", "webhook-deliveries", "jobs", "notices")
"""Queues: shards to dispatch, mailboxes to sync, attempts to deliver webhooks, slices of bulk jobs, mail. Each has a
`-poison` queue that the host creates when it needs it."""
