"""The cursor as a pass sees it while it works: what is committed, and what the page being filled will make of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.replica.port import Cursor, FeedChange, FeedKind, FolderState
from shared.sources.port import Folder, FolderKind

LOOSE = "loose"
"""In the cursor's notes: folder id → keys of items that are written while the folder's state does not know them yet.

Between an item's page and the page that moves its folder's state on, a pass may end. If the item is deleted before the
folder is read again, the source has no reason to report that: for the state it never existed. So these are asked for
by their ids once the folder has been read again.
"""

REREAD = "reread"
"""In the cursor's notes: folders that lost their state, to be compared item by item once they are read to the end."""

DUE = "occurrences_due"
"""In the cursor's notes: a calendar, or what is synced of it, changed since its occurrences were written.

Also one whose state moved on and told of nothing: an event may have come, been expanded, and gone before it was told.
"""


class Ledger:
    """Folders and notes as they will be after every change handed over so far. For the pass's own thread only."""

    def __init__(self, cursor: Cursor) -> None:
        self._folders: dict[str, FolderState] = dict(cursor.folders)
        self._counts: dict[str, int] = {}
        self.notes: dict[str, object] = dict(cursor.notes)
        self.dirty = False
        self.restarted: set[str] = set()
        """Folders that lost their state in this pass."""
        self._loose = {folder_id: dict.fromkeys(keys) for folder_id, keys in _lists(cursor.notes.get(LOOSE)).items()}

    @property
    def folders(self) -> dict[str, FolderState]:
        """Every folder's state, the items counted since the last look included."""
        if self._counts:
            counts, self._counts = self._counts, {}
            for folder_id, number in counts.items():
                if state := self._folders.get(folder_id):
                    self._put(replace(state, items=max(0, state.items + number)))
        return self._folders

    def snapshot(self) -> Cursor:
        """The cursor that follows the changes handed over so far; with this it counts as written."""
        self.note(LOOSE, {folder_id: list(keys) for folder_id, keys in self._loose.items() if keys})
        following = Cursor(folders=dict(self.folders), notes=dict(self.notes))
        self.dirty = False
        return following

    def held(self) -> int:
        """How many items the replica holds."""
        return sum(state.items for state in self.folders.values())

    def note(self, name: str, value: object) -> None:
        """Set a note; None and empty ones are dropped."""
        if value in (None, "", [], {}, 0, False):
            if self.notes.pop(name, None) is not None:
                self.dirty = True
        elif self.notes.get(name) != value:
            self.notes[name] = value
            self.dirty = True

    def list_folder(self, folder: Folder) -> None:
        """Take over what a look says of a folder: a new one is added, a renamed or moved one gets its new path."""
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
        """A folder's changes up to `state` have been handed over; `complete` when that is its present state."""
        before = self.folders[folder.id]
        if before.state != state and is_calendar(folder):
            self.note(DUE, True)
        if complete:
            before = replace(before, seeded=True, mark=folder.mark, total=folder.total or 0)
        self._put(replace(before, state=state))

    def restart(self, folder_id: str) -> None:
        """A folder is to be read from its beginning, though its items may be in the replica.

        Nobody will report what was deleted until then, so its items have to be compared one by one afterwards.
        """
        self._put(replace(self.folders[folder_id], state=None, mark=None))
        self.restarted.add(folder_id)
        self.reread(folder_id, again=True)

    def to_reread(self) -> list[str]:
        """The folders to be compared item by item."""
        waiting = self.notes.get(REREAD)
        return [str(folder_id) for folder_id in waiting] if isinstance(waiting, list) else []

    def reread(self, folder_id: str, *, again: bool) -> None:
        """A folder is to be compared (again), or has been, or is gone."""
        self.note(REREAD, sorted({*self.to_reread()} - {folder_id} | ({folder_id} if again else set())))

    def loosen(self, folder_id: str, key: str) -> None:
        """An item is on a page that its folder's state may come after."""
        self._loose.setdefault(folder_id, {})[key] = None
        self.dirty = True

    def fasten(self, folder_id: str, keys: Iterable[str] | None = None) -> None:
        """These items (None: all) are known to the folder's state by now, or were asked for."""
        loose = self._loose.get(folder_id, {})
        for key in list(loose) if keys is None else keys:
            if key in loose:
                del loose[key]
                self.dirty = True
        if not loose:
            self._loose.pop(folder_id, None)

    def loose(self) -> dict[str, list[str]]:
        """The keys of loose items by folder."""
        return {folder_id: list(keys) for folder_id, keys in self._loose.items()}

    def recount(self, folder_id: str, items: int) -> None:
        """A sweep has counted a folder's items."""
        if folder_id in self.folders:
            self._put(replace(self.folders[folder_id], items=items))

    def remove(self, folder_id: str) -> None:
        """A folder is gone and so are its items."""
        self.fasten(folder_id)
        self.reread(folder_id, again=False)
        if self._is_calendar(folder_id):
            self.note(DUE, True)
        if self.folders.pop(folder_id, None) is not None:
            self.dirty = True

    def count(self, change: FeedChange, before: str) -> None:
        """Keep the folders' item counts in step with one change; `before` is the folder the item was in, if any."""
        if self._is_calendar(change.item.folder_id) or self._is_calendar(before):
            self.note(DUE, True)
        if change.kind is FeedKind.DELETE:
            self._add(change.item.folder_id, -1)
        elif before != change.item.folder_id:
            self._add(before, -1)
            self._add(change.item.folder_id, 1)

    def _is_calendar(self, folder_id: str) -> bool:
        state = self._folders.get(folder_id)
        return state is not None and is_calendar(state)

    def _add(self, folder_id: str, items: int) -> None:
        """Kept apart until somebody looks: a state is replaced once a page, not with every item."""
        if folder_id in self._folders:
            self._counts[folder_id] = self._counts.get(folder_id, 0) + items
            self.dirty = True

    def _put(self, state: FolderState) -> None:
        if self._folders.get(state.id) != state:
            self._folders[state.id] = state
            self.dirty = True


def is_calendar(folder: Folder | FolderState) -> bool:
    """Whether events live in it."""
    return folder.kind is FolderKind.CALENDAR


def _named(folder: Folder | FolderState) -> tuple[object, ...]:
    """What a look brings of a folder; a copy of a state costs more than comparing these."""
    return folder.path, folder.parent_id, folder.kind, folder.role, folder.archive


def _lists(note: object) -> dict[str, list[str]]:
    return {str(name): [str(one) for one in ones] for name, ones in note.items()} if isinstance(note, Mapping) else {}
