"""A mailbox in memory as Exchange behaves: ids change on a move, move keys survive it, marks are coarse.

What a person does to it is a method here; what a program sees of it is in tests/fakes/source.py.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.errors import Reason
from shared.sources.port import FolderKind, FolderRole, ItemKind


@dataclass(slots=True)
class Mail:
    """One item. `content` numbers the rewrites of it and its copies: what `content_key` is made of."""

    id: str
    folder_id: str
    move_key: str
    subject: str
    body: bytes
    kind: ItemKind = ItemKind.MESSAGE
    item_class: str = "IPM.Note"
    version: int = 1
    content: int = 0
    is_read: bool = False
    private: bool = False
    at: datetime | None = None
    addresses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    created: int = 0
    changed: int = 0
    flagged: int = 0
    modified: datetime | None = None
    """Whole seconds, as every source tells it."""


@dataclass(slots=True)
class Box:
    """One folder. `last` is the number of its last change, `deleted` of its deletions."""

    id: str
    name: str
    parent_id: str = ""
    kind: FolderKind = FolderKind.MAIL
    role: FolderRole = FolderRole.NONE
    archive: bool = False
    last: int = 0
    epoch: int = 0
    touched: datetime | None = None
    deletions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Item id → number of its deletion, number of its creation."""


class FakeMailbox:
    """One mailbox and everything that can happen to it."""

    def __init__(self, clock: Callable[[], datetime], *, immutable_ids: bool = False) -> None:
        self.clock = clock
        self.immutable_ids = immutable_ids
        self.mails: dict[str, Mail] = {}
        self.not_provided: dict[str, int] = {}
        """By folder id: items that the folder counts and the source does not give."""
        self.boxes: dict[str, Box] = {}
        self.bad: dict[str, Reason] = {}
        """Items that cannot be had, and why."""
        self.absent: set[str] = set()
        """Items that are listed, and not found when they are asked for."""
        self.uncounted: set[str] = set()
        """Items that the server leaves out of its folders' totals."""
        self.no_mime: set[str] = set()
        """Mail that cannot be had as MIME, and otherwise can."""
        self.silent: set[str] = set()
        """Items that the source passes over without a word."""
        self.choking: set[str] = set()
        """Items and folders over which the source never ends answering, whatever else was asked for with them."""
        self.saves_touch_modified = True
        """Whether a move and the read flag change an item's last-modified time; an edit always does."""
        self.marks = True
        """Whether the source can tell which folders changed."""
        self.blank = False
        """Whether it answers as if it were empty."""
        self.ghosts: set[str] = set()
        """Folders that are listed though nothing else knows them."""
        self.closed: set[str] = set()
        """Folders that cannot be read."""
        self._number = 0
        self._rewrites: Counter[str] = Counter()
        """By move key: copies that are rewritten apart never have the same content."""
        self.inbox = self.add_folder("Inbox", role=FolderRole.INBOX)
        self.archive = self.add_folder("Projects")
        self.calendar = self.add_folder("Calendar", kind=FolderKind.CALENDAR, role=FolderRole.CALENDAR)
        self.junk = self.add_folder("Junk", role=FolderRole.JUNK)
        self.bin = self.add_folder("Deleted Items", role=FolderRole.DELETED)

    # What a person does with items

    def add(self, folder_id: str, subject: str = "", body: bytes | None = None, **fields: object) -> str:
        """An item arrives; gives its id."""
        number = self._next()
        mail = Mail(
            id=f"i{number}",
            folder_id=folder_id,
            move_key=f"S{number:08X}",
            subject=subject or f"subject {number}",
            body=f"body {number}".encode() if body is None else body,
            at=self.clock(),
        )
        mail = replace(mail, **fields)  # type: ignore[arg-type]
        if self.boxes[folder_id].kind is FolderKind.CALENDAR and "kind" not in fields:
            mail.kind, mail.item_class = ItemKind.EVENT, "IPM.Appointment"
        self._place(mail, folder_id)
        return mail.id

    def update(self, item_id: str, body: bytes | None = None, **fields: object) -> None:
        """An item's content is changed."""
        mail = self.mails[item_id]
        mail.body = f"body {item_id} {self._next()}".encode() if body is None else body
        self._rewrites[mail.move_key] += 1
        mail.content = self._rewrites[mail.move_key]
        self.categorize(item_id, mail.categories, **fields)

    def edit(self, item_id: str) -> None:
        """An item's content is changed and keeps its length, as an amount in a letter does."""
        mail = self.mails[item_id]
        mail.body = bytes((byte + 1) % 256 for byte in mail.body)
        self.categorize(item_id, mail.categories)

    def categorize(self, item_id: str, categories: tuple[str, ...], **fields: object) -> None:
        """An item's properties are changed, its content is not."""
        mail = self.mails[item_id]
        mail.categories = categories
        mail.modified = self._second()
        for name, value in fields.items():
            setattr(mail, name, value)
        mail.version += 1
        mail.changed = self._touch(mail.folder_id)

    def set_read(self, item_id: str, is_read: bool = True) -> None:
        """An item is marked read or unread."""
        mail = self.mails[item_id]
        mail.is_read = is_read
        mail.version += 1
        mail.modified = self._second() if self.saves_touch_modified else mail.modified
        mail.flagged = self._touch(mail.folder_id)

    def move(self, item_id: str, folder_id: str) -> str:
        """An item is moved; gives its id afterward. Where ids survive, it cannot be moved to where it is."""
        mail = self.mails[item_id]
        if self.immutable_ids and mail.folder_id == folder_id:
            return item_id
        self.delete(item_id)
        moved = replace(mail, id=item_id if self.immutable_ids else f"i{self._next()}", version=mail.version + 1)
        self._place(moved, folder_id)
        if item_id in self.bad:
            self.bad[moved.id] = self.bad.pop(item_id)
        if item_id in self.no_mime:
            self.no_mime.add(moved.id)
        return moved.id

    def copy(self, item_id: str, folder_id: str) -> str:
        """An item is copied; the copy shares its move key."""
        copied = replace(self.mails[item_id], id=f"i{self._next()}", version=1)
        self._place(copied, folder_id)
        return copied.id

    def delete(self, item_id: str) -> None:
        """An item is deleted for good."""
        mail = self.mails.pop(item_id)
        box = self.boxes[mail.folder_id]
        number = self._touch(mail.folder_id)
        box.deletions[item_id] = (number, mail.created)

    def recover(self, mail: Mail, folder_id: str) -> str:
        """A deleted item is recovered; gives its id afterward."""
        recovered = replace(mail, id=mail.id if self.immutable_ids else f"i{self._next()}", version=mail.version + 1)
        self._place(recovered, folder_id)
        return recovered.id

    def in_folder(self, folder_id: str) -> list[Mail]:
        """A folder's items."""
        return [mail for mail in self.mails.values() if mail.folder_id == folder_id]

    # What a person does with folders

    def add_folder(self, name: str, parent_id: str = "", **fields: object) -> str:
        """A folder is made; gives its id."""
        box = Box(id=f"f{self._next()}", name=name, parent_id=parent_id)
        self.boxes[box.id] = replace(box, **fields)  # type: ignore[arg-type]
        self._touch(box.id)
        return box.id

    def rename_folder(self, folder_id: str, name: str) -> None:
        """Its id stays."""
        self.boxes[folder_id].name = name

    def move_folder(self, folder_id: str, parent_id: str) -> None:
        """Its id stays, and those of its items."""
        self.boxes[folder_id].parent_id = parent_id

    def empty_folder(self, folder_id: str) -> None:
        """Every item in it is deleted."""
        for mail in self.in_folder(folder_id):
            self.delete(mail.id)

    def delete_folder(self, folder_id: str) -> None:
        """It goes with everything below it; nobody reports the items."""
        for below in [box.id for box in self.boxes.values() if box.parent_id == folder_id]:
            self.delete_folder(below)
        for mail in self.in_folder(folder_id):
            del self.mails[mail.id]
        del self.boxes[folder_id]

    def is_within(self, folder_id: str, above: str) -> bool:
        """Whether a folder is another one or lies below it."""
        while folder_id:
            if folder_id == above:
                return True
            folder_id = self.boxes[folder_id].parent_id
        return False

    # What happens on the server

    def invalidate(self, folder_id: str) -> None:
        """The server forgets the folder's sync states."""
        self.boxes[folder_id].epoch += 1

    def recreate(self) -> None:
        """The mailbox is restored: the same items and folders, every id a new one."""
        folders = {id_: f"f{self._next()}" for id_ in self.boxes}
        boxes = list(self.boxes.values())
        mails = list(self.mails.values())
        self.boxes = {
            folders[box.id]: replace(
                box, id=folders[box.id], parent_id=folders.get(box.parent_id, ""), deletions={}, last=0
            )
            for box in boxes
        }
        self.mails = {}
        for mail in mails:
            self._place(replace(mail, id=f"i{self._next()}", flagged=0), folders[mail.folder_id])
        self.inbox, self.archive = folders.get(self.inbox, ""), folders.get(self.archive, "")
        self.calendar, self.bin = folders.get(self.calendar, ""), folders.get(self.bin, "")
        self.junk = folders.get(self.junk, "")

    def path(self, folder_id: str) -> str:
        """Display names from the top."""
        box = self.boxes[folder_id]
        name = box.name.replace("/", "%2F")
        return f"{self.path(box.parent_id)}/{name}" if box.parent_id else name

    def occurrences(self, folder_id: str, start: datetime, end: datetime) -> Iterator[tuple[Mail, datetime]]:
        """Every event recurs weekly for four weeks here."""
        for mail in self.in_folder(folder_id):
            for week in range(4):
                at = (mail.at or start) + timedelta(weeks=week)
                if start <= at < end:
                    yield mail, at

    def _place(self, mail: Mail, folder_id: str) -> None:
        mail.folder_id = folder_id
        mail.created = mail.changed = self._touch(folder_id)
        mail.modified = self._second() if self.saves_touch_modified else mail.modified or self._second()
        if before := self.boxes[folder_id].deletions.pop(mail.id, None):
            mail.created = before[1]
        self.mails[mail.id] = mail

    def _touch(self, folder_id: str) -> int:
        box = self.boxes[folder_id]
        box.last = self._next()
        box.touched = self.clock()
        return box.last

    def _second(self) -> datetime:
        return self.clock().replace(microsecond=0)

    def _next(self) -> int:
        self._number += 1
        return self._number
