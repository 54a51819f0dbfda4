"""Restates rows after the switch: items that stay the same get the other source's ids and versions, or are marked.

Each line of the feed is of the kind `restate`: the same item, to be found under another id or version, or marked as no
longer tracked. Repeating it after a crash writes what is left. No pass runs before it is done.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from shared.replica.port import Cursor, FeedChange, FeedKind, Replica
from shared.sync.budget import Budget, BudgetSpent
from shared.sync.limits import Limits
from shared.sync.moving import parity
from shared.sync.moving.restated_rows import SurveyedRows, UnsurveyedRows
from shared.sync.moving.survey import DOCUMENT, decode, fingerprint
from shared.sync.moving.surveyed_replica import SurveyedReplica
from shared.sync.state.sync_state import SyncState, from_notes, to_notes


@dataclass(frozen=True, slots=True)
class Restated:
    """All rows are restated: the parity report, empty if the survey was lost, and the sync state that follows."""

    report: dict[str, object]
    state: SyncState


class Restater:
    """Restates the rows of a switched mailbox, page by page within a pass's budget."""

    def __init__(
        self, replica: Replica, mailbox_id: str, *, limits: Limits, budget: Budget, clock: Callable[[], datetime]
    ) -> None:
        self._replica = replica
        self._reader = SurveyedReplica(replica, mailbox_id)
        self._mailbox_id = mailbox_id
        self._limits = limits
        self._budget = budget
        self._clock = clock

    def run(self, cursor: Cursor) -> tuple[Cursor, Restated | None]:
        """Restate what is left; returns the cursor, and when all is done what `finish` needs.

        Raises: Conflict, LeaseLost, and what storage raises.
        """
        state = from_notes(cursor.notes)
        if state.restating is None:
            return cursor, None
        data = self._reader.document(DOCUMENT)
        survey = decode(data) if fingerprint(data) == state.restating.survey else None
        rows = SurveyedRows(survey, state) if survey else UnsurveyedRows(cursor, state)
        try:
            for changes in batched(self._changes(rows), self._limits.page_items, strict=False):
                self._budget.check_lease()
                cursor = self._replica.commit(self._mailbox_id, cursor, changes, cursor)
                self._budget.check()
        except BudgetSpent:
            return cursor, None
        if survey is None:
            # Another document took its place, or it is lost: every folder has to be compared.
            waiting = tuple(sorted(id_ for id_ in cursor.folders if id_ not in state.not_tracked))
            return cursor, Restated({}, state.with_changes(to_compare=waiting))
        origin = state.restating.origin
        report = parity.report(survey, parity.MoveOutcome.MOVED, origin, self._clock().isoformat())
        self._budget.check_lease()
        self._replica.put_derived(self._mailbox_id, parity.DOCUMENT, parity.encode(report))
        return cursor, Restated(report, state)

    def finish(self, cursor: Cursor, restated: Restated) -> Cursor:
        """Commit that nothing is left to restate, then delete the survey. The move must have been recorded before."""
        notes = to_notes(restated.state.with_changes(restating=None))
        cursor = self._replica.commit(self._mailbox_id, cursor, (), replace(cursor, notes=notes))
        self._replica.put_derived(self._mailbox_id, DOCUMENT, b"")
        return cursor

    def _changes(self, rows: SurveyedRows | UnsurveyedRows) -> Iterator[FeedChange]:
        if not rows.may_change:
            return
        for item in self._reader.items():
            after = rows.restated(item)
            if after != item:
                yield FeedChange(FeedKind.RESTATE, after)
        for item in self._reader.left_items():
            after = rows.restated_left(item)
            if after != item:
                yield FeedChange(FeedKind.RESTATE, after)
