"""The typed value of a task."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.formats.values.common import NO_BODY, Attachment, Body, Importance, Sensitivity
from shared.formats.values.recurrence import Recurrence


class TaskStatus(StrEnum):
    """The progress of a task."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    WAITING = "waiting"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One step of a task."""

    title: str
    is_done: bool = False
    done: datetime | None = None
    """The time it was done, UTC."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the origin of a task in another program (Graph: linkedResource)."""

    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task. Its start and due dates are days; times are aware UTC."""

    subject: str = ""
    body: Body = NO_BODY
    start: date | None = None
    due: date | None = None
    completed: date | datetime | None = None
    """The time of completion; a date if the source has only the day."""
    status: TaskStatus = TaskStatus.NOT_STARTED
    percent: int = 0
    """0 to 100."""
    importance: Importance = Importance.NORMAL
    sensitivity: Sensitivity = Sensitivity.NORMAL
    categories: tuple[str, ...] = ()
    owner: str = ""
    recurrence: Recurrence | None = None
    reminder: datetime | None = None
    """The time of the reminder, UTC; None if there is no reminder."""
    checklist: tuple[ChecklistItem, ...] = ()
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
