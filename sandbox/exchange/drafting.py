"""From what a client writes to an item: properties as fragments, times in UTC, MIME for messages."""

import binascii
import uuid
from datetime import UTC, datetime

import pybase64
from lxml import etree

from sandbox.exchange import mime
from sandbox.exchange.events import pattern_of
from sandbox.exchange.refusals import Refused
from sandbox.exchange.shapes import extended_key
from sandbox.exchange.store import Item, Mailbox
from sandbox.exchange.vocabulary import ITEM_CLASSES, READ_ONLY, element_of
from sandbox.exchange.wire import children, fragment_of, local, parse_fragment, read_when, tag, text_of, when
from sandbox.exchange.zones import from_definition

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
    """A class that the client named decides how the item is written; MIME's class holds where it named none."""
    named = item.text("ItemClass")
    if named:
        item.item_class = named
        del item.properties["ItemClass"]
    if item.element in ("Message", "Item", "MeetingMessage"):
        item.element = element_of(item.item_class)


def _composed(item: Item, mailbox: Mailbox, sender: tuple[str, str]) -> bytes:
    return mime.compose(
        item.properties, sender, mailbox.clock(), f"<{uuid.uuid4()}@{mailbox.address.partition('@')[2]}>"
    )


def put(item: Item, child: etree._Element) -> None:
    """Set one property from an element. Raises Refused for what only Exchange sets."""
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
    """A time in UTC; one without a zone is a wall clock's, read again when the zone is known."""
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
    """What follows from the properties that were set. Raises Refused for a series that makes no sense."""
    if item.element == "CalendarItem":
        _complete_event(item)
    elif item.element == "Task":
        _complete_task(item)
    elif item.element in ("Contact", "DistributionList") and "Subject" not in item.properties:
        shown = item.text("DisplayName") or item.text("FileAs")
        item.properties["Subject"] = tag("Subject", shown)
    try:
        pattern_of(item)
    except ValueError:
        raise Refused("ErrorCalendarInvalidRecurrence") from None


def _complete_event(item: Item) -> None:
    zone_fragment = item.properties.get("StartTimeZone")
    for name in ("Start", "End"):
        text = item.text(name)
        if not text:
            item.properties[name] = tag(name, item.text("Start") or when(datetime.now(UTC)))
        elif not text.endswith("Z"):
            item.properties[name] = tag(name, _in_zone(text, zone_fragment))
    if "UID" not in item.properties:
        item.properties["UID"] = tag("UID", f"040000008200E00074C5B7101A82E008{uuid.uuid4().hex.upper()}")
    if item.text("End") < item.text("Start"):
        raise Refused("ErrorCalendarEndDateIsEarlierThanStartDate", "The end date is earlier than the start date.")


def _in_zone(text: str, zone: str | None) -> str:
    if zone is None:
        return when(read_when(text))
    return when(from_definition(parse_fragment(zone)).utc(read_when(text).replace(tzinfo=None)))


def _complete_task(item: Item) -> None:
    """A task's state and its percentage say the same thing."""
    done = item.text("Status") == "Completed" or item.text("PercentComplete", "0").partition(".")[0] == "100"
    item.properties["IsComplete"] = tag("IsComplete", "true" if done else "false")
    if done:
        item.properties["Status"] = tag("Status", "Completed")
        item.properties["PercentComplete"] = tag("PercentComplete", "100")


def refresh_mime(item: Item, changed: set[str], mailbox: Mailbox, sender: tuple[str, str]) -> None:
    """After an update: a message's MIME says what its properties say. Untouched where the change is not in it."""
    raw = item.content()
    if raw is None or "MimeContent" in changed:
        return
    if changed & {"Body", "ToRecipients", "CcRecipients", "BccRecipients", "From"}:
        item.with_mime(_composed(item, mailbox, sender))
    elif "Subject" in changed:
        item.with_mime(mime.with_subject(raw, text_of(item.properties.get("Subject", ""))))
