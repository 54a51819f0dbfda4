"""The content of an item: its size, its MIME, its attachments."""

import base64
import hashlib

from sandbox.mailboxes.calendar.ical import calendar
from sandbox.mailboxes.fragments import text_of
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.items import mime
from sandbox.mailboxes.items.vcard import card
from sandbox.mailboxes.store import Item


def size(item: Item) -> int:
    """An item's size in bytes: never zero."""
    if not item.size:
        content = item.content()
        item.size = 500 + (len(content) if content is not None else sum(map(len, item.properties.values())))
    return item.size


def mime_content(item: Item) -> bytes:
    """The MIME of an item: a message's own bytes, iCalendar, or a vCard; for other kinds a message with their body."""
    content = item.content()
    if content is not None:
        return content
    if item.element == "CalendarItem":
        return calendar(item)
    if item.element == "Contact":
        return card(item)
    return mime.compose(item.properties, ("", ""), item.modified, f"<{item.number}@exchange.invalid>")


def attachment_id(item: Item, number: int) -> str:
    """The id of an item's attachment: the item's id followed by a number."""
    return base64.b64encode(base64.b64decode(item.id) + b"\x01\x12\x00" + bytes([number % 256])).decode()


def owns_attachment(item: Item, named: str) -> bool:
    """Whether an attachment's id starts with this item's."""
    return named.startswith(attachment_id(item, 0)[:-6])


def bodies(item: Item, kept: str = "") -> tuple[str, str]:
    """The plain and the HTML body, each empty when there is none. `kept`: the stored Body fragment, if any."""
    if kept:
        html = 'BodyType="HTML"' in kept.partition(">")[0]
        return ("", text_of(kept)) if html else (text_of(kept), "")
    raw = item.content()
    return mime.bodies(raw) if raw else ("", "")


def attachments(item: Item) -> list[Attachment]:
    """The attachments: of a message the parts of its MIME, of other items their attached files."""
    raw = item.content()
    parts = mime.attachments(raw) if raw and item.element != "CalendarItem" else []
    return [Attachment(name, kind, content) for name, kind, content in parts] + item.attachments


def conversation_id(item: Item) -> str:
    """The conversation id of a message: messages with the same topic share it."""
    topic = item.text("ConversationTopic") or item.text("Subject")
    return base64.b64encode(b"\x00\x01" + hashlib.sha256(topic.encode()).digest()).decode()
