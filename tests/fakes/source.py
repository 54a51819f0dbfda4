"""A mail source for in-memory mailboxes: pages, batches, coarse change tokens, and a fault at any request.

sources = FakeSources(); sources.mailboxes["alex@contoso.example"] = FakeMailbox(clock)
sources.fail_at(3, RetryLater(Reason.THROTTLED))   # the third request from now
sources.at(2, lambda: mailbox.delete(id))          # an item is deleted just before the second request from now
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.coverage import gives_item
from shared.sources.model import (
    NO_ITEMS,
    Access,
    ChangeKind,
    ChangePage,
    Content,
    ContentLevel,
    Folder,
    FolderKind,
    Item,
    ItemFailure,
    ItemKind,
    ItemRef,
    RequestFigures,
    SourceChange,
    SourceName,
)
from shared.sources.port import FolderGone, FolderUnreadable, StateInvalid
from tests.fakes.mailbox import Box, FakeMailbox, Mail

OTHER_VERSIONS = 1_000_000
"""What is added to a version over Graph where versions differ."""

OVER_GRAPH = b" and more"
"""What is added to a body over Graph where contents differ."""


def state_parts(state: str) -> tuple[SourceName, int, int]:
    """A folder state: whose it is, the folder's epoch, and the number of the last change that it knows."""
    epoch, last, *of_graph = state.split("|")
    return SourceName.GRAPH if of_graph else SourceName.EWS, int(epoch), int(last)


class FakeSources:
    """Implements MailSources. `requests` counts every request, `downloads` every content that was returned.

    With `carries_items`, change pages carry the items, as Graph's delta does. Every change of an item is then an
    UPSERT, including changes of its read flag.
    Graph access (by the token) always carries items, has no marks, and does not give everything.
    """

    def __init__(
        self, page: int = 512, batch: int = 20, largest: int = 150 * 1024 * 1024, *, carries_items: bool = False
    ) -> None:
        self.carries_items = carries_items
        self.blocked: set[SourceName] = set()
        """Sources that do not serve anybody any more."""
        self.withheld: set[FolderKind] = set()
        """Kinds of folders that whoever comes for Graph has no permission for."""
        self.versions_differ = False
        """Whether one item has another version over each source."""
        self.contents_differ: set[ItemKind] = set()
        """Kinds whose contents are others over Graph, while all metadata is the same."""
        self.page = page
        self.batch = batch
        self.largest = largest
        self.mailboxes: dict[str, FakeMailbox] = {}
        self.primary: dict[str, str] = {}
        """Primary addresses by the address that a mailbox is opened with, where they differ."""
        self.requests: Counter[str] = Counter()
        self.failed = ""
        """The name of the latest request that failed as planned."""
        self.downloads: Counter[tuple[str, int]] = Counter()
        """By move key and rewrite number: how often the content was returned."""
        self.between_pages: Callable[[Folder], None] | None = None
        """Called between every two pages of a listing."""
        self.patience = 1_000
        """How many choking items and folders a pass can check when it isolates failures; the next is an outage."""
        self.opened = 0
        self.closed = 0
        self._plans: dict[int, BaseException | Callable[[], object]] = {}
        self._lock = threading.RLock()

    def fail_at(self, request: int, error: BaseException) -> None:
        """Make the given request fail; 1 is the next request."""
        self._plans[self.requests.total() + request] = error

    def at(self, request: int, act: Callable[[], object]) -> None:
        """Call `act` just before the given request."""
        self._plans[self.requests.total() + request] = act

    def calm(self) -> None:
        """Cancel everything that is still planned."""
        self._plans.clear()

    def open(self, access: Access, *, isolate_failures: bool = False) -> "FakeSource":
        """Open one mailbox."""
        self.opened += 1
        mailbox = self.mailboxes[access.address]
        address = self.primary.get(access.address, access.address)
        return FakeSource(self, mailbox, access.source, isolate_failures=isolate_failures, address=address)

    def check(self, access: Access) -> None:
        """Make one request."""
        self.request("check")
        if access.source in self.blocked:
            raise AdministratorMustAct(Reason.EWS_BLOCKED)

    def resolve(self, access: Access, query: str) -> list[str]:
        """The addresses that begin with the query."""
        self.request("resolve")
        return sorted(address for address in self.mailboxes if address.startswith(query))

    def primary_address(self, access: Access) -> str:
        """The address that the mailbox is opened with."""
        return self.open(access).primary_address()

    def request(self, name: str) -> None:
        """Count one request, and raise or do what is planned for it."""
        with self._lock:
            self.requests[name] += 1
            planned = self._plans.pop(self.requests.total(), None)
            if isinstance(planned, BaseException):
                self.failed = name
                raise planned
            if planned is not None:
                planned()


