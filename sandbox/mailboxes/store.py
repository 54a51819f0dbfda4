"""The data of a mailbox: a tree of folders, the items in them, and a commit for every change."""

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.mailboxes import ids
from sandbox.mailboxes.fragments import text_of
from sandbox.mailboxes.item_parts import Attachment, ChangedOccurrence, ChecklistItem, Corruption
from sandbox.mailboxes.sync_log import ChangeLog

type Mime = bytes | Callable[[], bytes] | None
"""A message's own bytes, or a function that generates them on demand (synthetic mail by the ten thousand)."""


NEVER = datetime.min.replace(tzinfo=UTC)
"""The time before any commit."""


@dataclass(slots=True, eq=False)
class Item:
    """One item. `properties` are fragments by element name, without computed properties.

    `number` identifies it within the mailbox until it moves; `search_key` survives moves and is shared by copies;
    `immutable_key` survives moves and is unique. `attachments` are those of items without MIME; a message's are in its
    MIME. `content_sequence` is its last commit that changed more than the read flag.
    """

    element: str
    item_class: str
    properties: dict[str, str]
    mime: Mime = None
    extended: dict[str, str] = field(default_factory=dict)
    is_read: bool = True
    size: int = 0
    search_key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    immutable_key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    attachments: list[Attachment] = field(default_factory=list)
    checklist: list[ChecklistItem] = field(default_factory=list)
    exceptions: dict[datetime, ChangedOccurrence] = field(default_factory=dict)
    deleted: list[datetime] = field(default_factory=list)
    corruption: Corruption | None = None
    folder: "Folder" = field(init=False, repr=False)
    number: int = 0
    id: str = ""
    change_key: str = ""
    sequence: int = 0
    content_sequence: int = 0
    created: datetime = NEVER
    modified: datetime = NEVER
    _digest: str = field(default="", repr=False)

    def read_failure(self) -> str:
        """The code of the error with which reading the item fails now; empty if it can be read. Counts one attempt."""
        corruption = self.corruption
        if corruption is None:
            return ""
        if corruption.times is not None:
            corruption.times -= 1
            if corruption.times <= 0:
                self.corruption = None
        return corruption.code

    def text(self, name: str, default: str = "") -> str:
        """The text of a simple property."""
        fragment = self.properties.get(name)
        return text_of(fragment) if fragment else default

    def content(self) -> bytes | None:
        """A message's exact MIME; None for an item that was not created from MIME."""
        return self.mime() if callable(self.mime) else self.mime

    def with_mime(self, mime: Mime) -> None:
        """Replace the MIME."""
        self.mime = mime
        self._digest = ""

    def digest(self) -> str | None:
        """The SHA-256 of the exact MIME."""
        if not self._digest and (content := self.content()) is not None:
            self._digest = hashlib.sha256(content).hexdigest()
        return self._digest or None

    def twin(self) -> "Item":
        """A copy that is not in any folder yet."""
        copy = Item(self.element, self.item_class, dict(self.properties), self.mime, dict(self.extended))
        copy.is_read, copy.size, copy.search_key = self.is_read, self.size, self.search_key
        copy.exceptions, copy.deleted = dict(self.exceptions), list(self.deleted)
        copy.created, copy._digest = self.created, self._digest
        copy.attachments, copy.checklist = list(self.attachments), list(self.checklist)
        return copy


@dataclass(slots=True, eq=False)
class Folder:
    """One folder. `committed` and `deleted_total` are its change tokens (0x670A, 0x670B): every change moves them."""

    number: int
    name: str
    folder_class: str
    parent: "Folder | None"
    mailbox: "Mailbox" = field(repr=False)
    distinguished: str = ""
    hidden: bool = False
    id: str = ""
    change_key: str = ""
    created: datetime = NEVER
    committed: datetime = NEVER
    deleted_total: int = 0
    unread: int = 0
    extended: dict[str, str] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict, repr=False)
    children: dict[int, "Folder"] = field(default_factory=dict, repr=False)
    log: ChangeLog[Item] = field(default_factory=ChangeLog, repr=False)

    @property
    def total(self) -> int:
        """The number of items in it."""
        return len(self.items)

    def below(self) -> Iterator["Folder"]:
        """Every folder below, parents before children."""
        for child in self.children.values():
            yield child
            yield from child.below()

    def is_within(self, other: "Folder") -> bool:
        """Whether it is that folder or a descendant of it."""
        here: Folder | None = self
        while here is not None and here is not other:
            here = here.parent
        return here is other

    def child(self, name: str) -> "Folder | None":
        """The child folder of that name, ignoring case."""
        return next((child for child in self.children.values() if child.name.lower() == name.lower()), None)

    @property
    def path(self) -> str:
        """Display names from the visible root, joined by "/" (a slash in a name is written %2F)."""
        names, here = [], self
        while here.parent is not None and here.parent.parent is not None:
            names.append(here.name.replace("/", "%2F"))
            here = here.parent
        return "/".join(reversed(names))


