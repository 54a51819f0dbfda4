"""A folder in EWS: its properties, and the extended properties by which a client detects changes."""

from collections.abc import Callable

from sandbox.ews.properties import FOLDER_ELEMENTS, FOLDER_ORDER
from sandbox.ews.shapes import FolderShape, Path
from sandbox.mailboxes.fragments import extended_text, tag, text_of
from sandbox.mailboxes.items.extended_properties import folder_value
from sandbox.mailboxes.store import Folder

RIGHTS = (
    "<t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated><t:CreateContents>true</t:CreateContents>"
    "<t:CreateHierarchy>true</t:CreateHierarchy><t:Delete>true</t:Delete><t:Modify>true</t:Modify>"
    "<t:Read>true</t:Read><t:ViewPrivateItems>true</t:ViewPrivateItems></t:EffectiveRights>"
)


def element_of(folder: Folder) -> str:
    """The element of a folder."""
    return FOLDER_ELEMENTS.get(folder.folder_class, "Folder")


def folder_id(folder: Folder, element: str = "FolderId") -> str:
    """The folder's id as an element."""
    return f'<t:{element} Id="{folder.id}" ChangeKey="{folder.change_key}"/>'


def _parent(folder: Folder) -> str:
    return folder_id(folder.parent, "ParentFolderId") if folder.parent is not None else ""


_WITHOUT_UNREAD = ("CalendarFolder", "ContactsFolder")
"""The folders that the schema gives no UnreadCount."""

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
        f"<t:UnreadCount>{folder.unread}</t:UnreadCount>" if element_of(folder) not in _WITHOUT_UNREAD else ""
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
    """One extended property, or an empty string when the folder does not have it."""
    value = folder_value(folder, key)
    if not value:
        return ""
    value = value if value.startswith("<") else tag("Value", value)
    return f"<t:ExtendedProperty><t:ExtendedFieldURI {key}/>{value}</t:ExtendedProperty>"


def property_text(folder: Folder, path: Path) -> str:
    """A property's value as text, for restrictions."""
    if path.extended:
        return extended_text(extended(folder, path.extended))
    compute = _PROPERTIES.get(path.name)
    return text_of(compute(folder)) if compute else ""
