"""Reading what changed: pages of changes over all changed folders, gathered into rounds that are resolved together.

In a first sync a round is one page of one folder, the next page being read meanwhile. Later a round goes over all
changed folders in turn, so that both sides of a move are in one round.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.errors import ActionNeeded, Reason, RetryLater
from shared.sources.port import (
    ChangeKind,
    ChangePage,
    Folder,
    FolderGone,
    FolderRole,
    FolderUnreadable,
    Item,
    ItemFailure,
    MailSource,
    SourceChange,
    StateInvalid,
)
from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.reading.item_index import SeenIds
from shared.sync.state.cursor_draft import CursorDraft


@dataclass(eq=False, slots=True)
class FolderChanges:
    """What one folder's pages of this round say: the last word on each item, and the state that follows them."""

    folder: Folder
    state: str
    complete: bool = False
    last: dict[str, SourceChange] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    """By id, those whose metadata the pages carried."""
    new: set[str] = field(default_factory=set)
    """Ids that cannot be in the replica yet: they need not be looked up there."""

    def add(self, change: SourceChange) -> None:
        """The next change. A read flag after an upsert adds nothing: what is fetched has it."""
        before = self.last.get(change.item_id)
        if change.kind is ChangeKind.READ_FLAG and before is not None and before.kind is ChangeKind.UPSERT:
            return
        self.last[change.item_id] = change

    def has_moved_on(self, item_id: str) -> None:
        """An item that arrived here has arrived in another folder since."""
        if self.last[item_id].kind is ChangeKind.UPSERT:
            del self.last[item_id]

    @property
    def is_new(self) -> bool:
        """Whether this is a first sync's reading, which brings what was never seen."""
        return bool(self.new) or not self.last

    @property
    def is_without_changes(self) -> bool:
        """Whether the folder was read to its end and there was nothing."""
        return self.complete and not self.last

    def to_look_up(self) -> list[str]:
        """The ids whose item in the replica has to be known."""
        return [id_ for id_, change in self.last.items() if id_ not in self.new or change.kind is not ChangeKind.UPSERT]


@dataclass(frozen=True, slots=True)
class Round:
    """Changes that are resolved together, and the folders that could not be read on the way."""

    readings: list[FolderChanges]
    unknown: list[Folder]
    """Folders that the source says do not exist: the hierarchy has to be scanned anew."""
    unreadable: list[ItemFailure]
    """Folders that it cannot give, or not to us: they have an issue until they can be read again."""
    is_last: bool


class ChangeReader:
    """Reads folders in rounds. `known` gives the source ids of all that the replica has."""

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

    def rounds(self, folders: Sequence[Folder]) -> Generator[Round]:
        """Read these folders to their end: those read before, then a page at a time of new ones.

        A round must be written before the next is asked for. Raises what the source raised, once what was read before
        has been given out.
        """
        self._seen, self._fault = None, None
        self._unknown, self._unreadable = [], []
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
        """Pages of these folders in turn, until enough changes are gathered or time is up.

        A server that wants to be left alone is asked for no items; but folders without changes need not be asked again.
        """
        readings: dict[str, FolderChanges] = {}
        arrived: dict[str, FolderChanges] = {}
        gathered = 0
        while folders and gathered < most and not (readings and self._budget.is_spent()):
            folder = folders.popleft()
            try:
                page = self._page(folder, readings, folders, ahead=most == 1 or not folders)
            except ActionNeeded as fault:
                self._fault = fault
                passing = isinstance(fault, RetryLater)
                return [reading for reading in readings.values() if passing and reading.is_without_changes]
            if page is None:
                continue
            self._take(page, readings.setdefault(folder.id, FolderChanges(folder, page.state)), arrived)
            gathered += len(page.changes)
            if not page.complete:
                (folders.appendleft if most == 1 else folders.append)(folder)
        return list(readings.values())

    def _page(
        self, folder: Folder, readings: dict[str, FolderChanges], folders: deque[Folder], *, ahead: bool
    ) -> ChangePage | None:
        """The folder's next page; None when the folder is gone, or has to begin again."""
        reading = readings.get(folder.id)
        state = reading.state if reading else self._draft.folders[folder.id].state
        try:
            page = self._pages.read(folder, state, ahead=ahead)
        except FolderGone:
            readings.pop(folder.id, None)
            self._unknown.append(folder)
            return None
        except FolderUnreadable as exc:
            self._unreadable.append(ItemFailure(folder.id, exc.reason, exc.support))
            return None
        except StateInvalid:
            readings.pop(folder.id, None)
            self._begin_again(folder, state)
            folders.append(folder)
            return None
        if not page.complete and not page.changes and page.state == state:
            raise RetryLater(Reason.BAD_ANSWER, "a folder's changes do not come to an end")
        return page

    def _begin_again(self, folder: Folder, state: str | None) -> None:
        if state is None:
            raise RetryLater(Reason.BAD_ANSWER, "the source refuses to begin at the beginning")
        self._draft.restart(folder.id)

    def _take(self, page: ChangePage, reading: FolderChanges, arrived: dict[str, FolderChanges]) -> None:
        """Add a page to its folder's reading. Where ids survive moves, an item may have arrived in two folders of one
        round, while they were being read: it is in the one that was read later."""
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
        """The ids on this page that the replica cannot have, and that no page before it has given.

        One that comes again was changed meanwhile, has moved under its own id, or was written by a page that a crash
        left half done. Looking up every id would cost as much as writing the items; so the replica is asked once, when
        a pass goes on with a first sync.
        """
        if self._seen is None:
            self._seen = SeenIds(self._known())
        arriving = {change.item_id for change in page.changes if change.kind is ChangeKind.UPSERT}
        return set(filter(self._seen.add, arriving))


def _people_first(folder: Folder) -> tuple[bool, float]:
    """The inbox first, then what was used last: a person sees their newest mail within the first minute."""
    is_inbox = folder.role is FolderRole.INBOX and not folder.archive
    return not is_inbox, -folder.marked_at.timestamp() if folder.marked_at else 0.0


class _Pages:
    """Pages of changes; the next one of the same folder is read while the last one's items are fetched."""

    def __init__(self, source: MailSource, *, ahead: bool) -> None:
        self._source = source
        self._ahead = ahead
        self._executor: ThreadPoolExecutor | None = None
        self._next: tuple[str, str | None, Future[ChangePage]] | None = None

    def read(self, folder: Folder, state: str | None, *, ahead: bool) -> ChangePage:
        """The page that follows `state`; `ahead` when the one after it will be asked for next."""
        page = self._taken(folder, state) or self._source.changes(folder, state)
        if ahead and self._ahead and not page.complete:
            self._executor = self._executor or ThreadPoolExecutor(1, thread_name_prefix="changes")
            future = self._executor.submit(self._source.changes, folder, page.state)
            self._next = (folder.id, page.state, future)
        return page

    def _taken(self, folder: Folder, state: str | None) -> ChangePage | None:
        """The page that was read ahead, if it is this one."""
        following, self._next = self._next, None
        if following is None or following[:2] != (folder.id, state):
            return None
        return following[2].result()

    def close(self) -> None:
        """Wait for a page being read ahead and forget it."""
        executor, self._executor, self._next = self._executor, None, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)
