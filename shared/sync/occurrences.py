"""A calendar's occurrences within a window: recurring events expanded, for whoever shows or searches a calendar.

They are derived: the recurring event itself is an item of the replica, its occurrences are one document beside it,
computed anew whenever a calendar changed and once a day because the window moves.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta

from shared.sources.port import Folder, FolderGone, FolderUnreadable, Item
from shared.sync.desk import Desk
from shared.sync.ledger import DUE, is_calendar

NAME = "occurrences"
"""The derived document: one JSON object a line, ordered by start."""

WRITTEN = "occurrences"
"""In the cursor's notes: the document's digest."""


def write_occurrences(desk: Desk, folders: Iterable[Folder]) -> None:
    """Expand every calendar in scope and replace the document if it says anything new.

    After a change it is replaced in any case: a cursor that was lost may have known of another one. A calendar that is
    gone since the look, or is listed and unknown, leaves it due: the next look says which.
    """
    lines: list[tuple[str, str]] = []
    is_due_again = False
    for folder in filter(is_calendar, folders):
        try:
            lines += _lines(desk, folder)
        except FolderGone:
            is_due_again = True
    data = "".join(f"{line}\n" for _, line in sorted(lines)).encode()
    digest = hashlib.sha256(data).hexdigest()
    before = desk.ledger.notes.get(WRITTEN)
    if desk.ledger.notes.get(DUE) or (digest != before and (lines or before)):
        # Committed first: should this pass die now, the cursor has to know that there is a document to be replaced.
        desk.ledger.note(DUE, True)
        desk.writer.finish()
        desk.budget.check_lease()
        desk.replica.put_derived(desk.mailbox_id, NAME, data)
        desk.ledger.note(WRITTEN, digest)
    desk.ledger.note(DUE, is_due_again)


def _lines(desk: Desk, folder: Folder) -> list[tuple[str, str]]:
    """One calendar's. One that cannot be read is an issue, and has none until that is cured.

    Raises: FolderGone.
    """
    if desk.issues.waits(folder.id):
        return []
    now = desk.clock()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = day - timedelta(days=desk.limits.occurrence_days_back)
    end = day + timedelta(days=desk.limits.occurrence_days_ahead)
    try:
        events = list(desk.source.occurrences(folder, start, end))
    except FolderUnreadable as exc:
        desk.unreadable(folder, exc)
        return []
    return [
        (event.at.isoformat() if event.at else "", _line(folder, event))
        for event in events
        if desk.scope.leaves_out(event, now) is None
    ]


def _line(folder: Folder, event: Item) -> str:
    return json.dumps(
        {
            "source_id": event.id,
            "folder_id": folder.id,
            "item_class": event.item_class,
            "subject": event.subject,
            "at": event.at.isoformat() if event.at else None,
            "metadata": event.metadata,
        },
        ensure_ascii=False,
        sort_keys=True,
    )
