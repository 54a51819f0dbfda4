"""Reads items of every kind from GetItem and FindItem responses, in one loop over an item's children."""

from collections.abc import Callable, Mapping
from typing import Any

import pybase64
from lxml import etree

from shared.sources.ews.transport.soap_response import T, parse_time
from shared.sources.item_values import content_key
from shared.sources.model import Item, ItemKind

Element = etree._Element

_KINDS: Mapping[str, ItemKind] = {
    f"{T}Message": ItemKind.MESSAGE,
    f"{T}MeetingMessage": ItemKind.MESSAGE,
    f"{T}MeetingRequest": ItemKind.MESSAGE,
    f"{T}MeetingResponse": ItemKind.MESSAGE,
    f"{T}MeetingCancellation": ItemKind.MESSAGE,
    f"{T}PostItem": ItemKind.MESSAGE,
    f"{T}CalendarItem": ItemKind.EVENT,
    f"{T}Contact": ItemKind.CONTACT,
    f"{T}DistributionList": ItemKind.LIST,
    f"{T}Task": ItemKind.TASK,
}

_NO_MAIL = ("ipm.stickynote", "ipm.activity", "ipm.configuration", "ipm.microsoft.")
"""Item classes that Exchange returns as messages or plain items although they are not mail."""

_MAIL = (
    "ipm.note",
    "ipm.post",
    "ipm.schedule",
    "ipm.sharing",
    "ipm.recall",
    "ipm.outlook.recall",
    "ipm.document",
    "report.",
)
"""Classes of mail, and of documents that were dropped into a folder: their file is an attachment, only in MIME."""

_MIME = f"{T}MimeContent"


def kind_of(tag: str, item_class: str) -> ItemKind:
    """The kind of an item, by its element and, for a plain item or message, by its item class."""
    kind = _KINDS.get(tag, ItemKind.OTHER)
    lower = item_class.lower()
    if kind is ItemKind.MESSAGE and lower.startswith(_NO_MAIL):
        return ItemKind.OTHER
    if kind is ItemKind.OTHER and lower.startswith(_MAIL):
        return ItemKind.MESSAGE
    return kind


def number(element: Element) -> int:
    """Parse a whole number; 0 if it is invalid."""
    digits = (element.text or "0").strip()
    return int(digits[:15]) if digits.isascii() and digits.isdigit() else 0


def signed(element: Element) -> int:
    """Parse a whole number that may be negative; 0 if it is invalid."""
    text = (element.text or "").strip()
    digits = text.removeprefix("-")[:15]
    return int(digits) * (-1 if text.startswith("-") else 1) if digits.isascii() and digits.isdigit() else 0


def flag(element: Element) -> bool:
    """Parse a boolean."""
    return element.text == "true"


def time(element: Element) -> str:
    """Convert a time to ISO 8601 UTC, as Exchange usually writes it."""
    written = element.text or ""
    if len(written) == 20 and written[-1] == "Z":
        return written
    value = parse_time(written)
    return value.isoformat().replace("+00:00", "Z") if value else ""


def _strings(element: Element) -> list[str]:
    return [child.text for child in element if child.text]


def mailbox_of(element: Element) -> dict[str, str]:
    """Parse a name and an address; an Exchange-internal address (EX) stays unchanged.

    The schema puts the name first and the address second. The rest is routing information and is skipped for speed,
    since an item has many recipients.
    """
    found = {}
    for child in element:
        tag = child.tag
        if tag == _NAME:
            if child.text:
                found["name"] = child.text
        elif tag == _ADDRESS:
            if child.text:
                found["address"] = child.text
            break
    return found


_NAME = f"{T}Name"
_ADDRESS = f"{T}EmailAddress"


def _one_mailbox(element: Element) -> dict[str, str]:
    return mailbox_of(element[0]) if len(element) else {}


def _mailboxes(element: Element) -> list[dict[str, str]]:
    return [mailbox_of(child) for child in element]


def _flag_status(element: Element) -> str:
    """FlagStatus, which is always the first child."""
    return (element[0].text or "") if len(element) else ""


def _identifier(element: Element) -> str:
    return element.get("Id") or ""


def _body(element: Element) -> dict[str, str]:
    return {"type": (element.get("BodyType") or "Text").lower(), "text": element.text or ""}


Reader = Callable[[Element], Any] | None
"""Converts a property's element to a value; None for the unchanged text, which is the most frequent case."""

