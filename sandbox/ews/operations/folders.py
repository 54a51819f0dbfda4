"""Operations on folders: list, create, rename and delete."""

from lxml import etree

from sandbox.ews.call import Call, batch
from sandbox.ews.refusals import Refused
from sandbox.ews.restriction import compile_folder_restriction
from sandbox.ews.shapes import extended_key, folder_shape, read_path
from sandbox.ews.views.folder_view import element_of as folder_element
from sandbox.ews.views.folder_view import folder_id, show
from sandbox.ews.wire import M
from sandbox.mailboxes import deletion
from sandbox.mailboxes.fragments import T, children, flag, fragment_of, local
from sandbox.mailboxes.store import Folder

_CLASSES = {"CalendarFolder": "IPF.Appointment", "ContactsFolder": "IPF.Contact", "TasksFolder": "IPF.Task"}


def get_folder(call: Call) -> str:
    """Each named folder."""
    shape = folder_shape(call.request)

    def one(element: etree._Element) -> str:
        return f"<m:Folders>{show(call.folder(element), shape)}</m:Folders>"

    return batch("GetFolder", call.each("FolderIds"), one, "<m:Folders/>")


def find_folder(call: Call) -> str:
    """The folders below each named one: its children, or all descendants."""
    shape, traversal = folder_shape(call.request), call.request.get("Traversal")
    fits = compile_folder_restriction(call.request.find(f"{M}Restriction"))

    def below(element: etree._Element) -> str:
        parent = call.folder(element)
        found = _below(parent, str(traversal))
        found = [folder for folder in found if fits(folder)] if not parent.mailbox.hides_folders else []
        page, paging = _page(call.request.find(f"{M}IndexedPageFolderView"), found)
        inside = "".join(show(folder, shape) for folder in page)
        return f"<m:RootFolder {paging}><t:Folders>{inside}</t:Folders></m:RootFolder>"

    return batch("FindFolder", call.each("ParentFolderIds"), below)


def _below(parent: Folder, traversal: str) -> list[Folder]:
    if traversal == "SoftDeleted":
        return []
    return list(parent.below()) if traversal == "Deep" else list(parent.children.values())


def _page(view: etree._Element | None, found: list[Folder]) -> tuple[list[Folder], str]:
    """The page of a list that a view requests, and the attributes with its position."""
    if view is None:
        return found, f'TotalItemsInView="{len(found)}" IncludesLastItemInRange="true"'
    offset, most = int(str(view.get("Offset"))), int(str(view.get("MaxEntriesReturned") or 1000))
    if view.get("BasePoint") == "End":
        offset = max(0, len(found) - offset - most)
    page = found[offset : offset + most]
    end = offset + len(page)
    paging = f'IndexedPagingOffset="{end}" TotalItemsInView="{len(found)}"'
    return page, f'{paging} IncludesLastItemInRange="{flag(end >= len(found))}"'


def create_folder(call: Call) -> str:
    """Create folders below another one."""

    def one(element: etree._Element) -> str:
        parent = call.target("ParentFolderId")
        name = (element.findtext(f"{T}DisplayName") or "").strip()
        if not name or parent.child(name) is not None:
            raise Refused("ErrorFolderExists" if name else "ErrorInvalidPropertySet")
        folder_class = element.findtext(f"{T}FolderClass") or _CLASSES.get(local(element)) or "IPF.Note"
        made = parent.mailbox.add_folder(parent, name, folder_class)
        for given in element.iterfind(f"{T}ExtendedProperty"):
            _set_extended(made, given)
        return f"<m:Folders>{_shown(made)}</m:Folders>"

    return batch("CreateFolder", call.each("Folders"), one, "<m:Folders/>")


def _shown(folder: Folder) -> str:
    element = folder_element(folder)
    return f"<t:{element}>{folder_id(folder)}</t:{element}>"


def _set_extended(folder: Folder, given: etree._Element) -> None:
    path, value = children(given)
    folder.extended[extended_key(path)] = fragment_of(value)


def update_folder(call: Call) -> str:
    """Rename folders, or set their properties."""

    def one(change: etree._Element) -> str:
        folder = call.folder(children(change)[0])
        for update in children(children(change)[1]):
            _update(folder, update)
        folder.mailbox.note_folder(folder)
        return f"<m:Folders>{_shown(folder)}</m:Folders>"

    return batch("UpdateFolder", call.each("FolderChanges"), one, "<m:Folders/>")


def _update(folder: Folder, update: etree._Element) -> None:
    path = read_path(children(update)[0])
    if path.extended:
        folder.extended.pop(path.extended, None)
        for given in update.iter(f"{T}ExtendedProperty"):
            _set_extended(folder, given)
        return
    value = children(update)[1].findtext(f"{T}{path.name}") if local(update) == "SetFolderField" else None
    if path.name not in ("DisplayName", "FolderClass") or not value:
        raise Refused("ErrorInvalidPropertySet")
    if path.name == "FolderClass":
        folder.folder_class = value
        return
    rival = folder.parent.child(value) if folder.parent else None
    if rival is not None and rival is not folder:
        raise Refused("ErrorFolderExists")
    if folder.distinguished:
        raise Refused("ErrorAccessDenied", "Distinguished folders cannot be renamed.")
    folder.name = value


def delete_folder(call: Call) -> str:
    """Delete folders with everything in them."""
    how = str(call.request.get("DeleteType"))

    def one(element: etree._Element) -> str:
        folder = call.folder(element)
        if folder.distinguished or folder.parent is None:
            raise Refused("ErrorDeleteDistinguishedFolder")
        deletion.delete_folder(folder, how)
        return ""

    return batch("DeleteFolder", call.each("FolderIds"), one)
