"""The scan that begins a pass: which folders there are, which of them are synced, gone, or changed. One request."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.replica.port import FolderState
from shared.sources.model import Folder
from shared.sources.port import MailSource
from shared.sync import safety
from shared.sync.limits import Limits
from shared.sync.reading import folder_change_tokens
from shared.sync.scope import Scope
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.issues import Issues


@dataclass(frozen=True, slots=True)
class FolderScan:
    """What one scan says, compared with the cursor."""

    at: datetime
    """When it was taken, by our clock: the replica will be complete as of this."""
    folders: dict[str, Folder]
    """In scope, by id."""
    not_tracked: dict[str, Folder]
    """In scope and kept as they are, since the source does not list them, by id."""
    gone: tuple[str, ...]
    """Ids of folders in the cursor that are deleted, or not in scope any more."""
    left: frozenset[str]
    """Those of them that are gone by what happened in the mailbox: where they were, the settings include them."""
    to_read: tuple[Folder, ...]
    """Those that changed, may have changed unseen, or were not read to their end."""
    deletions_blocked: bool
    """Whether the safety stop holds deletions back."""

    @property
    def in_scope(self) -> int:
        """How many items the source reports in the folders in scope."""
        return sum(folder.total or 0 for folder in self.folders.values())


class FolderScanner:
    """Scans the folders and brings the draft's folder map up to date."""

    def __init__(self, source: MailSource, scope: Scope, draft: CursorDraft, issues: Issues, limits: Limits) -> None:
        self._source = source
        self._scope = scope
        self._draft = draft
        self._issues = issues
        self._limits = limits

    def scan(self, at: datetime, read_before: Container[str] = ()) -> FolderScan:
        """Ask for the folders; renamed and moved ones get their paths.

        `read_before` are the folders that passes before this one have read to their end as a part of the same work.
        """
        known = self._draft.folders
        self._source.prefetch({id_: state.state for id_, state in known.items() if state.state})
        listed = {folder.id: folder for folder in self._source.folders()}
        folders = self._scope.folders(listed.values())
        kept = self._not_tracked(listed)
        blocked = self._deletions_blocked(listed, folders, kept, at)
        states = dict(self._draft.folders)
        gone = tuple(id_ for id_ in states if id_ not in folders and id_ not in kept)
        for folder in folders.values():
            self._draft.list_folder(folder)
        to_read = tuple(
            folder
            for folder in folders.values()
            if self._has_to_be_read(folder, states.get(folder.id), read_before=folder.id in read_before)
            and not (blocked and safety.is_shrinking(folder, states.get(folder.id)))
        )
        gone = () if blocked else gone
        return FolderScan(at, folders, kept, gone, self._left(gone, states), to_read, blocked)

    def _left(self, gone: Collection[str], states: Mapping[str, FolderState]) -> frozenset[str]:
        """Which folders that are gone would be in scope at the place where they were."""
        if not gone:
            return frozenset()
        were = {id_: _folder_of(state) for id_, state in states.items()}
        return frozenset(self._scope.folders(were.values())).intersection(gone)

    def _has_to_be_read(self, folder: Folder, state: FolderState | None, *, read_before: bool) -> bool:
        """A folder that could not be read has an issue: whatever its token says, it is tried again when that is due."""
        if (due := self._issues.has_due(folder.id)) is not None:
            return due
        unsettled = folder.id in self._draft.state.unsettled
        return folder_change_tokens.has_changed(folder, state, unsettled=unsettled, read_before=read_before)

    def _not_tracked(self, listed: dict[str, Folder]) -> dict[str, Folder]:
        """The folders that the source does not list and that stay as they are, as far as they are in scope.

        One that it lists after all is tracked from now on.
        """
        states, since = self._draft.folders, self._draft.state.not_tracked
        if not since:
            return {}
        waiting = {id_: at for id_, at in since.items() if id_ in states and id_ not in listed}
        self._draft.update(not_tracked=waiting)
        folders = [_folder_of(states[id_]) for id_ in waiting]
        in_scope = self._scope.folders([*listed.values(), *folders])
        return {id_: folder for id_, folder in in_scope.items() if id_ in waiting}

    def _deletions_blocked(
        self, listed: dict[str, Folder], folders: dict[str, Folder], kept: Container[str], at: datetime
    ) -> bool:
        tracked = {id_: state for id_, state in self._draft.folders.items() if id_ not in kept}
        held, gone = safety.vanishing(tracked, listed, folders)
        verdict = safety.judge(held, gone, self._draft.state.looks_empty_since, at, self._limits)
        self._draft.update(looks_empty_since=verdict.since)
        return verdict.deletions_blocked


def _folder_of(state: FolderState) -> Folder:
    """A folder as it was listed last."""
    name = state.path.rpartition("/")[2]
    return Folder(state.id, state.parent_id, name, state.path, state.kind, state.role, None, archive=state.archive)
