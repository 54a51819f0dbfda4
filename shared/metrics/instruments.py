"""All instruments. What the alerts and the workbook in infra/ read is listed here and nowhere else.

Application Insights stores the sum, count, minimum and maximum of a histogram for each minute, and no buckets. So
shares come from counters: the dispatch counts every mailbox at each tick, by its status and by its freshness.
"""

from shared.metrics.recording import Counter, Histogram, Instrument

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

MAILBOXES = Counter(
    "mailbox_sync.mailboxes", "{mailbox}", "Mailboxes that the dispatch found at its tick, by status", ("status",)
)
SYNCED_MAILBOXES = Counter(
    "mailbox_sync.synced_mailboxes",
    "{mailbox}",
    "Mailboxes in a status in which they are synced, at each tick: fresh, stale, or late (stale for three intervals)",
    ("freshness",),
)
FRESHNESS = Histogram(
    "mailbox_sync.freshness",
    "s",
    "How long ago each synced mailbox was complete, at each tick of the dispatch",
    ("source",),
    (35 * _MINUTE, 65 * _MINUTE, 125 * _MINUTE, 6 * _HOUR, _DAY, 7 * _DAY),
)
PASSES = Counter("mailbox_sync.passes", "{pass}", "Passes by outcome", ("outcome", "source", "kind"))
PASS_DURATION = Histogram(
    "mailbox_sync.pass_duration",
    "s",
    "How long a pass took",
    ("source", "kind"),
    (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 240, 480),
)
ITEMS = Counter("mailbox_sync.items", "{item}", "Items that passes wrote", ("change", "source"))
BYTES = Counter("mailbox_sync.bytes", "By", "Bytes of content that passes wrote", ("source",))
REQUESTS = Counter("mailbox_sync.requests", "{request}", "Requests of passes to the mail server", ("source",))
BACK_OFFS = Counter(
    "mailbox_sync.back_offs", "{wait}", "Waits after an outage, of one mailbox or of a tenant", ("reason", "scope")
)
BACK_OFF_WAIT = Histogram(
    "mailbox_sync.back_off_wait",
    "s",
    "How long a back-off waits",
    ("reason",),
    (60, 120, 300, 600, 1800, 3600, 7200),
)
TOKEN_REFRESHES = Counter(
    "mailbox_sync.token_refreshes", "{request}", "Access tokens requested from Entra ID", ("outcome", "source")
)
QUEUE_AGE = Histogram(
    "mailbox_sync.queue_age",
    "s",
    "How much later than planned a queue message was handled, at its first delivery",
    ("queue",),
    (1, 5, 15, 60, 300, 900, 1800, 3600),
)
REDELIVERIES = Counter("mailbox_sync.redeliveries", "{message}", "Queue messages delivered again", ("queue",))

ALL: tuple[Instrument, ...] = (
    MAILBOXES,
    SYNCED_MAILBOXES,
    FRESHNESS,
    PASSES,
    PASS_DURATION,
    ITEMS,
    BYTES,
    REQUESTS,
    BACK_OFFS,
    BACK_OFF_WAIT,
    TOKEN_REFRESHES,
    QUEUE_AGE,
    REDELIVERIES,
)
"""Every instrument."""
