"""An item as EWS shows it: what was put there, and what Exchange computes beside it."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import pybase64

from sandbox.exchange import mime
from sandbox.exchange.event_view import EVENT_PROPERTIES
from sandbox.exchange.events import Occurrence
from sandbox.exchange.folder_view import RIGHTS, folder_id
from sandbox.exchange.ical import calendar
from sandbox.exchange.ids import entry_of, occurrence_id
from sandbox.exchange.shapes import Path, Shape
from sandbox.exchange.store import Item
from sandbox.exchange.vcard import card
from sandbox.exchange.wire import escape, extended_text, flag, tag, text_of, when

_DICTIONARIES = frozenset(
    {"EmailAddresses", "PhoneNumbers", "ImAddresses", "PhysicalAddresses", "InternetMessageHeaders"}
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One item as it is about to be shown; of a series perhaps one occurrence."""

    item: Item
    shape: Shape
    occurrence: Occurrence | None = None

    def fragment(self, name: str) -> str:
        """What was put there: the occurrence's own where it was changed, else the item's."""
        changed = self.occurrence.changed if self.occurrence else None
        return (changed.properties.get(name) if changed else None) or self.item.properties.get(name, "")


def item_id(item: Item, occurrence: Occurrence | None = None, element: str = "ItemId") -> str:
    """An item's id, or that of one of its occurrences."""
    shown = occurrence_id(item.id, occurrence.original) if occurrence else item.id
    return f'<t:{element} Id="{shown}" ChangeKey="{item.change_key}"/>'


def show(item: Item, shape: Shape, occurrence: Occurrence | None = None) -> str:
    """One item in a shape."""
    shown = Shown(item, shape, occurrence)
    inside = "".join([_property(shown, name) for name in shape.plan(item.element)])
    return f"<t:{item.element}>{inside}</t:{item.element}>"


def _property(shown: Shown, name: str) -> str:
    """One property: computed, or what was put there, or the default."""
    if name in _DICTIONARIES:
        return _dictionary(shown, name)
    if (compute := _COMPUTED.get(name)) is not None:
        return compute(shown)
    if shown.item.element == "CalendarItem" and (event := EVENT_PROPERTIES.get(name)) is not None:
        computed = event(shown.item, shown.occurrence)
        return shown.fragment(name) if computed is None else computed
    return shown.fragment(name) or _default(shown.item.element, name)


_ANY = Shape("AllProperties")


def property_text(item: Item, path: Path) -> str:
    """A property's value as text, for restrictions and sorting; empty when there is none."""
    if path.extended:
        return extended_text(extended(item, path.extended))
    return text_of(_property(Shown(item, _ANY), path.name)) if path.name else ""


def _default(element: str, name: str) -> str:
    """What Exchange shows where nothing was put."""
    value = _DEFAULTS.get(name) or (_TASK_DEFAULTS.get(name) if element == "Task" else None)
    return f"<t:{name}>{value}</t:{name}>" if value else ""


_DEFAULTS = {
    "Sensitivity": "Normal",
    "Importance": "Normal",
    "IsSubmitted": "false",
    "IsFromMe": "false",
    "IsResend": "false",
    "IsUnmodified": "true",
    "ReminderIsSet": "false",
    "ReminderMinutesBeforeStart": "0",
    "HasAttachments": "false",
    "Culture": "en-US",
    "IsAssociated": "false",
    "IsClutter": "false",
    "BlockStatus": "false",
    "HasBlockedImages": "false",
    "Flag": "<t:FlagStatus>NotFlagged</t:FlagStatus>",
    "IsReadReceiptRequested": "false",
    "IsDeliveryReceiptRequested": "false",
    "IsResponseRequested": "false",
    "HasPicture": "false",
    "IsDelegated": "false",
    "IsOutOfDate": "false",
    "HasBeenProcessed": "false",
    "ResponseType": "NoResponseReceived",
}

_TASK_DEFAULTS = {
    "PercentComplete": "0",
    "Status": "NotStarted",
    "StatusDescription": "Not Started",
    "DelegationState": "NoMatch",
    "IsAssignmentEditable": "0",
    "IsComplete": "false",
    "IsTeamTask": "false",
    "ChangeCount": "1",
}


def extended(item: Item, key: str) -> str:
    """One extended property, or nothing where the item has none of that name."""
    read = _EXTENDED.get(key)
    value = read(item) if read else item.extended.get(key, "")
    if not value:
        return ""
    value = value if value.startswith("<t:Value") else tag("Value", value)
    return f"<t:ExtendedProperty><t:ExtendedFieldURI {key}/>{value}</t:ExtendedProperty>"


