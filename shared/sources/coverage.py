"""What each source provides: EWS provides everything, Microsoft Graph leaves out some classes and folders."""

from shared.sources.model import FolderKind, ItemKind, SourceName

_KINDS_NOT_IN_GRAPH = frozenset({ItemKind.LIST, ItemKind.OTHER})

_CLASSES_NOT_IN_GRAPH = ("ipm.post", "ipm.document", "ipm.distlist", "ipm.stickynote", "ipm.activity")
"""Contact groups, posts, documents, notes, and the journal: Graph's folders count them but do not contain them."""

_FOLDERS_IN_GRAPH = frozenset({FolderKind.MAIL, FolderKind.CALENDAR, FolderKind.TASKS})
"""The kinds of which Graph lists every folder. It does not list some contact folders that Exchange creates."""

_KINDS_IN_GRAPHS_FOLDERS = {
    FolderKind.MAIL: ItemKind.MESSAGE,
    FolderKind.CALENDAR: ItemKind.EVENT,
    FolderKind.CONTACTS: ItemKind.CONTACT,
    FolderKind.TASKS: ItemKind.TASK,
}
"""The kinds of items in each kind of folder. Each has its own API, so no event in Deleted Items is returned."""

_PROPERTIES_ONLY_IN_GRAPH = {ItemKind.TASK: frozenset({"CLASS", "URL", "X-CHECKLIST-ITEM", "X-LINK"})}
"""Property values in the files that we write. Graph does not provide a task's sensitivity, so its file has PUBLIC."""


def gives_item(source: SourceName, kind: ItemKind, item_class: str, folder_kind: FolderKind | None = None) -> bool:
    """Whether an item that the source does not return is gone. If False, it may still be in the mailbox.

    `folder_kind` is the kind of the folder that it lies in; None: one that fits it.
    """
    if source is SourceName.EWS:
        return True
    if folder_kind is not None and _KINDS_IN_GRAPHS_FOLDERS.get(folder_kind) is not kind:
        return False
    return kind not in _KINDS_NOT_IN_GRAPH and not item_class.lower().startswith(_CLASSES_NOT_IN_GRAPH)


def gives_folder(source: SourceName, kind: FolderKind, *, archive: bool) -> bool:
    """Whether a folder that the source does not list is gone. If False, it may still be in the mailbox."""
    return source is SourceName.EWS or (kind in _FOLDERS_IN_GRAPH and not archive)


def adds_property(source: SourceName, kind: ItemKind, name: str) -> bool:
    """Whether only this source writes this value into an item's file, so that it does not indicate a change."""
    return source is SourceName.GRAPH and name in _PROPERTIES_ONLY_IN_GRAPH.get(kind, frozenset())
