"""An in-memory mailbox that behaves like Exchange: moves change ids but not move keys, and change tokens are coarse.

The methods here are what people do to a mailbox. tests/fakes/source.py shows what a program sees of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.errors import Reason
from shared.sources.model import FolderKind, FolderRole, ItemKind


@dataclass(slots=True)
class Mail:
    """One item. `content` counts the rewrites of the item and its copies; `content_key` is derived from it."""

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
    """The last-modified time in whole seconds, as every source reports it."""


@dataclass(slots=True)
class Box:
    """One folder. `last` is the number of its last change; `epoch` counts invalidations of its states."""

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
    """By item id: the number of its deletion and the number of its creation."""


class FakeMailbox:
    """One mailbox with everything that can happen to it."""

    def __init__(self, clock: Callable[[], datetime], *, immutable_ids: bool = False) -> None:
        self.clock = clock
        self.immutable_ids = immutable_ids
        self.mails: dict[str, Mail] = {}
        self.not_provided: dict[str, int] = {}
        """By folder id: the number of items that the folder counts but the source does not return."""
        self.boxes: dict[str, Box] = {}
        self.bad: dict[str, Reason] = {}
        """Items that cannot be fetched, with the reason."""
        self.absent: set[str] = set()
        """Items that are listed but not found when they are fetched."""
        self.uncounted: set[str] = set()
        """Items that the server leaves out of its folders' totals."""
        self.no_mime: set[str] = set()
        """Mail that can be fetched, but not as MIME."""
        self.bad_content: dict[str, Reason] = {}
        """Items whose metadata can be fetched, but not their content, with the reason."""
        self.silent: set[str] = set()
        """Items that the source silently omits from a fetch."""
        self.choking: set[str] = set()
        """Items and folders that make every request with them time out."""
        self.saves_touch_modified = True
        """Whether a move and the read flag change an item's last-modified time; an edit always does."""
        self.marks = True
        """Whether folders have change tokens."""
        self.blank = False
        """Whether the mailbox lists no folders, as if it were empty."""
        self.ghosts: set[str] = set()
        """Folders that are listed but do not exist in any other request."""
        self.closed: set[str] = set()
        """Folders that cannot be read."""
        self.forgetful: set[str] = set()
        """Folders whose state is lost after each page."""
        self._number = 0
        self._rewrites: Counter[str] = Counter()
        """Rewrites by move key, so that copies that are rewritten separately never have equal content."""
        self.inbox = self.add_folder("Inbox", role=FolderRole.INBOX)
        self.archive = self.add_folder("Projects")
        self.calendar = self.add_folder("Calendar", kind=FolderKind.CALENDAR, role=FolderRole.CALENDAR)
        self.junk = self.add_folder("Junk", role=FolderRole.JUNK)
        self.bin = self.add_folder("Deleted Items", role=FolderRole.DELETED)

    # Actions of people on items

    def add(self, folder_id: str, subject: str = "", body: bytes | None = None, **fields: object) -> str:
        """Add an item and return its id."""
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
        """Change an item's content."""
        mail = self.mails[item_id]
        mail.body = f"body {item_id} {self._next()}".encode() if body is None else body
        self._rewrites[mail.move_key] += 1
        mail.content = self._rewrites[mail.move_key]
        self.categorize(item_id, mail.categories, **fields)

    def edit(self, item_id: str) -> None:
        """Change an item's content without changing its length."""
        mail = self.mails[item_id]
        mail.body = bytes((byte + 1) % 256 for byte in mail.body)
        self.categorize(item_id, mail.categories)

    def categorize(self, item_id: str, categories: tuple[str, ...], **fields: object) -> None:
        """Change an item's properties but not its content."""
        mail = self.mails[item_id]
        mail.categories = categories
        mail.modified = self._second()
        for name, value in fields.items():
            setattr(mail, name, value)
        mail.version += 1
        mail.changed = self._touch(mail.folder_id)

    def set_read(self, item_id: str, is_read: bool = True) -> None:
        """Mark an item as read or unread."""
        mail = self.mails[item_id]
        mail.is_read = is_read
        mail.version += 1
        mail.modified = self._second() if self.saves_touch_modified else mail.modified
        mail.flagged = self._touch(mail.folder_id)

    def move(self, item_id: str, folder_id: str) -> str:
        """Move an item and return its new id. With immutable ids, a move to the same folder does nothing."""
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
        """Copy an item and return the copy's id. The copy has the same move key."""
        copied = replace(self.mails[item_id], id=f"i{self._next()}", version=1)
        self._place(copied, folder_id)
        return copied.id

    def delete(self, item_id: str) -> None:
        """Delete an item permanently."""
        mail = self.mails.pop(item_id)
        box = self.boxes[mail.folder_id]
        number = self._touch(mail.folder_id)
        box.deletions[item_id] = (number, mail.created)

    def recover(self, mail: Mail, folder_id: str) -> str:
        """Recover a deleted item and return its new id."""
        recovered = replace(mail, id=mail.id if self.immutable_ids else f"i{self._next()}", version=mail.version + 1)
        self._place(recovered, folder_id)
        return recovered.id

    def in_folder(self, folder_id: str) -> list[Mail]:
        """A folder's items."""
        return [mail for mail in self.mails.values() if mail.folder_id == folder_id]

    # Actions of people on folders

    def add_folder(self, name: str, parent_id: str = "", **fields: object) -> str:
        """Create a folder and return its id."""
        box = Box(id=f"f{self._next()}", name=name, parent_id=parent_id)
        self.boxes[box.id] = replace(box, **fields)  # type: ignore[arg-type]
        self._touch(box.id)
        return box.id

    def rename_folder(self, folder_id: str, name: str) -> None:
        """Rename a folder, which keeps its id."""
        self.boxes[folder_id].name = name

    def move_folder(self, folder_id: str, parent_id: str) -> None:
        """Move a folder, which keeps its id and the ids of its items."""
        self.boxes[folder_id].parent_id = parent_id

    def empty_folder(self, folder_id: str) -> None:
        """Delete every item in a folder."""
        for mail in self.in_folder(folder_id):
            self.delete(mail.id)

    def delete_folder(self, folder_id: str) -> None:
        """Delete a folder with everything below it; no deletions of its items are reported."""
        for below in [box.id for box in self.boxes.values() if box.parent_id == folder_id]:
            self.delete_folder(below)
        for mail in self.in_folder(folder_id):
            del self.mails[mail.id]
        del self.boxes[folder_id]

    def is_within(self, folder_id: str, above: str) -> bool:
        """Whether a folder is the same as another one or below it."""
        while folder_id:
            if folder_id == above:
                return True
            folder_id = self.boxes[folder_id].parent_id
        return False

    # Events on the server

    def invalidate(self, folder_id: str) -> None:
        """Make the server forget the folder's sync states."""
        self.boxes[folder_id].epoch += 1

    def recreate(self) -> None:
        """Restore the mailbox: the same items and folders, all with new ids."""
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
        """The folder's path: display names from the top folder down."""
        box = self.boxes[folder_id]
        name = box.name.replace("/", "%2F")
        return f"{self.path(box.parent_id)}/{name}" if box.parent_id else name

    def occurrences(self, folder_id: str, start: datetime, end: datetime) -> Iterator[tuple[Mail, datetime]]:
        """The occurrences between two times. In this fake every event recurs weekly for four weeks."""
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
