"""Records the metrics of passes and of the waits after them."""

from datetime import timedelta

from shared.errors import RetryLater
from shared.metrics.instruments import (
    BACK_OFF_WAIT,
    BACK_OFFS,
    BYTES,
    ITEMS,
    PASS_DURATION,
    PASSES,
    REQUESTS,
)
from shared.sync.recording.pass_result import RunStats


def kind_of(stats: RunStats) -> str:
    """Return what kind of a pass it was: a move, a sweep, or an ordinary pass."""
    if stats.is_move:
        return "move"
    return "sweep" if stats.sweep else "pass"


def record_pass(stats: RunStats, outcome: str, source: str, seconds: float) -> None:
    """Record a pass that has ended: its outcome, its duration, and what it read and wrote."""
    kind, counts = kind_of(stats), stats.counts
    PASSES.add(outcome=outcome, source=source, kind=kind)
    PASS_DURATION.record(seconds, source=source, kind=kind)
    REQUESTS.add(stats.requests, source=source)
    written = (
        ("created", counts.created),
        ("updated", counts.updated),
        ("moved", counts.moved),
        ("deleted", counts.deleted),
    )
    for change, items in written:
        if items:
            ITEMS.add(items, change=change, source=source)
    if counts.bytes:
        BYTES.add(counts.bytes, source=source)


def record_back_off(error: RetryLater, wait: timedelta) -> None:
    """Record a wait after an outage: of the mailbox alone, or of all mailboxes of its tenant."""
    BACK_OFFS.add(reason=error.reason.value, scope="tenant" if error.tenant_wide else "mailbox")
    BACK_OFF_WAIT.record(wait.total_seconds(), reason=error.reason.value)
