"""A folder as EWS shows it: its properties, and the extended ones by which a client sees that something changed."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

from sandbox.ews.properties import FOLDER_ELEMENTS, FOLDER_ORDER
from sandbox.ews.shapes import FolderShape, Path
from sandbox.mailboxes.fragments import extended_text, flag, tag, text_of, when
from sandbox.mailboxes.ids import entry_of
from sandbox.mailboxes.store import Folder

COMMIT_TIME = 'PropertyTag="0x670a" PropertyType="SystemTime"'
DELETED_COUNT = 'PropertyTag="0x670b" PropertyType="Integer"'

RIGHTS = (
    "<t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated><t:CreateContents>true</t:CreateContents>"
    "<t:CreateHierarchy>true</t:CreateHierarchy><t:Delete>true</t:Delete><t:Modify>true</t:Modify>"
    "<t:Read>true</t:Read><t:ViewPrivateItems>true</t:ViewPrivateItems></t:EffectiveRights>"
)


def element_of(folder: Folder) -> str:
    """What a folder is written as."""
    return FOLDER_ELEMENTS.get(folder.folder_class, "Folder")


def folder_id(folder: Folder, element: str = "FolderId") -> str:
    """A folder's id."""
    return f'<t:{element} Id="{folder.id}" ChangeKey="{folder.change_key}"/>'


def _parent(folder: Folder) -> str:
    return folder_id(folder.parent, "ParentFolderId") if folder.parent is not None else ""


_PROPERTIES: dict[str, Callable[[Folder], str]] = {
    "FolderId": folder_id,
    "ParentFolderId": _parent,
    "FolderClass": lambda folder: tag("FolderClass", folder.folder_class) if folder.folder_class else "",
    "DisplayName": lambda folder: tag("DisplayName", folder.name),
    "TotalCount": lambda folder: f"<t:TotalCount>{folder.total}</t:TotalCount>",
    "ChildFolderCount": lambda folder: f"<t:ChildFolderCount>{len(folder.children)}</t:ChildFolderCount>",
    "EffectiveRights": lambda folder: RIGHTS,
    "DistinguishedFolderId": lambda folder: (
        tag("DistinguishedFolderId", folder.distinguished) if folder.distinguished else ""
    ),
    "UnreadCount": lambda folder: (
        f"<t:UnreadCount>{folder.unread}</t:UnreadCount>" if element_of(folder) != "CalendarFolder" else ""
    ),
}


def show(folder: Folder, shape: FolderShape) -> str:
    """One folder in a shape."""
    element = element_of(folder)
    inside = []
    for name in FOLDER_ORDER:
        if name == "ExtendedProperty":
            inside += [extended(folder, key) for key in shape.extended]
        elif name in shape.names and name in _PROPERTIES:
            inside.append(_PROPERTIES[name](folder))
    return f"<t:{element}>{''.join(inside)}</t:{element}>"


def extended(folder: Folder, key: str) -> str:
    """One extended property, or nothing where the folder has none of that name."""
    read = _EXTENDED.get(key)
    value = read(folder) if read else folder.extended.get(key, "")
    if not value:
        return ""
    value = value if value.startswith("<") else tag("Value", value)
    return f"<t:ExtendedProperty><t:ExtendedFieldURI {key}/>{value}</t:ExtendedProperty>"


def _commit_time(folder: Folder) -> str:
    """0x670A, as finely as this mailbox's server tells it; empty where it does not."""
    if folder.mailbox.marks == "absent":
        return ""
    return _stamp(folder.committed) if folder.mailbox.marks == "exact" else when(folder.committed)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def property_text(folder: Folder, path: Path) -> str:
    """A property's value as text, for restrictions."""
    if path.extended:
        return extended_text(extended(folder, path.extended))
    compute = _PROPERTIES.get(path.name)
    return text_of(compute(folder)) if compute else ""


_EXTENDED: dict[str, Callable[[Folder], str]] = {
    COMMIT_TIME: _commit_time,
    DELETED_COUNT: lambda folder: "" if folder.mailbox.marks == "absent" else str(folder.deleted_total),
    'PropertyTag="0x3001" PropertyType="String"': lambda folder: folder.name,
    'PropertyTag="0x3613" PropertyType="String"': lambda folder: folder.folder_class,
    'PropertyTag="0x3602" PropertyType="Integer"': lambda folder: str(folder.total),
    'PropertyTag="0x3603" PropertyType="Integer"': lambda folder: str(folder.unread),
    'PropertyTag="0x3601" PropertyType="Integer"': lambda folder: "0" if folder.parent is None else "1",
    'PropertyTag="0x10f4" PropertyType="Boolean"': lambda folder: flag(folder.hidden),
    'PropertyTag="0x3007" PropertyType="SystemTime"': lambda folder: when(folder.created),
    'PropertyTag="0x3008" PropertyType="SystemTime"': lambda folder: when(folder.committed),
    'PropertyTag="0xfff" PropertyType="Binary"': lambda folder: base64.b64encode(entry_of(folder.id)[1]).decode(),
    'PropertyTag="0xe08" PropertyType="Long"': lambda folder: str(sum(item.size for item in folder.items.values())),
}
