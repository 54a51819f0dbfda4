"""A task."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.formats.common import NO_BODY, Attachment, Body, Importance, Sensitivity
from shared.formats.recurrence import Recurrence


class TaskStatus(StrEnum):
    """How far a task is."""

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
    """When it was done, UTC."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a task was made of elsewhere (Graph: linkedResource)."""

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
    """When it was completed; a date where the source knows the day alone."""
    status: TaskStatus = TaskStatus.NOT_STARTED
    percent: int = 0
    """0 to 100."""
    importance: Importance = Importance.NORMAL
    sensitivity: Sensitivity = Sensitivity.NORMAL
    categories: tuple[str, ...] = ()
    owner: str = ""
    recurrence: Recurrence | None = None
    reminder: datetime | None = None
    """When to remind, UTC; None: no reminder."""
    checklist: tuple[ChecklistItem, ...] = ()
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
