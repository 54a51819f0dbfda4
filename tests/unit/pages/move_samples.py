"""Sample values of the pages about moves between EWS and Graph."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.mailboxes.moves import SAFETY
from shared.mailboxes.summary.counting import ShardCounter
from shared.mailboxes.summary.model import total
from shared.pages.moves import moves_values, parity_values
from shared.sources.model import SourceName

NOW = datetime(2026, 11, 23, 14, 7, tzinfo=UTC)
BOTH = [SourceName.EWS, SourceName.GRAPH]


def numbers(**counts: int) -> dict[str, int]:
    """The numbers of one kind, as a report has them."""
    return {name: counts.get(name, 0) for name in ("same", "changed", "new", "gone", "not_given", "fields_lost")}


REPORT: dict[str, Any] = {
    "outcome": "blocked",
    "from": "ews",
    "to": "graph",
    "begun_at": NOW.isoformat(),
    "at": NOW.isoformat(),
    "total": numbers(same=11_404, changed=12, new=3, gone=950, not_given=5, fields_lost=40),
    "kinds": {
        "message": numbers(same=11_200, changed=12, new=3, gone=950),
        "event": numbers(same=164),
        "task": numbers(same=40, fields_lost=40),
        "list": numbers(not_given=5),
    },
    "folders": [
        {"path": "Inbox", "kinds": {"message": numbers(same=9_000, changed=12, new=3, gone=950)}},
        {"path": "Projects/A very long name of a folder without any end to it/2026", "kinds": {}},
        {"path": "Calendar", "kinds": {"event": numbers(same=164)}},
    ],
    "kept_folders": ["Journal", "Notes"],
    "examples": {"changed": ["5a1b2c3d4e5f60718293a4b5c6d7e8f9"], "gone": ["0f" * 16, "1e" * 16, "2d" * 16]},
    "samples": {"message": "different", "event": "same", "task": "fields_lost"},
    "requests": 128,
    "bytes": 4_518_233,
}


def moves_of(mailboxes: Sequence[Mailbox], usable: Sequence[SourceName]) -> dict[str, Any]:
    """The values of the page of moves, as it is counted and listed for these mailboxes."""
    counter = ShardCounter(NOW, timedelta(minutes=30))
    for mailbox in mailboxes:
        counter.count(mailbox)
    totals = total([counter.summary(0, NOW, None)], 1, NOW)
    return moves_values(totals, [mailbox for mailbox in mailboxes if mailbox.id in totals.moves], usable)


def move_pages(mailbox: Mailbox) -> dict[str, tuple[str, dict[str, object]]]:
    """The pages by name: the template and its values."""
    blocked = mailbox.with_changes(
        id="blocked", moving_to=SourceName.GRAPH, move_blocked=SAFETY, parity_same=11_404, parity_gone=950
    )
    moved = mailbox.with_changes(id="moved", source=SourceName.GRAPH, moved_at=NOW, parity_same=900)
    asked = mailbox.with_changes(id="asked", moving_to=SourceName.GRAPH, move_dry=True)
    extra: dict[str, object] = {"csrf": "c", "done": ""}
    return {
        "moves": ("moves", moves_of([blocked, moved, asked, mailbox], BOTH) | extra | {"done": "survey"}),
        "moves-none": ("moves", moves_of([mailbox], [SourceName.EWS]) | extra),
        "parity": ("parity", parity_values(blocked, REPORT, BOTH) | extra),
        "parity-moved": ("parity", parity_values(moved, {**REPORT, "outcome": "moved"}, BOTH) | extra),
        "parity-none": ("parity", parity_values(asked, {}, BOTH) | extra | {"done": "cancel"}),
    }
