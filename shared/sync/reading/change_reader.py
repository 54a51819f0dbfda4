"""Reads the changes of folders in pages and gathers the pages into rounds, which are resolved together.

In a first sync, a round is one page of one folder, and the next page is read concurrently. Later, a round covers all
changed folders in turn, so that it contains both sides of a move.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.errors import ActionNeeded, Reason, RetryLater
from shared.sources.model import ChangeKind, ChangePage, Folder, FolderRole, Item, ItemFailure, SourceChange
from shared.sources.port import FolderGone, FolderUnreadable, MailSource, StateInvalid
from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.reading.item_index import SeenIds
from shared.sync.state.cursor_draft import CursorDraft

MOST_RESTARTS = 2
"""How often a pass begins to read a folder again that has lost its state."""


@dataclass(eq=False, slots=True)
class FolderChanges:
    """The changes of one folder in this round: the last one of each item, and the state that follows them."""

    folder: Folder
    state: str
    complete: bool = False
    last: dict[str, SourceChange] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    """The items whose metadata the pages carried, by id."""
    new: set[str] = field(default_factory=set)
    """Ids that cannot be in the replica yet, so that they are not looked up there."""

    def add(self, change: SourceChange) -> None:
        """Add the next change. A read flag after an upsert is ignored, because the fetched item includes it."""
        before = self.last.get(change.item_id)
        if change.kind is ChangeKind.READ_FLAG and before is not None and before.kind is ChangeKind.UPSERT:
            return
        self.last[change.item_id] = change

    def has_moved_on(self, item_id: str) -> None:
        """Drop an item's arrival here, because the item has arrived in another folder since."""
        if self.last[item_id].kind is ChangeKind.UPSERT:
            del self.last[item_id]

    @property
    def is_new(self) -> bool:
        """Whether this is a reading in a first sync, in which items are new."""
        return bool(self.new) or not self.last

    @property
    def is_without_changes(self) -> bool:
        """Whether the folder was read to its end and had no changes."""
        return self.complete and not self.last

    def to_look_up(self) -> list[str]:
        """Return the ids to look up in the replica."""
        return [id_ for id_, change in self.last.items() if id_ not in self.new or change.kind is not ChangeKind.UPSERT]


@dataclass(frozen=True, slots=True)
class Round:
    """Changes that are resolved together, and the folders that could not be read in this round."""

    readings: list[FolderChanges]
    unknown: list[Folder]
    """Folders that do not exist according to the source: the folders have to be scanned again."""
    unreadable: list[ItemFailure]
    """Folders that the source cannot read, or that we may not read: each has an issue until it can be read again."""
    is_last: bool


