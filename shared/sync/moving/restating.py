"""Restates rows after the switch: items that stay the same get the other source's ids and versions, or are marked.

Each line of the feed is of the kind `restate`: the same item, to be found under another id or version, or marked as no
longer tracked. Repeating it after a crash writes what is left. No pass runs before it is done.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.replica.port import Cursor, FeedChange, FeedKind, Replica, ReplicaItem
from shared.sources.model import SourceName
from shared.sync.budget import Budget, BudgetSpent
from shared.sync.limits import Limits
from shared.sync.moving import parity
from shared.sync.moving.survey import DOCUMENT, Survey, decode
from shared.sync.moving.surveyed_replica import SurveyedReplica
from shared.sync.moving.switch import is_distrusted
from shared.sync.planning.same_content import is_modified_time_doubtful
from shared.sync.scope import kept_note, kept_of
from shared.sync.state.sync_state import SyncState, from_notes, to_notes


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

    def run(self, cursor: Cursor) -> tuple[Cursor, dict[str, object] | None]:
        """Restate what is left; returns the cursor, and when all is done the parity report.

        Raises: Conflict, LeaseLost, and what storage raises.
        """
        state = from_notes(cursor.notes)
        survey = decode(self._reader.document(DOCUMENT))
        if state.restating is None:
            return cursor, None
        if survey is None or survey.target is not _present(state):
            return self._without_survey(cursor, state), {}
        try:
            for changes in batched(self._changes(survey, state), self._limits.page_items, strict=False):
                self._budget.check_lease()
                cursor = self._replica.commit(self._mailbox_id, cursor, changes, cursor)
                self._budget.check()
        except BudgetSpent:
            return cursor, None
        origin = state.restating.origin
        report = parity.report(survey, parity.MoveOutcome.MOVED, origin, self._clock().isoformat())
        self._budget.check_lease()
        self._replica.put_derived(self._mailbox_id, parity.DOCUMENT, parity.encode(report))
        return self._finished(cursor, state), report

    def _finished(self, cursor: Cursor, state: SyncState) -> Cursor:
        """Commit that nothing is left to restate, then delete the survey."""
        notes = to_notes(state.with_changes(restating=None))
        cursor = self._replica.commit(self._mailbox_id, cursor, (), replace(cursor, notes=notes))
        self._replica.put_derived(self._mailbox_id, DOCUMENT, b"")
        return cursor

    def _without_survey(self, cursor: Cursor, state: SyncState) -> Cursor:
        """Schedule a comparison of every folder, because the survey is lost."""
        waiting = tuple(sorted(id_ for id_ in cursor.folders if id_ not in state.not_tracked))
        return self._finished(cursor, state.with_changes(to_compare=waiting))

    def _changes(self, survey: Survey, state: SyncState) -> Iterator[FeedChange]:
        if not _has_to_restate(survey, state):
            return
        told = _Told(survey, state)
        for item in self._reader.items():
            after = told.restated(item)
            if after != item:
                yield FeedChange(FeedKind.RESTATE, after)
        for item in self._reader.left_items():
            after = told.restated_left(item)
            if after != item:
                yield FeedChange(FeedKind.RESTATE, after)


def _present(state: SyncState) -> SourceName:
    return state.source or SourceName.EWS


def _has_to_restate(survey: Survey, state: SyncState) -> bool:
    """Whether any row changes. A move back clears the marks of the earlier move."""
    is_back = survey.target is SourceName.EWS
    folders = survey.folders.values()
    return (
        is_back
        or bool(state.not_tracked)
        or any(folder.restated or folder.not_given or folder.assumed for folder in folders)
        or any(folder.id != folder.target_id for folder in folders)
        or any(is_distrusted(survey, kind) for kind in survey.sampled)
    )


class _Told:
    """The results of a survey, item by item."""

    def __init__(self, survey: Survey, state: SyncState) -> None:
        folders = survey.folders.values()
        self._ids = {key: told for folder in folders for key, told in folder.restated.items()}
        self._assumed = {key for folder in folders for key in folder.assumed}
        self._not_given = {key for folder in folders for key in folder.not_given}
        self._names = {folder.id: folder.target_id for folder in folders}
        self._kept = state.not_tracked
        self._survey = survey
        self._distrusted = frozenset(kind for kind in survey.sampled if is_distrusted(survey, kind))
        self._at = state.restating.at if state.restating else None

    def restated_left(self, item: ReplicaItem) -> ReplicaItem:
        """Return an item that left, with the id that its folder has at the other source."""
        return item.with_changes(left_folder_id=self._names.get(item.left_folder_id, item.left_folder_id))

    def restated(self, item: ReplicaItem) -> ReplicaItem:
        """Return the item as the other source has it.

        If versions of its kind can be compared, it has another one, and its last-modified time could hide an edit, the
        daily comparison confirms its content (docs/decisions/0011-same-content.md).
        """
        source_id, version = self._ids.get(item.key, (item.source_id, item.version))
        kept = kept_of(item)
        is_out = item.key in self._not_given or item.folder_id in self._kept
        since = (kept.not_tracked or (self._at.isoformat() if self._at else "")) if is_out else ""
        is_saved = version != item.version and self._survey.are_versions_comparable(item.kind)
        is_edited = is_saved and is_modified_time_doubtful(item)
        is_doubtful = item.kind.value in self._distrusted or item.key in self._assumed or is_edited
        assumed = kept.assumed or (is_doubtful and item.located is not None)
        after = replace(kept, not_tracked=since, assumed=assumed)
        metadata = item.metadata if after == kept else {**item.metadata, "sync": kept_note(after)}
        folder_id = self._names.get(item.folder_id, item.folder_id)
        return item.with_changes(source_id=source_id, version=version, folder_id=folder_id, metadata=metadata)