def _transport_headers(item: Item) -> str:
    raw = item.content() or b""
    return raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")


_EXTENDED: dict[str, Callable[[Item], str]] = {
    'PropertyTag="0x300b" PropertyType="Binary"': lambda item: pybase64.b64encode(item.search_key).decode(),
    'PropertyTag="0xfff" PropertyType="Binary"': lambda item: base64.b64encode(entry_of(item.id)[1]).decode(),
    'PropertyTag="0xe08" PropertyType="Integer"': lambda item: str(size(item)),
    'PropertyTag="0x1a" PropertyType="String"': lambda item: item.item_class,
    'PropertyTag="0x37" PropertyType="String"': lambda item: item.text("Subject"),
    'PropertyTag="0x1035" PropertyType="String"': lambda item: item.text("InternetMessageId"),
    'PropertyTag="0x3007" PropertyType="SystemTime"': lambda item: when(item.created),
    'PropertyTag="0x3008" PropertyType="SystemTime"': lambda item: when(item.modified),
    'PropertyTag="0xe06" PropertyType="SystemTime"': lambda item: item.text("DateTimeReceived"),
    'PropertyTag="0xe07" PropertyType="Integer"': lambda item: "1" if item.is_read else "0",
    'PropertyTag="0x7d" PropertyType="String"': _transport_headers,
}


def size(item: Item) -> int:
    """An item's size in bytes: never zero."""
    if not item.size:
        content = item.content()
        item.size = 500 + (len(content) if content is not None else sum(map(len, item.properties.values())))
    return item.size


def mime_content(item: Item) -> bytes:
    """The MIME of an item: a message's own bytes, iCalendar, a vCard; of other kinds a message with their body."""
    content = item.content()
    if content is not None:
        return content
    if item.element == "CalendarItem":
        return calendar(item)
    if item.element == "Contact":
        return card(item)
    return mime.compose(item.properties, ("", ""), item.modified, f"<{item.number}@exchange.invalid>")


def _mime(shown: Shown) -> str:
    encoded = pybase64.b64encode(mime_content(shown.item)).decode()
    return f'<t:MimeContent CharacterSet="UTF-8">{encoded}</t:MimeContent>'


def _body(shown: Shown) -> str:
    kind, text = _chosen_body(shown)
    cut = shown.shape.largest_body is not None and 0 < shown.shape.largest_body < len(text)
    text = text[: shown.shape.largest_body] if cut else text
    return f'<t:Body BodyType="{kind}" IsTruncated="{flag(cut)}">{escape(text)}</t:Body>'


def _chosen_body(shown: Shown) -> tuple[str, str]:
    """The body in the form that the shape prefers, converted where there is only the other one."""
    kept = shown.fragment("Body")
    if kept:
        html = 'BodyType="HTML"' in kept.partition(">")[0]
        plain, rich = ("", text_of(kept)) if html else (text_of(kept), "")
    else:
        raw = shown.item.content()
        plain, rich = mime.bodies(raw) if raw else ("", "")
    if shown.shape.body_type == "Text" or (shown.shape.body_type == "Best" and not rich):
        return "Text", plain or re.sub(r"<[^>]*>", "", rich)
    return "HTML", rich or f"<html><body><pre>{escape(plain)}</pre></body></html>"


def _text_body(shown: Shown) -> str:
    kind, text = _chosen_body(Shown(shown.item, Shape("IdOnly", body_type="Text"), shown.occurrence))
    return f'<t:TextBody BodyType="{kind}" IsTruncated="false">{escape(text)}</t:TextBody>'


def _attachments(shown: Shown) -> str:
    raw = shown.item.content()
    listed = mime.attachments(raw) if raw and shown.item.element != "CalendarItem" else []
    inside = "".join(
        f'<t:FileAttachment><t:AttachmentId Id="{attachment_id(shown.item, number)}"/>{tag("Name", name)}'
        f"{tag('ContentType', kind)}<t:Size>{len(content)}</t:Size><t:IsInline>false</t:IsInline></t:FileAttachment>"
        for number, (name, kind, content) in enumerate(listed)
    )
    return f"<t:Attachments>{inside}</t:Attachments>" if inside else ""


def attachment_id(item: Item, number: int) -> str:
    """The id of an item's attachment: the item's own with a number behind it."""
    return base64.b64encode(base64.b64decode(item.id) + b"\x01\x12\x00" + bytes([number % 256])).decode()


