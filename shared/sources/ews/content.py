"""Turns an item element into an Item with its content: .eml byte for byte, .ics, .vcf, or .json for the rest."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from shared.sources.ews.answer import T
from shared.sources.ews.events import Event, event_item, read_event
from shared.sources.ews.ics import event_calendar, task_calendar
from shared.sources.ews.items import COMMON, kind_of, message, values_of
from shared.sources.ews.people import contact_item, read_contact, read_task, task_item
from shared.sources.ews.vcf import contact_card, list_card
from shared.sources.port import Content, ContentLevel, Item, ItemKind


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading items takes: how much is wanted of each, and how to get a series' modified occurrences."""

    folder_id: str
    level: ContentLevel
    largest: int
    occurrences: Callable[[Sequence[str]], dict[str, etree._Element]]


def read(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """One item. Raises ValueError, TypeError or LookupError for an element that makes no sense."""
    reader = _READERS.get(element.tag, _read_message)
    return reader(element, identifier, reading)


def _read_message(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """Mail of every class, and whatever else Exchange gives as a message or plain item."""
    values = values_of(element, COMMON)
    kind = kind_of(element.tag, values.get("item_class", ""))
    mime, body = values.pop("mime", None), values.pop("body", None)
    item = message(values, identifier, reading.folder_id, kind)
    if reading.level is ContentLevel.METADATA or item.size > reading.largest:
        return item
    if mime is not None and kind is ItemKind.MESSAGE:
        item.content = Content("eml", mime)
    else:
        item.content = as_json(item, body)
    return item


def as_json(item: Item, body: dict[str, str] | None) -> Content:
    """An item that has no format of its own, or of which only the body is wanted."""
    told: dict[str, Any] = {"item_class": item.item_class, "subject": item.subject, **item.metadata}
    if body:
        told["body"] = body
    return Content("json", json.dumps(told, ensure_ascii=False, indent=1).encode("utf-8", "replace"))


def _read_event(element: etree._Element, identifier: str, reading: Reading) -> Item:
    """An event. Exchange's own iCalendar is kept where it gives one; else ours is built."""
    event = read_event(element)
    mime, body = event.values.pop("mime", None), event.values.pop("body", None)
    wanted = reading.level is not ContentLevel.METADATA and event.values.get("size", 0) <= reading.largest
    content = None
    if wanted and mime is not None and mime.lstrip()[:15].upper() == b"BEGIN:VCALENDAR":
        content = Content("ics", mime)
    elif wanted:
        event.values["body"] = body
        content = Content("ics", event_calendar(event, _exceptions(event, reading), identifier))
        del event.values["body"]
    item = event_item(event, identifier, reading.folder_id)
    item.content = content
    return item


def _exceptions(event: Event, reading: Reading) -> list[Event]:
    """The changed occurrences of a series, each with the start it had by the rule."""
    modified = event.values.get("modified_occurrences", ())
    originals = {occurrence["id"]: occurrence["original_start"] for occurrence in modified if occurrence["id"]}
    found = []
    for identifier, element in reading.occurrences(list(originals)).items():
        exception = read_event(element)
        exception.values["original_start"] = originals[identifier] or exception.values.get("recurrence_id", "")
        found.append(exception)
    return found


def _read_contact(element: etree._Element, identifier: str, reading: Reading) -> Item:
    return _read_person(element, identifier, reading, ItemKind.CONTACT, contact_card)


def _read_list(element: etree._Element, identifier: str, reading: Reading) -> Item:
    return _read_person(element, identifier, reading, ItemKind.LIST, list_card)


def _read_person(
    element: etree._Element,
    identifier: str,
    reading: Reading,
    kind: ItemKind,
    write: Callable[[dict[str, Any], str], bytes],
) -> Item:
    values = read_contact(element)
    card = Content("vcf", write(values, identifier)) if reading.level is not ContentLevel.METADATA else None
    values.pop("body", None)
    item = contact_item(values, identifier, reading.folder_id, kind)
    item.content = card if item.size <= reading.largest else None
    return item


def _read_task(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values = read_task(element)
    wanted = reading.level is not ContentLevel.METADATA
    content = Content("ics", task_calendar(values, identifier)) if wanted else None
    values.pop("body", None)
    item = task_item(values, identifier, reading.folder_id)
    item.content = content if item.size <= reading.largest else None
    return item


_READERS: dict[str, Callable[[etree._Element, str, Reading], Item]] = {
    f"{T}CalendarItem": _read_event,
    f"{T}Contact": _read_contact,
    f"{T}DistributionList": _read_list,
    f"{T}Task": _read_task,
}