class ChangeReader:
    """Reads folders in rounds. `known` returns the source ids of all items in the replica."""

    def __init__(
        self,
        source: MailSource,
        draft: CursorDraft,
        limits: Limits,
        budget: Budget,
        *,
        first_sync: bool,
        known: Callable[[], Iterable[str]],
    ) -> None:
        self._pages = _Pages(source, ahead=limits.overlap)
        self._draft = draft
        self._limits = limits
        self._budget = budget
        self._first_sync = first_sync
        self._known = known
        self._seen: SeenIds | None = None
        self._fault: ActionNeeded | None = None
        self._unknown: list[Folder] = []
        self._unreadable: list[ItemFailure] = []
        self._restarts = Counter[str]()

    def rounds(self, folders: Sequence[Folder]) -> Generator[Round]:
        """Read these folders to their end: first those that were read before, then the new ones page by page.

        The caller must write a round before it asks for the next one. An error of the source is raised after the rounds
        that were read before it have been yielded.
        """
        self._seen, self._fault = None, None
        self._unknown, self._unreadable = [], []
        self._restarts.clear()
        is_new = {folder.id: self._first_sync and not self._draft.folders[folder.id].seeded for folder in folders}
        changed = deque(folder for folder in folders if not is_new[folder.id])
        new = deque(sorted((folder for folder in folders if is_new[folder.id]), key=_people_first))
        try:
            for waiting, enough in ((changed, self._limits.round_changes), (new, 1)):
                while waiting:
                    readings = self._gather(waiting, enough)
                    unknown, self._unknown = self._unknown, []
                    unreadable, self._unreadable = self._unreadable, []
                    if readings or unknown or unreadable:
                        is_last = self._fault is not None or not (changed or new)
                        yield Round(readings, unknown, unreadable, is_last)
                    if self._fault is not None:
                        raise self._fault
        finally:
            self._pages.close()

    def _gather(self, folders: deque[Folder], most: int) -> list[FolderChanges]:
        """Read pages of these folders in turn, until there are enough changes or the time is up.

        After an outage or throttling, only the folders without changes are returned: they need no further requests, and
        they need not be read again.
        """
        readings: dict[str, FolderChanges] = {}
        arrived: dict[str, FolderChanges] = {}
        gathered = 0
        while folders and gathered < most and not (readings and self._budget.is_spent()):
            folder = folders.popleft()
            state = readings[folder.id].state if folder.id in readings else self._draft.folders[folder.id].state
            try:
                page = self._pages.read(folder, state, ahead=most == 1 or not folders)
            except ActionNeeded as fault:
                self._fault = fault
                passing = isinstance(fault, RetryLater)
                return [reading for reading in readings.values() if passing and reading.is_without_changes]
            except FolderUnreadable as exc:
                self._unreadable.append(ItemFailure(folder.id, exc.reason, exc.support))
                continue
            except (FolderGone, StateInvalid) as exc:
                readings.pop(folder.id, None)
                if isinstance(exc, FolderGone):
                    self._unknown.append(folder)
                else:
                    self._restart(folder, folders, str(exc))
                continue
            self._take(page, readings.setdefault(folder.id, FolderChanges(folder, page.state)), arrived)
            gathered += len(page.changes)
            if not page.complete:
                (folders.appendleft if most == 1 else folders.append)(folder)
        return list(readings.values())

    def _restart(self, folder: Folder, folders: deque[Folder], support: str) -> None:
        """Read a folder from its beginning, because its state is lost; one that loses it every time is unreadable."""
        self._draft.restart(folder.id)
        self._restarts[folder.id] += 1
        if self._restarts[folder.id] <= MOST_RESTARTS:
            folders.append(folder)
        else:
            self._unreadable.append(ItemFailure(folder.id, Reason.ITEM_UNREADABLE, support))

    def _take(self, page: ChangePage, reading: FolderChanges, arrived: dict[str, FolderChanges]) -> None:
        """Add a page to its folder's reading. Where ids survive moves, an item that moves during a round can arrive in
        two folders; then it is in the one that was read later."""
        for change in page.changes:
            reading.add(change)
            if change.kind is ChangeKind.UPSERT:
                if (before := arrived.get(change.item_id, reading)) is not reading:
                    before.has_moved_on(change.item_id)
                arrived[change.item_id] = reading
        reading.items.update(page.items)
        reading.state = page.state
        reading.complete = page.complete
        if self._is_first_reading(reading.folder):
            reading.new |= self._never_seen(page)

    def _is_first_reading(self, folder: Folder) -> bool:
        waiting = self._draft.state.to_compare
        return self._first_sync and not self._draft.folders[folder.id].seeded and folder.id not in waiting

    def _never_seen(self, page: ChangePage) -> set[str]:
        """Return the ids on this page that are in neither the replica nor an earlier page.

        An id that comes again was changed in the meantime, has moved under the same id, or was written by a page that a
        crash left incomplete. Looking up every id would cost as much as writing the items. So all ids of the replica
        are read once, when a pass continues a first sync.
        """
        if self._seen is None:
            self._seen = SeenIds(self._known())
        arriving = {change.item_id for change in page.changes if change.kind is ChangeKind.UPSERT}
        return set(filter(self._seen.add, arriving))


def _people_first(folder: Folder) -> tuple[bool, float]:
    """Sort key: the inbox, then the most recently used folders, so that new mail is synced within the first minute."""
    is_inbox = folder.role is FolderRole.INBOX and not folder.archive
    return not is_inbox, -folder.change_token_at.timestamp() if folder.change_token_at else 0.0


class _Pages:
    """Reads pages of changes; the folder's next page is read while the items of the last one are fetched."""

    def __init__(self, source: MailSource, *, ahead: bool) -> None:
        self._source = source
        self._ahead = ahead
        self._executor: ThreadPoolExecutor | None = None
        self._next: tuple[str, str | None, Future[ChangePage]] | None = None

    def read(self, folder: Folder, state: str | None, *, ahead: bool) -> ChangePage:
        """Return the page that follows `state`; with `ahead`, start reading the page after it.

        Raises what the source raises, and RetryLater if reading the folder would never end.
        """
        try:
            page = self._taken(folder, state) or self._source.changes(folder, state)
        except StateInvalid as exc:
            if state is None:
                raise RetryLater(Reason.BAD_ANSWER, "the source refuses to begin at the beginning") from exc
            raise
        if not page.complete and not page.changes and page.state == state:
            raise RetryLater(Reason.BAD_ANSWER, "a folder's changes do not come to an end")
        if ahead and self._ahead and not page.complete:
            self._executor = self._executor or ThreadPoolExecutor(1, thread_name_prefix="changes")
            future = self._executor.submit(self._source.changes, folder, page.state)
            self._next = (folder.id, page.state, future)
        return page

    def _taken(self, folder: Folder, state: str | None) -> ChangePage | None:
        """Return the page that was read ahead, if it is the requested one."""
        following, self._next = self._next, None
        if following is None or following[:2] != (folder.id, state):
            return None
        return following[2].result()

    def close(self) -> None:
        """Wait for a page that is being read ahead, and drop it."""
        executor, self._executor, self._next = self._executor, None, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)
