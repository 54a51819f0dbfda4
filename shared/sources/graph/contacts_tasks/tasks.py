"""Reads tasks. Graph has neither search keys nor change keys of them: the version is the ETag, a move is a new task.

Percentage, work hours, owner, companies and sensitivity are not given at all.
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
from shared.sources.port import Item, ItemKind


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
    """What a task was made of elsewhere."""

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
    """The item of a task, its metadata named as EWS names it. `at` is when it was last modified."""
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
    """The typed task that its file is made of."""
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


def _instant(told: _Time | None) -> datetime | None:
    """A time in the zone that it is given in, UTC where none is known."""
    at = moment(told.date_time) if told is not None else None
    zone = resolve(TimeZone(told.time_zone)) if told is not None and told.time_zone else None
    if at is None or zone is None:
        return at
    try:
        return at.replace(tzinfo=zone.rules).astimezone(UTC)
    except OverflowError:
        return at


def _text(told: _Time | None) -> str:
    at = _instant(told)
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z") if at is not None else ""


def _day(told: _Time | None) -> date | None:
    """The day: a task's dates are midnights, of the zone that they are given in or of the person's own."""
    at = moment(told.date_time) if told is not None else None
    if at is None or (at.hour, at.minute) == (0, 0):
        return at.date() if at is not None else None
    try:
        return day_of_midnight(_instant(told) or at)
    except OverflowError:
        return None
