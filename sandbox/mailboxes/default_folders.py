"""The folders that every mailbox has from the start, and those of an online archive."""

from collections.abc import Callable
from datetime import datetime

from sandbox.mailboxes.store import Folder, Mailbox

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
"""Folder names in a person's own language; only the distinguished names are the same for everyone."""


def new_mailbox(address: str, clock: Callable[[], datetime], language: str = "en") -> Mailbox:
    """An empty mailbox with the folders that Exchange creates."""
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
    """Add an online archive to a mailbox; its folders have distinguished names of their own."""
    if "archivemsgfolderroot" in mailbox.distinguished:
        return mailbox.top(archive=True)
    root = mailbox.add_folder(None, "", "", "archiveroot")
    top = mailbox.add_folder(root, "Top of Information Store", "", "archivemsgfolderroot")
    mailbox.add_folder(top, "Inbox", "IPF.Note", "archiveinbox")
    mailbox.add_folder(top, "Deleted Items", "IPF.Note", "archivedeleteditems")
    return top
