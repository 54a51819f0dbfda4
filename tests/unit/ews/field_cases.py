"""Elements as real servers gave them (field_cases/), read over a scripted channel, and independent readers."""

import base64
import re
import warnings
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import icalendar
import recurring_ical_events

from shared.formats.uids import identified
from shared.sources.model import Content, ContentLevel, Folder, FolderKind, FolderRole, Item
from tests.unit.ews.soap_samples import CALENDAR, CONTACTS, ScriptedChannel, answer, asked_ids, items, mailbox, success

HERE = Path(__file__).parent / "field_cases"
TASKS = Folder("F4", "", "Tasks", "Tasks", FolderKind.TASKS, FolderRole.TASKS, 0)
_ID = '<t:ItemId Id="I0" ChangeKey="1"/>'


def elements(name: str) -> list[str]:
    """The elements of a case; the first is the item, the others its changed occurrences."""
    text = (HERE / f"{name}.xml").read_text().partition("-->")[2].strip()
    tag = text[1 : text.index(">")]
    found = re.findall(rf"<{tag}>.*?</{tag}>(?=\s*(?:<{tag}>|$))", text, re.DOTALL)
    return [each if "<t:ItemId" in each else each.replace(">", f">{_ID}", 1) for each in found]


def read(*found: str, files: Mapping[str, bytes] | None = None, level: ContentLevel = ContentLevel.MIME) -> Item:
    """The item of an element and of its changed occurrences; `files` are attachments by id."""
    by_id = {"I0": found[0]} | {_id_of(element): element for element in found[1:]}

    def answered(request: str) -> bytes:
        if "<m:GetAttachment>" in request:
            wanted = re.findall(r'<t:AttachmentId Id="([^"]+)"', request)
            return answer("GetAttachment", *(_file(each, (files or {})[each]) for each in wanted))
        return items(*(by_id[identifier] for identifier in asked_ids(request)))

    folder = CALENDAR if "CalendarItem" in found[0] else TASKS if "<t:Task>" in found[0] else CONTACTS
    (item,) = mailbox(ScriptedChannel(answered)).fetch(folder, ["I0"], level)
    assert isinstance(item, Item), item
    return item


def case(name: str) -> Item:
    """The item of a case."""
    return read(*elements(name))


def written(item: Item) -> bytes:
    """The file of an item, with the UID of the item whose key is "key"."""
    assert isinstance(item.content, Content)
    return identified(item.content.data, "key")


def lines(item: Item) -> list[str]:
    """The file's lines, unfolded."""
    return written(item).decode().replace("\r\n ", "").split("\r\n")


def calendar(item: Item) -> Any:
    """The calendar as icalendar reads it, without complaint."""
    parsed = icalendar.Calendar.from_ical(written(item))
    assert not any(each.errors for each in parsed.walk())
    return parsed


def component(item: Item, name: str = "VEVENT") -> Any:
    """The first component of a kind."""
    return calendar(item).walk(name)[0]


def starts(item: Item, first: datetime, last: datetime) -> list[datetime | date]:
    """When the event takes place between two times, as recurring-ical-events expands it; times in UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = recurring_ical_events.of(calendar(item)).between(first, last)
    return sorted(utc(each["DTSTART"].dt) for each in found)


def utc(at: datetime | date) -> datetime | date:
    """A time in UTC; a day as it is."""
    return at.astimezone(UTC) if isinstance(at, datetime) else at


def _id_of(element: str) -> str:
    match = re.search(r'<t:ItemId Id="([^"]+)"', element)
    return match[1] if match else ""


def _file(identifier: str, data: bytes) -> str:
    content = base64.b64encode(data).decode()
    inside = f'<t:FileAttachment><t:AttachmentId Id="{identifier}"/><t:Content>{content}</t:Content></t:FileAttachment>'
    return success("GetAttachment", f"<m:Attachments>{inside}</m:Attachments>")
