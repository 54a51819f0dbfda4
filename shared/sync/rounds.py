"""Reading what changed: pages of changes over all changed folders, gathered into rounds that are resolved together.

In a first sync a round is one page of one folder, the next page being read meanwhile. Later a round goes over all
changed folders in turn, so that both sides of a move are in one round.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from shared.errors import Reason, RetryLater
from shared.sources.port import (
    ChangeKind,
    ChangePage,
    Folder,
    FolderGone,
    FolderRole,
    FolderUnreadable,
    ItemFailure,
    MailSource,
    StateInvalid,
)
from shared.sync.budget import Budget
from shared.sync.ledger import Ledger
from shared.sync.limits import Limits
from shared.sync.plan import Reading
from shared.sync.seen import SeenIds


class Rounds:
    """One pass's rounds over the folders that changed. The rounds given must be written before the next is asked for.

    `known` gives the source ids of all that the replica has.
    `unknown` afterwards are folders that the source says do not exist: the hierarchy has to be looked at anew.
    `unreadable` are those that it cannot give, or not to us: they have an issue until they can be read again.
    """

    def __init__(
        self,
        source: MailSource,
        ledger: Ledger,
        limits: Limits,
        budget: Budget,
        folders: Sequence[Folder],
        *,
        first_sync: bool,
        known: Callable[[], Iterable[str]],
    ) -> None:
        self.unknown: list[Folder] = []
        self.unreadable: list[ItemFailure] = []
        self._pages = _Pages(source, ahead=limits.overlap)
        self._ledger = ledger
        self._limits = limits
        self._budget = budget
        self._first_sync = first_sync
        self._known = known
        self._seen: SeenIds | None = None
        self._fault: RetryLater | None = None
        new = {folder.id for folder in folders if first_sync and not ledger.folders[folder.id].seeded}
        self._new = deque(sorted((folder for folder in folders if folder.id in new), key=_people_first))
        self._changed = deque(folder for folder in folders if folder.id not in new)

    def __iter__(self) -> Iterator[list[Reading]]:
        """The rounds. Raises what the source raised once that is written which was read before."""
        for folders, most in ((self._changed, self._limits.round_changes), (self._new, 1)):
            while folders:
                if readings := self._gather(folders, most):
                    yield readings
                if self._fault is not None:
                    raise self._fault

    @property
    def over(self) -> bool:
        """Whether the round given last was the last."""
        return self._fault is not None or (not self._changed and not self._new)

    def close(self) -> None:
        """Wait for a page being read ahead."""
        self._pages.close()

    def _gather(self, folders: deque[Folder], most: int) -> list[Reading]:
        """Pages of these folders in turn, until enough changes are gathered or time is up.

        A server that wants to be left alone is asked for no items; but folders without changes need not be asked again.
        """
        readings: dict[str, Reading] = {}
        arrived: dict[str, Reading] = {}
        gathered = 0
        while folders and gathered < most and not (readings and self._budget.is_spent()):
            folder = folders.popleft()
            try:
                page = self._page(folder, readings, folders, ahead=most == 1 or not folders)
            except RetryLater as fault:
                self._fault = fault
                return [reading for reading in readings.values() if reading.is_without_changes]
            if page is None:
                continue
            reading = readings.setdefault(folder.id, Reading(folder, None))
            self._take(page, reading, arrived)
            gathered += len(page.changes)
            if not page.complete:
                (folders.appendleft if most == 1 else folders.append)(folder)
        return list(readings.values())

    def _page(
        self, folder: Folder, readings: dict[str, Reading], folders: deque[Folder], *, ahead: bool
    ) -> ChangePage | None:
        """The folder's next page; None when the folder is gone, or has to begin again."""
        reading = readings.get(folder.id)
        state = reading.state if reading else self._ledger.folders[folder.id].state
        try:
            page = self._pages.read(folder, state, ahead=ahead)
        except FolderGone:
            readings.pop(folder.id, None)
            self.unknown.append(folder)
            return None
        except FolderUnreadable as exc:
            self.unreadable.append(ItemFailure(folder.id, exc.reason, exc.support))
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
        self._ledger.restart(folder.id)

    def _take(self, page: ChangePage, reading: Reading, arrived: dict[str, Reading]) -> None:
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
        waiting = self._ledger.to_reread()
        return self._first_sync and not self._ledger.folders[folder.id].seeded and folder.id not in waiting

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
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="changes") if ahead else None
        self._next: tuple[str, str | None, Future[ChangePage]] | None = None

    def read(self, folder: Folder, state: str | None, *, ahead: bool) -> ChangePage:
        """The page that follows `state`; `ahead` when the one after it will be asked for next."""
        page = self._taken(folder, state) or self._source.changes(folder, state)
        if ahead and self._executor is not None and not page.complete:
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
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
