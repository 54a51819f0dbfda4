"""The look that begins a pass: which folders there are, which of them are synced, gone, or changed. One request."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from shared.replica.port import FolderState
from shared.sources.port import Folder
from shared.sync import marks, safety
from shared.sync.desk import Desk


@dataclass(frozen=True, slots=True)
class Look:
    """What one look says, compared with the cursor."""

    at: datetime
    """When it was taken, by our clock: the replica will be complete as of this."""
    folders: dict[str, Folder]
    """In scope, by id."""
    gone: tuple[str, ...]
    """Ids of folders in the cursor that are deleted, or not in scope any more."""
    to_read: tuple[Folder, ...]
    """Those that changed, may have changed unseen, or were not read to their end."""
    hold: bool
    """Whether the safety stop holds deletions back."""

    @property
    def in_scope(self) -> int:
        """How many items the source reports in the folders in scope."""
        return sum(folder.total or 0 for folder in self.folders.values())


def look(desk: Desk, read_before: Container[str] = ()) -> Look:
    """Ask for the folders and bring the cursor's folder map up to date: renamed and moved folders get their paths.

    `read_before` are the folders that passes before this one have read to their end as a part of the same work.
    """
    at = desk.clock()
    desk.source.prefetch({id_: state.state for id_, state in desk.ledger.folders.items() if state.state})
    listed = {folder.id: folder for folder in desk.source.folders()}
    folders = desk.scope.folders(listed.values())
    hold = _safety(desk, listed, folders, at)
    states = dict(desk.ledger.folders)
    gone = tuple(id_ for id_ in states if id_ not in folders)
    for folder in folders.values():
        desk.ledger.list_folder(folder)
    to_read = tuple(
        folder
        for folder in folders.values()
        if _has_to_be_read(desk, folder, states.get(folder.id), again=folder.id in read_before)
        and not (hold and safety.is_shrinking(folder, states.get(folder.id)))
    )
    return Look(at, folders, () if hold else gone, to_read, hold)


def _has_to_be_read(desk: Desk, folder: Folder, state: FolderState | None, *, again: bool) -> bool:
    """A folder that could not be read has an issue: whatever its mark says, it is tried again when that is due."""
    if (due := desk.issues.has_due(folder.id)) is not None:
        return due
    return marks.has_changed(folder, state, desk.ledger.notes, again=again)


def _safety(desk: Desk, listed: dict[str, Folder], folders: dict[str, Folder], at: datetime) -> bool:
    held, gone = safety.vanishing(desk.ledger.folders, listed, folders)
    verdict = safety.judge(held, gone, desk.ledger.notes.get(safety.NOTE), at, desk.limits)
    desk.ledger.note(safety.NOTE, verdict.since)
    return verdict.hold


def settle(desk: Desk, folder: Folder, looked_at: datetime) -> None:
    """A folder was read to its end: note how far its mark can be believed."""
    notes = dict(desk.ledger.notes)
    if marks.settle(folder, notes, looked_at, desk.limits):
        desk.ledger.note(marks.NOTE, notes.get(marks.NOTE))


def unlist(desk: Desk, folder_id: str) -> None:
    """Forget a folder that is gone, once its last item is on a page."""
    notes = dict(desk.ledger.notes)
    if marks.forget(folder_id, notes):
        desk.ledger.note(marks.NOTE, notes.get(marks.NOTE))
    desk.ledger.remove(folder_id)
