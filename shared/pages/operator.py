"""What the operators' page shows: every mailbox with its freshness, and the reason for whatever is not well."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.pages.status import StatusView, Tone, status_view

ROWS_SHOWN = 500
"""More than anybody reads; who needs all of them asks the API."""


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox of the table."""

    mailbox: Mailbox
    shown: StatusView


def operator_values(mailboxes: Iterable[Mailbox], now: datetime, interval: timedelta, show: str = "") -> dict[str, Any]:
    """The values of the template `admin`: rows of one tone (or all), what needs attention first, the stalest first."""
    rows = [MailboxRow(mailbox, status_view(mailbox, now, interval)) for mailbox in mailboxes]
    tones = Counter(row.shown.tone for row in rows)
    wanted = [row for row in rows if show not in tuple(Tone) or row.shown.tone == show]
    wanted.sort(key=_urgency)
    return {
        "rows": wanted[:ROWS_SHOWN],
        "found": len(wanted),
        "total": len(rows),
        "tones": [(tone, tones[tone]) for tone in _ORDER],
        "show": show if show in tuple(Tone) else "",
    }


_ORDER = [Tone.ATTENTION, Tone.STOPPED, Tone.WORKING, Tone.GOOD]


def _urgency(row: MailboxRow) -> tuple[int, datetime, str]:
    stale_since = row.mailbox.last_success_at or row.mailbox.created_at
    return _ORDER.index(row.shown.tone), stale_since, row.mailbox.id
