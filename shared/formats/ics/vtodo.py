"""Writes a task as a VTODO component."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from shared.formats.addresses import link
from shared.formats.contentlines import component, line, text_line
from shared.formats.ics.properties import alarm, description, stamp, uid_line
from shared.formats.ics.times import day_line, utc, utc_line
from shared.formats.values.task import ChecklistItem, Task, TaskStatus

_STATUSES = {
    TaskStatus.NOT_STARTED: "NEEDS-ACTION",
    TaskStatus.IN_PROGRESS: "IN-PROCESS",
    TaskStatus.COMPLETED: "COMPLETED",
    TaskStatus.WAITING: "NEEDS-ACTION",
    TaskStatus.DEFERRED: "CANCELLED",
}


def vtodo(task: Task, uid: str) -> str:
    """The component for a task."""
    lines = [
        uid_line(uid),
        stamp(task),
        *_days(task),
        *_recurrence(task),
        *description(task),
        line("STATUS", _STATUSES[task.status]),
        *utc_line("COMPLETED", _completed(task)),
        text_line("PERCENT-COMPLETE", task.percent),
        text_line("X-OWNER", task.owner),
        *(_step(step) for step in task.checklist),
        *(line("URL", link(each.url)) for each in task.links[:1] if each.url),
        *(line("X-LINK", link(each.url), {"LABEL": each.name}) for each in task.links if each.url),
        *_alarm(task),
    ]
    return component("VTODO", lines)


def _days(task: Task) -> Iterable[str]:
    """The start day and the due day.

    RFC 5545 requires the due day to be after the start. A task that is due on its start day still gets both, and
    programs accept this. If a task is due before it starts, only the due day counts. A recurring task needs a start: if
    it has none, its pattern's start is used.
    """
    yield from day_line("DTSTART", _start(task))
    yield from day_line("DUE", task.due)


def _start(task: Task) -> date | None:
    start = task.start
    if start is None and _has_rule(task):
        start = (task.recurrence.start if task.recurrence else None) or task.due
    if start is not None and task.due is not None and task.due < start:
        return task.due if _has_rule(task) else None
    return start


def _has_rule(task: Task) -> bool:
    return task.recurrence is not None and not task.recurrence.regenerates


def _recurrence(task: Task) -> Iterable[str]:
    if task.recurrence is None:
        return
    if task.recurrence.regenerates:
        yield line("X-REGENERATES", task.recurrence.plain_rule)
    elif _start(task):
        yield line("RRULE", task.recurrence.plain_rule)


def _completed(task: Task) -> datetime | None:
    """The time of completion. RFC 5545 requires a time, so a date becomes the beginning of the day."""
    completed = task.completed
    if completed is None or isinstance(completed, datetime):
        return completed
    return datetime(completed.year, completed.month, completed.day, tzinfo=UTC)


def _step(step: ChecklistItem) -> str:
    return text_line("X-CHECKLIST-ITEM", step.title, {"STATUS": "COMPLETED" if step.is_done else "NEEDS-ACTION"})


def _alarm(task: Task) -> Iterable[str]:
    if task.reminder is not None:
        yield alarm(task.subject, line("TRIGGER", utc(task.reminder), {"VALUE": "DATE-TIME"}))