COMMON: dict[str, tuple[str, Reader]] = {
    f"{T}ItemClass": ("item_class", None),
    f"{T}Subject": ("subject", None),
    f"{T}Sensitivity": ("sensitivity", None),
    f"{T}DateTimeReceived": ("received", time),
    f"{T}Size": ("size", number),
    f"{T}Categories": ("categories", _strings),
    f"{T}Importance": ("importance", None),
    f"{T}HasAttachments": ("has_attachments", flag),
    f"{T}IsDraft": ("draft", flag),
    f"{T}DateTimeSent": ("sent", time),
    f"{T}DateTimeCreated": ("created", time),
    f"{T}LastModifiedTime": ("modified", time),
    f"{T}ConversationId": ("conversation_id", _identifier),
    f"{T}Flag": ("flag", _flag_status),
    f"{T}From": ("from", _one_mailbox),
    f"{T}Sender": ("sender", _one_mailbox),
    f"{T}ToRecipients": ("to", _mailboxes),
    f"{T}CcRecipients": ("cc", _mailboxes),
    f"{T}BccRecipients": ("bcc", _mailboxes),
    f"{T}InternetMessageId": ("internet_message_id", None),
    f"{T}IsRead": ("is_read", flag),
    f"{T}Body": ("body", _body),
}
"""Our name and the reader for each property that messages have; most are common to all kinds."""

_ITEM_ID = f"{T}ItemId"
_EXTENDED = f"{T}ExtendedProperty"


def values_of(element: Element, readers: Mapping[str, tuple[str, Reader]]) -> dict[str, Any]:
    """An item's properties by our names, with `version`, `search_key`, and `mime` (bytes) and `headers` if present."""
    values: dict[str, Any] = {}
    for child in element:
        tag = child.tag
        reader = readers.get(tag)
        if reader is not None:
            name, convert = reader
            values[name] = convert(child) if convert is not None else child.text or ""
        elif tag == _ITEM_ID:
            values["version"] = child.get("ChangeKey") or ""
        elif tag == _MIME:
            values["mime"] = _bytes(child.text)
        elif tag == _EXTENDED:
            _add_extended(values, child)
    return values


def _add_extended(values: dict[str, Any], element: Element) -> None:
    property_tag = element[0].get("PropertyTag", "").lower()
    if property_tag == "0x300b":
        values["search_key"] = _hexadecimal(element[1].text)
    elif property_tag == "0x7d":
        values["headers"] = element[1].text or ""


def _bytes(text: str | None) -> bytes | None:
    """Decode MIME content byte for byte. Raises ValueError (binascii.Error) if it is not base64."""
    return pybase64.b64decode(text, validate="\n" not in text) if text else None


def _hexadecimal(text: str | None) -> str:
    return pybase64.b64decode(text).hex() if text else ""


def message(values: dict[str, Any], identifier: str, folder_id: str, kind: ItemKind) -> Item:
    """The item for a message, or for any other kind with the properties of one. Its `at` is the time received."""
    people = [*values.get("to", ()), *values.get("cc", ()), *values.get("bcc", ())]
    people += [values[name] for name in ("from", "sender") if name in values]
    return item(values, identifier, folder_id, kind, at=values.get("received") or values.get("created"), people=people)


def item(
    values: dict[str, Any],
    identifier: str,
    folder_id: str,
    kind: ItemKind,
    *,
    at: str | None,
    people: list[dict[str, str]],
) -> Item:
    """Build an item from its values. Consumes `values`; those without a field of their own become metadata."""
    search_key = values.pop("search_key", "")
    return Item(
        id=identifier,
        version=values.pop("version", ""),
        folder_id=folder_id,
        kind=kind,
        item_class=values.pop("item_class", ""),
        move_key=search_key,
        content_key=_key_of(values, search_key, kind) if search_key else "",
        subject=values.pop("subject", ""),
        size=values.pop("size", 0),
        is_read=values.pop("is_read", None),
        private=values.get("sensitivity") == "Private",
        at=parse_time(at),
        addresses=tuple({person["address"].lower() for person in people if "address" in person}),
        metadata={name: value for name, value in values.items() if value or value is False},
    )


def _key_of(values: Mapping[str, Any], search_key: str, kind: ItemKind) -> str:
    return content_key((search_key, kind, values.get("subject", ""), values.get("size", 0)), values)
