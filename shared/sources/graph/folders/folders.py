"""Decodes the listings of a mailbox's folders: mail folders, calendars, contact folders, and task lists.

The listings of v1.0 contain neither well-known names nor change tokens. The well-known folders are requested by name,
once per mailbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from shared.errors import Actor
from shared.sources.exchange_names import ROLES
from shared.sources.folder_paths import name_in_path, with_paths
from shared.sources.graph.folders.states import Memory
from shared.sources.graph.transport.answers import Extended, Page, Removed, decoded, values_of
from shared.sources.graph.transport.batch import Ask
from shared.sources.graph.transport.client import Part
from shared.sources.graph.transport.queries import extended, query
from shared.sources.model import Folder, FolderKind, FolderRole

_PAGE = ("odata.maxpagesize=200",)

_ROOT = "msgfolderroot"
_CONTACTS = "contacts"

_WELL_KNOWN = (
    "inbox",
    "drafts",
    "sentitems",
    "deleteditems",
    "junkemail",
    "outbox",
    "archive",
    "conversationhistory",
    "syncissues",
    "conflicts",
    "localfailures",
    "serverfailures",
)
"""Names that Graph accepts in place of a mail folder's id."""


class MailFolder(msgspec.Struct, rename="camel", gc=False):
    """A mailFolder."""

    id: str
    display_name: str | None = None
    parent_folder_id: str | None = None
    total_item_count: int | None = None
    child_folder_count: int | None = None
    is_hidden: bool | None = None
    type: str = msgspec.field(default="", name="@odata.type")
    removed: Removed | None = msgspec.field(default=None, name="@removed")


class _Owner(msgspec.Struct, gc=False):
    address: str | None = None


class Calendar(msgspec.Struct, rename="camel", gc=False):
    """A calendar: the person's own, or one that was opened from somebody else."""

    id: str
    name: str | None = None
    owner: _Owner | None = None
    is_default_calendar: bool | None = None


class ContactFolder(msgspec.Struct, rename="camel", gc=False):
    """A contactFolder."""

    id: str
    display_name: str | None = None
    parent_folder_id: str | None = None
    removed: Removed | None = msgspec.field(default=None, name="@removed")


class TaskList(msgspec.Struct, rename="camel", gc=False):
    """A todoTaskList."""

    id: str
    display_name: str | None = None
    is_owner: bool | None = None
    wellknown_list_name: str | None = None


class ListingPage[T](msgspec.Struct):
    """One page of a listing."""

    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


LISTINGS: Mapping[FolderKind, Ask] = {
    FolderKind.MAIL: Ask("/mailFolders/delta?$select=displayName,parentFolderId,totalItemCount,isHidden", prefer=_PAGE),
    FolderKind.CALENDAR: Ask("/calendars?$select=name,owner,isDefaultCalendar&$top=200"),
    FolderKind.CONTACTS: Ask("/contactFolders/delta?$select=displayName,parentFolderId", prefer=_PAGE),
    FolderKind.TASKS: Ask("/todo/lists?$top=200"),
}
"""The request that lists the folders of each kind; paths are below the mailbox."""


LEVELS: Mapping[FolderKind, tuple[str, str]] = {
    FolderKind.MAIL: (
        "/mailFolders?$select=displayName,parentFolderId,totalItemCount,isHidden,childFolderCount&$top=200",
        "/mailFolders/{}/childFolders"
        "?$select=displayName,parentFolderId,totalItemCount,isHidden,childFolderCount&$top=200",
    ),
    FolderKind.CONTACTS: (
        "/contactFolders?$select=displayName,parentFolderId&$top=200",
        "/contactFolders/{}/childFolders?$select=displayName,parentFolderId&$top=200",
    ),
}
"""The paths that list a tree level by level: the top folders, and the subfolders of one folder."""


COUNTED: Mapping[FolderKind, str] = {
    FolderKind.MAIL: "/mailFolders/{}?$select=totalItemCount",
    FolderKind.CONTACTS: "/contactFolders/{}" + query(select="id", expand=extended(("Integer 0x3602",))),
}
"""The path that returns a folder's number of items of any class (0x3602 is PR_CONTENT_COUNT)."""


class _Count(msgspec.Struct, rename="camel"):
    total_item_count: int | None = None
    single_value_extended_properties: list[Extended] | None = None


