"""Decodes tasks.

Graph returns neither their search key nor their change key: the version is the ETag, and a moved task is a new one. It
does not return the percentage, work hours, owner, companies, or sensitivity either.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from shared.formats.placeholder_dates import known_day
from shared.formats.values.common import Attachment, Importance
from shared.formats.values.recurrence import Recurrence
from shared.formats.values.task import ChecklistItem, Link, Task, TaskStatus
from shared.formats.values.zone import TimeZone
from shared.formats.zones.resolving import day_of_midnight, resolve
from shared.sources.graph.calendar.recurrence import PatternedRecurrence, typed_recurrence
from shared.sources.graph.calendar.typed_events import IMPORTANCES, typed_body
from shared.sources.graph.mail.messages import capitalized
from shared.sources.graph.mail.rebuilt import ItemBody
from shared.sources.graph.transport.answers import Named, moment, utc_text
from shared.sources.item_values import item_of
from shared.sources.model import Item, ItemKind


class _Time(msgspec.Struct, rename="camel", gc=False):
    date_time: str | None = None
    time_zone: str | None = None


class Step(msgspec.Struct, rename="camel", gc=False):
    """A checklistItem."""

    display_name: str | None = None
    is_checked: bool | None = None
    checked_date_time: str | None = None


class LinkedResource(msgspec.Struct, rename="camel", gc=False):
    """A linkedResource."""

    display_name: str | None = None
    application_name: str | None = None
    web_url: str | None = None


class GraphTask(Named, rename="camel", gc=False):
    """A todoTask."""

    title: str | None = None
    body: ItemBody | None = None
    status: str | None = None
    importance: str | None = None
    categories: list[str] | None = None
    start_date_time: _Time | None = None
    due_date_time: _Time | None = None
    completed_date_time: _Time | None = None
    is_reminder_on: bool | None = None
    reminder_date_time: _Time | None = None
    recurrence: PatternedRecurrence | None = None
    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    has_attachments: bool | None = None
    checklist_items: list[Step] | None = None
    linked_resources: list[LinkedResource] | None = None


class Steps(msgspec.Struct):
    """A task's checklist."""

    value: list[Step]


class Links(msgspec.Struct):
    """The resources that a task is linked to."""

    value: list[LinkedResource]


_STATUS_WORDS = {
    "notStarted": "NotStarted",
    "inProgress": "InProgress",
    "completed": "Completed",
    "waitingOnOthers": "WaitingOnOthers",
    "deferred": "Deferred",
}
_STATUSES = {
    "inProgress": TaskStatus.IN_PROGRESS,
    "completed": TaskStatus.COMPLETED,
    "waitingOnOthers": TaskStatus.WAITING,
    "deferred": TaskStatus.DEFERRED,
}


def task_item(task: GraphTask, folder_id: str) -> Item:
    """Return the item of a task. Metadata has EWS's names; `at` is the last-modified time."""
    recurrence = _recurrence(task)
    values: dict[str, Any] = {
        "version": task.version,
        "item_class": "IPM.Task",
        "subject": task.title or "",
        "sensitivity": "Normal",
        "categories": task.categories,
        "importance": capitalized(task.importance),
        "has_attachments": task.has_attachments,
        "created": utc_text(task.created_date_time),
        "modified": utc_text(task.last_modified_date_time),
        "start": _text(task.start_date_time),
        "due": _text(task.due_date_time),
        "completed": _text(task.completed_date_time),
        "status": _STATUS_WORDS.get(task.status or "", ""),
        "percent": 100 if task.status == "completed" else 0,
        "reminder": task.is_reminder_on,
        "reminder_at": _text(task.reminder_date_time),
        "recurrence": recurrence.plain_rule if recurrence is not None else "",
    }
    at = moment(values["modified"])
    return item_of(values, task.id, folder_id, ItemKind.TASK, at=at, addresses=())


def typed_task(
    task: GraphTask, steps: Sequence[Step], links: Sequence[LinkedResource], files: Sequence[Attachment]
) -> Task:
    """Return the typed task, which the file is written from."""
    return Task(
        subject=task.title or "",
        body=typed_body(task.body),
        start=known_day(_day(task.start_date_time)),
        due=known_day(_day(task.due_date_time)),
        completed=_instant(task.completed_date_time),
        status=_STATUSES.get(task.status or "", TaskStatus.NOT_STARTED),
        percent=100 if task.status == "completed" else 0,
        importance=IMPORTANCES.get(task.importance or "", Importance.NORMAL),
        categories=tuple(task.categories or ()),
        recurrence=_recurrence(task),
        reminder=_instant(task.reminder_date_time) if task.is_reminder_on else None,
        checklist=tuple(
            ChecklistItem(each.display_name or "", bool(each.is_checked), moment(each.checked_date_time))
            for each in steps
        ),
        links=tuple(Link(each.display_name or each.application_name or "", each.web_url or "") for each in links),
        attachments=tuple(files),
        created=moment(task.created_date_time),
        modified=moment(task.last_modified_date_time),
    )


def _recurrence(task: GraphTask) -> Recurrence | None:
    return typed_recurrence(task.recurrence)


def _instant(given: _Time | None) -> datetime | None:
    """Return a time in its own zone; in UTC if the zone is unknown."""
    at = moment(given.date_time) if given is not None else None
    zone = resolve(TimeZone(given.time_zone)) if given is not None and given.time_zone else None
    if at is None or zone is None:
        return at
    try:
        return at.replace(tzinfo=zone.rules).astimezone(UTC)
    except OverflowError:
        return at


def _text(given: _Time | None) -> str:
    at = _instant(given)
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z") if at is not None else ""


def _day(given: _Time | None) -> date | None:
    """Return a date. Graph gives it as a midnight, in the given zone or in the person's own."""
    at = moment(given.date_time) if given is not None else None
    if at is None or (at.hour, at.minute) == (0, 0):
        return at.date() if at is not None else None
    try:
        return day_of_midnight(_instant(given) or at)
    except OverflowError:
        return None
