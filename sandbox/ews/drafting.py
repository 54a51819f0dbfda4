"""Creates items from a client's elements: properties as fragments, times in UTC, MIME for messages."""

import binascii
import uuid

import pybase64
from lxml import etree

from sandbox.ews.properties import READ_ONLY
from sandbox.ews.refusals import Refused
from sandbox.ews.shapes import extended_key
from sandbox.mailboxes.fragments import children, fragment_of, local, read_when, tag, when
from sandbox.mailboxes.item_classes import ITEM_CLASSES, element_of
from sandbox.mailboxes.items import completion, mime
from sandbox.mailboxes.store import Item, Mailbox

_TIMES = {"Start", "End", "DueDate", "StartDate", "CompleteDate", "Birthday", "WeddingAnniversary", "ReminderDueBy"}


def draft(element: etree._Element, mailbox: Mailbox, sender: tuple[str, str]) -> Item:
    """The item that an element of CreateItem describes. Raises Refused."""
    kind = local(element)
    item = Item(kind, ITEM_CLASSES[kind], {})
    for child in children(element):
        put(item, child)
    _class(item)
    complete(item)
    if item.mime is None and item.element in ("Message", "PostItem"):
        item.with_mime(_composed(item, mailbox, sender))
        body = item.properties.get("Body")
        item.properties = mime.properties_of(item.content() or b"")[2] | item.properties
        if body:
            item.properties["Body"] = body
    return item


def _class(item: Item) -> None:
    """A class that the client sets decides the item's element; without one the MIME decides."""
    named = item.text("ItemClass")
    if named:
        item.item_class = named
        del item.properties["ItemClass"]
    if item.element in ("Message", "Item", "MeetingMessage"):
        item.element = element_of(item.item_class)


def _composed(item: Item, mailbox: Mailbox, sender: tuple[str, str]) -> bytes:
    """The item's MIME as Exchange writes it; an edited message keeps its Message-ID."""
    message_id = item.text("InternetMessageId") or f"<{uuid.uuid4()}@{mailbox.address.partition('@')[2]}>"
    return mime.compose(item.properties, sender, mailbox.clock(), message_id)


def put(item: Item, child: etree._Element) -> None:
    """Set one property from an element. Raises Refused for a read-only property."""
    name = local(child)
    if name == "MimeContent":
        _put_mime(item, child.text or "")
    elif name == "ExtendedProperty":
        path, value = children(child)
        item.extended[extended_key(path)] = fragment_of(value)
    elif name == "IsRead":
        item.is_read = (child.text or "").strip() in ("true", "1")
    elif name in READ_ONLY:
        raise Refused("ErrorInvalidPropertySet", xml=f'<t:FieldURI FieldURI="item:{name}"/>')
    elif name in _TIMES:
        item.properties[name] = tag(name, _moment(child.text or ""))
    else:
        item.properties[name] = fragment_of(child)


def _moment(text: str) -> str:
    """A time in UTC; one without a zone is local time, read again when the zone is known."""
    moment = text.strip()
    if moment.endswith("Z") or moment[19:].count(":") or len(moment) <= 10:
        return when(read_when(moment))
    return moment


def _put_mime(item: Item, encoded: str) -> None:
    try:
        raw = pybase64.b64decode(encoded.encode(), validate=False)
    except binascii.Error:
        raise Refused("ErrorMimeContentInvalidBase64String") from None
    if not raw.strip():
        raise Refused("ErrorMimeContentInvalid")
    if item.element in ("Message", "Item", "PostItem", "MeetingMessage"):
        element, item_class, properties = mime.properties_of(raw)
        if item.element != "PostItem":
            item.element, item.item_class = element, item_class
        item.properties |= properties
        item.with_mime(raw)


def complete(item: Item) -> None:
    """Set the properties that follow from those that were given. Raises Refused for contradictions."""
    try:
        completion.complete(item)
    except completion.EndBeforeStart as exc:
        raise Refused("ErrorCalendarEndDateIsEarlierThanStartDate", str(exc)) from None
    except completion.InvalidRecurrence:
        raise Refused("ErrorCalendarInvalidRecurrence") from None


def refresh_mime(item: Item, changed: set[str], mailbox: Mailbox, sender: tuple[str, str]) -> None:
    """After an update, write a message's changed properties to its MIME; no change if the MIME does not hold them."""
    raw = item.content()
    if raw is None or "MimeContent" in changed:
        return
    if changed & {"Body", "ToRecipients", "CcRecipients", "BccRecipients", "From"}:
        item.with_mime(_composed(item, mailbox, sender))
        return
    for name in changed & {"Subject", "Importance"}:
        raw = mime.with_header(raw, name, item.text(name, "Normal" if name == "Importance" else ""))
        item.with_mime(raw)
