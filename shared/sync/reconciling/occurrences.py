"""A calendar's occurrences within a time window: expanded recurring events, for showing or searching a calendar.

They are derived data: the recurring event itself is an item of the replica, and its occurrences are in one additional
document. It is computed again when a calendar has changed, and once a day because the window moves.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.sources.model import Folder, Item
from shared.sources.port import FolderGone, FolderUnreadable, MailSource
from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from shared.sync.state.cursor_draft import CursorDraft, is_calendar
from shared.sync.state.issues import Issues
from shared.sync.state.page_writer import PageWriter
from shared.sync.state.replica_view import ReplicaView

NAME = "occurrences"
"""The name of the derived document: one JSON object per line, ordered by start."""


class OccurrenceWriter:
    """Expands the calendars in scope and keeps the document up to date."""

    def __init__(
        self,
        source: MailSource,
        replica: ReplicaView,
        draft: CursorDraft,
        pages: PageWriter,
        issues: Issues,
        *,
        scope: Scope,
        limits: Limits,
        budget: Budget,
    ) -> None:
        self._source = source
        self._replica = replica
        self._draft = draft
        self._pages = pages
        self._issues = issues
        self._scope = scope
        self._limits = limits
        self._budget = budget

    def write(self, folders: Iterable[Folder], now: datetime) -> None:
        """Expand every calendar and replace the document if it has changed.

        After a change of a calendar it is always replaced, because a lost cursor may have known another document. If a
        calendar is gone since the scan, or is listed but does not exist, the document stays due: the next scan decides.

        The last writer of the document wins, so a worker that was paused may have replaced it by an earlier one. It is
        replaced too if it is not the one that the cursor knows.
        """
        lines: list[tuple[str, str]] = []
        is_due_again = False
        for folder in filter(is_calendar, folders):
            try:
                lines += self._lines(folder, now)
            except FolderGone:
                is_due_again = True
        data = "".join(f"{line}\n" for _, line in sorted(lines)).encode()
        digest = _digest(data)
        before = self._draft.state.occurrences_digest
        is_current = digest == before and digest == _digest(self._replica.derived(NAME))
        if self._draft.state.occurrences_due or ((lines or before) and not is_current):
            # Committed first: if the pass crashes now, the cursor must say that the document has to be replaced.
            self._draft.update(occurrences_due=True)
            self._pages.submit(wait=True)
            self._budget.check_lease()
            self._replica.put_derived(NAME, data)
            self._draft.update(occurrences_digest=digest)
        self._draft.update(occurrences_due=is_due_again)

    def _lines(self, folder: Folder, now: datetime) -> list[tuple[str, str]]:
        """Return one calendar's lines. An unreadable calendar becomes an issue and has none until that is resolved.

        Raises:
            FolderGone: the calendar does not exist.
        """
        if self._issues.waits(folder.id):
            return []
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        start = day - timedelta(days=self._limits.occurrence_days_back)
        end = day + timedelta(days=self._limits.occurrence_days_ahead)
        try:
            events = list(self._source.occurrences(folder, start, end))
        except FolderUnreadable as exc:
            self._issues.unreadable(folder, exc)
            return []
        return [
            (event.at.isoformat() if event.at else "", _line(folder, event))
            for event in events
            if self._scope.leaves_out(event, now) is None
        ]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
