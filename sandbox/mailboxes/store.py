"""What a mailbox consists of: folders in a tree, items in folders, and a commit for everything that happens."""

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
"""A message's own bytes, or what makes them when they are asked for (synthetic mail by the ten thousand)."""


NEVER = datetime.min.replace(tzinfo=UTC)
"""Before anything was committed."""


@dataclass(slots=True, eq=False)
class Item:
    """One item. `properties` are fragments by element name; what is computed is not among them.

    `number` names it within the mailbox until it moves; `search_key` stays and is shared by copies; `immutable_key`
    stays and is its own. `attachments` are those of items without MIME; a message's are in its MIME.
    `content_sequence` is its last commit that was more than a read flag.
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

    def text(self, name: str, default: str = "") -> str:
        """The text of one of its simple properties."""
        fragment = self.properties.get(name)
        return text_of(fragment) if fragment else default

    def content(self) -> bytes | None:
        """A message's exact MIME; None for what was not made of any."""
        return self.mime() if callable(self.mime) else self.mime

    def with_mime(self, mime: Mime) -> None:
        """Replace its MIME."""
        self.mime = mime
        self._digest = ""

    def digest(self) -> str | None:
        """The SHA-256 of its exact MIME."""
        if not self._digest and (content := self.content()) is not None:
            self._digest = hashlib.sha256(content).hexdigest()
        return self._digest or None

    def twin(self) -> "Item":
        """A copy of it, not yet in any folder."""
        copy = Item(self.element, self.item_class, dict(self.properties), self.mime, dict(self.extended))
        copy.is_read, copy.size, copy.search_key = self.is_read, self.size, self.search_key
        copy.exceptions, copy.deleted = dict(self.exceptions), list(self.deleted)
        copy.created, copy._digest = self.created, self._digest
        copy.attachments, copy.checklist = list(self.attachments), list(self.checklist)
        return copy


@dataclass(slots=True, eq=False)
class Folder:
    """One folder. `committed` and `deleted_total` are its marks (0x670A, 0x670B): they move with every change."""

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
        """How many items it holds."""
        return len(self.items)

    def below(self) -> Iterator["Folder"]:
        """Every folder below, parents before children."""
        for child in self.children.values():
            yield child
            yield from child.below()

    def is_within(self, other: "Folder") -> bool:
        """Whether it is that folder or somewhere below it."""
        here: Folder | None = self
        while here is not None and here is not other:
            here = here.parent
        return here is other

    def child(self, name: str) -> "Folder | None":
        """The folder of that name right below; names differ in more than case."""
        return next((child for child in self.children.values() if child.name.lower() == name.lower()), None)

    @property
    def path(self) -> str:
        """Display names from the top of the visible tree, joined by "/" (one within a name is written %2F)."""
        names, here = [], self
        while here.parent is not None and here.parent.parent is not None:
            names.append(here.name.replace("/", "%2F"))
            here = here.parent
        return "/".join(reversed(names))


class Mailbox:
    """One mailbox: the only place where commits are made. `store` names its present incarnation."""

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
        """The number of the next commit, and of what it makes."""
        self.sequence += 1
        return self.sequence

    # Commits: every change of an item goes through one of these three.

    def insert(self, folder: Folder, item: Item, *, now: datetime | None = None) -> Item:
        """Put an item into a folder: it gets its number, id and change key there."""
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
        """Note that an item has changed."""
        item.sequence = self.next()
        if not read_flag_only:
            item.content_sequence = item.sequence
        item.modified = self.clock()
        self._commit(item, item.modified)

    def remove(self, item: Item) -> None:
        """Take an item out of its folder; its id is worth nothing from now on."""
        folder = item.folder
        del folder.items[item.number], self.items[item.id], self.by_immutable_key[item.immutable_key]
        folder.unread -= not item.is_read
        folder.deleted_total += 1
        folder.log.record(self.next(), item.number, item.id, item, gone=True)
        self._mark(folder, self.clock())

    def set_read(self, item: Item, is_read: bool) -> None:
        """Flag an item read or unread; nothing is committed where nothing changes."""
        if item.is_read != is_read:
            item.is_read = is_read
            item.folder.unread += -1 if is_read else 1
            self.touch(item, read_flag_only=True)

    def _commit(self, item: Item, now: datetime) -> None:
        item.change_key = ids.change_key(self.store, item.sequence, item.element == "CalendarItem")
        item.folder.log.record(item.sequence, item.number, item.id, item)
        self._mark(item.folder, now)

    def _mark(self, folder: Folder, now: datetime) -> None:
        """Move a folder's commit time, always forwards."""
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
        """Make a folder."""
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
        """Note in the hierarchy that a folder was made, renamed or moved."""
        sequence = self.next()
        folder.change_key = ids.change_key(self.store, sequence)
        self.hierarchy.record(sequence, folder.number, folder.id, folder)

    def place_folder(self, folder: Folder, parent: Folder) -> None:
        """Hang a folder below another one."""
        if folder.parent is not None:
            del folder.parent.children[folder.number]
        folder.parent = parent
        parent.children[folder.number] = folder
        self.note_folder(folder)

    def drop_folder(self, folder: Folder) -> None:
        """Take a folder and all that is in it out of the mailbox."""
        for child in list(folder.children.values()):
            self.drop_folder(child)
        for item in list(folder.items.values()):
            self.remove(item)
        if folder.parent is not None:
            del folder.parent.children[folder.number]
        del self.folders[folder.id]
        self.hierarchy.record(self.next(), folder.number, folder.id, folder, gone=True)

    def top(self, archive: bool = False) -> Folder:
        """The top of what a person sees. Raises KeyError when there is no archive."""
        return self.distinguished["archivemsgfolderroot" if archive else "msgfolderroot"]

    def at_path(self, path: str) -> Folder:
        """A folder by its path or distinguished name. Raises KeyError."""
        if path.lower() in self.distinguished:
            return self.distinguished[path.lower()]
        for folder in self.top().below():
            if folder.path.lower() == path.lower():
                return folder
        raise KeyError(path)
