"""Turns an item element into an Item with its content: .eml byte for byte, .ics, .vcf, or .json for the rest."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from lxml import etree

from shared.formats.ics.calendar import event_calendar, task_calendar
from shared.formats.vcf import contact_card, list_card
from shared.sources.ews.answer import T
from shared.sources.ews.contacts_tasks import contact_item, read_contact, read_task, task_item
from shared.sources.ews.events import EventReading, event_item, read_event
from shared.sources.ews.items import COMMON, kind_of, message, values_of
from shared.sources.ews.typed_contacts import typed_contact, typed_list, typed_task
from shared.sources.ews.typed_events import typed_event
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
    """An event. Exchange's own iCalendar is kept where it gives one; else ours is written."""
    event = read_event(element)
    mime = event.values.pop("mime", None)
    wanted = _is_wanted(event.values, reading)
    content = None
    if wanted and mime is not None and mime.lstrip()[:15].upper() == b"BEGIN:VCALENDAR":
        content = Content("ics", mime)
    elif wanted:
        typed = typed_event(event, _exceptions(event, reading))
        content = Content("ics", event_calendar(typed, _uid(event.values, identifier)))
    event.values.pop("body", None)
    item = event_item(event, identifier, reading.folder_id)
    item.content = content
    return item


def _exceptions(event: EventReading, reading: Reading) -> list[EventReading]:
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
    values = read_contact(element)
    wanted = _is_wanted(values, reading)
    content = Content("vcf", contact_card(typed_contact(values), _uid(values, identifier))) if wanted else None
    values.pop("body", None)
    item = contact_item(values, identifier, reading.folder_id, ItemKind.CONTACT)
    item.content = content
    return item


def _read_list(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values = read_contact(element)
    wanted = _is_wanted(values, reading)
    content = Content("vcf", list_card(typed_list(values), _uid(values, identifier))) if wanted else None
    values.pop("body", None)
    item = contact_item(values, identifier, reading.folder_id, ItemKind.LIST)
    item.content = content
    return item


def _read_task(element: etree._Element, identifier: str, reading: Reading) -> Item:
    values, recurrence = read_task(element)
    wanted = _is_wanted(values, reading)
    content = (
        Content("ics", task_calendar(typed_task(values, recurrence), _uid(values, identifier))) if wanted else None
    )
    values.pop("body", None)
    item = task_item(values, identifier, reading.folder_id)
    item.content = content
    return item


def _is_wanted(values: Mapping[str, Any], reading: Reading) -> bool:
    """Whether the item's file is wanted; one that is larger than the largest item is not."""
    return reading.level is not ContentLevel.METADATA and values.get("size", 0) <= reading.largest


def _uid(values: Mapping[str, Any], identifier: str) -> str:
    """A UID that stays the same as long as the item does."""
    return str(uuid5(NAMESPACE_OID, str(values.get("search_key") or identifier)))


_READERS: dict[str, Callable[[etree._Element, str, Reading], Item]] = {
    f"{T}CalendarItem": _read_event,
    f"{T}Contact": _read_contact,
    f"{T}DistributionList": _read_list,
    f"{T}Task": _read_task,
}
