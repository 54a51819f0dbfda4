"""A snapshot of a mailbox, with which a replica is compared."""

from sandbox.mailboxes.item_classes import READABLE
from sandbox.mailboxes.items.content import size
from sandbox.mailboxes.store import Folder, Item, Mailbox

_KINDS = {"CalendarItem": "event", "Contact": "contact", "DistributionList": "list", "Task": "task"}


def snapshot(mailbox: Mailbox) -> dict[str, object]:
    """Every folder and item below the visible root, and below the archive's if there is one."""
    tops = [
        mailbox.distinguished[name]
        for name in ("msgfolderroot", "archivemsgfolderroot")
        if name in mailbox.distinguished
    ]
    found = [folder for top in tops for folder in top.below()]
    recoverable = mailbox.distinguished["recoverableitemsroot"]
    return {
        "address": mailbox.address,
        "folders": [folder_snapshot(folder) for folder in found],
        "items": [item_snapshot(item) for folder in found for item in folder.items.values()],
        "recoverable": sum(folder.total for folder in recoverable.below()),
        "commits": mailbox.sequence,
    }


def is_archive(folder: Folder) -> bool:
    """Whether a folder belongs to the archive."""
    top = folder.mailbox.distinguished.get("archivemsgfolderroot")
    return top is not None and folder.is_within(top)


def folder_snapshot(folder: Folder) -> dict[str, object]:
    """One folder."""
    return {
        "id": folder.id,
        "parent_id": folder.parent.id if folder.parent else "",
        "name": folder.name,
        "path": folder.path,
        "class": folder.folder_class,
        "distinguished": folder.distinguished,
        "total": folder.total,
        "unread": folder.unread,
        "hidden": folder.hidden,
        "archive": is_archive(folder),
    }


def kind_of(item: Item) -> str:
    """The kind of an item."""
    if item.item_class == "IPM.StickyNote":
        return "other"
    return _KINDS.get(item.element, "message")


def item_snapshot(item: Item) -> dict[str, object]:
    """One item; `is_read` is null for kinds without a read flag, `sha256` for items without stored MIME."""
    shown: dict[str, object] = {
        "id": item.id,
        "change_key": item.change_key,
        "folder_id": item.folder.id,
        "folder": item.folder.path,
        "kind": kind_of(item),
        "item_class": item.item_class,
        "subject": item.text("Subject"),
        "search_key": item.search_key.hex(),
        "is_read": item.is_read if item.element in READABLE else None,
        "size": size(item),
        "private": item.text("Sensitivity") in ("Private", "Personal"),
        "sha256": item.digest(),
        "corrupt": item.corruption.code if item.corruption else None,
    }
    if item.element == "CalendarItem":
        shown |= {
            "start": item.text("Start"),
            "end": item.text("End"),
            "recurring": "Recurrence" in item.properties,
            "exceptions": len(item.exceptions),
            "deleted": len(item.deleted),
        }
    return shown
