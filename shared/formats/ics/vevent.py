"""Writes an event as a VEVENT component."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shared.formats.addresses import link, mailto
from shared.formats.contentlines import component, line, text_line
from shared.formats.first_occurrence import days_to_first
from shared.formats.ics.properties import alarm, description, stamp, uid_line
from shared.formats.ics.times import local_time, moment_line, utc
from shared.formats.values.common import Moment, Person
from shared.formats.values.event import BusyStatus, Event, Response, Role
from shared.formats.values.recurrence import Recurrence, basic_date
from shared.formats.zones.event_zones import EventZones, zones_of
from shared.formats.zones.resolving import ResolvedZone

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
    """The component for an event or a changed occurrence. `series` is the latter's series, or else the event itself."""
    zones = zones_of(event)
    return component(
        "VEVENT",
        [
            uid_line(uid),
            stamp(event, event.start),
            *_when(event, zones),
            *_original_start(event, series),
            *_recurrence(event, zones.start),
            *description(event),
            text_line("LOCATION", "; ".join(event.locations)),
            line("STATUS", _status(event)),
            line("TRANSP", "TRANSPARENT" if event.busy in _TRANSPARENT else "OPAQUE"),
            *([line("X-MICROSOFT-CDO-BUSYSTATUS", _BUSY[event.busy])] if event.busy in _BUSY else []),
            text_line("SEQUENCE", event.sequence),
            *_people(event),
            *_conference(event),
            *_alarm(event),
        ],
    )


def _when(event: Event, zones: EventZones) -> Iterable[str]:
    """The DTSTART and DTEND lines.

    RFC 5545 requires the end to be after the start. Otherwise no end is written: the event has no length, or one day.
    """
    if event.start is None:
        return
    is_series = event.recurrence is not None
    later = _days_to_first(event, zones.start)
    yield moment_line("DTSTART", _later(event.start, later, zones.start), zones.start, is_series=is_series)
    if event.end is not None and _is_after(event.end, event.start):
        yield moment_line("DTEND", _later(event.end, later, zones.end), zones.end, is_series=is_series)


def _days_to_first(event: Event, zone: ResolvedZone | None) -> int:
    """The number of days from a series' start to its first occurrence; 0 if the start matches the pattern."""
    if event.recurrence is None or event.start is None:
        return 0
    local = local_time(event.start, zone) if isinstance(event.start, datetime) else event.start
    day = local.date() if isinstance(local, datetime) else local
    return days_to_first(event.recurrence, day) if day is not None else 0


def _later(at: Moment, days: int, zone: ResolvedZone | None) -> Moment:
    """The same time of day some days later; the moment itself if that is beyond the range of dates."""
    if not days:
        return at
    local = local_time(at, zone) if isinstance(at, datetime) else at
    try:
        later = (local or at) + timedelta(days=days)
        return later.astimezone(UTC) if isinstance(later, datetime) else later
    except OverflowError:
        return at


def _is_after(end: Moment, start: Moment) -> bool:
    return isinstance(end, datetime) == isinstance(start, datetime) and end > start


def _original_start(event: Event, series: Event) -> Iterable[str]:
    """The id of an occurrence, in this series or, if somebody was invited to this one only, in a series we lack."""
    if event.original_start is not None and event.recurrence is None:
        is_series = series.recurrence is not None
        yield moment_line("RECURRENCE-ID", event.original_start, zones_of(series).start, is_series=is_series)


def _recurrence(event: Event, zone: ResolvedZone | None) -> Iterable[str]:
    if event.recurrence is None or event.start is None:
        return
    yield line("RRULE", event.recurrence.rule(_until(event.recurrence, event.start, zone)))
    for canceled in event.canceled_occurrences:
        yield moment_line("EXDATE", canceled, zone, is_series=True)


def _until(recurrence: Recurrence, start: Moment, zone: ResolvedZone | None) -> str:
    """The last possible start: a date for all-day events, else UTC, as RFC 5545 requires for a DTSTART with a zone.

    A last day beyond the range of dates means that the series has no end.
    """
    last = recurrence.until
    if last is None:
        return ""
    if not isinstance(start, datetime):
        return basic_date(last)
    local = local_time(start, zone)
    try:
        return utc(local.replace(year=last.year, month=last.month, day=last.day)) if local is not None else ""
    except OverflowError:
        return ""


def _status(event: Event) -> str:
    if event.is_canceled:
        return "CANCELLED"
    return "TENTATIVE" if event.busy is BusyStatus.TENTATIVE else "CONFIRMED"


def _people(event: Event) -> Iterable[str]:
    """The organizer and the attendees, for meetings only: the owner of an appointment expects no responses."""
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
    """The address of a person; an Exchange-internal address cannot be used and becomes an invalid one."""
    return mailto(person.address) or "invalid:nomail"


def _conference(event: Event) -> Iterable[str]:
    """The link to join an online meeting (RFC 7986, 5.11)."""
    if event.join_url:
        yield line("CONFERENCE", link(event.join_url), {"VALUE": "URI", "FEATURE": "VIDEO"})


def _alarm(event: Event) -> Iterable[str]:
    """A reminder some minutes before or after the start."""
    if event.reminder_minutes is not None:
        sign = "-" if event.reminder_minutes > 0 else ""
        yield alarm(event.subject, line("TRIGGER", f"{sign}PT{abs(event.reminder_minutes)}M"))
