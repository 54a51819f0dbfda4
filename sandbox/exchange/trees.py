"""The folders that every mailbox has from the start, and a mailbox's life as a whole: archive, move, emptiness."""

import secrets
from collections.abc import Callable
from datetime import datetime

from sandbox.exchange import ids
from sandbox.exchange.store import Folder, Mailbox
from sandbox.exchange.synclog import ChangeLog

_VISIBLE = (
    ("inbox", "Inbox", "IPF.Note"),
    ("drafts", "Drafts", "IPF.Note"),
    ("sentitems", "Sent Items", "IPF.Note"),
    ("deleteditems", "Deleted Items", "IPF.Note"),
    ("junkemail", "Junk Email", "IPF.Note"),
    ("outbox", "Outbox", "IPF.Note"),
    ("archive", "Archive", "IPF.Note"),
    ("calendar", "Calendar", "IPF.Appointment"),
    ("contacts", "Contacts", "IPF.Contact"),
    ("tasks", "Tasks", "IPF.Task"),
    ("notes", "Notes", "IPF.StickyNote"),
    ("journal", "Journal", "IPF.Journal"),
    ("conversationhistory", "Conversation History", "IPF.Note"),
)

_RECOVERABLE = (
    ("recoverableitemsdeletions", "Deletions"),
    ("recoverableitemsversions", "Versions"),
    ("recoverableitemspurges", "Purges"),
)

LOCALISED = {
    "de": {
        "inbox": "Posteingang",
        "drafts": "Entwürfe",
        "sentitems": "Gesendete Elemente",
        "deleteditems": "Gelöschte Elemente",
        "junkemail": "Junk-E-Mail",
        "outbox": "Postausgang",
        "archive": "Archiv",
        "calendar": "Kalender",
        "contacts": "Kontakte",
        "tasks": "Aufgaben",
        "notes": "Notizen",
        "journal": "Journal",
        "conversationhistory": "Verlauf der Unterhaltung",
    }
}
"""A person's own language names these folders; only the distinguished names are the same everywhere."""


def new_mailbox(address: str, clock: Callable[[], datetime], language: str = "en") -> Mailbox:
    """An empty mailbox with the folders that Exchange makes."""
    mailbox = Mailbox(address, clock)
    names = LOCALISED.get(language, {})
    root = mailbox.add_folder(None, "", "", "root")
    top = mailbox.add_folder(root, "Top of Information Store", "", "msgfolderroot")
    mailbox.add_folder(root, "Common Views", "")
    mailbox.add_folder(root, "Finder", "", "searchfolders")
    for distinguished, name, folder_class in _VISIBLE:
        mailbox.add_folder(top, names.get(distinguished, name), folder_class, distinguished)
    mailbox.add_folder(top, "Conversation Action Settings", "IPF.Configuration", hidden=True)
    recoverable = mailbox.add_folder(root, "Recoverable Items", "", "recoverableitemsroot")
    for distinguished, name in _RECOVERABLE:
        mailbox.add_folder(recoverable, name, "IPF.Note", distinguished)
    return mailbox


def add_archive(mailbox: Mailbox) -> Folder:
    """Give a mailbox its online archive, reached by distinguished names of its own."""
    if "archivemsgfolderroot" in mailbox.distinguished:
        return mailbox.top(archive=True)
    root = mailbox.add_folder(None, "", "", "archiveroot")
    top = mailbox.add_folder(root, "Top of Information Store", "", "archivemsgfolderroot")
    mailbox.add_folder(top, "Inbox", "IPF.Note", "archiveinbox")
    mailbox.add_folder(top, "Deleted Items", "IPF.Note", "archivedeleteditems")
    return top


def invalidate_states(mailbox: Mailbox) -> None:
    """Forget the epoch that every sync state handed out so far names."""
    mailbox.epoch = secrets.token_hex(4)


def recreate(mailbox: Mailbox) -> None:
    """What a cross-forest move does: the same mail under new ids throughout, no state of before is known."""
    mailbox.store = secrets.token_bytes(16)
    mailbox.hierarchy = ChangeLog()
    invalidate_states(mailbox)
    folders = list(mailbox.folders.values())
    mailbox.folders, mailbox.items = {}, {}
    for folder in folders:
        folder.id = ids.ews_id(mailbox.guid, ids.folder_entry(mailbox.store, folder.number))
        mailbox.folders[folder.id] = folder
        mailbox.note_folder(folder)
        items, folder.items, folder.log, folder.unread = list(folder.items.values()), {}, ChangeLog(), 0
        for item in items:
            mailbox.insert(folder, item)


def answer_empty(mailbox: Mailbox, how: str) -> None:
    """Let a mailbox answer that it is empty: `items` (folders without items), `folders` (none) or `off`."""
    mailbox.hides_folders = how == "folders"
    if how == "items" and not mailbox.set_aside:
        for folder in mailbox.folders.values():
            mailbox.set_aside[folder] = list(folder.items.values())
            for item in mailbox.set_aside[folder]:
                mailbox.remove(item)
    elif how != "items":
        _put_back(mailbox)


def _put_back(mailbox: Mailbox) -> None:
    """Show the items that were set aside again, under the ids they had."""
    for folder, items in mailbox.set_aside.items():
        for item in items:
            folder.items[item.number] = item
            mailbox.items[item.id] = item
            folder.unread += not item.is_read
            mailbox.touch(item)
    mailbox.set_aside = {}
