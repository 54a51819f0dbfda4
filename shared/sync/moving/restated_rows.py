"""Rows after a switch: the ids and versions that the other source has, and marks on what it does not give."""

from dataclasses import replace

from shared.replica.port import Cursor, ReplicaItem
from shared.sources.coverage import gives_item
from shared.sources.model import SourceName
from shared.sync.moving.survey import Survey
from shared.sync.moving.switch import is_distrusted
from shared.sync.planning.same_content import is_modified_time_doubtful
from shared.sync.scope import Kept, kept_note, kept_of
from shared.sync.state.sync_state import SyncState


class _Rows:
    """What a row tells of the switch alone: the ids that folders have now, and since when it is not tracked."""

    def __init__(self, state: SyncState) -> None:
        restating = state.restating
        self._folder_ids = restating.folder_ids if restating else {}
        self._since = restating.at.isoformat() if restating else ""
        self._not_tracked = state.not_tracked

    def restated_left(self, item: ReplicaItem) -> ReplicaItem:
        """Return an item that left, with the id that its folder has at the other source."""
        return item.with_changes(left_folder_id=self._folder_ids.get(item.left_folder_id, item.left_folder_id))

    def _folder_id(self, item: ReplicaItem) -> str:
        return self._folder_ids.get(item.folder_id, item.folder_id)

    def _not_tracked_since(self, kept: Kept, *, is_out: bool) -> str:
        return (kept.not_tracked or self._since) if is_out else ""


class SurveyedRows(_Rows):
    """Rows as a survey has compared them."""

    def __init__(self, survey: Survey, state: SyncState) -> None:
        super().__init__(state)
        folders = survey.folders.values()
        self._ids = {key: told for folder in folders for key, told in folder.restated.items()}
        self._assumed = {key for folder in folders for key in folder.assumed}
        self._not_given = {key for folder in folders for key in folder.not_given}
        self._survey = survey
        self._distrusted = frozenset(kind for kind in survey.sampled if is_distrusted(survey, kind))

    @property
    def may_change(self) -> bool:
        """Whether any row may change. A move back clears the marks of the earlier move."""
        is_back = self._survey.target is SourceName.EWS
        known = self._ids or self._assumed or self._not_given or self._distrusted
        return is_back or bool(known or self._folder_ids or self._not_tracked)

    def restated(self, item: ReplicaItem) -> ReplicaItem:
        """Return the item as the other source has it.

        If versions of its kind can be compared, it has another one, and its last-modified time could hide an edit, the
        daily comparison confirms its content (docs/decisions/0011-same-content.md).
        """
        source_id, version = self._ids.get(item.key, (item.source_id, item.version))
        kept = kept_of(item)
        is_out = item.key in self._not_given or item.folder_id in self._not_tracked
        is_saved = version != item.version and self._survey.are_versions_comparable(item.kind)
        is_edited = is_saved and is_modified_time_doubtful(item)
        is_doubtful = item.kind.value in self._distrusted or item.key in self._assumed or is_edited
        assumed = kept.assumed or (is_doubtful and item.located is not None)
        after = replace(kept, not_tracked=self._not_tracked_since(kept, is_out=is_out), assumed=assumed)
        restated = item.with_changes(source_id=source_id, version=version, folder_id=self._folder_id(item))
        return restated if after == kept else _with_note(restated, after)


class UnsurveyedRows(_Rows):
    """Rows whose survey is lost: comparisons of every folder find their ids and versions."""

    may_change = True

    def __init__(self, cursor: Cursor, state: SyncState) -> None:
        super().__init__(state)
        self._source = state.source or SourceName.EWS
        self._kinds = {folder.id: folder.kind for folder in cursor.folders.values()}

    def restated(self, item: ReplicaItem) -> ReplicaItem:
        """Return the item in the folder's present id, marked if the present source never gives such an item."""
        folder_id, kept = self._folder_id(item), kept_of(item)
        is_given = gives_item(self._source, item.kind, item.item_class, self._kinds.get(folder_id))
        is_out = folder_id in self._not_tracked or not is_given
        after = replace(kept, not_tracked=self._not_tracked_since(kept, is_out=is_out))
        restated = item.with_changes(folder_id=folder_id)
        return restated if after == kept else _with_note(restated, after)


def _with_note(item: ReplicaItem, kept: Kept) -> ReplicaItem:
    return item.with_changes(metadata={**item.metadata, "sync": kept_note(kept)})
