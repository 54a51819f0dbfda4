"""One mailbox opened over Graph: implements the port MailSource."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import batched
from urllib.parse import quote

import msgspec

from shared.errors import AdministratorMustAct, MailboxSyncError, Reason, RetryLater
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.graph.calendar.event_fetcher import EventFetcher
from shared.sources.graph.contacts_tasks.address_book import ContactFetcher
from shared.sources.graph.contacts_tasks.task_lists import TaskFetcher
from shared.sources.graph.folders import states
from shared.sources.graph.folders.changes import GraphChangeReader
from shared.sources.graph.folders.folder_listing import FolderListing
from shared.sources.graph.folders.folders import COUNTED, count_in
from shared.sources.graph.folders.lookahead import Lookahead
from shared.sources.graph.folders.states import Memory
from shared.sources.graph.ids import translate
from shared.sources.graph.items.item_requests import ItemRequests
from shared.sources.graph.items.recent import RecentMembers
from shared.sources.graph.kinds import COLLECTIONS, read_refs
from shared.sources.graph.mail.content import MailFetcher
from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.batch import MOST, Ask, Batches
from shared.sources.graph.transport.client import GraphClient
from shared.sources.model import (
    NO_ITEMS,
    ChangePage,
    ContentLevel,
    Folder,
    FolderKind,
    Item,
    ItemFailure,
    ItemRef,
    RequestFigures,
    SourceName,
)
from shared.sources.port import FolderGone, FolderUnreadable, StateInvalid

SMALL_FOLDER = 250
"""A folder with at most this many items is listed together with others, so that a batch of twenty has 5,000 ids."""


class GraphMailbox:
    """One mailbox. Makes no request until a method needs one. Implements MailSource.

    `remembered` are the mailbox's well-known folders if this process has read them; `remember` keeps them.
    """

    def __init__(
        self,
        client: GraphClient,
        *,
        connections: int,
        largest_item_bytes: int,
        remembered: Memory | None,
        remember: Callable[[Memory], None],
        isolate_failures: bool = False,
    ) -> None:
        self._client = client
        self._connections = connections
        self._memory = remembered
        self._remember = remember
        self._threads: ThreadPoolExecutor | None = None
        self._faults = FaultAttribution(self.check, isolate_failures=isolate_failures)
        self._batches = Batches(client, self._pool)
        self._lookahead = Lookahead(self._batches)
        self._listing = FolderListing(client, self._batches, self._lookahead)
        self._read_kinds: frozenset[FolderKind] = frozenset()
        self._not_provided: dict[str, int] = {}
        self._recent = RecentMembers()
        requests = ItemRequests(client, self._batches, self._faults)
        self._mail = MailFetcher(
            client, requests, self._pool, in_flight=connections, largest_item_bytes=largest_item_bytes
        )
        self._events = EventFetcher(client, requests, largest_item_bytes)
        self._contacts = ContactFetcher(client, requests, self._recent, largest_item_bytes)
        self._tasks = TaskFetcher(client, requests, self._recent, largest_item_bytes)
        self._changes = GraphChangeReader(
            client, self._recent, self._lookahead.page, lambda: self._memory, isolate_failures=isolate_failures
        )

    @property
    def figures(self) -> RequestFigures:
        """The requests and bytes so far; a batch is one request."""
        return self._client.figures

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Request the folders, and the changes after each stored state, in batches of twenty."""
        self._memory = self._memory or _memory_in(stored)
        self._read_kinds = _kinds_in(stored)
        self._lookahead.send(self._listing.asks(with_roles=self._memory is None), stored)

    def folders(self) -> list[Folder]:
        """Every visible folder: mail, calendars, contact folders and task lists, in one batch with their roles."""
        try:
            listed = self._listing.listed(self._read_kinds)
            memory = self._memory
            if memory is None or not listed.is_known_to(memory):
                memory = self._asked_memory()
        except FolderGone as exc:
            # A listing names no folder that could be gone: the mailbox is unavailable for now, or not for us.
            raise RetryLater(Reason.UNAVAILABLE, support=str(exc)) from exc
        return listed.folders(memory)

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page of a folder's changes, with the items that it carries."""
        return self._of_folder(lambda: self._changes.changes(folder, state))

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Fetch the given items; of known ones only the content."""
        if level is ContentLevel.METADATA and all(each in known for each in ids):
            return (replace(known[each], folder_id=folder.id) for each in ids)
        match folder.kind:
            case FolderKind.CALENDAR:
                return self._events.fetch(folder, ids, level)
            case FolderKind.CONTACTS:
                return self._contacts.fetch(folder, ids, level)
            case FolderKind.TASKS:
                return self._tasks.fetch(folder, ids, level)
            case _:
                return self._mail.fetch(folder, ids, level, known)

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item's id and version, a page at a time."""
        collection = COLLECTIONS[folder.kind]
        listed = 0
        path = self._refs_path(folder)
        while path:
            body = self._of_folder(lambda path=path: self._client.get(path))  # type: ignore[misc]
            refs, link = read_refs(collection, body)
            listed += len(refs)
            yield from refs
            path = self._client.relative(link) if link else ""
        is_whole = folder.total is not None and listed >= folder.total
        self._not_provided[folder.id] = 0 if is_whole else max(self._counted(folder) - listed, 0)

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """The items of small folders, in batches. One with items that Graph may not provide is left out."""
        small = [folder for folder in folders if folder.total is not None and folder.total <= SMALL_FOLDER]
        for some in batched(small, MOST, strict=False):
            for folder, part in zip(
                some, self._batches.ask([Ask(self._refs_path(each)) for each in some]), strict=True
            ):
                refs, link = read_refs(COLLECTIONS[folder.kind], part.body) if part.refusal is None else ([], "")
                if part.refusal is None and not link and len(refs) >= (folder.total or 0):
                    self._not_provided[folder.id] = 0
                    yield folder.id, refs

    def not_provided(self, folder: Folder) -> int:
        """The number of items that the folder counts but its collection does not contain: posts, contact groups."""
        return self._not_provided.get(folder.id, 0)

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """The ids as the service translates them, without those that it cannot: deleted items."""
        return {each.source: each.target for each in translate(self._client, ids, to) if each.target}

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """A calendar's events between two times, recurring ones expanded, metadata only."""
        return self._events.occurrences(folder, start, end)

    def close(self) -> None:
        """Release the connections and forget the token."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def check(self) -> None:
        """Make one cheap request to find out whether the mailbox can be read."""
        try:
            self._client.get(f"{self._client.mailbox}/mailFolders/inbox?$select=id")
        except FolderGone as exc:
            raise AdministratorMustAct(Reason.ACCESS_DENIED, support=str(exc)) from exc

    def resolve(self, query: str) -> list[str]:
        """The primary address of the person with this address or sign-in name, in full or up to the "@".

        That part finds only this mailbox's owner: looking for others by name takes permissions that nobody expects.
        """
        if "@" not in query:
            own = self._user(self._client.mailbox)
            return own if any(each.casefold().startswith(f"{query.casefold()}@") for each in own) else []
        return self._user(f"/users/{quote(query, safe='@')}", otherwise=query)

    def primary_address(self) -> str:
        """The owner's mail address, not the sign-in name; empty if we may not read the directory."""
        part = self._client.ask(f"{self._client.mailbox}?$select=mail")
        if part.refusal is not None and part.refusal.rule.reason in (Reason.ACCESS_DENIED, *_UNKNOWN_USER):
            return ""
        return decoded(_User, part.value()).mail or ""

    def _user(self, path: str, otherwise: str = "") -> list[str]:
        """Return a user's address; `otherwise` if we may not read the directory: opening the mailbox will show it."""
        part = self._client.ask(f"{path}?$select=mail,userPrincipalName")
        if part.refusal is not None and part.refusal.rule.reason in _UNKNOWN_USER:
            return []
        if part.refusal is not None and part.refusal.rule.reason is Reason.ACCESS_DENIED:
            return [otherwise] if otherwise else []
        user = decoded(_User, part.value())
        return [each for each in (user.mail or user.user_principal_name or otherwise,) if each]

    def _pool(self) -> Executor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._connections, thread_name_prefix="graph")
        return self._threads

    def _asked_memory(self) -> Memory:
        """Return the mailbox's well-known folders, requested once for as long as the same folders exist."""
        self._memory = self._listing.memory()
        self._remember(self._memory)
        return self._memory

    def _refs_path(self, folder: Folder) -> str:
        """Return the path of a folder's listing for comparison."""
        collection = COLLECTIONS[folder.kind]
        return self._client.mailbox + collection.path.format(folder.id) + collection.refs

    def _counted(self, folder: Folder) -> int:
        """Return the number of items of any class in a folder; 0 if unknown."""
        if folder.kind not in COUNTED:
            return 0
        part = self._client.ask(self._client.mailbox + COUNTED[folder.kind].format(folder.id))
        return count_in(part.body) if part.refusal is None else 0

    def _of_folder[T](self, ask: Callable[[], T]) -> T:
        """Return the response to a request about one folder.

        What may be wrong with that folder alone is asked once more, after the mailbox has shown that it can be read.
        """
        for last in (False, True):
            try:
                return ask()
            except (RetryLater, AdministratorMustAct) as exc:
                is_checked = isinstance(exc, RetryLater) and self._faults.may_be_item_fault(exc)
                if not is_checked and not _may_be_one_folder(exc):
                    raise
                if last:
                    raise FolderUnreadable(_reason_of(exc), support=exc.support) from exc
                if not is_checked:
                    self.check()
        raise AssertionError("unreachable")


class _User(msgspec.Struct, rename="camel"):
    mail: str | None = None
    user_principal_name: str | None = None


_UNKNOWN_USER = frozenset({Reason.NO_MAILBOX, Reason.ITEM_GONE})


def _may_be_one_folder(error: MailboxSyncError) -> bool:
    return isinstance(error, AdministratorMustAct) and error.reason is Reason.ACCESS_DENIED


def _reason_of(error: RetryLater | AdministratorMustAct) -> Reason:
    return Reason.ITEM_REFUSED if isinstance(error, AdministratorMustAct) else Reason.ITEM_UNREADABLE


def _kinds_in(stored: Mapping[str, str]) -> frozenset[FolderKind]:
    """Return the kinds of folders that were read before; states of another source are ignored."""
    found = set()
    for text in stored.values():
        with contextlib.suppress(StateInvalid):
            found.add(states.read(text).kind)
    return frozenset(found)


def _memory_in(stored: Mapping[str, str]) -> Memory | None:
    """Return the well-known folders from the stored states."""
    for text in stored.values():
        try:
            memory = states.read(text).memory
        except StateInvalid:
            continue
        if memory is not None:
            return memory
    return None
