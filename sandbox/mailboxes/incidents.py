"""Incidents of a whole mailbox: its sync states become invalid, a move recreates it, it answers as empty."""

import secrets

from sandbox.mailboxes import ids
from sandbox.mailboxes.store import Mailbox
from sandbox.mailboxes.sync_log import ChangeLog


def invalidate_states(mailbox: Mailbox) -> None:
    """Start a new epoch, which invalidates every sync state handed out so far."""
    mailbox.epoch = secrets.token_hex(4)


def recreate(mailbox: Mailbox) -> None:
    """Recreate the mailbox as a cross-forest move does: the same mail under new ids, earlier states unknown."""
    mailbox.store = secrets.token_bytes(16)
    mailbox.hierarchy = ChangeLog()
    invalidate_states(mailbox)
    folders = list(mailbox.folders.values())
    mailbox.folders, mailbox.items, mailbox.by_immutable_key = {}, {}, {}
    for folder in folders:
        folder.id = ids.ews_id(mailbox.guid, ids.folder_entry(mailbox.store, folder.number))
        mailbox.folders[folder.id] = folder
        mailbox.note_folder(folder)
        items, folder.items, folder.log, folder.unread = list(folder.items.values()), {}, ChangeLog(), 0
        for item in items:
            mailbox.insert(folder, item)


def answer_empty(mailbox: Mailbox, how: str) -> None:
    """Make a mailbox answer as empty: `items` (folders without items), `folders` (none) or `off`."""
    mailbox.hides_folders = how == "folders"
    if how == "items" and not mailbox.set_aside:
        for folder in mailbox.folders.values():
            mailbox.set_aside[folder] = list(folder.items.values())
            for item in mailbox.set_aside[folder]:
                mailbox.remove(item)
    elif how != "items":
        _put_back(mailbox)


def _put_back(mailbox: Mailbox) -> None:
    """Restore the hidden items under their earlier ids."""
    for folder, items in mailbox.set_aside.items():
        for item in items:
            folder.items[item.number] = item
            mailbox.items[item.id] = mailbox.by_immutable_key[item.immutable_key] = item
            folder.unread += not item.is_read
            mailbox.touch(item)
    mailbox.set_aside = {}
