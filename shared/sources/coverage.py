"""What each source gives: EWS gives everything, Microsoft Graph leaves out some classes and folders."""

from shared.sources.port import FolderKind, ItemKind, SourceName

_KINDS_NOT_IN_GRAPH = frozenset({ItemKind.LIST, ItemKind.OTHER})

_CLASSES_NOT_IN_GRAPH = ("ipm.post", "ipm.document", "ipm.distlist", "ipm.stickynote", "ipm.activity")
"""Contact groups, posts, documents, notes and the journal are counted by Graph's folders and given by none."""

_FOLDERS_IN_GRAPH = frozenset({FolderKind.MAIL, FolderKind.CALENDAR, FolderKind.TASKS})
"""Kinds whose folders are all listed. Some contact folders are Exchange's own and are not."""

_KINDS_IN_GRAPHS_FOLDERS = {
    FolderKind.MAIL: ItemKind.MESSAGE,
    FolderKind.CALENDAR: ItemKind.EVENT,
    FolderKind.CONTACTS: ItemKind.CONTACT,
    FolderKind.TASKS: ItemKind.TASK,
}
"""Each kind of folder has an API of its own, which gives nothing else: no event in Deleted Items, for example."""

_PROPERTIES_ONLY_IN_GRAPH = {ItemKind.TASK: frozenset({"CLASS", "URL", "X-CHECKLIST-ITEM", "X-LINK"})}
"""Properties of the files that we write. Graph does not give a task's sensitivity, so its file says PUBLIC."""


def gives_item(source: SourceName, kind: ItemKind, item_class: str, folder_kind: FolderKind | None = None) -> bool:
    """Whether an item that the source does not give is gone; False: it may be there all the same.

    `folder_kind` is the kind of the folder that it lies in; None: one that fits it.
    """
    if source is SourceName.EWS:
        return True
    if folder_kind is not None and _KINDS_IN_GRAPHS_FOLDERS.get(folder_kind) is not kind:
        return False
    return kind not in _KINDS_NOT_IN_GRAPH and not item_class.lower().startswith(_CLASSES_NOT_IN_GRAPH)


def gives_folder(source: SourceName, kind: FolderKind, *, archive: bool) -> bool:
    """Whether a folder that the source does not list is gone; False: it may be there all the same."""
    return source is SourceName.EWS or (kind in _FOLDERS_IN_GRAPH and not archive)


def adds_property(source: SourceName, kind: ItemKind, name: str) -> bool:
    """Whether only this source writes such a value of a property into an item's file: its value is no change."""
    return source is SourceName.GRAPH and name in _PROPERTIES_ONLY_IN_GRAPH.get(kind, frozenset())
