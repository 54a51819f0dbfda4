"""One mailbox opened over EWS: implements the port MailSource."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from lxml import etree

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault, part_reason
from shared.sources.ews.fetching import shapes
from shared.sources.ews.fetching.fetcher import Fetcher
from shared.sources.ews.fetching.joint_listing import REF_PROPERTIES, JointListing
from shared.sources.ews.fetching.paginator import Paginator
from shared.sources.ews.reading.events import event_item, read_event
from shared.sources.ews.reading.folders import (
    NO_FOLDERS,
    PROPERTIES,
    WELL_KNOWN,
    Page,
    read_page,
    with_names,
)
from shared.sources.ews.reading.sync_folder_items import read_changes, read_listing, read_ref
from shared.sources.ews.transport import soap_request
from shared.sources.ews.transport.session import Channel, EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes
from shared.sources.ews.transport.soap_response import M, T, parse, response_messages, response_problem
from shared.sources.exchange_names import role_of
from shared.sources.fault_attribution import FaultAttribution
from shared.sources.folder_paths import with_paths
from shared.sources.model import (
    NO_ITEMS,
    Access,
    ChangePage,
    ContentLevel,
    Folder,
    FolderRole,
    Item,
    ItemFailure,
    ItemRef,
    RequestFigures,
    SourceName,
)
from shared.sources.port import FolderGone, FolderUnreadable

_LONGEST_VIEW = timedelta(days=700)

_ROOT = "msgfolderroot"
_ARCHIVE_ROOT = "archivemsgfolderroot"


class EwsMailbox:
    """One mailbox. Makes no request until a method needs one. Implements MailSource."""

    def __init__(
        self,
        channel: Channel,
        access: Access,
        limits: EwsLimits,
        *,
        connections: int,
        largest_item_bytes: int,
        archives: bool,
        names: dict[str, FolderRole],
        isolate_failures: bool = False,
    ) -> None:
        self._channel = channel
        self._address = access.address
        self._envelopes = Envelopes(access)
        self._faults = FaultAttribution(self.check, isolate_failures=isolate_failures)
        self._fetcher = Fetcher(channel, self._envelopes, limits, largest_item_bytes, self._faults)
        self._connections = connections
        self._archives = archives
        self._names = names
        self._known_id = ""
        self._pool: ThreadPoolExecutor | None = None

    @property
    def figures(self) -> RequestFigures:
        """The requests sent and bytes received so far."""
        return RequestFigures(self._channel.requests, self._channel.bytes_received)

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Do nothing: folder change tokens show which folders changed."""

    def folders(self) -> list[Folder]:
        """Every visible folder that can hold items, in one request (two if the server does not report roles)."""
        roots = [_ROOT, _ARCHIVE_ROOT] if self._archives else [_ROOT]
        listed: dict[str, Folder] = {}
        hidden: frozenset[str] = frozenset()
        pages = self._folder_page(roots, 0)
        pages += [NO_FOLDERS] * (len(roots) - len(pages))
        for root, page in zip(roots, pages, strict=True):
            for part in self._pages(root, page):
                listed |= {folder.id: folder for folder in part.folders}
                hidden |= part.hidden
        found = list(listed.values())
        if found and not any(folder.role for folder in found):
            found = with_names(found, self._well_known(found))
        self._known_id = next((folder.id for folder in found if not folder.archive), "")
        return with_paths(found, hidden)

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page of a folder's changes: ids and kinds only."""
        request = soap_request.sync_folder_items(folder.id, state)
        return read_changes(self._request_folder("SyncFolderItems", request), state)

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Fetch the given items in batches, several at a time. `known` is empty since change pages contain ids only."""
        return self._fetcher.fetch(folder, ids, level, self._executor, self._connections)

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item's id and version, one page at a time. An item may come twice if the folder shrinks meanwhile."""
        paginator, more = Paginator(), True
        while more:
            request = soap_request.find_item([folder.id], REF_PROPERTIES, paginator.offset)
            listing = read_listing(self._request_folder("FindItem", request))
            yield from (read_ref(element) for element in listing.items)
            more = paginator.advance(len(listing.items), listing.total, listing.following)

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """The items of small folders, as many folders per request as one response can hold."""
        return JointListing(self._channel, self._envelopes, self._faults).list_together(folders)

    def not_provided(self, folder: Folder) -> int:
        """0: EWS lists every item of a folder."""
        return 0

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """Translate none: only Graph has a request for that."""
        return {}

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """The events of a calendar between two times, with recurring ones expanded; metadata only.

        A calendar view spans two years at most and has no pages. When it is full, by our limit or by a lower limit of
        the server, the next request begins at the last start. Events that were returned already are skipped.
        """
        given: set[str] = set()
        while start < end:
            until = min(end, start + _LONGEST_VIEW)
            request = soap_request.calendar_view(folder.id, shapes.OCCURRENCE, start, until)
            listing = read_listing(self._request_folder("FindItem", request))
            fresh = [item for item in map(partial(_occurrence, folder), listing.items) if item.id not in given]
            yield from fresh
            given |= {item.id for item in fresh}
            is_full = len(listing.items) >= soap_request.LISTING or not listing.last
            later = [item.at for item in fresh if item.at is not None and item.at > start]
            start = max(later) if is_full and later else until

    def close(self) -> None:
        """Release the connections and forget the token."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._channel.close()

    def check(self) -> None:
        """Make one cheap request to find out whether the mailbox can be read."""
        self._named_folders_exist([_ROOT])

    def resolve(self, query: str) -> list[str]:
        """The primary addresses that match a name or address in the directory."""
        body = parse(self._channel.ask(self._envelopes.wrap(soap_request.resolve_names(query))))
        found: list[str] = []
        for message in response_messages(body, "ResolveNames"):
            problem = response_problem(message)
            if problem is not None and problem.code.startswith("ErrorNameResolution"):
                if problem.code != "ErrorNameResolutionMultipleResults":
                    continue
            elif problem is not None:
                raise problem.error()
            for address in message.iterfind(f"{M}ResolutionSet/{T}Resolution/{T}Mailbox/{T}EmailAddress"):
                found.append((address.text or "").strip())
        return [address for address in dict.fromkeys(found) if "@" in address]

    def primary_address(self) -> str:
        """The mailbox's primary address, which ConvertId returns for any id of the mailbox; empty if it does not."""
        asked = soap_request.convert_id(self._known_id or self._root_id(), self._address)
        converted = next(response_messages(parse(self._channel.ask(self._envelopes.wrap(asked))), "ConvertId"))
        alternate = converted.find(f"{M}AlternateId")
        address = (alternate.get("Mailbox") or "").strip() if alternate is not None else ""
        return address if "@" in address else ""

    def _root_id(self) -> str:
        identifier = self._request_one("GetFolder", self._get_folders([_ROOT])).find(f"{M}Folders/*/{T}FolderId")
        if identifier is None:
            raise error_of_fault(Fault.UNEXPECTED)
        return identifier.get("Id") or ""

    def _executor(self) -> Executor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._connections, thread_name_prefix="ews")
        return self._pool

    def _request_folder(self, operation: str, request: str) -> etree._Element:
        """Send a request about one folder and return its response message.

        If the error may concern this folder alone, check that the mailbox can be read and repeat the request once.

        Raises: FolderUnreadable if the second request fails so too.
        """
        for last in (False, True):
            try:
                return self._request_one(operation, request)
            except (RetryLater, AdministratorMustAct) as exc:
                is_checked = isinstance(exc, RetryLater) and self._faults.may_be_item_fault(exc)
                reason = part_reason(exc) or (Reason.ITEM_UNREADABLE if is_checked else None)
                if reason is None:
                    raise
                if last:
                    raise FolderUnreadable(reason, support=exc.support) from exc
                if not is_checked:
                    self.check()
        raise AssertionError("unreachable")

    def _request_one(self, operation: str, request: str) -> etree._Element:
        """Send a request and return its only response message. Raises the error that the message reports."""
        body = parse(self._channel.ask(self._envelopes.wrap(request)))
        message = next(response_messages(body, operation))
        problem = response_problem(message)
        if problem is not None:
            raise problem.error()
        return message

    def _pages(self, root: str, page: Page) -> Iterator[Page]:
        """Yield this page of folders below a root, and all later pages.

        Raises: RetryLater if the pages do not end properly: a folder missing from the list would count as deleted.
        """
        paginator = Paginator()
        yield page
        while paginator.advance(len(page.folders), page.total, page.following):
            page = self._folder_page([root], paginator.offset)[0]
            yield page
        if page.following is not None:
            raise error_of_fault(Fault.UNEXPECTED)

    def _folder_page(self, roots: list[str], offset: int) -> list[Page]:
        """One page of folders below each root. A mailbox without an online archive has no folders there."""
        parents = "".join(self._envelopes.named_folder(root) for root in roots)
        body = parse(self._channel.ask(self._envelopes.wrap(soap_request.find_folder(parents, PROPERTIES, offset))))
        pages = []
        for root, message in zip(roots, response_messages(body, "FindFolder"), strict=False):
            problem = response_problem(message)
            if problem is None:
                pages.append(read_page(message, archive=root == _ARCHIVE_ROOT))
            elif root == _ARCHIVE_ROOT and problem.code in _NO_ARCHIVE:
                pages.append(NO_FOLDERS)
            else:
                raise _root_error(problem.error())
        return pages

    def _well_known(self, folders: list[Folder]) -> dict[str, FolderRole]:
        """Folder roles by folder id. They are requested once, and again only if none of the folders is known."""
        if not self._names or not self._names.keys() & {folder.id for folder in folders}:
            body = parse(self._channel.ask(self._envelopes.wrap(self._get_folders(WELL_KNOWN))))
            for name, message in zip(WELL_KNOWN, response_messages(body, "GetFolder"), strict=False):
                identifier = message.find(f"{M}Folders/*/{T}FolderId")
                if identifier is not None:
                    self._names[identifier.get("Id") or ""] = role_of(name)
        return self._names

    def _named_folders_exist(self, names: list[str]) -> None:
        body = parse(self._channel.ask(self._envelopes.wrap(self._get_folders(names))))
        for message in response_messages(body, "GetFolder"):
            problem = response_problem(message)
            if problem is not None:
                raise _root_error(problem.error())

    def _get_folders(self, names: Sequence[str]) -> str:
        return soap_request.get_folder("".join(self._envelopes.named_folder(name) for name in names))


_NO_ARCHIVE = {
    "ErrorArchiveMailboxNotEnabled",
    "ErrorFolderNotFound",
    "ErrorInvalidOperation",
    "ErrorItemNotFound",
    "ErrorNonExistentMailbox",
}


def _root_error(error: Exception) -> Exception:
    """Map "not found" for a root folder to missing access: Exchange does not reveal more without permission.

    Exchange sometimes returns it for a mailbox that is readable again a moment later (ews-managed-api#209), so the
    error is not definite.
    """
    if isinstance(error, FolderGone):
        return AdministratorMustAct(Reason.ACCESS_DENIED, support=str(error), definite=False)
    return error


def _occurrence(folder: Folder, element: etree._Element) -> Item:
    identifier = element.find(f"{T}ItemId")
    if identifier is None:
        raise error_of_fault(Fault.UNEXPECTED)
    return event_item(read_event(element), identifier.get("Id") or "", folder.id)
