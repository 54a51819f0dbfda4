"""Reads the folder tree with a change token for each folder, so that a mailbox without changes costs one request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from shared.sources.ews.transport.soap_request import extended, fields
from shared.sources.ews.transport.soap_response import T, parse_count, parse_time
from shared.sources.exchange_names import kind_of, role_of
from shared.sources.folder_paths import name_in_path
from shared.sources.model import Folder, FolderRole

COMMIT_TIME = 0x670A
"""PR_LOCAL_COMMIT_TIME_MAX: when anything in the folder was last committed."""

DELETED_COUNT = 0x670B
"""PR_DELETED_COUNT_TOTAL: how many items were ever deleted from the folder."""

HIDDEN = 0x10F4
"""PR_ATTR_HIDDEN: Outlook keeps its own settings in such folders; people never see them."""

PROPERTIES = (
    fields(
        (
            "folder:ParentFolderId",
            "folder:DisplayName",
            "folder:FolderClass",
            "folder:TotalCount",
            "folder:DistinguishedFolderId",
        )
    )
    + extended(COMMIT_TIME, "SystemTime")
    + extended(DELETED_COUNT, "Integer")
    + extended(HIDDEN, "Boolean")
)

WELL_KNOWN = (
    "inbox",
    "drafts",
    "sentitems",
    "deleteditems",
    "junkemail",
    "outbox",
    "calendar",
    "contacts",
    "tasks",
    "notes",
    "journal",
    "syncissues",
    "conflicts",
    "localfailures",
    "serverfailures",
    "conversationhistory",
)
"""The folders that are requested by name if the server's listing does not name them."""

_NOT_SYNCED = (f"{T}SearchFolder", f"{T}PublicFolder")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of folders: the ids of `hidden` ones, the `total` count, and the next offset (None at the end)."""

    folders: tuple[Folder, ...]
    hidden: frozenset[str]
    total: int
    following: int | None


NO_FOLDERS = Page((), frozenset(), 0, None)


def read_page(message: etree._Element, archive: bool) -> Page:
    """Parse the folders of a FindFolder response message. Each has its name as its path until `with_paths` runs."""
    root = next((child for child in message if child.tag.endswith("}RootFolder")), None)
    if root is None:
        return NO_FOLDERS
    found: list[Folder] = []
    hidden: set[str] = set()
    for element in root.iterfind(f"{T}Folders/*"):
        folder, is_hidden = _read_folder(element, archive)
        if not folder.id:
            continue
        if is_hidden or element.tag in _NOT_SYNCED:
            hidden.add(folder.id)
        found.append(folder)
    last = root.get("IncludesLastItemInRange", "true") == "true"
    following = None if last or not found else parse_count(root.get("IndexedPagingOffset", "")) or 0
    return Page(tuple(found), frozenset(hidden), parse_count(root.get("TotalItemsInView", "")) or 0, following)


def _read_folder(element: etree._Element, archive: bool) -> tuple[Folder, bool]:
    """Parse one folder, and whether it is hidden. Loops once over its children, since idle passes do little else."""
    values: dict[str, str] = {}
    for child in element:
        tag = child.tag
        if tag in _IDS:
            values[tag] = child.get("Id") or ""
        elif tag == _EXTENDED and len(child) > 1:
            values[(child[0].get("PropertyTag") or "").lower()] = child[1].text or ""
        else:
            values[tag] = child.text or ""
    name, total, commit = values.get(_NAME, ""), values.get(_TOTAL, ""), values.get(_COMMIT)
    folder = Folder(
        id=values.get(_ID, ""),
        parent_id=values.get(_PARENT, ""),
        name=name,
        path=name_in_path(name),
        kind=kind_of(values.get(_CLASS, "")),
        role=role_of(values.get(_DISTINGUISHED, "")),
        total=parse_count(total) or 0,
        archive=archive,
        change_token=f"{commit}|{values.get(_DELETED, '')}|{total}" if commit else None,
        change_token_at=parse_time(commit),
    )
    return folder, values.get(_HIDDEN, "").lower() in ("true", "1")


_ID, _PARENT, _EXTENDED = f"{T}FolderId", f"{T}ParentFolderId", f"{T}ExtendedProperty"
_IDS = (_ID, _PARENT)
_NAME, _CLASS, _TOTAL = f"{T}DisplayName", f"{T}FolderClass", f"{T}TotalCount"
_DISTINGUISHED = f"{T}DistinguishedFolderId"
_COMMIT, _DELETED, _HIDDEN = f"0x{COMMIT_TIME:04x}", f"0x{DELETED_COUNT:04x}", f"0x{HIDDEN:04x}"


def with_names(folders: list[Folder], names: Mapping[str, FolderRole]) -> list[Folder]:
    """The folders with their roles looked up by id, for servers whose listing does not contain them."""
    return [replace(folder, role=names.get(folder.id, FolderRole.NONE)) for folder in folders]
