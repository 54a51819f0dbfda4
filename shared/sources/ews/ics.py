"""Writes events and tasks as iCalendar (RFC 5545) where Exchange does not give them so itself."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from shared.sources.ews.answer import moment
from shared.sources.ews.contentlines import component, escaped, line, text_line
from shared.sources.ews.events import Event
from shared.sources.ews.vtimezone import vtimezone
from shared.sources.ews.zones import day_of_midnight

_CLASSES = {"Private": "PRIVATE", "Personal": "PRIVATE", "Confidential": "CONFIDENTIAL"}
_PRIORITIES = {"High": "1", "Low": "9"}
_ANSWERS = {
    "Accept": "ACCEPTED",
    "Decline": "DECLINED",
    "Tentative": "TENTATIVE",
    "Organizer": "ACCEPTED",
    "NoResponseReceived": "NEEDS-ACTION",
}
_TASK_STATUSES = {"InProgress": "IN-PROCESS", "Completed": "COMPLETED", "Deferred": "CANCELLED"}


def uid_of(values: Mapping[str, Any], identifier: str) -> str:
    """The item's own UID, else one that stays the same as long as the item does."""
    return str(values.get("uid") or uuid5(NAMESPACE_OID, str(values.get("search_key") or identifier)))


def event_calendar(event: Event, exceptions: Sequence[Event], identifier: str) -> bytes:
    """A whole calendar: the event or series, its changed occurrences, and the time zones they are told in."""
    uid = uid_of(event.values, identifier)
    told = {exception.values.get("original_start") for exception in exceptions}
    bare = [
        _bare_exception(event, occurrence)
        for occurrence in event.values.get("modified_occurrences", ())
        if occurrence["original_start"] not in told
    ]
    events = [event, *exceptions, *bare]
    return _calendar([*_zones(events), *(_vevent(each, event, uid) for each in events)])


def _zones(events: Iterable[Event]) -> Iterable[str]:
    """The zones that times are told in, each once: an occurrence may have been moved by somebody who was abroad."""
    told: set[str] = set()
    for event in events:
        zone = event.zone
        if zone is not None and zone.name not in told and event.start is not None and not event.all_day:
            told.add(zone.name)
            yield vtimezone(zone, zone.local(event.start).year)


def _bare_exception(event: Event, occurrence: Mapping[str, str]) -> Event:
    """A changed occurrence that could not be had: its times are known from the series."""
    same = ("subject", "location", "sensitivity", "all_day", "modified")
    values: dict[str, Any] = {name: event.values[name] for name in same if name in event.values}
    values["original_start"] = occurrence["original_start"]
    return Event(values, moment(occurrence["start"]), moment(occurrence["end"]), event.zone, None)


def _calendar(components: Iterable[str]) -> bytes:
    head = ["VERSION:2.0\r\n", "PRODID:-//Mailbox Sync//EN\r\n"]
    return component("VCALENDAR", [*head, *components]).encode()


def _vevent(event: Event, series: Event, uid: str) -> str:
    values = event.values
    stamp = (
        moment(values.get("modified"))
        or moment(values.get("created"))
        or event.start
        or datetime(1970, 1, 1, tzinfo=UTC)
    )
    return component(
        "VEVENT",
        [
            text_line("UID", uid),
            line("DTSTAMP", _utc(stamp)),
            *_when(event, series),
            *_recurrence(event),
            *_description(values),
            text_line("LOCATION", values.get("location")),
            line("STATUS", "CANCELLED" if values.get("cancelled") else "CONFIRMED"),
            line("TRANSP", "TRANSPARENT" if values.get("busy") in ("Free", "WorkingElsewhere") else "OPAQUE"),
            text_line("X-MICROSOFT-CDO-BUSYSTATUS", str(values.get("busy", "")).upper()),
            text_line("SEQUENCE", values.get("sequence")),
            *_people(values),
            *_alarm(values),
        ],
    )


def _when(event: Event, series: Event) -> Iterable[str]:
    """RFC 5545 knows no end that is not after the start: without one, an event of no length or of one day is meant."""
    if event.start is not None:
        yield _moment("DTSTART", event.start, event)
        if event.end is not None and event.end > event.start:
            yield _moment("DTEND", event.end, event)
    original = _original_start(event, series)
    if original is not None:
        yield _moment("RECURRENCE-ID", original, series)


def _original_start(event: Event, series: Event) -> datetime | None:
    """Which occurrence this is, of this series or, when somebody was invited to that one only, of one not here."""
    if event is not series:
        return moment(event.values.get("original_start"))
    return moment(event.values.get("recurrence_id")) if event.recurrence is None else None


def _moment(name: str, at: datetime, event: Event) -> str:
    """A time as the event tells times: a day, a time in its zone, or UTC.

    A local time that comes twice is the first of them to RFC 5545, so the second is told in UTC; but not in a series,
    whose rule knows local times alone.
    """
    if event.all_day:
        return line(name, event.day(at).strftime("%Y%m%d"), {"VALUE": "DATE"})
    if event.zone is None:
        return line(name, _utc(at))
    local = event.zone.local(at)
    if local.fold and event.recurrence is None:
        return line(name, _utc(at))
    return line(name, local.strftime("%Y%m%dT%H%M%S"), {"TZID": event.zone.name})