def count_in(body: bytes) -> int:
    """Return the number in a response to a request of COUNTED."""
    count = decoded(_Count, body)
    if count.total_item_count is not None:
        return count.total_item_count
    text = values_of(count.single_value_extended_properties).get("3602", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


@dataclass(slots=True)
class Listed:
    """The folders of one mailbox that have been read; each kind is read page by page."""

    mail: dict[str, MailFolder] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    contacts: dict[str, ContactFolder] = field(default_factory=dict)
    tasks: dict[str, TaskList] = field(default_factory=dict)

    def take(self, kind: FolderKind, body: bytes) -> str | None:
        """Add one page; returns the link to the next. Raises RetryLater if the response cannot be decoded."""
        if kind is FolderKind.MAIL:
            mail = decoded(ListingPage[MailFolder], body)
            self.mail |= {each.id: each for each in mail.value}
            return mail.next_link
        if kind is FolderKind.CALENDAR:
            calendars = decoded(ListingPage[Calendar], body)
            self.calendars |= {each.id: each for each in calendars.value}
            return calendars.next_link
        if kind is FolderKind.CONTACTS:
            contacts = decoded(ListingPage[ContactFolder], body)
            self.contacts |= {each.id: each for each in contacts.value}
            return contacts.next_link
        tasks = decoded(ListingPage[TaskList], body)
        self.tasks |= {each.id: each for each in tasks.value}
        return tasks.next_link

    def take_level(self, kind: FolderKind, body: bytes) -> list[str]:
        """Add one page of a level; returns the ids of the folders that may have subfolders."""
        if kind is FolderKind.MAIL:
            mail = [each for each in decoded(ListingPage[MailFolder], body).value if each.id not in self.mail]
            self.mail |= {each.id: each for each in mail}
            return [each.id for each in mail if each.child_folder_count != 0]
        contacts = [each for each in decoded(ListingPage[ContactFolder], body).value if each.id not in self.contacts]
        self.contacts |= {each.id: each for each in contacts}
        return [each.id for each in contacts]

    @staticmethod
    def next_link(body: bytes) -> str:
        """The link to the next page of any listing; empty at its end."""
        return decoded(Page, body).next_link or ""

    def folders(self, memory: Memory) -> list[Folder]:
        """Return every visible folder that can hold items."""
        return [*self._mail(memory), *self._calendars(), *self._contacts(memory), *self._tasks()]

    def is_known_to(self, memory: Memory) -> bool:
        """Whether the remembered well-known folders are those of this mailbox, which may have been created again."""
        return bool(memory.roles.keys() & self.mail.keys())

    def _mail(self, memory: Memory) -> list[Folder]:
        there = [each for each in self.mail.values() if each.removed is None and each.id != memory.root]
        hidden = frozenset(each.id for each in there if each.is_hidden or each.type.endswith("mailSearchFolder"))
        return with_paths((_mail_folder(each, memory) for each in there), hidden)

    def _calendars(self) -> list[Folder]:
        default = next((each for each in self.calendars.values() if each.is_default_calendar), None)
        mine = _address(default)
        own = [each for each in self.calendars.values() if not mine or _address(each) in ("", mine)]
        return [
            _folder(
                each.id, each.name, FolderKind.CALENDAR, FolderRole.CALENDAR if each is default else FolderRole.NONE
            )
            for each in own
        ]

    def _contacts(self, memory: Memory) -> list[Folder]:
        there = [each for each in self.contacts.values() if each.removed is None and each.id != memory.root]
        found = {
            each.id: _folder(each.id, each.display_name, FolderKind.CONTACTS, parent_id=each.parent_folder_id or "")
            for each in there
        }
        if memory.contacts is not None:
            identifier, name = memory.contacts
            found[identifier] = _folder(identifier, name, FolderKind.CONTACTS, FolderRole.CONTACTS)
        return with_paths(found.values())

    def _tasks(self) -> list[Folder]:
        """Return every task list except the one that shows flagged mail."""
        return [
            _folder(
                each.id,
                each.display_name,
                FolderKind.TASKS,
                FolderRole.TASKS if each.wellknown_list_name == "defaultList" else FolderRole.NONE,
            )
            for each in self.tasks.values()
            if each.wellknown_list_name != "flaggedEmails"
        ]


def _mail_folder(each: MailFolder, memory: Memory) -> Folder:
    return _folder(
        each.id,
        each.display_name,
        FolderKind.MAIL,
        memory.roles.get(each.id, FolderRole.NONE),
        parent_id=each.parent_folder_id or "",
        total=each.total_item_count or 0,
    )


def _folder(
    identifier: str,
    name: str | None,
    kind: FolderKind,
    role: FolderRole = FolderRole.NONE,
    *,
    parent_id: str = "",
    total: int | None = None,
) -> Folder:
    name = name or ""
    return Folder(identifier, parent_id, name, name_in_path(name), kind, role, total)


def _address(calendar: Calendar | None) -> str:
    return (calendar.owner.address or "").casefold() if calendar is not None and calendar.owner else ""


def role_asks(mailbox: str) -> list[Ask]:
    """Return the requests for a mailbox's well-known folders, in the order that `memory_of` expects."""
    names = [f"{mailbox}/mailFolders/{name}?$select=id" for name in (_ROOT, *_WELL_KNOWN)]
    return [*map(Ask, names), Ask(f"{mailbox}/contactFolders/{_CONTACTS}?$select=displayName")]


class _Identified(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None


def memory_of(parts: Sequence[Part]) -> Memory:
    """Return the well-known folders from the responses to `role_asks`, without those that the mailbox lacks.

    Raises: an error that concerns the whole mailbox.
    """
    root, *named, contacts = [_identified(part) for part in parts]
    roles = {each.id: ROLES[name] for each, name in zip(named, _WELL_KNOWN, strict=True) if each is not None}
    return Memory(
        roles=roles,
        root=root.id if root else "",
        contacts=(contacts.id, contacts.display_name or "Contacts") if contacts else None,
    )


def _identified(part: Part) -> _Identified | None:
    if part.refusal is not None and part.refusal.rule.actor in _MISSING:
        return None
    return decoded(_Identified, part.value())


_MISSING = frozenset({Actor.FOLDER, Actor.OPERATOR})
"""How a refusal of a well-known name is classified if the mailbox, or the service, does not have that folder."""
