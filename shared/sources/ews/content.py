"""Turns an item element into an Item with its content: .eml byte for byte, .ics, .vcf, or .json for the rest."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from shared.sources.ews.answer import T
from shared.sources.ews.items import COMMON, kind_of, message, values_of
from shared.sources.port import Content, ContentLevel, Item, ItemKind


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one item takes: which it is, how much is wanted, and how to get a series' modified occurrences."""

    identifier: str
    folder_id: str
    level: ContentLevel
    largest: int
    occurrences: Callable[[Sequence[str]], list[etree._Element]]


def read(element: etree._Element, reading: Reading) -> Item:
    """One item. Raises ValueError, TypeError or LookupError for an element that makes no sense."""
    kind = kind_of(element.tag, element.findtext(f"{T}ItemClass") or "")
    return _READERS.get(kind, _read_message)(element, reading, kind)


def _read_message(element: etree._Element, reading: Reading, kind: ItemKind) -> Item:
    values = values_of(element, COMMON)
    mime, body = values.pop("mime", None), values.pop("body", None)
    item = message(values, reading.identifier, reading.folder_id, kind)
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


_READERS: dict[ItemKind, Callable[[etree._Element, Reading, ItemKind], Item]] = {}