def _recurrence(event: Event) -> Iterable[str]:
    if event.recurrence is None or event.start is None:
        return
    yield line("RRULE", event.recurrence.rule(_until(event, event.start)))
    for text in event.values.get("deleted_occurrences", ()):
        at = moment(text)
        if at is not None:
            yield _moment("EXDATE", at, event)


def _until(event: Event, start: datetime) -> str:
    """The last possible start: a day for all-day events, else UTC, as RFC 5545 wants it beside a zoned DTSTART."""
    last = event.recurrence.until if event.recurrence else None
    if last is None:
        return ""
    if event.all_day:
        return last.strftime("%Y%m%d")
    local = event.zone.local(start) if event.zone else start
    return _utc(local.replace(year=last.year, month=last.month, day=last.day))


def _description(values: Mapping[str, Any]) -> Iterable[str]:
    """What events and tasks say alike."""
    body = values.get("body") or {}
    yield text_line("SUMMARY", values.get("subject"))
    yield text_line("DESCRIPTION", body.get("text"))
    yield line("CLASS", _CLASSES.get(values.get("sensitivity", ""), "PUBLIC"))
    if values.get("importance") in _PRIORITIES:
        yield line("PRIORITY", _PRIORITIES[values["importance"]])
    if values.get("categories"):
        yield line("CATEGORIES", ",".join(escaped(name) for name in values["categories"]))
    for name, property_name in (("created", "CREATED"), ("modified", "LAST-MODIFIED")):
        at = moment(values.get(name))
        if at is not None:
            yield line(property_name, _utc(at))


def _people(values: Mapping[str, Any]) -> Iterable[str]:
    """Organizer and attendees, of meetings only: an appointment's owner is no organizer to be answered."""
    if not any(values.get(name) for name in ("meeting", "required", "optional", "resources")):
        return
    organizer = values.get("organizer") or {}
    if organizer:
        yield line("ORGANIZER", _address(organizer), {"CN": organizer.get("name", "")})
    for name, role, kind in (
        ("required", "REQ-PARTICIPANT", ""),
        ("optional", "OPT-PARTICIPANT", ""),
        ("resources", "NON-PARTICIPANT", "RESOURCE"),
    ):
        for person in values.get(name, ()):
            answer = _ANSWERS.get(person.get("response", ""), "NEEDS-ACTION")
            told = {"CN": person.get("name", ""), "CUTYPE": kind, "ROLE": role, "PARTSTAT": answer}
            yield line("ATTENDEE", _address(person), told)


def _address(person: Mapping[str, str]) -> str:
    address = "".join(mark for mark in person.get("address", "") if mark > " ")
    return f"mailto:{address}" if "@" in address else "invalid:nomail"


def _alarm(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("reminder"):
        lines = [line("ACTION", "DISPLAY"), text_line("DESCRIPTION", values.get("subject") or "Reminder")]
        yield component("VALARM", [*lines, line("TRIGGER", f"-PT{values.get('reminder_minutes', 0)}M")])


def task_calendar(values: Mapping[str, Any], identifier: str) -> bytes:
    """A task as a calendar with one VTODO. Its dates are days: Exchange keeps them as midnights."""
    stamp = moment(values.get("modified")) or moment(values.get("created")) or datetime(1970, 1, 1, tzinfo=UTC)
    completed = moment(values.get("completed"))
    lines = [
        text_line("UID", uid_of(values, identifier)),
        line("DTSTAMP", _utc(stamp)),
        *_task_days(values),
        *_task_recurrence(values),
        *_description(values),
        line("STATUS", _TASK_STATUSES.get(values.get("status", ""), "NEEDS-ACTION")),
        line("COMPLETED", _utc(completed)) if completed else "",
        text_line("PERCENT-COMPLETE", values.get("percent")),
        *_task_alarm(values),
    ]
    return _calendar([component("VTODO", lines)])


def _task_days(values: Mapping[str, Any]) -> Iterable[str]:
    """The due day is written only when it is not before the start, which RFC 5545 forbids."""
    start, due = day_of(values.get("start")), day_of(values.get("due"))
    if start:
        yield line("DTSTART", start.strftime("%Y%m%d"), {"VALUE": "DATE"})
    if due and (start is None or due > start):
        yield line("DUE", due.strftime("%Y%m%d"), {"VALUE": "DATE"})
    elif due and start:
        yield line("DURATION", "P1D")


def day_of(text: str | None) -> date | None:
    """The day that a midnight of some zone, told in UTC, stands for."""
    at = moment(text)
    return day_of_midnight(at) if at else None


def _task_recurrence(values: Mapping[str, Any]) -> Iterable[str]:
    rule = values.get("recurrence")
    if not rule:
        return
    if values.get("regenerates"):
        yield line("X-REGENERATES", rule)
    elif day_of(values.get("start")):
        yield line("RRULE", rule)


def _task_alarm(values: Mapping[str, Any]) -> Iterable[str]:
    at = moment(values.get("reminder_at"))
    if values.get("reminder") and at is not None:
        lines = [line("ACTION", "DISPLAY"), text_line("DESCRIPTION", values.get("subject") or "Reminder")]
        yield component("VALARM", [*lines, line("TRIGGER", _utc(at), {"VALUE": "DATE-TIME"})])


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
