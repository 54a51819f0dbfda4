"""Completes a new or changed item: derived properties, times in UTC, a task's status."""

import uuid
from datetime import UTC, datetime

from sandbox.mailboxes.calendar.events import pattern_of
from sandbox.mailboxes.calendar.zones import from_definition
from sandbox.mailboxes.fragments import parse_fragment, read_when, tag, when
from sandbox.mailboxes.store import Item


class InvalidItem(ValueError):
    """An item whose properties contradict one another."""


class InvalidRecurrence(InvalidItem):
    """A recurrence that is invalid."""


class EndBeforeStart(InvalidItem):
    """An event that ends before it starts."""


def complete(item: Item) -> None:
    """Set the properties that follow from those that were given. Raises InvalidItem for contradictions."""
    if item.element == "CalendarItem":
        _complete_event(item)
    elif item.element == "Task":
        _complete_task(item)
    elif item.element in ("Contact", "DistributionList") and "Subject" not in item.properties:
        shown = item.text("DisplayName") or item.text("FileAs")
        item.properties["Subject"] = tag("Subject", shown)
    try:
        pattern_of(item)
    except ValueError:
        raise InvalidRecurrence("The recurrence pattern is invalid.") from None


def _complete_event(item: Item) -> None:
    zone_fragment = item.properties.get("StartTimeZone")
    for name in ("Start", "End"):
        text = item.text(name)
        if not text:
            item.properties[name] = tag(name, item.text("Start") or when(datetime.now(UTC)))
        elif not text.endswith("Z"):
            item.properties[name] = tag(name, _in_zone(text, zone_fragment))
    if "UID" not in item.properties:
        item.properties["UID"] = tag("UID", f"040000008200E00074C5B7101A82E008{uuid.uuid4().hex.upper()}")
    if item.text("End") < item.text("Start"):
        raise EndBeforeStart("The end date is earlier than the start date.")


def _in_zone(text: str, zone: str | None) -> str:
    if zone is None:
        return when(read_when(text))
    return when(from_definition(parse_fragment(zone)).utc(read_when(text).replace(tzinfo=None)))


def _complete_task(item: Item) -> None:
    """Make a task's status and its percentage agree."""
    done = item.text("Status") == "Completed" or item.text("PercentComplete", "0").partition(".")[0] == "100"
    item.properties["IsComplete"] = tag("IsComplete", "true" if done else "false")
    if done:
        item.properties["Status"] = tag("Status", "Completed")
        item.properties["PercentComplete"] = tag("PercentComplete", "100")
