"""Messages that the service cannot write as MIME, put together from what it does give: headers, text, attachments.

Opaque S/MIME is the case that is met: the service fails over it with ErrorMimeContentConversionFailed, yet gives its
headers and smime.p7m, the signed or encrypted content itself, from which any reader gets the message. A report about
signed mail has its text and attachments. Either file is what could be had, and is marked as not the original.
"""

from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP

import msgspec

from shared.sources.graph.answers import decoded
from shared.sources.graph.client import GraphClient
from shared.sources.graph.mail import BODY, HEADERS
from shared.sources.graph.queries import query
from shared.sources.port import Content, Item

_SMIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_OURS = frozenset(
    {"content-type", "content-transfer-encoding", "content-disposition", "mime-version", "content-length"}
)
_LIST = query(select="id,name,contentType,size,isInline", top="100")


class _Header(msgspec.Struct):
    name: str = ""
    value: str | None = None


class _Headers(msgspec.Struct, rename="camel"):
    internet_message_headers: list[_Header] | None = None


class _Attachment(msgspec.Struct, rename="camel"):
    id: str
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    is_inline: bool | None = None
    type: str = msgspec.field(default="", name="@odata.type")


class _Attachments(msgspec.Struct):
    value: list[_Attachment]


class ItemBody(msgspec.Struct, rename="camel"):
    """A body, and whether it is html or text."""

    content_type: str = "text"
    content: str = ""


class _WithBody(msgspec.Struct):
    body: ItemBody | None = None


def rebuilt(client: GraphClient, item: Item, most: int) -> Content:
    """The file of a message that has no MIME, of attachments of at most `most` bytes each.

    Raises: what is wrong with the mailbox or with this message as a whole.
    """
    path = f"{client.mailbox}/messages/{item.id}"
    headers = decoded(_Headers, client.get(path + HEADERS)).internet_message_headers or []
    attachments = decoded(_Attachments, client.get(f"{path}/attachments{_LIST}")).value
    kept = [each for each in headers if each.name.lower() not in _OURS]
    sealed = next((each for each in attachments if _is_sealed(each)), None)
    if sealed is not None:
        data = _bytes_of(client, path, sealed, most)
        return Content("eml", _sealed_message(kept, headers, data))
    message = EmailMessage(policy=SMTP)
    for each in kept:
        _add_header(message, each)
    body = decoded(_WithBody, client.get(path + BODY)).body or ItemBody()
    message.set_content(body.content, subtype="html" if body.content_type.lower() == "html" else "plain")
    for attachment in attachments:
        if (attachment.size or 0) <= most:
            _attach(message, attachment, _bytes_of(client, path, attachment, most))
    return Content("eml", message.as_bytes())


def _is_sealed(attachment: _Attachment) -> bool:
    return (attachment.name or "").lower() == "smime.p7m" or (attachment.content_type or "").lower() in _SMIME


def _bytes_of(client: GraphClient, path: str, attachment: _Attachment, most: int) -> bytes:
    return client.get(f"{path}/attachments/{attachment.id}/$value", accept="*/*", most=most)


def _sealed_message(headers: Sequence[_Header], all_headers: Sequence[_Header], data: bytes) -> bytes:
    """The message as it was sent, but for the order and folding of its headers: its body is the sealed content."""
    told = next((each.value or "" for each in all_headers if each.name.lower() == "content-type"), "")
    kind = _one_line(told) if told.lower().startswith(_SMIME) else 'application/pkcs7-mime; name="smime.p7m"'
    lines = [f"{each.name}: {_one_line(each.value or '')}" for each in headers if _is_name(each.name)]
    lines += ["MIME-Version: 1.0", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
    lines += ['Content-Disposition: attachment; filename="smime.p7m"', "", *_base64_lines(data), ""]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _base64_lines(data: bytes) -> Iterator[str]:
    import pybase64

    text = pybase64.b64encode(data).decode()
    return (text[start : start + 76] for start in range(0, len(text), 76))


def _add_header(message: EmailMessage, header: _Header) -> None:
    """One header as it came; one that the mail package will not have (a second From) is passed over."""
    if not _is_name(header.name):
        return
    try:
        message[header.name] = _one_line(header.value or "")
    except (ValueError, IndexError):
        return


def _attach(message: EmailMessage, attachment: _Attachment, data: bytes) -> None:
    main, _, sub = (attachment.content_type or "").partition("/")
    is_plain_name = main.isalnum() and sub and main.lower() not in ("message", "multipart")
    main, sub = (main, sub) if is_plain_name else ("application", "octet-stream")
    message.add_attachment(data, maintype=main, subtype=sub, filename=_one_line(attachment.name or "attachment"))


def _is_name(name: str) -> bool:
    return bool(name) and all("!" <= mark <= "~" and mark != ":" for mark in name)


def _one_line(text: str) -> str:
    """A header's value without the line breaks of its folding, which could begin another header."""
    return " ".join(text.split())
