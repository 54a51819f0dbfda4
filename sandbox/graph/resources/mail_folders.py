"""mailFolders: lists, single folders, and the delta of the whole tree.

Sources: learn.microsoft.com/graph/api/user-list-mailfolders, /mailfolder-list-childfolders, /mailfolder-delta.
"""

from sandbox.graph.call import Call
from sandbox.graph.changes import DeltaResource, Options
from sandbox.graph.delta import Tracked
from sandbox.graph.views.entity import Entity, Shape
from sandbox.graph.views.mail_folder import BETA_MAIL_FOLDER, MAIL_FOLDER, is_mail, mail_children
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import not_found
from sandbox.graph.wire.filters import compile_filter, order
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes.store import Folder

_LIST_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count", "includeHiddenFolders")
_FILTERS = {
    "displayName": lambda folder: folder.name,
    "id": lambda folder: ids.rest_id(folder.id),
    "parentFolderId": lambda folder: ids.rest_id(folder.parent.id) if folder.parent else "",
    "totalItemCount": lambda folder: folder.total,
    "isHidden": lambda folder: folder.hidden,
}


def _entity(call: Call) -> Entity[Folder]:
    return BETA_MAIL_FOLDER if call.request.version == "beta" else MAIL_FOLDER


def list_folders(call: Call) -> GraphResponse:
    """The folders right below the top; in beta the whole tree, flat."""
    top = call.mailbox.top()
    if call.request.version == "beta":
        return _list(call, "mailFolders", [folder for folder in top.below() if is_mail(folder)])
    return _list(call, "mailFolders", mail_children(top, hidden=True))


def list_children(call: Call, folder: str) -> GraphResponse:
    """The folders right below one."""
    parent = mail_folder(call, folder)
    path = f"mailFolders('{ids.rest_id(parent.id)}')/childFolders"
    return _list(call, path, mail_children(parent, hidden=True))


def _list(call: Call, path: str, found: list[Folder]) -> GraphResponse:
    call.query.allow(*_LIST_OPTIONS)
    if not call.query.flag("includeHiddenFolders"):
        found = [folder for folder in found if not folder.hidden]
    if call.mailbox.hides_folders:
        found = []
    shape = _entity(call).shape(call.query)
    fits = compile_filter(call.query.text("$filter"), _FILTERS, "mailFolder")
    found = order([folder for folder in found if fits(folder)], call.query.text("$orderby"), _FILTERS, "mailFolder")
    return call.listing(path, path, found, lambda folder: shape.show(folder, call.context))


def get_folder(call: Call, folder: str) -> GraphResponse:
    """One folder, by id or well-known name."""
    call.query.allow("$select", "$expand", "includeHiddenFolders")
    shape = _entity(call).shape(call.query)
    return call.entity("mailFolders", shape.show(mail_folder(call, folder), call.context))


def mail_folder(call: Call, named: str) -> Folder:
    """The mail folder of an id or a well-known name; the top of the tree counts as one. Raises GraphError."""
    folder = call.folder(named)
    if not (is_mail(folder) or folder.distinguished in ("msgfolderroot", "searchfolders", "recoverableitemsroot")):
        raise not_found()
    return folder


def delta(call: Call) -> GraphResponse:
    """Every change of the tree since a token; the first round gives all of it, flat."""
    top = call.mailbox.top()

    def shown(folder: Folder) -> bool:
        return folder is not top and folder.is_within(top) and is_mail(folder) and not folder.hidden

    def show(folder: Folder, options: Options) -> Json:
        return _shape(call, options).show(folder, call.context)

    tracked = Tracked("mailFolders", call.mailbox, call.mailbox.hierarchy, shown, lambda folder: "")
    resource: DeltaResource[Folder] = DeltaResource(
        path="mailFolders/delta",
        kind="mailFolders",
        what="MailFolders",
        allowed=("$select",),
        tracked=lambda options: tracked,
        show=show,
        gone_id=lambda ews_id, folder: ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: _entity(call).shape(call.query))


def _shape(call: Call, options: Options) -> Shape[Folder]:
    return _entity(call).shape(Query(options.items()))