def owns_attachment(item: Item, named: str) -> bool:
    """Whether an attachment's id begins with this item's."""
    return named.startswith(attachment_id(item, 0)[:-6])


def encoded(content: bytes) -> str:
    """Bytes as XML carries them."""
    return pybase64.b64encode(content).decode()


def _dictionary(shown: Shown, name: str) -> str:
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


def _extended_properties(shown: Shown) -> str:
    return "".join(extended(shown.item, key) for key in shown.shape.extended)


def _arrival(name: str) -> Callable[[Shown], str]:
    """Received and sent times: the headers' where there are any, else when the item was made."""
    return lambda shown: shown.fragment(name) or tag(name, when(shown.item.created))


def _conversation(shown: Shown) -> str:
    topic = shown.item.text("ConversationTopic") or shown.item.text("Subject")
    key = base64.b64encode(b"\x00\x01" + hashlib.sha256(topic.encode()).digest()).decode()
    return f'<t:ConversationId Id="{key}"/>'


def _is_draft(shown: Shown) -> str:
    return tag("IsDraft", flag(shown.item.folder.distinguished == "drafts"))


def _complete_name(shown: Shown) -> str:
    item = shown.item
    parts = (("FirstName", "GivenName"), ("MiddleName", "MiddleName"), ("LastName", "Surname"))
    inside = "".join(tag(name, item.text(source)) for name, source in parts if item.text(source))
    full = item.text("DisplayName")
    return f"<t:CompleteName>{inside}{tag('FullName', full) if full else ''}</t:CompleteName>"


def _web_link(name: str) -> Callable[[Shown], str]:
    return lambda shown: tag(
        name, f"https://outlook.office365.com/owa/?ItemID={shown.item.id}&viewmodel=ReadMessageItem"
    )


def _instance_key(shown: Shown) -> str:
    return tag("InstanceKey", base64.b64encode(b"\x01\x00" + shown.item.number.to_bytes(8)).decode())


def _preview(shown: Shown) -> str:
    raw = shown.item.content()
    text = (mime.bodies(raw)[0] if raw else text_of(shown.fragment("Body")))[:255]
    return tag("Preview", text) if text.strip() else ""


_COMPUTED: dict[str, Callable[[Shown], str]] = {
    "MimeContent": _mime,
    "ItemId": lambda shown: item_id(shown.item, shown.occurrence),
    "ParentFolderId": lambda shown: folder_id(shown.item.folder, "ParentFolderId"),
    "ItemClass": lambda shown: tag("ItemClass", shown.item.item_class),
    "Body": _body,
    "TextBody": _text_body,
    "UniqueBody": lambda shown: _body(shown).replace("t:Body ", "t:UniqueBody ").replace("/t:Body>", "/t:UniqueBody>"),
    "NormalizedBody": lambda shown: (
        _body(shown).replace("t:Body ", "t:NormalizedBody ").replace("/t:Body>", "/t:NormalizedBody>")
    ),
    "Attachments": _attachments,
    "Size": lambda shown: f"<t:Size>{size(shown.item)}</t:Size>",
    "DateTimeReceived": _arrival("DateTimeReceived"),
    "DateTimeSent": _arrival("DateTimeSent"),
    "DateTimeCreated": lambda shown: tag("DateTimeCreated", when(shown.item.created)),
    "LastModifiedTime": lambda shown: tag("LastModifiedTime", when(shown.item.modified)),
    "LastModifiedName": lambda shown: tag("LastModifiedName", shown.item.folder.mailbox.address.partition("@")[0]),
    "IsRead": lambda shown: f"<t:IsRead>{flag(shown.item.is_read)}</t:IsRead>",
    "IsDraft": _is_draft,
    "ExtendedProperty": _extended_properties,
    "EffectiveRights": lambda shown: RIGHTS,
    "ConversationId": _conversation,
    "CompleteName": _complete_name,
    "WebClientReadFormQueryString": _web_link("WebClientReadFormQueryString"),
    "WebClientEditFormQueryString": _web_link("WebClientEditFormQueryString"),
    "InstanceKey": _instance_key,
    "StoreEntryId": lambda shown: tag("StoreEntryId", base64.b64encode(entry_of(shown.item.id)[1]).decode()),
    "SearchKey": lambda shown: tag("SearchKey", base64.b64encode(shown.item.search_key).decode()),
    "Preview": _preview,
}
