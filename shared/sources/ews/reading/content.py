"""Turns an item element into an Item with its content: .eml byte for byte, .ics, .vcf, or .json for all others."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pybase64
from lxml import etree

from shared.errors import Reason
from shared.formats.ics.calendar import event_calendar, task_calendar
from shared.formats.vcf import contact_card, list_card
from shared.sources.ews.reading.attachments import (
    NONE_ATTACHED,
    Attached,
    ListedAttachment,
    read_attachments,
    with_contents,
)
from shared.sources.ews.reading.contacts_tasks import contact_item, read_contact, read_task, task_item
from shared.sources.ews.reading.events import EventReading, event_item, read_event
from shared.sources.ews.reading.items import COMMON, kind_of, message, values_of
from shared.sources.ews.reading.rebuilt_mail import rebuilt_mail
from shared.sources.ews.reading.typed_contacts import typed_contact, typed_list, typed_task
from shared.sources.ews.reading.typed_events import typed_event
from shared.sources.ews.transport.soap_response import T
from shared.sources.model import Content, ContentLevel, Item, ItemFailure, ItemKind


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read items: how much of each is wanted, and how to fetch what the item element does not contain.

    `largest` is the size in bytes above which content is left out. `occurrences` fetches a series' changed occurrences
    by their ids, `attachments` the bytes of attachments.
    """

    folder_id: str
    level: ContentLevel
    largest: int
    occurrences: Callable[[Sequence[str]], dict[str, etree._Element]]
    attachments: Callable[[Sequence[ListedAttachment]], Attached]
    rebuilds: bool = False
    """Whether mail comes without its MIME, so that its file is rebuilt from its parts."""


_MESSAGE = {**COMMON, f"{T}Attachments": ("attachments", read_attachments)}
_CONTENT = ("mime", "body", "attachments", "headers")
"""The values that belong to an item's file and not to its metadata."""


