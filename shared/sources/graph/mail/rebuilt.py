"""Rebuilds messages that the service cannot write as MIME from the parts that it returns: shared/formats/eml.py."""

import msgspec

from shared.formats.eml import is_sealed, rebuilt_message
from shared.formats.values.common import NO_BODY, Attachment, Body
from shared.sources.graph.items.attachments import ListedAttachment
from shared.sources.graph.mail.messages import BODY, HEADERS
from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.client import GraphClient
from shared.sources.graph.transport.queries import query
from shared.sources.model import Content, Item

_LIST = query(select="id,name,contentType,size,isInline", top="100")


class _Header(msgspec.Struct):
    name: str = ""
    value: str | None = None


class _Headers(msgspec.Struct, rename="camel"):
    internet_message_headers: list[_Header] | None = None


class _Attachments(msgspec.Struct):
    value: list[ListedAttachment]


class ItemBody(msgspec.Struct, rename="camel"):
    """A body, and whether it is html or text."""

    content_type: str = "text"
    content: str = ""


class _WithBody(msgspec.Struct):
    body: ItemBody | None = None


def rebuilt(client: GraphClient, item: Item, most: int) -> Content:
    """Return the file of a message without MIME, with attachments of at most `most` bytes each.

    Raises: what is wrong with the mailbox or with this message as a whole.
    """
    path = f"{client.mailbox}/messages/{item.id}"
    listed = decoded(_Headers, client.get(path + HEADERS)).internet_message_headers or []
    headers = [(each.name, each.value or "") for each in listed]
    attachments = decoded(_Attachments, client.get(f"{path}/attachments{_LIST}")).value
    sealed = next((each for each in attachments if is_sealed(each.name or "", each.content_type or "")), None)
    if sealed is not None:
        return Content("eml", rebuilt_message(headers, NO_BODY, [_attachment(client, path, sealed, most)]))
    body = decoded(_WithBody, client.get(path + BODY)).body or ItemBody()
    is_html = body.content_type.lower() == "html"
    text = Body(html=body.content) if is_html else Body(text=body.content)
    files = [_attachment(client, path, each, most) for each in attachments if (each.size or 0) <= most]
    return Content("eml", rebuilt_message(headers, text, files))


def _attachment(client: GraphClient, path: str, each: ListedAttachment, most: int) -> Attachment:
    data = client.get(f"{path}/attachments/{each.id}/$value", accept="*/*", most=most)
    return Attachment(
        name=each.name or "",
        media_type=each.content_type or "",
        size=len(data),
        is_inline=bool(each.is_inline),
        data=data,
    )
