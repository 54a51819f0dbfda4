"""messages: lists, single messages, their MIME, and the delta of a folder.

Sources: learn.microsoft.com/graph/api/user-list-messages, /message-get, /message-delta,
learn.microsoft.com/graph/delta-query-messages and /outlook-get-mime-message.
"""

import re
from collections.abc import Callable

from sandbox.graph.call import Call
from sandbox.graph.changes import DeltaResource, Options
from sandbox.graph.delta import Tracked
from sandbox.graph.resources.mail_folders import mail_folder
from sandbox.graph.views.entity import stamp
from sandbox.graph.views.message import MESSAGE, is_message, received
from sandbox.graph.wire import ids
from sandbox.graph.wire.errors import GraphError, parse_error
from sandbox.graph.wire.filters import compile_filter, order
from sandbox.graph.wire.query import Query
from sandbox.graph.wire.request import GraphResponse, Json
from sandbox.mailboxes.items.content import mime_content
from sandbox.mailboxes.store import Folder, Item

FILTERED_ROUND = 5000
"""Most messages of a delta round with a $filter."""

_LIST_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip", "$count")
_DELTA_OPTIONS = ("$select", "$expand", "$filter", "$orderby", "$top", "changeType")
_FILTERS = {
    "receivedDateTime": received,
    "sentDateTime": lambda item: item.text("DateTimeSent"),
    "createdDateTime": lambda item: stamp(item.created),
    "lastModifiedDateTime": lambda item: stamp(item.modified),
    "isRead": lambda item: item.is_read,
    "subject": lambda item: item.text("Subject"),
    "internetMessageId": lambda item: item.text("InternetMessageId"),
    "hasAttachments": lambda item: item.text("HasAttachments") == "true",
    "importance": lambda item: item.text("Importance", "Normal").lower(),
    "parentFolderId": lambda item: ids.rest_id(item.folder.id),
}


def list_messages(call: Call, folder: str = "") -> GraphResponse:
    """A folder's messages; without a folder those of the whole mailbox, newest first."""
    if not folder:
        top = call.mailbox.top()
        found = [item for item in call.mailbox.items.values() if is_message(item) and item.folder.is_within(top)]
        return _list(call, "messages", found)
    place = mail_folder(call, folder)
    path = f"mailFolders('{ids.rest_id(place.id)}')/messages"
    return _list(call, path, [item for item in place.items.values() if is_message(item)])


def _list(call: Call, path: str, found: list[Item]) -> GraphResponse:
    call.query.allow(*_LIST_OPTIONS)
    shape = MESSAGE.shape(call.query)
    fits = compile_filter(call.query.text("$filter"), _FILTERS, "message")
    found = [item for item in found if fits(item)]
    found = order(found, call.query.text("$orderby") or "receivedDateTime desc", _FILTERS, "message")
    return call.listing(path, path, found, lambda item: _shown(call, item, lambda: shape.show(item, call.context)))


def _shown(call: Call, item: Item, show: Callable[[], Json]) -> Json:
    """An item on a page; one corrupt item can break all of it."""
    if item.corruption is not None and call.behavior.corrupt_breaks_pages:
        raise GraphError(500, "ErrorContentConversionFailed")
    return show()


def get_message(call: Call, item: str, folder: str = "") -> GraphResponse:
    """One message."""
    call.query.allow("$select", "$expand")
    shape, found = MESSAGE.shape(call.query), message(call, item, folder)
    fail_if_corrupt(found)
    return call.entity("messages", shape.show(found, call.context))


def message(call: Call, named: str, folder: str = "") -> Item:
    """The message of an id, in a folder where one is named. Raises GraphError."""
    found = call.item(named, is_message)
    if folder and found.folder is not mail_folder(call, folder):
        raise GraphError(404, "ErrorItemNotFound")
    return found


_CODES = {"ErrorItemCorrupt": "ErrorCorruptData"}


def fail_if_corrupt(item: Item) -> None:
    """Fail as Graph does for an item that cannot be read. Raises GraphError."""
    if code := item.read_failure():
        raise GraphError(500, _CODES.get(code, code))


def get_mime(call: Call, item: str, folder: str = "") -> GraphResponse:
    """A message's MIME. Exchange cannot make it of opaque S/MIME, at least for applications."""
    call.query.allow()
    found = message(call, item, folder)
    fail_if_corrupt(found)
    if _is_opaque(found) and _fails_for(call):
        raise GraphError(500, "ErrorMimeContentConversionFailed")
    return GraphResponse(200, mime_content(found), {"Content-Type": "text/plain"})


def _is_opaque(item: Item) -> bool:
    """Opaque-signed or encrypted mail, and reports about such mail."""
    return item.item_class == "IPM.Note.SMIME" or item.item_class.startswith("REPORT.IPM.Note.SMIME")


def _fails_for(call: Call) -> bool:
    how = call.behavior.opaque_smime
    return how == "always" or (how == "app_only" and call.caller.person is None)


_DELTA_FILTER = re.compile(r"^receivedDateTime\s+(ge|gt)\s+\S+$")


def delta(call: Call, folder: str) -> GraphResponse:
    """One page of what changed in a folder."""
    place = mail_folder(call, folder)
    path = f"mailFolders('{ids.rest_id(place.id)}')/messages"

    def show(item: Item, options: Options) -> Json:
        shape = MESSAGE.shape(Query((name, options[name]) for name in ("$select", "$expand") if name in options))
        return _shown(call, item, lambda: shape.show(item, call.context))

    resource: DeltaResource[Item] = DeltaResource(
        path=f"{path}/delta",
        kind=path,
        what="Messages",
        allowed=_DELTA_OPTIONS,
        tracked=lambda options: _tracked(call, place, options),
        show=show,
        gone_id=lambda ews_id, item: ids.immutable_id(item) if call.context.immutable else ids.rest_id(ews_id),
    )
    return resource.answer(call, lambda: _check_first(call.query), _frozen(call.query))


def _check_first(query: Query) -> None:
    """Refuse what a first delta request must not ask. Raises GraphError."""
    MESSAGE.shape(query)
    if "$orderby" in query and query.text("$orderby").strip().lower() != "receiveddatetime desc":
        raise GraphError(400, "ErrorInvalidUrlQuery", "Change tracking supports only $orderby=receivedDateTime desc.")
    if "$filter" in query and not _DELTA_FILTER.match(query.text("$filter").strip()):
        raise GraphError(400, "ErrorInvalidUrlQuery", "Change tracking supports only receivedDateTime ge or gt.")
    if query.text("changeType") not in ("", "created", "updated", "deleted"):
        raise parse_error("changeType must be created, updated or deleted.")


def _frozen(query: Query) -> dict[str, str]:
    """The options that the round's token carries; with a $filter the round has an end of its own."""
    options = query.items()
    if "$filter" in options:
        options["$top"] = str(min(int(options.get("$top", FILTERED_ROUND)), FILTERED_ROUND))
    return options


def _tracked(call: Call, place: Folder, options: Options) -> Tracked[Item]:
    fits = compile_filter(options.get("$filter", ""), _FILTERS, "message")
    descending = "$orderby" in options
    return Tracked(
        scope=f"messages {place.id}",
        mailbox=place.mailbox,
        log=place.log,
        shown=lambda item: is_message(item) and fits(item),
        key=received if descending else lambda item: "",
        descending=descending,
        identity=(lambda item: item.immutable_key) if call.context.immutable else None,
    )
