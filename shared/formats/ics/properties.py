"""Writes the properties that events and tasks share."""

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.formats.contentlines import component, escaped, line, text_line
from shared.formats.ics.attachments import attachments
from shared.formats.ics.times import utc, utc_line
from shared.formats.plain_text import plain_text
from shared.formats.uids import UNIDENTIFIED
from shared.formats.values.common import EPOCH, Importance, Moment, Sensitivity
from shared.formats.values.event import Event
from shared.formats.values.task import Task

_CLASSES = {
    Sensitivity.NORMAL: "PUBLIC",
    Sensitivity.PERSONAL: "PRIVATE",
    Sensitivity.PRIVATE: "PRIVATE",
    Sensitivity.CONFIDENTIAL: "CONFIDENTIAL",
}
_PRIORITIES = {Importance.HIGH: "1", Importance.LOW: "9"}


def uid_line(uid: str) -> str:
    """The UID line. UNIDENTIFIED stays unchanged: escaping would remove its control characters."""
    return line("UID", uid if uid == UNIDENTIFIED else escaped(uid))


def stamp(item: Event | Task, otherwise: Moment | None = None) -> str:
    """The DTSTAMP line: the item's last change, since the file contains the state as of that time.

    `otherwise` is used for an item without any time of change.
    """
    if otherwise is not None and not isinstance(otherwise, datetime):
        otherwise = datetime(otherwise.year, otherwise.month, otherwise.day, tzinfo=UTC)
    return line("DTSTAMP", utc(item.modified or item.created or otherwise or EPOCH))


def description(item: Event | Task) -> Iterable[str]:
    """The item's texts, marks and attachments. An HTML body is written besides its plain text, as Outlook does."""
    yield text_line("SUMMARY", item.subject)
    yield text_line("DESCRIPTION", plain_text(item.body))
    yield text_line("X-ALT-DESC", item.body.html, {"FMTTYPE": "text/html"})
    yield line("CLASS", _CLASSES[item.sensitivity])
    if item.importance in _PRIORITIES:
        yield line("PRIORITY", _PRIORITIES[item.importance])
    if item.categories:
        yield line("CATEGORIES", ",".join(escaped(name) for name in item.categories))
    yield from utc_line("CREATED", item.created)
    yield from utc_line("LAST-MODIFIED", item.modified)
    yield from attachments(item.attachments)


def alarm(subject: str, trigger: str) -> str:
    """A reminder; `trigger` is the whole TRIGGER line."""
    lines = [line("ACTION", "DISPLAY"), text_line("DESCRIPTION", subject or "Reminder"), trigger]
    return component("VALARM", lines)