def read(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """Read one item. Raises ValueError, TypeError or LookupError if the element cannot be interpreted."""
    reader = _READERS.get(element.tag, _read_message)
    return reader(element, identifier, reading)


def _read_message(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """Read mail of every class, and anything else that Exchange returns as a message or plain item."""
    values = values_of(element, _MESSAGE)
    kind = kind_of(element.tag, values.get("item_class", ""))
    parts = {name: values.pop(name) for name in _CONTENT if name in values}
    mime, body = parts.get("mime"), parts.get("body")
    item = message(values, identifier, reading.folder_id, kind)
    if reading.level is ContentLevel.METADATA or item.size > reading.largest:
        return item
    if reading.rebuilds and kind is ItemKind.MESSAGE:
        attached = _attached([parts], reading)
        return _with_content(item, Content("eml", rebuilt_mail(item, parts, attached.contents)), attached)
    if mime is not None and kind is ItemKind.MESSAGE:
        item.content = Content("eml", mime)
    else:
        attached = _attached([parts], reading) if kind is ItemKind.OTHER else NONE_ATTACHED
        content = as_json(item, body, list(_files(parts, attached)) if kind is ItemKind.OTHER else [])
        _with_content(item, content, attached)
    return item


def _files(parts: Mapping[str, Any], attached: Attached) -> Iterator[dict[str, Any]]:
    """The attachments of an item without a file format of its own (a journal entry), as JSON values."""
    for each in with_contents(parts.get("attachments", ()), attached.contents)[0]:
        described = {"name": each.name, "type": each.media_type, "size": each.size, "url": each.url}
        data = {} if each.data is None else {"base64": pybase64.b64encode(each.data).decode()}
        yield {name: value for name, value in described.items() if value} | data


def as_json(item: Item, body: dict[str, str] | None, attachments: Sequence[dict[str, Any]] = ()) -> Content:
    """Write an item as JSON if it has no file format of its own or only its body is wanted."""
    document: dict[str, Any] = {"item_class": item.item_class, "subject": item.subject, **item.metadata}
    if body:
        document["body"] = body
    if attachments:
        document["attachments"] = attachments
    return Content("json", json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace"))


def _read_event(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """Read an event with its changed occurrences. Exchange's own iCalendar output is not used: it is unreliable."""
    event = read_event(element)
    content, attached = None, NONE_ATTACHED
    if _is_wanted(event.values, reading):
        exceptions = _exceptions(event, reading)
        attached = _attached([event.values, *(each.values for each in exceptions)], reading)
        content = Content("ics", event_calendar(typed_event(event, attached.contents, exceptions)))
    _forget_content(event.values)
    return _with_content(event_item(event, identifier, reading.folder_id), content, attached)


def _exceptions(event: EventReading, reading: Reading) -> list[EventReading]:
    """The changed occurrences of a series, each with its original start by the rule."""
    modified = event.values.get("modified_occurrences", ())
    originals = {occurrence["id"]: occurrence["original_start"] for occurrence in modified if occurrence["id"]}
    found = []
    for identifier, element in reading.occurrences(list(originals)).items():
        exception = read_event(element)
        exception.values["original_start"] = originals[identifier] or exception.values.get("recurrence_id", "")
        found.append(exception)
    return found


def _read_contact(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values = read_contact(element)
    content, attached = None, NONE_ATTACHED
    if _is_wanted(values, reading):
        attached = _attached([values], reading)
        content = Content("vcf", contact_card(typed_contact(values, attached.contents)))
    _forget_content(values)
    return _with_content(contact_item(values, identifier, reading.folder_id, ItemKind.CONTACT), content, attached)


def _read_list(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values = read_contact(element)
    content, attached = None, NONE_ATTACHED
    if _is_wanted(values, reading):
        attached = _attached([values], reading)
        content = Content("vcf", list_card(typed_list(values, attached.contents)))
    _forget_content(values)
    return _with_content(contact_item(values, identifier, reading.folder_id, ItemKind.LIST), content, attached)


def _read_task(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values, recurrence = read_task(element)
    content, attached = None, NONE_ATTACHED
    if _is_wanted(values, reading):
        attached = _attached([values], reading)
        content = Content("ics", task_calendar(typed_task(values, recurrence, attached.contents)))
    _forget_content(values)
    return _with_content(task_item(values, identifier, reading.folder_id), content, attached)


def _is_wanted(values: Mapping[str, Any], reading: Reading) -> bool:
    """Whether the item's file is wanted; not if the item is larger than the limit."""
    return reading.level is not ContentLevel.METADATA and values.get("size", 0) <= reading.largest


def _attached(parts: Sequence[Mapping[str, Any]], reading: Reading) -> Attached:
    """Fetch the attachments of an item and of its changed occurrences, up to the largest item size in total.

    Attachments that do not fit are not requested; the file names them.
    """
    bytes_left = reading.largest
    wanted = []
    for listed in (each for values in parts for each in values.get("attachments", ())):
        bytes_left -= listed.attachment.size
        if bytes_left >= 0 and listed.id:
            wanted.append(listed)
    return reading.attachments(wanted) if wanted else NONE_ATTACHED


def _forget_content(values: dict[str, Any]) -> None:
    """Remove the values that belong to the file, so that only metadata is left."""
    for name in _CONTENT:
        values.pop(name, None)


def _with_content(item: Item, content: Content | None, attached: Attached) -> Item:
    """Add the file to the item, and mark the item if an attachment is lacking, so that it is retried."""
    item.content = content
    if attached.refused:
        item.lacking = ItemFailure(item.id, Reason.ITEM_UNREADABLE, attached.refused)
        item.metadata = {**item.metadata, "original": False}
    return item


_READERS: dict[str, Callable[[etree._Element, str, Reading], Item]] = {
    f"{T}CalendarItem": _read_event,
    f"{T}Contact": _read_contact,
    f"{T}DistributionList": _read_list,
    f"{T}Task": _read_task,
}