class Mailbox:
    """One mailbox, the only place where commits are made. `store` identifies its current incarnation."""

    def __init__(self, address: str, clock: Callable[[], datetime]) -> None:
        self.address = address
        self.clock = clock
        self.guid = str(uuid.uuid4())
        self.store = secrets.token_bytes(16)
        self.epoch = secrets.token_hex(4)
        self.sequence = 0
        self.folders: dict[str, Folder] = {}
        self.items: dict[str, Item] = {}
        self.by_immutable_key: dict[bytes, Item] = {}
        self.distinguished: dict[str, Folder] = {}
        self.hierarchy: ChangeLog[Folder] = ChangeLog()
        self.grants: dict[str, set[str]] = {}
        self.marks = "exact"
        self.moving = False
        self.hides_folders = False
        self.set_aside: dict[Folder, list[Item]] = {}
        self.ews_block: tuple[int, str, dict[str, str]] | None = None

    def next(self) -> int:
        """The number of the next commit and of the object that it creates."""
        self.sequence += 1
        return self.sequence

    # Commits: every change of an item goes through one of these three methods.

    def insert(self, folder: Folder, item: Item, *, now: datetime | None = None) -> Item:
        """Put an item into a folder, which gives it its number, id and change key."""
        item.number = item.sequence = item.content_sequence = self.next()
        item.folder = folder
        item.id = ids.ews_id(self.guid, ids.item_entry(self.store, folder.number, item.number))
        item.modified = now or self.clock()
        if item.created is NEVER:
            item.created = item.modified
        folder.items[item.number] = item
        self.items[item.id] = self.by_immutable_key[item.immutable_key] = item
        folder.unread += not item.is_read
        self._commit(item, item.modified)
        return item

    def touch(self, item: Item, *, read_flag_only: bool = False) -> None:
        """Record that an item has changed."""
        item.sequence = self.next()
        if not read_flag_only:
            item.content_sequence = item.sequence
        item.modified = self.clock()
        self._commit(item, item.modified)

    def remove(self, item: Item) -> None:
        """Remove an item from its folder; its id becomes invalid."""
        folder = item.folder
        del folder.items[item.number], self.items[item.id], self.by_immutable_key[item.immutable_key]
        folder.unread -= not item.is_read
        folder.deleted_total += 1
        folder.log.record(self.next(), item.number, item.id, item, gone=True)
        self._mark(folder, self.clock())

    def set_read(self, item: Item, is_read: bool) -> None:
        """Mark an item read or unread; does nothing when it already is."""
        if item.is_read != is_read:
            item.is_read = is_read
            item.folder.unread += -1 if is_read else 1
            self.touch(item, read_flag_only=True)

    def _commit(self, item: Item, now: datetime) -> None:
        item.change_key = ids.change_key(self.store, item.sequence, item.element == "CalendarItem")
        item.folder.log.record(item.sequence, item.number, item.id, item)
        self._mark(item.folder, now)

    def _mark(self, folder: Folder, now: datetime) -> None:
        """Advance a folder's commit time; it never goes back."""
        folder.committed = max(now, folder.committed + timedelta(microseconds=1))

    # The tree.

    def add_folder(
        self,
        parent: Folder | None,
        name: str,
        folder_class: str = "IPF.Note",
        distinguished: str = "",
        hidden: bool = False,
    ) -> Folder:
        """Create a folder."""
        folder = Folder(self.next(), name, folder_class, parent, self, distinguished, hidden)
        folder.id = ids.ews_id(self.guid, ids.folder_entry(self.store, folder.number))
        folder.created = folder.committed = self.clock()
        self.folders[folder.id] = folder
        if distinguished:
            self.distinguished[distinguished] = folder
        if parent is not None:
            parent.children[folder.number] = folder
        self.note_folder(folder)
        return folder

    def note_folder(self, folder: Folder) -> None:
        """Record in the hierarchy that a folder was created, renamed or moved."""
        sequence = self.next()
        folder.change_key = ids.change_key(self.store, sequence)
        self.hierarchy.record(sequence, folder.number, folder.id, folder)

    def place_folder(self, folder: Folder, parent: Folder) -> None:
        """Move a folder below another one."""
        if folder.parent is not None:
            del folder.parent.children[folder.number]
        folder.parent = parent
        parent.children[folder.number] = folder
        self.note_folder(folder)

    def drop_folder(self, folder: Folder) -> None:
        """Remove a folder with everything in it."""
        for child in list(folder.children.values()):
            self.drop_folder(child)
        for item in list(folder.items.values()):
            self.remove(item)
        if folder.parent is not None:
            del folder.parent.children[folder.number]
        del self.folders[folder.id]
        self.hierarchy.record(self.next(), folder.number, folder.id, folder, gone=True)

    def top(self, archive: bool = False) -> Folder:
        """The root of the visible folders. Raises KeyError when there is no archive."""
        return self.distinguished["archivemsgfolderroot" if archive else "msgfolderroot"]

    def at_path(self, path: str) -> Folder:
        """A folder by path or distinguished name. Raises KeyError."""
        if path.lower() in self.distinguished:
            return self.distinguished[path.lower()]
        for folder in self.top().below():
            if folder.path.lower() == path.lower():
                return folder
        raise KeyError(path)
