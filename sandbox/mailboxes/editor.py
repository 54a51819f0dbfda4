"""Changes of every kind that people make to a mailbox, random or by name, which a sync has to notice."""

import random
from collections.abc import Callable, Sequence

from sandbox.mailboxes import deletion
from sandbox.mailboxes.calendar.events import occurrences
from sandbox.mailboxes.fragments import tag
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.items.mime import with_subject
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.snapshot import item_snapshot, kind_of
from sandbox.mailboxes.store import Folder, Item, Mailbox

type Change = dict[str, object]


class MailboxEditor:
    """Changes a mailbox as its owner would; the same seed on the same mailbox makes the same changes."""

    def __init__(self, mailbox: Mailbox, seed: int) -> None:
        self._mailbox = mailbox
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self._serial = seed % 1000 * 1000

    def change(self, kinds: Sequence[str], count: int) -> list[Change]:
        """Make `count` changes of these kinds (none: of all); a change with nothing to apply to is skipped."""
        done: list[Change] = []
        for _ in range(count):
            kind = self._chance.choice(list(kinds) or list(KINDS))
            made = KINDS[kind](self)
            if made is not None:
                done.append({"change": kind} | made)
        return done

    # Selection of what to change

    def _folders(self, own: bool = False) -> list[Folder]:
        """The visible mail folders; `own`: only those that a person created."""
        found = [folder for folder in self._mailbox.top().below() if not folder.hidden]
        return [folder for folder in found if not (own and folder.distinguished)]

    def _folder(self, own: bool = False) -> Folder | None:
        found = self._folders(own)
        return self._chance.choice(found) if found else None

    def _mail_folder(self) -> Folder:
        return self._chance.choice([folder for folder in self._folders() if folder.folder_class == "IPF.Note"])

    def _item(self, kind: str = "") -> Item | None:
        found = [item for folder in self._folders() for item in folder.items.values() if kind in ("", kind_of(item))]
        return self._chance.choice(found) if found else None

    def _number(self) -> int:
        self._serial += 1
        return self._serial

    # Changes

    def create(self) -> Change:
        """Add a message or, now and then, another kind of item."""
        now, kind = self._mailbox.clock(), self._chance.choice(["message"] * 6 + list(item_samples.MAKERS))
        if kind == "message":
            item = message_samples.synthetic(self._number(), self._chance.randrange(500, 20_000), now)
            return item_snapshot(self._mailbox.insert(self._mail_folder(), item))
        home = {"event": "calendar", "series": "calendar", "task": "tasks", "note": "notes"}.get(kind, "contacts")
        return item_snapshot(self._mailbox.insert(self._mailbox.distinguished[home], item_samples.MAKERS[kind](now)))

    def update(self) -> Change | None:
        """Change the subject, also in the MIME."""
        item = self._item()
        if item is None:
            return None
        subject = f"Changed {self._number()}"
        item.properties["Subject"] = tag("Subject", subject)
        raw = item.content()
        item.with_mime(with_subject(raw, subject) if raw is not None else None)
        self._mailbox.touch(item)
        return item_snapshot(item)

    def categorise(self) -> Change | None:
        """Set a category."""
        item = self._item()
        if item is None:
            return None
        name = tag("String", f"Category {self._number() % 5}")
        item.properties["Categories"] = f"<t:Categories>{name}</t:Categories>"
        self._mailbox.touch(item)
        return item_snapshot(item)

    def flag(self) -> Change | None:
        """Set a follow-up flag."""
        item = self._item("message")
        if item is None:
            return None
        item.properties["Flag"] = f"<t:Flag>{tag('FlagStatus', 'Flagged')}</t:Flag>"
        self._mailbox.touch(item)
        return item_snapshot(item)

    def read_flag(self) -> Change | None:
        """Mark a message read or unread."""
        item = self._item("message")
        if item is None:
            return None
        self._mailbox.set_read(item, not item.is_read)
        return item_snapshot(item)

    def move(self) -> Change | None:
        """Move an item to another folder of the same type."""
        item = self._item()
        if item is None:
            return None
        fitting = [
            one for one in self._folders() if one.folder_class == item.folder.folder_class and one is not item.folder
        ]
        if not fitting:
            return None
        before = item.id
        return item_snapshot(deletion.move_item(item, self._chance.choice(fitting))) | {"before": before}

    def copy(self) -> Change | None:
        """Copy an item to a folder of the same type, perhaps the same folder."""
        item = self._item()
        if item is None:
            return None
        fitting = [one for one in self._folders() if one.folder_class == item.folder.folder_class]
        return item_snapshot(deletion.copy_item(item, self._chance.choice(fitting)))

    def delete(self, how: str) -> Change | None:
        """Delete an item, in one of Exchange's three ways."""
        item = self._item()
        if item is None:
            return None
        made = item_snapshot(item)
        deletion.delete_item(item, how)
        return made

    def change_occurrence(self) -> Change | None:
        """Move or delete one occurrence of a series."""
        found = [
            item for folder in self._folders() for item in folder.items.values() if "Recurrence" in item.properties
        ]
        series = [item for item in found if item.element == "CalendarItem"]
        if not series:
            return None
        item = self._chance.choice(series)
        days = [one for one, _ in zip(occurrences(item), range(20), strict=False)]
        if not days:
            return None
        day = self._chance.choice(days)
        if self._chance.random() < 0.5:
            deletion.delete_occurrence(item, day)
        else:
            changes = {"Subject": tag("Subject", f"Changed {self._number()}")}
            item.exceptions[day.original] = ChangedOccurrence(day.start, day.end, changes)
            self._mailbox.touch(item)
        return item_snapshot(item)

    def create_folder(self) -> Change:
        """Create a folder with a message in it."""
        parent = self._mail_folder()
        folder = self._mailbox.add_folder(parent, f"New folder {self._number()}")
        self._mailbox.insert(folder, message_samples.synthetic(self._number(), 1000, self._mailbox.clock()))
        return {"folder_id": folder.id, "folder": folder.path}

    def rename_folder(self) -> Change | None:
        """Rename a folder."""
        folder = self._folder(own=True)
        if folder is None:
            return None
        folder.name = f"Renamed {self._number()}"
        self._mailbox.note_folder(folder)
        return {"folder_id": folder.id, "folder": folder.path}

    def move_folder(self) -> Change | None:
        """Move a folder below another one."""
        folder = self._folder(own=True)
        if folder is None:
            return None
        fitting = [one for one in self._folders() if not one.is_within(folder) and one.child(folder.name) is None]
        self._mailbox.place_folder(folder, self._chance.choice(fitting))
        return {"folder_id": folder.id, "folder": folder.path}

    def delete_folder(self, how: str) -> Change | None:
        """Delete a folder, in one of Exchange's ways."""
        folder = self._folder(own=True)
        if folder is None:
            return None
        made: Change = {"folder_id": folder.id, "folder": folder.path, "items": folder.total}
        deletion.delete_folder(folder, how)
        return made

    def empty_folder(self) -> Change | None:
        """Empty a folder that a person created."""
        folder = self._folder(own=True)
        if folder is None:
            return None
        made: Change = {"folder_id": folder.id, "folder": folder.path, "items": folder.total}
        deletion.empty_folder(folder, "MoveToDeletedItems", deep=False)
        return made


KINDS: dict[str, Callable[[MailboxEditor], Change | None]] = {
    "create": MailboxEditor.create,
    "update": MailboxEditor.update,
    "categorise": MailboxEditor.categorise,
    "flag": MailboxEditor.flag,
    "read_flag": MailboxEditor.read_flag,
    "move": MailboxEditor.move,
    "copy": MailboxEditor.copy,
    "trash": lambda editor: editor.delete("MoveToDeletedItems"),
    "soft_delete": lambda editor: editor.delete("SoftDelete"),
    "hard_delete": lambda editor: editor.delete("HardDelete"),
    "change_occurrence": MailboxEditor.change_occurrence,
    "create_folder": MailboxEditor.create_folder,
    "rename_folder": MailboxEditor.rename_folder,
    "move_folder": MailboxEditor.move_folder,
    "delete_folder": lambda editor: editor.delete_folder("HardDelete"),
    "trash_folder": lambda editor: editor.delete_folder("MoveToDeletedItems"),
    "empty_folder": MailboxEditor.empty_folder,
}
"""Every kind of change by name."""