class FakeSource:
    """Implements MailSource."""

    def __init__(
        self,
        sources: FakeSources,
        mailbox: FakeMailbox,
        name: SourceName = SourceName.EWS,
        *,
        isolate_failures: bool = False,
        address: str = "",
    ) -> None:
        self._address = address
        self.name = name
        self._is_graph = name is SourceName.GRAPH
        self._carries_items = sources.carries_items or self._is_graph
        self._isolate_failures = isolate_failures
        self._checks = 0
        self._sources = sources
        self._mailbox = mailbox
        self._before = sources.requests.total()

    @property
    def figures(self) -> RequestFigures:
        """The number of requests since this mailbox was opened."""
        return RequestFigures(self._sources.requests.total() - self._before)

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Do nothing."""

    def folders(self) -> list[Folder]:
        """The folders, in one request."""
        self._request("folders")
        return self.listed()

    def _request(self, name: str) -> None:
        """One request reaches the server, if it serves this source."""
        self._sources.request(name)
        if self.name in self._sources.blocked:
            raise AdministratorMustAct(Reason.EWS_BLOCKED)

    def listed(self) -> list[Folder]:
        """What a look would show, without one."""
        given = filter(self._lists, self._mailbox.boxes.values())
        return [] if self._mailbox.blank else [self._folder(box) for box in given]

    def given(self, folder_id: str) -> list[Mail]:
        """A folder's items as far as this source gives them."""
        mails = self._mailbox.in_folder(folder_id)
        return [mail for mail in mails if gives_item(self.name, mail.kind, mail.item_class)]

    def version(self, mail: Mail) -> str:
        """An item's version over this source."""
        return str(mail.version + (OTHER_VERSIONS if self._is_graph and self._sources.versions_differ else 0))

    def body(self, mail: Mail) -> bytes:
        """An item's body over this source."""
        differs = self._is_graph and mail.kind in self._sources.contents_differ
        return mail.body + (OVER_GRAPH if differs else b"")

    def _folder(self, box: Box) -> Folder:
        mailbox = self._mailbox
        touched = box.touched.replace(microsecond=0) if box.touched else None
        return Folder(
            id=box.id,
            parent_id=box.parent_id,
            name=box.name,
            path=mailbox.path(box.id),
            kind=box.kind,
            role=box.role,
            total=sum(mail.id not in mailbox.uncounted for mail in mailbox.in_folder(box.id)),
            archive=box.archive,
            change_token=f"{touched}|{len(box.deletions)}" if mailbox.marks and not self._is_graph else None,
            change_token_at=touched if mailbox.marks and not self._is_graph else None,
        )

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """One page of changes, in one request."""
        self._request("changes")
        box = self._box(folder)
        name, epoch, since = state_parts(state) if state else (self.name, box.epoch, 0)
        if epoch != box.epoch or name is not self.name or (state and box.id in self._mailbox.forgetful):
            raise StateInvalid("the server does not know this state")
        news = sorted(self._news(box, since), key=lambda pair: pair[0])
        page = news[: self._sources.page]
        last = page[-1][0] if len(news) > len(page) else max(box.last, since)
        changes = tuple(change for _, change in page)
        following = f"{box.epoch}|{last}" + ("|graph" if self._is_graph else "")
        return ChangePage(changes, following, len(page) == len(news), self._carried(changes))

    def _carried(self, changes: Sequence[SourceChange]) -> dict[str, Item]:
        """The items of a change page, if pages carry them."""
        if not self._carries_items:
            return {}
        arrived = [self._mailbox.mails[change.item_id] for change in changes if change.kind is ChangeKind.UPSERT]
        return {mail.id: self._item(mail, ContentLevel.METADATA) for mail in arrived}

    def _news(self, box: Box, since: int) -> Iterator[tuple[int, SourceChange]]:
        for mail in self.given(box.id):
            if mail.changed > since:
                yield mail.changed, SourceChange(ChangeKind.UPSERT, mail.id, self.version(mail), mail.is_read)
            elif mail.flagged > since:
                kind = ChangeKind.UPSERT if self._carries_items else ChangeKind.READ_FLAG
                yield mail.flagged, SourceChange(kind, mail.id, self.version(mail), mail.is_read)
        for item_id, (deleted, created) in box.deletions.items():
            if deleted > since >= created:
                yield deleted, SourceChange(ChangeKind.DELETE, item_id)

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Fetch items, one request per batch. A known item keeps its metadata, which may be outdated by now."""
        for batch in batched(ids, self._sources.batch, strict=False):
            self._request("fetch")
            if not self._isolate_failures and self._mailbox.choking.intersection(batch):
                raise RetryLater(Reason.TIMED_OUT, support="silence")
            for item_id in batch:
                if item_id in self._mailbox.choking:
                    self._check_choking()
                if item_id not in self._mailbox.silent:
                    yield self._completed(self._one(item_id, level), known.get(item_id))

    def _completed(self, result: Item | ItemFailure, known: Item | None) -> Item | ItemFailure:
        """The known item with the fetched content, even if that is incomplete."""
        if known is None or isinstance(result, ItemFailure):
            return result
        original = {"original": False} if result.lacking else {}
        return replace(known, content=result.content, lacking=result.lacking, metadata={**known.metadata, **original})

    def _check_choking(self) -> None:
        """Check a choking item or folder. Raises RetryLater if failures are not isolated or no check is left."""
        self._checks += 1
        if not self._isolate_failures or self._checks > self._sources.patience:
            raise RetryLater(Reason.TIMED_OUT, support="silence")

    def _one(self, item_id: str, level: ContentLevel) -> Item | ItemFailure:
        mail = self._mailbox.mails.get(item_id)
        if mail is None or item_id in self._mailbox.absent or not self._gives(mail):
            return ItemFailure(item_id, Reason.ITEM_GONE)
        if item_id in self._mailbox.choking:
            return ItemFailure(item_id, Reason.ITEM_UNREADABLE, "silence")
        if item_id in self._mailbox.bad:
            return ItemFailure(item_id, self._mailbox.bad[item_id], "ErrorItemCorrupt")
        if item_id in self._mailbox.bad_content and level is not ContentLevel.METADATA:
            return ItemFailure(item_id, self._mailbox.bad_content[item_id], "ErrorItemCorrupt")
        item = self._item(mail, level)
        if level is ContentLevel.MIME and item.kind is ItemKind.MESSAGE and item_id in self._mailbox.no_mime:
            item = self._item(mail, ContentLevel.BODY)
            item.lacking = ItemFailure(item_id, Reason.ITEM_CORRUPT, "ErrorMimeContentConversionFailed")
            item.metadata = {**item.metadata, "original": False}
        return item

    def _gives(self, mail: Mail) -> bool:
        """Whether this source gives the item and its folder."""
        box = self._mailbox.boxes[mail.folder_id]
        return gives_item(self.name, mail.kind, mail.item_class) and self._lists(box)

    def _lists(self, box: Box) -> bool:
        """Whether this source lists the folder: Graph has no journal, no notes and no archives."""
        if not self._is_graph:
            return True
        return box.kind is not FolderKind.OTHER and not box.archive and box.kind not in self._sources.withheld

    def _item(self, mail: Mail, level: ContentLevel) -> Item:
        content = None
        if level is not ContentLevel.METADATA and len(mail.body) <= self._sources.largest:
            self._sources.downloads[mail.move_key, mail.content] += 1
            form = "eml" if mail.kind is ItemKind.MESSAGE else "ics"
            content = Content(form, level.value.encode() + self.body(mail))
        return Item(
            id=mail.id,
            version=self.version(mail),
            folder_id=mail.folder_id,
            kind=mail.kind,
            item_class=mail.item_class,
            move_key=mail.move_key,
            content_key=f"{mail.move_key}-{mail.content}",
            subject=mail.subject,
            size=len(mail.body),
            is_read=mail.is_read,
            private=mail.private,
            at=mail.at,
            addresses=mail.addresses,
            metadata={
                "categories": list(mail.categories),
                "modified": mail.modified.isoformat() if mail.modified else "",
            },
            content=content,
        )

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """List items, one request per page, by position: changes between two pages shift the later items."""
        self._box(folder)
        done = 0
        while True:
            self._request("list")
            mails = self.given(folder.id)[done : done + self._sources.page]
            yield from (_ref(mail, self.version(mail)) for mail in mails)
            done += len(mails)
            if len(mails) < self._sources.page:
                return
            if self._sources.between_pages is not None:
                self._sources.between_pages(folder)

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """List folders of up to half a page together, in one request for each page of items."""
        group: list[Folder] = []
        room = self._sources.page
        for folder in folders:
            if folder.total is None or folder.total > self._sources.page // 2:
                continue
            if folder.total > room:
                yield from self._listed_together(group)
                group, room = [], self._sources.page
            group.append(folder)
            room -= folder.total
        yield from self._listed_together(group)

    def _listed_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """Answer one request. A choking folder ends it for all of them; one that cannot be read is left out."""
        if not folders:
            return
        self._request("list")
        if any(folder.id in self._mailbox.choking for folder in folders):
            self._check_choking()
            return
        listed = []
        for folder in folders:
            with contextlib.suppress(FolderGone, FolderUnreadable):
                mails = self.given(self._box(folder).id)
                if len(mails) <= self._sources.page:
                    listed.append((folder.id, [_ref(mail, self.version(mail)) for mail in mails]))
        yield from listed

    def not_provided(self, folder: Folder) -> int:
        """The number in the mailbox's `not_provided`."""
        return self._mailbox.not_provided.get(folder.id, 0)

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """None: every id is spelled alike."""
        return {}

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """The occurrences, in one request."""
        self._request("occurrences")
        self._box(folder)
        for mail, at in self._mailbox.occurrences(folder.id, start, end):
            item = self._item(mail, ContentLevel.METADATA)
            item.at, item.metadata = at, {"categories": list(mail.categories)}
            yield item

    def primary_address(self) -> str:
        """The mailbox's primary address, in one request."""
        self._request("primary_address")
        return self._address

    def close(self) -> None:
        """Count the closed mailbox."""
        self._sources.closed += 1

    def _box(self, folder: Folder) -> Box:
        if folder.id not in self._mailbox.boxes or folder.id in self._mailbox.ghosts:
            raise FolderGone("no such folder")
        if folder.id in self._mailbox.choking:
            self._check_choking()
            raise FolderUnreadable(Reason.ITEM_UNREADABLE, support="silence")
        if folder.id in self._mailbox.closed:
            raise FolderUnreadable(Reason.ITEM_REFUSED, support="ErrorAccessDenied")
        return self._mailbox.boxes[folder.id]


def _ref(mail: Mail, version: str) -> ItemRef:
    """What a listing says of an item: only mail has an age."""
    return ItemRef(mail.id, version, mail.at if mail.kind is ItemKind.MESSAGE else None)
