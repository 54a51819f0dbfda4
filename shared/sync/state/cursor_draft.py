"""The cursor during a pass: the committed one plus the changes of the page that is being filled."""

from collections.abc import Iterable
from dataclasses import replace

from shared.replica.port import Cursor, FeedChange, FeedKind, FolderState
from shared.sources.model import Folder, FolderKind
from shared.sync.state.sync_state import SyncState, from_notes, to_notes


class CursorDraft:
    """Folders and state as they will be after all changes so far. Not thread-safe: for the pass's own thread."""

    def __init__(self, cursor: Cursor) -> None:
        self._folders: dict[str, FolderState] = dict(cursor.folders)
        self._counts: dict[str, int] = {}
        self._state = from_notes(cursor.notes)
        self._unconfirmed = {folder_id: dict.fromkeys(keys) for folder_id, keys in self._state.unconfirmed.items()}
        self._restarted: set[str] = set()
        self._dirty = False

    @property
    def state(self) -> SyncState:
        """The sync state; its `unconfirmed` is that of the last snapshot."""
        return self._state

    @property
    def is_dirty(self) -> bool:
        """Whether anything changed since the last snapshot."""
        return self._dirty

    @property
    def folders(self) -> dict[str, FolderState]:
        """Every folder's state, including the items counted since the last page."""
        if self._counts:
            counts, self._counts = self._counts, {}
            for folder_id, number in counts.items():
                if state := self._folders.get(folder_id):
                    self._put(replace(state, items=max(0, state.items + number)))
        return self._folders

    def snapshot(self) -> Cursor:
        """Return the cursor after all changes so far, and mark the draft as not dirty."""
        self.update(unconfirmed={folder_id: tuple(keys) for folder_id, keys in self._unconfirmed.items() if keys})
        following = Cursor(folders=dict(self.folders), notes=to_notes(self._state))
        self._dirty = False
        return following

    def update(self, **changes: object) -> None:
        """Change some fields of the state."""
        if any(getattr(self._state, name) != value for name, value in changes.items()):
            self._state = self._state.with_changes(**changes)
            self._dirty = True

    def held(self) -> int:
        """Return how many items the replica holds."""
        return sum(state.items for state in self.folders.values())

    def list_folder(self, folder: Folder) -> None:
        """Apply a scan's data of a folder: add a new one, and update the path of a renamed or moved one."""
        state = self.folders.get(folder.id)
        if state is not None and _named(state) == _named(folder):
            return
        self._put(
            replace(
                state or FolderState(id=folder.id, path=folder.path),
                path=folder.path,
                parent_id=folder.parent_id,
                kind=folder.kind,
                role=folder.role,
                archive=folder.archive,
            )
        )

    def advance(self, folder: Folder, state: str, *, complete: bool) -> None:
        """Advance a folder to `state` after its changes were added; `complete` says that no further changes follow."""
        before = self.folders[folder.id]
        if before.state != state and is_calendar(folder):
            self._make_occurrences_due()
        if complete:
            before = replace(before, seeded=True, change_token=folder.change_token, total=folder.total or 0)
        self._put(replace(before, state=state))

    def restart(self, folder_id: str) -> None:
        """Have a folder read from the beginning, although its items may be in the replica.

        Deletions before that are not reported, so its items have to be compared one by one afterward.
        """
        self._put(replace(self.folders[folder_id], state=None, change_token=None))
        self._restarted.add(folder_id)
        self.compare_again(folder_id, again=True)

    def has_restarted(self, folder_id: str) -> bool:
        """Whether a folder lost its state in this pass, or since `watch_restart`."""
        return folder_id in self._restarted

    def watch_restart(self, folder_id: str) -> None:
        """Start watching whether this folder loses its state from now on."""
        self._restarted.discard(folder_id)

    def compare_again(self, folder_id: str, *, again: bool) -> None:
        """Schedule a folder's comparison, or with `again` False cancel it, when it was compared or is gone."""
        waiting = {*self._state.to_compare} - {folder_id} | ({folder_id} if again else set())
        self.update(to_compare=tuple(sorted(waiting)))
        if not again:
            self.update(read_anew=tuple(id_ for id_ in self._state.read_anew if id_ != folder_id))

    def add_unconfirmed(self, folder_id: str, key: str) -> None:
        """Record an item that is written before its folder's state advances past it."""
        self._unconfirmed.setdefault(folder_id, {})[key] = None
        self._dirty = True

    def confirm(self, folder_id: str, keys: Iterable[str] | None = None) -> None:
        """Confirm these items of a folder (None: all): its state covers them, or the source was asked for them."""
        unconfirmed = self._unconfirmed.get(folder_id, {})
        for key in list(unconfirmed) if keys is None else keys:
            if key in unconfirmed:
                del unconfirmed[key]
                self._dirty = True
        if not unconfirmed:
            self._unconfirmed.pop(folder_id, None)

    def unconfirmed(self) -> dict[str, list[str]]:
        """Return the keys of unconfirmed items by folder."""
        return {folder_id: list(keys) for folder_id, keys in self._unconfirmed.items()}

    def recount(self, folder_id: str, items: int) -> None:
        """Set a folder's number of items, after a comparison has counted them."""
        if folder_id in self.folders:
            self._put(replace(self.folders[folder_id], items=items))

    def remove(self, folder_id: str) -> None:
        """Remove a folder that is gone, with its items."""
        self.confirm(folder_id)
        self.compare_again(folder_id, again=False)
        if self._is_calendar(folder_id):
            self._make_occurrences_due()
        if self.folders.pop(folder_id, None) is not None:
            self._dirty = True

    def count(self, change: FeedChange, before: str) -> None:
        """Update the folders' item counts for one change; `before` is the folder that the item was in, if any."""
        if self._is_calendar(change.item.folder_id) or self._is_calendar(before):
            self._make_occurrences_due()
        if change.kind is FeedKind.LEAVE:
            self.update(keeps_left=True)
        if change.kind is FeedKind.DELETE:
            self._add(change.item.folder_id, -1)
        elif before != change.item.folder_id:
            self._add(before, -1)
            self._add(change.item.folder_id, 1)

    def _make_occurrences_due(self) -> None:
        if not self._state.occurrences_due:
            self.update(occurrences_due=True)

    def _is_calendar(self, folder_id: str) -> bool:
        state = self._folders.get(folder_id)
        return state is not None and is_calendar(state)

    def _add(self, folder_id: str, items: int) -> None:
        """Add to a folder's count. It is applied when `folders` is read, so a state is not replaced for every item."""
        if folder_id in self._folders:
            self._counts[folder_id] = self._counts.get(folder_id, 0) + items
            self._dirty = True

    def _put(self, state: FolderState) -> None:
        if self._folders.get(state.id) != state:
            self._folders[state.id] = state
            self._dirty = True


def is_calendar(folder: Folder | FolderState) -> bool:
    """Whether the folder is a calendar."""
    return folder.kind is FolderKind.CALENDAR


def _named(folder: Folder | FolderState) -> tuple[object, ...]:
    """Return a folder's fields that a scan sets. Comparing them is cheaper than copying a state."""
    return folder.path, folder.parent_id, folder.kind, folder.role, folder.archive
