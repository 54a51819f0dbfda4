"""The content of an item in EWS: MIME, bodies, attachments, headers, a contact's dictionaries."""

import re
from dataclasses import dataclass

import pybase64

from sandbox.ews.shapes import Shape
from sandbox.mailboxes.calendar.events import Occurrence
from sandbox.mailboxes.fragments import escape, flag, tag, text_of
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.items import mime
from sandbox.mailboxes.items.content import attachment_id, bodies, mime_content
from sandbox.mailboxes.items.content import attachments as attached
from sandbox.mailboxes.store import Item

DICTIONARIES = frozenset(
    {"EmailAddresses", "PhoneNumbers", "ImAddresses", "PhysicalAddresses", "InternetMessageHeaders"}
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One item, or one occurrence of a series, that is being shown."""

    item: Item
    shape: Shape
    occurrence: Occurrence | None = None

    def fragment(self, name: str) -> str:
        """The stored fragment: the occurrence's own if it was changed, else the item's."""
        changed = self.occurrence.changed if self.occurrence else None
        return (changed.properties.get(name) if changed else None) or self.item.properties.get(name, "")


def mime_property(shown: Shown) -> str:
    """The MimeContent property."""
    encoded = pybase64.b64encode(mime_content(shown.item)).decode()
    return f'<t:MimeContent CharacterSet="UTF-8">{encoded}</t:MimeContent>'


def body(shown: Shown) -> str:
    """The Body property, in the format and length that the shape requests."""
    kind, text = _chosen_body(shown)
    cut = shown.shape.largest_body is not None and 0 < shown.shape.largest_body < len(text)
    text = text[: shown.shape.largest_body] if cut else text
    return f'<t:Body BodyType="{kind}" IsTruncated="{flag(cut)}">{escape(text)}</t:Body>'


def _chosen_body(shown: Shown) -> tuple[str, str]:
    """The body in the format that the shape prefers, converted if only the other one exists."""
    plain, rich = bodies(shown.item, shown.fragment("Body"))
    if shown.shape.body_type == "Text" or (shown.shape.body_type == "Best" and not rich):
        return "Text", plain or re.sub(r"<[^>]*>", "", rich)
    return "HTML", rich or f"<html><body><pre>{escape(plain)}</pre></body></html>"


def text_body(shown: Shown) -> str:
    """The TextBody property."""
    kind, text = _chosen_body(Shown(shown.item, Shape("IdOnly", body_type="Text"), shown.occurrence))
    return f'<t:TextBody BodyType="{kind}" IsTruncated="false">{escape(text)}</t:TextBody>'


def attachments(shown: Shown) -> str:
    """The Attachments property: attachments without their content."""
    inside = "".join(attachment(shown.item, number, one) for number, one in enumerate(attached(shown.item)))
    return f"<t:Attachments>{inside}</t:Attachments>" if inside else ""


def attachment(item: Item, number: int, one: Attachment, *, with_content: bool = False) -> str:
    """One attachment."""
    content_id = tag("ContentId", one.content_id) if one.content_id else ""
    photo = "<t:IsContactPhoto>true</t:IsContactPhoto>" if one.is_photo else ""
    content = f"<t:Content>{encoded(one.content)}</t:Content>" if with_content else ""
    return (
        f'<t:FileAttachment><t:AttachmentId Id="{attachment_id(item, number)}"/>{tag("Name", one.name)}'
        f"{tag('ContentType', one.content_type)}{content_id}<t:Size>{len(one.content)}</t:Size>"
        f"<t:IsInline>{flag(one.is_inline)}</t:IsInline>{photo}{content}</t:FileAttachment>"
    )


def encoded(content: bytes) -> str:
    """Bytes encoded for XML."""
    return pybase64.b64encode(content).decode()


def dictionary(shown: Shown, name: str) -> str:
    """One of a contact's dictionaries, or the message headers, with the entries that the shape requests."""
    if name == "InternetMessageHeaders":
        return _headers(shown)
    keys, kept = shown.shape.keys(name, shown.item.element), shown.fragment(name)
    if not kept or keys is None:
        return kept
    entries = re.findall(r"<t:Entry [^>]*?Key=\"([^\"]*)\"[^>]*?(?:/>|>.*?</t:Entry>)", kept)
    pieces = re.findall(r"<t:Entry [^>]*?(?:/>|>.*?</t:Entry>)", kept, re.DOTALL)
    inside = "".join(piece for key, piece in zip(entries, pieces, strict=False) if key in keys)
    return f"<t:{name}>{inside}</t:{name}>" if inside else ""


def _headers(shown: Shown) -> str:
    raw = shown.item.content()
    keys = shown.shape.keys("InternetMessageHeaders", shown.item.element)
    listed = mime.internet_headers(raw) if raw else []
    inside = "".join(
        f'<t:InternetMessageHeader HeaderName="{escape(name)}">{escape(value)}</t:InternetMessageHeader>'
        for name, value in listed
        if keys is None or name in keys
    )
    return f"<t:InternetMessageHeaders>{inside}</t:InternetMessageHeaders>" if inside else ""


def preview(shown: Shown) -> str:
    """The first words of the body."""
    raw = shown.item.content()
    text = (mime.bodies(raw)[0] if raw else text_of(shown.fragment("Body")))[:255]
    return tag("Preview", text) if text.strip() else ""
