"""The attachments of messages, events and tasks. Source: learn.microsoft.com/graph/api/attachment-get."""

from sandbox.graph.call import Call
from sandbox.graph.resources.messages import message
from sandbox.graph.views.attachment import ATTACHMENT, Attached, attached
from sandbox.graph.wire.errors import not_found
from sandbox.graph.wire.request import GraphResponse
from sandbox.mailboxes.store import Item


def list_attachments(call: Call, item: Item, path: str) -> GraphResponse:
    """All attachments of an item."""
    call.query.allow("$select", "$expand", "$top", "$skip", "$count")
    shape = ATTACHMENT.shape(call.query)
    found = attached(item)
    return call.listing(path, path, found, lambda one: shape.show(one, call.context), max(1, len(found)))


def get_attachment(call: Call, item: Item, path: str, attachment: str) -> GraphResponse:
    """One attachment."""
    call.query.allow("$select", "$expand")
    return call.entity(path, ATTACHMENT.shape(call.query).show(_find(item, attachment), call.context))


def get_content(call: Call, item: Item, attachment: str) -> GraphResponse:
    """The bytes of a file, or the MIME of a message that is attached."""
    call.query.allow()
    one = _find(item, attachment)
    kind = "text/plain" if one.is_item else one.file.content_type
    return GraphResponse(200, one.file.content, {"Content-Type": kind})


def _find(item: Item, named: str) -> Attached:
    found = next((one for one in attached(item) if one.id == named), None)
    if found is None:
        raise not_found()
    return found


def of_message(call: Call, item: str) -> GraphResponse:
    """A message's attachments."""
    return list_attachments(call, message(call, item), f"messages('{item}')/attachments")


def one_of_message(call: Call, item: str, attachment: str) -> GraphResponse:
    """One attachment of a message."""
    return get_attachment(call, message(call, item), f"messages('{item}')/attachments", attachment)


def content_of_message(call: Call, item: str, attachment: str) -> GraphResponse:
    """The bytes of an attachment of a message."""
    return get_content(call, message(call, item), attachment)
