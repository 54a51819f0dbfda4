"""The issues of a mailbox: recorded before the cursor advances past the item, and retried with growing delays."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.errors import Reason
from shared.mailboxes.port import ItemIssue, MailboxRegistry
from shared.replica.port import ReplicaItem
from shared.sources.model import Folder, Item, ItemFailure
from shared.sources.port import FolderUnreadable
from shared.sync.limits import Limits
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.page_writer import PageWriter

LONGEST_SUBJECT = 200
"""The most characters of a subject that an issue keeps."""
TRIES_TO_NAME = 2
"""After how many tries the metadata of an unnamed item is not asked for any more."""
MOST = 10_000
"""How many issues a pass reads into memory, at most."""


class Issues:
    """One mailbox's open issues during a pass; `counted` is the number in the mailbox's record."""

    def __init__(
        self,
        registry: MailboxRegistry,
        mailbox_id: str,
        draft: CursorDraft,
        pages: PageWriter,
        limits: Limits,
        *,
        clock: Callable[[], datetime],
        counted: int = 0,
    ) -> None:
        self._registry = registry
        self._mailbox_id = mailbox_id
        self._draft = draft
        self._pages = pages
        self._limits = limits
        self._clock = clock
        self._counted = counted
        self._loaded: dict[str, ItemIssue] | None = None
        self._failed: set[str] = set()
        """The items that failed in this pass. An item that fails several times in a pass counts as one try."""
        self._not_found: set[str] = set()

    @property
    def _open(self) -> dict[str, ItemIssue]:
        """The open issues by item id, read at first use: after a crash there may be more than the state counts."""
        if self._loaded is None:
            self._loaded = {issue.item_id: issue for issue in self._registry.issues(self._mailbox_id, MOST)}
            self._draft.update(issues=len(self._loaded))
        return self._loaded

    @property
    def are_expected(self) -> bool:
        """Whether there are open issues, as far as known without reading them."""
        return bool(self._loaded if self._loaded is not None else self._draft.state.issues or self._counted)

    def __len__(self) -> int:
        """The number of open issues, as far as known without reading them."""
        if self._loaded is not None:
            return len(self._loaded)
        return self._draft.state.issues or self._counted

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._open

    def failed(self, folder_id: str, failure: ItemFailure, known: Item | ReplicaItem | None = None) -> None:
        """Record a failure at once, so that a crash before the cursor advances leaves an issue and not a missing item.

        `known` is the item as far as it is known; it gives the issue its subject and time.

        An item that was listed but not found is recorded too, because Exchange may need a while until it returns a new
        item. That issue is resolved when the folder's changes or a listing say that the item is gone. A page that is
        still being written must not delete the issue of an item that has failed again since.
        """
        if failure.reason is Reason.ITEM_GONE:
            self._not_found.add(folder_id)
        self._pages.keep_issue(failure.item_id)
        before = self._open.get(failure.item_id)
        now = self._clock()
        is_told_again = failure.item_id in self._failed
        tries = max(1, (before.tries if before else 0) + (not is_told_again))
        next_try_at = now + self._limits.issue_delays[min(tries, len(self._limits.issue_delays)) - 1]
        self._failed.add(failure.item_id)
        issue = ItemIssue(
            mailbox_id=self._mailbox_id,
            item_id=failure.item_id,
            folder_id=folder_id,
            reason=failure.reason.value,
            support=failure.support,
            tries=tries,
            first_at=before.first_at if before else now,
            next_try_at=before.next_try_at if before and is_told_again else next_try_at,
            folder=self._path(folder_id),
            subject=known.subject[:LONGEST_SUBJECT] if known else before.subject if before else "",
            at=known.at if known else before.at if before else None,
        )
        self._draft.update(issues=len(self._open.keys() | {issue.item_id}))
        self._registry.put_issue(issue)
        self._open[issue.item_id] = issue

    def lacks_name(self, item_id: str) -> bool:
        """Whether an item that failed in this pass has an issue without a subject and a date that is worth asking for.

        Not after several tries: an item whose metadata cannot be had either would be asked for again and again.
        """
        issue = self._open.get(item_id)
        if issue is None or issue.subject or issue.at is not None:
            return False
        return issue.tries <= TRIES_TO_NAME and issue.reason != Reason.ITEM_GONE

    def name(self, known: Item) -> None:
        """Add the subject and the time of an item to its open issue."""
        issue = self._open.get(known.id)
        if issue is not None:
            named = replace(issue, subject=known.subject[:LONGEST_SUBJECT], at=known.at)
            self._registry.put_issue(named)
            self._open[known.id] = named

    def _path(self, folder_id: str) -> str:
        folder = self._draft.folders.get(folder_id)
        return folder.path if folder is not None else ""

    def look_again(self, folder_id: str) -> None:
        """Return this folder from `take_not_found` too: an item with an issue has been found in it."""
        self._not_found.add(folder_id)

    def take_not_found(self) -> frozenset[str]:
        """Return the folders that listed an item which was not found, or that one was found in, since the last call.

        The changes of these folders may explain what happened to the item.
        """
        found, self._not_found = frozenset(self._not_found), set()
        return found

    def repeated(self, item_id: str) -> ItemFailure | None:
        """Return the known failure of an item that is not due yet; this does not count as another try.

        An item that was not found is returned as unreadable, not as gone, because the source was not asked again.
        """
        if not self.waits(item_id):
            return None
        self._failed.add(item_id)
        issue = self._open[item_id]
        reason = Reason.ITEM_UNREADABLE if issue.reason == Reason.ITEM_GONE else Reason(issue.reason)
        return ItemFailure(item_id, reason, issue.support)

    def unreadable(self, folder: Folder, error: FolderUnreadable) -> None:
        """Record that a folder cannot be read."""
        self.failed(folder.id, ItemFailure(folder.id, error.reason, error.support))

    def resolve_issue(self, item_id: str, folder_id: str | None = None) -> tuple[str, ...]:
        """Resolve the issue of an item that is synced or gone (from that folder).

        Returns the ids whose issues to delete after the commit. The folder matters where ids survive moves: an item
        that one folder reports as deleted may have failed in another folder since.
        """
        issue = self._open.get(item_id)
        if issue is None or folder_id not in (None, issue.folder_id):
            return ()
        del self._open[item_id]
        return (item_id,)

    def recount(self) -> None:
        """Record the number of open issues, after the resolved ones have been deleted.

        If it were recorded earlier, a crash between the page and the deletion would leave an issue that is never read.
        """
        if self._loaded is not None:
            self._draft.update(issues=len(self._loaded))

    def due(self) -> list[ItemIssue]:
        """Return the issues to try again now, those that have waited longest first."""
        if not self.are_expected:
            return []
        now = self._clock()
        due = sorted((issue for issue in self._open.values() if issue.next_try_at <= now), key=_waiting_since)
        return due[: self._limits.issues_a_pass]

    def will_be_due(self, within: timedelta) -> bool:
        """Whether any issue is due now or within this time."""
        until = self._clock() + within
        return self.are_expected and any(issue.next_try_at <= until for issue in self._open.values())

    def has_due(self, item_id: str) -> bool | None:
        """Whether the item's issue is due; None if it has no issue."""
        issue = self._open.get(item_id) if self.are_expected else None
        return None if issue is None else issue.next_try_at <= self._clock()

    def waits(self, item_id: str) -> bool:
        """Whether the item has an issue that is not due yet."""
        return self.has_due(item_id) is False

    def is_of_folder(self, item_id: str, folder_id: str) -> bool:
        """Whether the item has an issue of this folder. Where ids survive moves, it may have that of another one."""
        issue = self._open.get(item_id)
        return issue is not None and issue.folder_id == folder_id

    def of_folder(self, folder_id: str) -> list[str]:
        """Return the items of a folder that have an issue, without the folder's own issue."""
        if not self.are_expected:
            return []
        return [issue.item_id for issue in self._open.values() if issue.folder_id == folder_id != issue.item_id]

    def of_folders_gone(self, folder_ids: Iterable[str]) -> list[str]:
        """Return the items with an issue whose folder is not synced any more."""
        present = set(folder_ids)
        return [issue.item_id for issue in self._open.values() if issue.folder_id not in present]


def _waiting_since(issue: ItemIssue) -> datetime:
    return issue.next_try_at
