"""Writes an event as a VEVENT component."""

from collections.abc import Iterable
from datetime import datetime

from shared.formats.common import Moment, Person
from shared.formats.contentlines import component, line, text_line
from shared.formats.event import BusyStatus, Event, Response, Role
from shared.formats.ics.properties import alarm, description, stamp
from shared.formats.ics.times import moment_line, utc
from shared.formats.recurrence import Recurrence, basic_date
from shared.formats.zones.resolving import ResolvedZone, resolve

_ANSWERS = {
    Response.NONE: "NEEDS-ACTION",
    Response.ORGANIZER: "ACCEPTED",
    Response.ACCEPTED: "ACCEPTED",
    Response.TENTATIVE: "TENTATIVE",
    Response.DECLINED: "DECLINED",
}
_BUSY = {
    BusyStatus.FREE: "FREE",
    BusyStatus.TENTATIVE: "TENTATIVE",
    BusyStatus.BUSY: "BUSY",
    BusyStatus.OUT_OF_OFFICE: "OOF",
    BusyStatus.WORKING_ELSEWHERE: "WORKINGELSEWHERE",
}
_TRANSPARENT = (BusyStatus.FREE, BusyStatus.WORKING_ELSEWHERE)
_ROLES = {
    Role.REQUIRED: ("REQ-PARTICIPANT", ""),
    Role.OPTIONAL: ("OPT-PARTICIPANT", ""),
    Role.RESOURCE: ("NON-PARTICIPANT", "RESOURCE"),
}


def vevent(event: Event, series: Event, uid: str) -> str:
    """The component of an event, or of a changed occurrence of a series; `series` is the event itself if it is none."""
    zone = resolve(event.start_zone)
    return component(
        "VEVENT",
        [
            text_line("UID", uid),
            stamp(event, event.start),
            *_when(event, zone),
            *_original_start(event, series),
            *_recurrence(event, zone),
            *description(event),
            text_line("LOCATION", "; ".join(event.locations)),
            line("STATUS", "CANCELLED" if event.is_canceled else "CONFIRMED"),
            line("TRANSP", "TRANSPARENT" if event.busy in _TRANSPARENT else "OPAQUE"),
            *([line("X-MICROSOFT-CDO-BUSYSTATUS", _BUSY[event.busy])] if event.busy in _BUSY else []),
            text_line("SEQUENCE", event.sequence),
            *_people(event),
            *_alarm(event),
        ],
    )


def _when(event: Event, zone: ResolvedZone | None) -> Iterable[str]:
    """RFC 5545 knows no end that is not after the start: without one, an event of no length or of one day is meant."""
    if event.start is None:
        return
    is_series = event.recurrence is not None
    yield moment_line("DTSTART", event.start, zone, is_series=is_series)
    if event.end is not None and _is_after(event.end, event.start):
        yield moment_line("DTEND", event.end, zone, is_series=is_series)


def _is_after(end: Moment, start: Moment) -> bool:
    return isinstance(end, datetime) == isinstance(start, datetime) and end > start


def _original_start(event: Event, series: Event) -> Iterable[str]:
    """Which occurrence this is, of this series or, when somebody was invited to that one only, of one not here."""
    if event.original_start is not None and event.recurrence is None:
        zone = resolve(series.start_zone)
        yield moment_line("RECURRENCE-ID", event.original_start, zone, is_series=series.recurrence is not None)


def _recurrence(event: Event, zone: ResolvedZone | None) -> Iterable[str]:
    if event.recurrence is None or event.start is None:
        return
    yield line("RRULE", event.recurrence.rule(_until(event.recurrence, event.start, zone)))
    for canceled in event.canceled_occurrences:
        yield moment_line("EXDATE", canceled, zone, is_series=True)


def _until(recurrence: Recurrence, start: Moment, zone: ResolvedZone | None) -> str:
    """The last possible start: a day for all-day events, else UTC, as RFC 5545 wants it beside a zoned DTSTART."""
    last = recurrence.until
    if last is None:
        return ""
    if not isinstance(start, datetime):
        return basic_date(last)
    local = zone.local(start) if zone else start
    return utc(local.replace(year=last.year, month=last.month, day=last.day))


def _people(event: Event) -> Iterable[str]:
    """Organizer and attendees, of meetings only: an appointment's owner is no organizer to be answered."""
    if not event.is_meeting and not event.attendees:
        return
    if event.organizer is not None:
        yield line("ORGANIZER", _address(event.organizer), {"CN": event.organizer.name})
    for attendee in event.attendees:
        role, kind = _ROLES[attendee.role]
        answer = _ANSWERS[attendee.response]
        parameters = {"CN": attendee.person.name, "CUTYPE": kind, "ROLE": role, "PARTSTAT": answer}
        yield line("ATTENDEE", _address(attendee.person), parameters)


def _address(person: Person) -> str:
    address = "".join(mark for mark in person.address if mark > " ")
    return f"mailto:{address}" if "@" in address else "invalid:nomail"


def _alarm(event: Event) -> Iterable[str]:
    if event.reminder_minutes is not None:
        yield alarm(event.subject, line("TRIGGER", f"-PT{event.reminder_minutes}M"))
