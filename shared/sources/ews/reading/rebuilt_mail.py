"""Rebuilds the .eml file of mail that Exchange cannot write as MIME, from its headers, body and attachments."""

from collections.abc import Iterator, Mapping
from email.utils import format_datetime, formataddr
from typing import Any

from shared.formats.eml import Header, read_headers, rebuilt_message
from shared.formats.values.common import NO_BODY, Body
from shared.sources.ews.reading.attachments import with_contents
from shared.sources.ews.transport.soap_response import parse_time
from shared.sources.model import Item


def rebuilt_mail(item: Item, parts: Mapping[str, Any], contents: Mapping[str, bytes]) -> bytes:
    """Rebuild the file. `parts` are the item's body, attachments and received headers; `contents` is bytes by id.

    Mail that was never received, such as sent mail, has no such headers; they are written from the metadata.
    """
    headers = read_headers(parts.get("headers") or "") or list(_headers(item))
    attachments, _ = with_contents(parts.get("attachments", ()), contents)
    return rebuilt_message(headers, _body(parts.get("body")), attachments)


def _body(read: Mapping[str, str] | None) -> Body:
    if not read:
        return NO_BODY
    return Body(html=read["text"]) if read["type"] == "html" else Body(text=read["text"])


def _headers(item: Item) -> Iterator[Header]:
    metadata: Mapping[str, Any] = item.metadata
    for name, key in (("From", "from"), ("Sender", "sender"), ("To", "to"), ("Cc", "cc"), ("Bcc", "bcc")):
        people = metadata.get(key) or []
        text = ", ".join(map(_mailbox, [people] if isinstance(people, dict) else people))
        if text:
            yield name, text
    if sent := parse_time(metadata.get("sent")):
        yield "Date", format_datetime(sent)
    yield "Subject", item.subject
    if identifier := metadata.get("internet_message_id"):
        yield "Message-ID", str(identifier)


def _mailbox(person: Mapping[str, str]) -> str:
    try:
        return formataddr((person.get("name", ""), person.get("address", "")))
    except UnicodeError:  # an address with characters outside ASCII
        return f"<{person.get('address', '')}>"
