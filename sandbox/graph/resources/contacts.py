"""Contact folders and contacts: lists, single contacts, deltas, photos.

Sources: learn.microsoft.com/graph/api/user-list-contactfolders, /contact-delta, /contactfolder-delta,
/profilephoto-get. The default folder is not in the list of folders: its name for paths is `contacts`.
"""

from sandbox.graph.call import Call
from sandbox.graph.changes import DeltaResource, Options
from sandbox.graph.delta import Tracked
from sandbox.graph.resources.messages import fail_if_corrupt
from sandbox.graph.views.contact import CONTACT, CONTACT_FOLDER, is_contact, is_contact_folder, photo
from sandbox.graph.views.entity import stamp
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import not_found
from sandbox.graph.wire.filters import compile_filter, order
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes.store import Folder, Item

_LIST_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count")
_FOLDER_FILTERS = {"displayName": lambda folder: folder.name}
_FILTERS = {
    "lastModifiedDateTime": lambda item: stamp(item.modified),
    "displayName": lambda item: item.text("DisplayName"),
    "givenName": lambda item: item.text("GivenName"),
    "surname": lambda item: item.text("Surname"),
    "fileAs": lambda item: item.text("FileAs"),
    "companyName": lambda item: item.text("CompanyName"),
}


def list_folders(call: Call) -> GraphResponse:
    """The folders beside and right below the default one."""
    top, default = call.mailbox.top(), call.mailbox.distinguished["contacts"]
    near = [*top.children.values(), *default.children.values()]
    found = [folder for folder in near if is_contact_folder(folder) and folder is not default and not folder.hidden]
    return _list_folders(call, "contactFolders", found)


def list_children(call: Call, folder: str) -> GraphResponse:
    """The folders right below one."""
    parent = _folder(call, folder)
    found = [child for child in parent.children.values() if is_contact_folder(child) and not child.hidden]
    return _list_folders(call, f"contactFolders('{ids.rest_id(parent.id)}')/childFolders", found)


def _list_folders(call: Call, path: str, found: list[Folder]) -> GraphResponse:
    call.query.allow(*_LIST_OPTIONS)
    shape = CONTACT_FOLDER.shape(call.query)
    fits = compile_filter(call.query.text("$filter"), _FOLDER_FILTERS, "contactFolder")
    return call.listing(path, path, [one for one in found if fits(one)], lambda one: shape.show(one, call.context))


def get_folder(call: Call, folder: str) -> GraphResponse:
    """One folder."""
    call.query.allow("$select", "$expand")
    shape = CONTACT_FOLDER.shape(call.query)
    return call.entity("contactFolders", shape.show(_folder(call, folder), call.context))


def _folder(call: Call, named: str) -> Folder:
    folder = call.folder(named or "contacts")
    if not is_contact_folder(folder):
        raise not_found()
    return folder


def folders_delta(call: Call) -> GraphResponse:
    """Every change of the folders since a token, flat; the default one is not among them."""
    top, default = call.mailbox.top(), call.mailbox.distinguished["contacts"]

    def shown(folder: Folder) -> bool:
        return folder is not default and is_contact_folder(folder) and folder.is_within(top) and not folder.hidden

    tracked = Tracked("contactFolders", call.mailbox, call.mailbox.hierarchy, shown, lambda folder: "")
    resource: DeltaResource[Folder] = DeltaResource(
        path="contactFolders/delta",
        kind="contactFolders",
        what="ContactFolders",
        allowed=("$select",),
        tracked=lambda options: tracked,
        show=lambda folder, options: CONTACT_FOLDER.shape(Query(options.items())).show(folder, call.context),
        gone_id=lambda ews_id, folder: ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: CONTACT_FOLDER.shape(call.query))


# Contacts


def list_contacts(call: Call, folder: str = "") -> GraphResponse:
    """The contacts of a folder, by default the default one."""
    call.query.allow(*_LIST_OPTIONS)
    place = _folder(call, folder)
    path, shape = _path(place), CONTACT.shape(call.query)
    fits = compile_filter(call.query.text("$filter"), _FILTERS, "contact")
    found = [item for item in place.items.values() if is_contact(item) and fits(item)]
    found = order(found, call.query.text("$orderby"), _FILTERS, "contact")
    return call.listing(path, path, found, lambda item: shape.show(item, call.context))


def _path(folder: Folder) -> str:
    return f"contactFolders('{ids.rest_id(folder.id)}')/contacts"


def get_contact(call: Call, item: str, folder: str = "") -> GraphResponse:
    """One contact."""
    call.query.allow("$select", "$expand")
    shape, found = CONTACT.shape(call.query), _contact(call, item, folder)
    fail_if_corrupt(found)
    return call.entity("contacts", shape.show(found, call.context))


def _contact(call: Call, named: str, folder: str) -> Item:
    found = call.item(named, is_contact)
    if folder and found.folder is not _folder(call, folder):
        raise not_found()
    return found


def get_photo(call: Call, item: str, folder: str = "") -> GraphResponse:
    """What is known of a contact's photo."""
    call.query.allow("$select")
    if photo(_contact(call, item, folder)) is None:
        raise not_found()
    return call.entity("contacts/photo", {"id": "1x1", "height": 1, "width": 1})


def get_photo_content(call: Call, item: str, folder: str = "") -> GraphResponse:
    """A contact's photo."""
    call.query.allow()
    found = photo(_contact(call, item, folder))
    if found is None:
        raise not_found()
    return GraphResponse(200, found.content, {"Content-Type": found.content_type})


def delta(call: Call, folder: str = "") -> GraphResponse:
    """One page of what changed in a folder."""
    place = _folder(call, folder)

    def show(item: Item, options: Options) -> Json:
        return CONTACT.shape(Query(options.items())).show(item, call.context)

    resource: DeltaResource[Item] = DeltaResource(
        path=f"{_path(place)}/delta",
        kind=_path(place),
        what="Contacts",
        allowed=("$select", "$expand"),
        tracked=lambda options: _tracked(call, place),
        show=show,
        gone_id=lambda ews_id, item: ids.immutable_id(item) if call.context.immutable else ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: CONTACT.shape(call.query))


def _tracked(call: Call, place: Folder) -> Tracked[Item]:
    identity = (lambda item: item.immutable_key) if call.context.immutable else None
    return Tracked(f"contacts {place.id}", place.mailbox, place.log, is_contact, lambda item: "", identity=identity)
