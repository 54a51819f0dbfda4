"""The pages of a pass: filled by the pass's thread, and committed in order by a writer thread."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.mailboxes.port import MailboxRegistry
from shared.replica.port import Cursor, FeedChange, FeedKind, PreparedPage, Replica
from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.state.cursor_draft import CursorDraft


@dataclass(slots=True)
class WriteCounts:
    """What a pass has written."""

    created: int = 0
    updated: int = 0
    moved: int = 0
    deleted: int = 0
    bytes: int = 0

    def add(self, change: FeedChange) -> None:
        """Count one change."""
        self.bytes += len(change.content.data) if change.content else 0
        match change.kind:
            case FeedKind.CREATE:
                self.created += 1
            case FeedKind.MOVE:
                self.moved += 1
            case FeedKind.DELETE | FeedKind.LEAVE:
                self.deleted += 1
            case FeedKind.RESTATE:
                pass
            case _:
                self.updated += 1

    def merge(self, other: "WriteCounts") -> None:
        """Add the counts of a page."""
        for name in ("created", "updated", "moved", "deleted", "bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class _Page:
    """Changes that will be committed together, and the issues that they resolve."""

    changes: list[FeedChange] = field(default_factory=list)
    bytes: int = 0
    resolved: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _FullPage:
    """A page that waits for the writer. `prepared` is None if it only has issues to resolve, or a new cursor."""

    prepared: PreparedPage | None
    counts: WriteCounts
    resolved: list[str]


class PageWriter:
    """Fills pages and commits them in order. After a failure nothing more is written, and the next call raises it.

    A page's cursor is taken from the draft at the moment the page is full, so a folder's new state is in exactly the
    page that holds the last of its changes.

    In a first sync the first page is small, and each is twice as large as the one before, so that even a process that
    is stopped every few seconds makes progress.

    `announce_page` is called before each page of changes, and before the lease is checked for it.
    """

    def __init__(
        self,
        replica: Replica,
        registry: MailboxRegistry,
        mailbox_id: str,
        cursor: Cursor,
        draft: CursorDraft,
        *,
        limits: Limits,
        budget: Budget,
        first_sync: bool = False,
        announce_page: Callable[[], None] = lambda: None,
    ) -> None:
        self._counts = WriteCounts()
        self._cursor = cursor
        self._prepared = cursor.sequence
        """The number of the last page that was encoded."""
        self._submitted = cursor
        """The cursor of the last page that was committed or is pending. A sweep may end with the one it began with."""
        self._replica = replica
        self._registry = registry
        self._mailbox_id = mailbox_id
        self._draft = draft
        self._limits = limits
        self._budget = budget
        self._announce_page = announce_page
        self._page = _Page()
        self._most_items = min(limits.first_page_items, limits.page_items) if first_sync else limits.page_items
        self._pending: deque[Future[None]] = deque()
        self._dropping: set[str] = set()
        self._executor: ThreadPoolExecutor | None = None
        self._broken = False

    @property
    def counts(self) -> WriteCounts:
        """The counts of committed changes; complete once the writer is closed."""
        return self._counts

    @property
    def sequence(self) -> int:
        """The number of the last committed page."""
        return self._cursor.sequence

    @property
    def cursor_etag(self) -> str:
        """The ETag of the stored cursor."""
        return self._cursor.etag

    def put(self, change: FeedChange, before: str = "") -> None:
        """Add a change to the page; `before` is the folder that the item was in."""
        self._page.changes.append(change)
        self._page.bytes += len(change.content.data) if change.content else 0
        self._draft.count(change, before)

    def resolve(self, item_ids: Iterable[str]) -> None:
        """Delete these issues once the page is committed."""
        self._page.resolved += item_ids

    def keep_issue(self, item_id: str) -> None:
        """Keep the issue of an item that failed again: no pending page may delete the issue that is written now."""
        if item_id in self._page.resolved:
            self._page.resolved.remove(item_id)
        if item_id in self._dropping:
            self._wait(0)
            self._dropping.clear()

    @property
    def is_full(self) -> bool:
        """Whether the page has to be submitted."""
        return len(self._page.changes) >= self._most_items or self._page.bytes >= self._limits.page_bytes

    def submit(self, *, wait: bool = False) -> None:
        """Commit the page and the cursor, if they differ from what is stored; waits while too many pages are pending.

        With `wait`, return when every page is in storage.
        """
        page, self._page = self._page, _Page()
        has_content = bool(page.changes or page.resolved)
        if has_content or self._draft.is_dirty:
            following, before = self._draft.snapshot(), self._submitted
            if has_content or (following.folders, following.notes) != (before.folders, before.notes):
                self._submitted = following
                self._most_items = min(self._most_items * 2, self._limits.page_items)
                commit = self._commit_later if self._limits.overlap else self._commit
                commit(self._full(page), following)
        if wait:
            self._wait(0)

    def _full(self, page: _Page) -> _FullPage:
        """Encode a page while the one before is being written. From here on only the encoded page has its contents."""
        counts = WriteCounts()
        for change in page.changes:
            counts.add(change)
        if not page.changes:
            return _FullPage(None, counts, page.resolved)
        self._prepared += 1
        prepared = self._replica.prepare(self._mailbox_id, self._prepared, page.changes)
        page.changes.clear()
        return _FullPage(prepared, counts, page.resolved)

    def _commit_later(self, page: _FullPage, following: Cursor) -> None:
        """Commit in the writer thread."""
        self._wait(self._limits.pages_ahead)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._pending.append(self._executor.submit(self._commit, page, following))
        self._dropping.update(page.resolved)

    def flush(self) -> None:
        """Commit the changes so far and wait until every page is in storage."""
        if self._page.changes:
            self.submit()
        self._wait(0)

    def close(self) -> None:
        """Wait for the page that is being written and end the thread; pages that were not begun are dropped."""
        self._broken = True
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _wait(self, most: int) -> None:
        """Wait until at most this many pages are pending. Raises the error of a page that could not be written."""
        while len(self._pending) > most:
            self._pending.popleft().result()

    def _commit(self, page: _FullPage, following: Cursor) -> None:
        """Write one page. No page may follow a failed one, because its cursor would include the failed one."""
        if self._broken:
            return
        try:
            if page.prepared is None:
                self._budget.check_lease()
                self._cursor = self._replica.commit(self._mailbox_id, self._cursor, (), following)
            else:
                self._announce_page()
                self._budget.check_lease()
                self._cursor = self._replica.commit_prepared(self._mailbox_id, self._cursor, page.prepared, following)
            for item_id in page.resolved:
                self._registry.drop_issue(self._mailbox_id, item_id)
        except BaseException:
            self._broken = True
            raise
        self._counts.merge(page.counts)
