"""Writes a task as a VTODO component."""

from collections.abc import Iterable
from datetime import datetime

from shared.formats.contentlines import component, line, text_line
from shared.formats.ics.properties import alarm, description, stamp
from shared.formats.ics.times import day_line, utc, utc_line
from shared.formats.task import Task, TaskStatus

_STATUSES = {
    TaskStatus.NOT_STARTED: "NEEDS-ACTION",
    TaskStatus.IN_PROGRESS: "IN-PROCESS",
    TaskStatus.COMPLETED: "COMPLETED",
    TaskStatus.WAITING: "NEEDS-ACTION",
    TaskStatus.DEFERRED: "CANCELLED",
}


def vtodo(task: Task, uid: str) -> str:
    """The component of a task."""
    completed = task.completed if isinstance(task.completed, datetime) else None
    lines = [
        text_line("UID", uid),
        stamp(task),
        *_days(task),
        *_recurrence(task),
        *description(task),
        line("STATUS", _STATUSES[task.status]),
        *utc_line("COMPLETED", completed),
        text_line("PERCENT-COMPLETE", task.percent),
        *_alarm(task),
    ]
    return component("VTODO", lines)


def _days(task: Task) -> Iterable[str]:
    """The due day is written only when it is not before the start, which RFC 5545 forbids."""
    yield from day_line("DTSTART", task.start)
    if task.due and (task.start is None or task.due > task.start):
        yield from day_line("DUE", task.due)
    elif task.due and task.start:
        yield line("DURATION", "P1D")


def _recurrence(task: Task) -> Iterable[str]:
    if task.recurrence is None:
        return
    if task.recurrence.regenerates:
        yield line("X-REGENERATES", task.recurrence.plain_rule)
    elif task.start:
        yield line("RRULE", task.recurrence.plain_rule)


def _alarm(task: Task) -> Iterable[str]:
    if task.reminder is not None:
        yield alarm(task.subject, line("TRIGGER", utc(task.reminder), {"VALUE": "DATE-TIME"}))
