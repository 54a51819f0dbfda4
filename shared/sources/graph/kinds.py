"""How the items of each kind of folder are requested and read: one row per kind.

All kinds have the same pages: members with an id, a version and possibly all of their metadata; removals; links.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import RetryLater
from shared.sources.graph.contacts_tasks import contacts, tasks
from shared.sources.graph.mail import messages
from shared.sources.graph.transport.answers import Named, Page, decoded, decoder, moment, utc_text
from shared.sources.model import ChangeKind, FolderKind, Item, ItemRef, SourceChange


class Members[T](msgspec.Struct):
    """A page of a collection whose members could all be decoded."""

    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


@dataclass(frozen=True, slots=True)
class Collection:
    """The items of one kind of folder. Paths are below the mailbox and take the folder's id; queries begin with "?"."""

    kind: FolderKind
    member: type[Named]
    members: Any
    """The type of its members' page."""
    path: str
    round: str
    """The query of a first delta request."""
    refs: str
    """The query of a listing for comparison: ids, versions, and the time that the scope uses."""
    latest: str
    """The query of a listing with the latest changes first, for folders whose delta is refused."""
    page_sizes: tuple[int, ...]
    """The largest page: normally, and after the service has failed with larger pages."""
    item: Callable[[Any, str], Item] | None = None
    """Maps a member to an item; None if pages do not contain all of the metadata."""
    time: str = ""
    """The property with the time that the scope uses."""
    is_complete: bool = False
    """Whether a page contains everything that an item's file needs."""


_REF = "id,changeKey"


class EventRef(Named, rename="camel", gc=False):
    """An event in a page of changes: little more than its id."""

    last_modified_date_time: str | None = None


MAIL = Collection(
    kind=FolderKind.MAIL,
    member=messages.Message,
    members=Members[messages.Message],
    path="/mailFolders/{}/messages",
    round=messages.FIRST_ROUND,
    refs=f"?$select={_REF},receivedDateTime&$top=999",
    latest=messages.METADATA + "&$orderby=lastModifiedDateTime%20desc",
    page_sizes=(500, 50, 10),
    item=messages.message_item,
    time="received_date_time",
)

CALENDAR = Collection(
    kind=FolderKind.CALENDAR,
    member=EventRef,
    members=Members[EventRef],
    path="/calendars/{}/events",
    round="",
    refs=f"?$select={_REF},start&$top=999",
    latest=f"?$select={_REF},lastModifiedDateTime&$orderby=lastModifiedDateTime%20desc",
    page_sizes=(50, 10),
)

CONTACTS = Collection(
    kind=FolderKind.CONTACTS,
    member=contacts.GraphContact,
    members=Members[contacts.GraphContact],
    path="/contactFolders/{}/contacts",
    round=contacts.FULL,
    refs=f"?$select={_REF}&$top=999",
    latest=contacts.FULL + "&$orderby=lastModifiedDateTime%20desc",
    page_sizes=(100, 10),
    item=contacts.contact_item,
    is_complete=True,
)

TASKS = Collection(
    kind=FolderKind.TASKS,
    member=tasks.GraphTask,
    members=Members[tasks.GraphTask],
    path="/todo/lists/{}/tasks",
    round="",
    refs="?$top=100",
    latest="?$top=100",
    page_sizes=(100, 10),
    item=tasks.task_item,
    is_complete=True,
)

COLLECTIONS: Mapping[FolderKind, Collection] = {each.kind: each for each in (MAIL, CALENDAR, CONTACTS, TASKS)}


@dataclass(slots=True)
class ReadPage:
    """A decoded page: the changes in order, one per item, and the items that came with it."""

    changes: dict[str, SourceChange] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    given: list[Named] = field(default_factory=list)
    """All members, as they were read."""
    members: dict[str, Named] = field(default_factory=dict)
    """The members themselves, of kinds whose files are written from the page."""
    next_link: str = ""
    delta_link: str = ""

    def forget(self, identifier: str) -> None:
        """Drop an item's earlier change on the same page."""
        for known in (self.changes, self.items, self.members):
            known.pop(identifier, None)


def read_page(collection: Collection, body: bytes, folder_id: str) -> ReadPage:
    """Read one page of a delta round or a listing. If an item comes several times, its last change counts.

    A member that cannot be decoded is reported without its metadata, so that fetching it gives the reason.
    """
    try:
        page = decoded(collection.members, body)
        members: list[Named] = page.value
    except RetryLater:
        page = decoded(Page, body)
        members = list(_one_by_one(collection, page.value))
    read = ReadPage(next_link=page.next_link or "", delta_link=page.delta_link or "", given=members)
    changes, items, item_of = read.changes, read.items, collection.item
    for member in members:
        identifier = member.id
        if identifier in changes:
            read.forget(identifier)
        if member.removed is not None:
            changes[identifier] = SourceChange(ChangeKind.DELETE, identifier)
            continue
        if item_of is None or not isinstance(member, collection.member):
            changes[identifier] = SourceChange(ChangeKind.UPSERT, identifier, member.version)
            continue
        if collection.is_complete:
            read.members[identifier] = member
        try:
            items[identifier] = item = item_of(member, folder_id)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
            is_read = getattr(member, "is_read", None)
            changes[identifier] = SourceChange(ChangeKind.UPSERT, identifier, member.version, is_read)
        else:
            changes[identifier] = SourceChange(ChangeKind.UPSERT, identifier, item.version, item.is_read)
    return read


def _one_by_one(collection: Collection, raws: list[msgspec.Raw]) -> Iterator[Named]:
    """Return the members of a page of which at least one cannot be decoded."""
    for raw in raws:
        try:
            yield decoder(collection.member).decode(raw)
        except msgspec.MsgspecError:
            yield decoded(Named, bytes(raw))


def modified_at(member: Named) -> str:
    """Return when a member was last modified; empty if unknown."""
    return utc_text(getattr(member, "last_modified_date_time", None))


def read_refs(collection: Collection, body: bytes) -> tuple[list[ItemRef], str]:
    """Return a page of a listing for comparison, and the link to the next one."""
    page = decoded(collection.members, body)
    refs = [
        ItemRef(each.id, each.version, moment(getattr(each, collection.time, None)) if collection.time else None)
        for each in page.value
    ]
    return refs, page.next_link or ""
