"""Writes whole iCalendar files: an event or series with its time zones, or a task."""

from collections.abc import Iterable
from datetime import datetime

from shared.formats.contentlines import component
from shared.formats.ics.vevent import vevent
from shared.formats.ics.vtodo import vtodo
from shared.formats.uids import UNIDENTIFIED
from shared.formats.values.event import Event
from shared.formats.values.task import Task
from shared.formats.zones.event_zones import zones_of
from shared.formats.zones.resolving import ResolvedZone
from shared.formats.zones.vtimezone import vtimezone


def event_calendar(event: Event, uid: str = UNIDENTIFIED) -> bytes:
    """Write the file of an event, or of a series with its changed occurrences. `uid` is used if the event has none."""
    events = [event, *event.exceptions]
    return _calendar([*_zones(events), *(vevent(each, event, event.uid or uid) for each in events)])


def task_calendar(task: Task, uid: str = UNIDENTIFIED) -> bytes:
    """Write the file of a task."""
    return _calendar([vtodo(task, uid)])


def _zones(events: Iterable[Event]) -> Iterable[str]:
    """All zones of the events' times, each once. A changed occurrence may be in another zone than its series."""
    found: dict[str, tuple[ResolvedZone, int]] = {}
    for event in events:
        if not isinstance(event.start, datetime):
            continue
        zones = zones_of(event)
        for zone in filter(None, (zones.start, zones.end)):
            year = min(event.start.year, found[zone.tzid][1] if zone.tzid in found else event.start.year)
            found[zone.tzid] = (zone, year)
    for zone, year in found.values():
        yield vtimezone(zone, year)


def _calendar(components: Iterable[str]) -> bytes:
    head = ["VERSION:2.0\r\n", "PRODID:-//Mailbox Sync//EN\r\n"]
    return component("VCALENDAR", [*head, *components]).encode()
