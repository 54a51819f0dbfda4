"""Writes whole iCalendar files: an event or series with its time zones, or a task."""

from collections.abc import Iterable
from datetime import datetime

from shared.formats.contentlines import component
from shared.formats.event import Event
from shared.formats.ics.vevent import vevent
from shared.formats.ics.vtodo import vtodo
from shared.formats.task import Task
from shared.formats.zones.resolving import resolve
from shared.formats.zones.vtimezone import vtimezone


def event_calendar(event: Event, uid: str) -> bytes:
    """The file of an event or series with its changed occurrences; `uid` is used if the event has none of its own."""
    events = [event, *event.exceptions]
    return _calendar([*_zones(events), *(vevent(each, event, event.uid or uid) for each in events)])


def task_calendar(task: Task, uid: str) -> bytes:
    """The file of a task."""
    return _calendar([vtodo(task, uid)])


def _zones(events: Iterable[Event]) -> Iterable[str]:
    """The zones that times are in, each once: an occurrence may have been moved by somebody who was abroad."""
    written: set[str] = set()
    for event in events:
        zone = resolve(event.start_zone)
        if zone is not None and zone.tzid not in written and isinstance(event.start, datetime):
            written.add(zone.tzid)
            yield vtimezone(zone, zone.local(event.start).year)


def _calendar(components: Iterable[str]) -> bytes:
    head = ["VERSION:2.0\r\n", "PRODID:-//Mailbox Sync//EN\r\n"]
    return component("VCALENDAR", [*head, *components]).encode()
