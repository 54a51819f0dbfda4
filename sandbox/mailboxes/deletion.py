"""Moves, copies and deletes as Exchange does: a moved item gets a new id and keeps its search key."""

from sandbox.mailboxes.calendar.events import Occurrence
from sandbox.mailboxes.store import Folder, Item


def move_item(item: Item, target: Folder) -> Item:
    """Move an item to another folder, where it is new under another id."""
    source = item.folder.mailbox
    source.remove(item)
    twin = item.twin()
    twin.corruption = item.corruption
    if target.mailbox is source:
        twin.immutable_key = item.immutable_key
    return target.mailbox.insert(target, twin)


def copy_item(item: Item, target: Folder) -> Item:
    """Copy an item into a folder; the copy has the same search key."""
    return target.mailbox.insert(target, item.twin())


def delete_item(item: Item, how: str) -> Item | None:
    """Delete an item; returns the item in its new folder, or None after a hard delete.

    `MoveToDeletedItems` of an item that is already there counts as a soft delete: it stays recoverable for a while.
    """
    mailbox = item.folder.mailbox
    deleted = _bin(item.folder)
    if how == "MoveToDeletedItems" and not item.folder.is_within(deleted):
        return move_item(item, deleted)
    if how == "HardDelete":
        mailbox.remove(item)
        return None
    return move_item(item, mailbox.distinguished["recoverableitemsdeletions"])


def _bin(folder: Folder) -> Folder:
    """The Deleted Items folder of the mailbox or archive that a folder belongs to."""
    mailbox = folder.mailbox
    archive = mailbox.distinguished.get("archivemsgfolderroot")
    in_archive = archive is not None and folder.is_within(archive)
    return mailbox.distinguished["archivedeleteditems" if in_archive else "deleteditems"]


def delete_folder(folder: Folder, how: str) -> None:
    """Delete a folder: move it to Deleted Items, or remove it for good (its items soft-deleted if requested)."""
    deleted = _bin(folder)
    if how == "MoveToDeletedItems" and not folder.is_within(deleted):
        folder.name = _free_name(deleted, folder.name)
        folder.mailbox.place_folder(folder, deleted)
        return
    if how != "HardDelete":
        empty_folder(folder, "SoftDelete", deep=True)
    folder.mailbox.drop_folder(folder)


def _free_name(parent: Folder, name: str) -> str:
    """A name that no child folder has: the name itself, else with a number appended."""
    number, free = 1, name
    while parent.child(free) is not None:
        free = f"{name}{number}"
        number += 1
    return free


def empty_folder(folder: Folder, how: str, deep: bool) -> None:
    """Delete everything in a folder, and optionally the folders below it."""
    for item in list(folder.items.values()):
        delete_item(item, how)
    for child in list(folder.children.values()) if deep else ():
        delete_folder(child, how)


def delete_occurrence(item: Item, occurrence: Occurrence) -> None:
    """Delete one occurrence of a series."""
    item.exceptions.pop(occurrence.original, None)
    item.deleted.append(occurrence.original)
    item.folder.mailbox.touch(item)
