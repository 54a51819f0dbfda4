"""Computes the values of the operator's page: every mailbox with its freshness, and the reasons of problems."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.pages.status import StatusView, Tone, status_view

ROWS_SHOWN = 500
"""The most rows that the page shows; the API lists all mailboxes."""


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One row of the table."""

    mailbox: Mailbox
    shown: StatusView


def operator_values(
    mailboxes: Iterable[Mailbox], now: datetime, interval: timedelta, show: str = "", find: str = ""
) -> dict[str, Any]:
    """Return the values of the template `operator`: the rows of one tone, or all; the most urgent and stalest first.

    `find` is a part of an address or of an id; all mailboxes are searched, not only the rows that are shown.
    """
    rows = [MailboxRow(mailbox, status_view(mailbox, now, interval)) for mailbox in mailboxes]
    tones = Counter(row.shown.tone for row in rows)
    wanted = [row for row in rows if _is_wanted(row, show, find.strip().casefold())]
    wanted.sort(key=_urgency)
    return {
        "moves": _moves_of([row.mailbox for row in rows]),
        "rows": wanted[:ROWS_SHOWN],
        "found": len(wanted),
        "find": find.strip(),
        "total": len(rows),
        "tones": [(tone, tones[tone]) for tone in _ORDER],
        "show": show if show in tuple(Tone) else "",
    }


def _is_wanted(row: MailboxRow, show: str, find: str) -> bool:
    has_tone = show not in tuple(Tone) or row.shown.tone == show
    return has_tone and (find in row.mailbox.address.casefold() or find in row.mailbox.id.casefold())


def _moves_of(mailboxes: Sequence[Mailbox]) -> dict[str, int]:
    """How many mailboxes were moved between their sources or could not be, and how their items compared, summed."""
    moved = [mailbox for mailbox in mailboxes if mailbox.moved_at is not None]
    return {
        "moved": len(moved),
        "blocked": sum(bool(mailbox.move_blocked) for mailbox in mailboxes),
        "same": sum(mailbox.parity_same for mailbox in moved),
        "changed": sum(mailbox.parity_changed for mailbox in moved),
        "gone": sum(mailbox.parity_gone for mailbox in moved),
        "kept": sum(mailbox.parity_not_given for mailbox in moved),
    }


_ORDER = [Tone.ATTENTION, Tone.STOPPED, Tone.WORKING, Tone.GOOD]


def _urgency(row: MailboxRow) -> tuple[int, datetime, str]:
    stale_since = row.mailbox.last_success_at or row.mailbox.created_at
    return _ORDER.index(row.shown.tone), stale_since, row.mailbox.id
