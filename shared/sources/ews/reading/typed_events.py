"""Maps a calendar item as read to the typed event that its file is written from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.formats.values.common import Moment
from shared.formats.values.event import Attendee, BusyStatus, Event, Response, Role
from shared.sources.ews.reading.attachments import with_contents
from shared.sources.ews.reading.events import EventReading
from shared.sources.ews.reading.typed_common import body, importance, person, sensitivity
from shared.sources.ews.transport.soap_response import parse_time

_BUSY = {
    "Free": BusyStatus.FREE,
    "Tentative": BusyStatus.TENTATIVE,
    "Busy": BusyStatus.BUSY,
    "OOF": BusyStatus.OUT_OF_OFFICE,
    "WorkingElsewhere": BusyStatus.WORKING_ELSEWHERE,
    "NoData": BusyStatus.UNKNOWN,
}
_RESPONSES = {
    "Accept": Response.ACCEPTED,
    "Decline": Response.DECLINED,
    "Tentative": Response.TENTATIVE,
    "Organizer": Response.ORGANIZER,
    "NoResponseReceived": Response.NONE,
}
_ROLES = {"required": Role.REQUIRED, "optional": Role.OPTIONAL, "resources": Role.RESOURCE}


def typed_event(reading: EventReading, contents: Mapping[str, bytes], exceptions: Sequence[EventReading] = ()) -> Event:
    """Map an event or series. Each of `exceptions` has its start by the pattern as `original_start`.

    `contents` are the bytes of attachments by id.
    """
    values = reading.values
    return Event(
        uid=values.get("uid", ""),
        start=reading.moment(reading.start),
        end=reading.moment(reading.end),
        start_zone=reading.zone,
        end_zone=reading.end_zone,
        subject=values.get("subject", ""),
        body=body(values),
        locations=tuple(filter(None, [values.get("location", "")])),
        organizer=person(values["organizer"]) if values.get("organizer") else None,
        attendees=tuple(_attendees(values)),
        is_meeting=bool(values.get("meeting")),
        is_canceled=bool(values.get("cancelled")),
        response=_RESPONSES.get(values.get("response", "")),
        sensitivity=sensitivity(values),
        importance=importance(values),
        busy=_BUSY.get(values.get("busy", "")),
        categories=tuple(values.get("categories", ())),
        reminder_minutes=values.get("reminder_minutes", 0) if values.get("reminder") else None,
        join_url=values.get("join_url", ""),
        attachments=with_contents(values.get("attachments", ()), contents)[0],
        sequence=values.get("sequence", 0),
        created=parse_time(values.get("created")),
        modified=parse_time(values.get("modified")),
        recurrence=reading.recurrence,
        exceptions=tuple(_exceptions(reading, contents, exceptions)),
        canceled_occurrences=tuple(_moments(reading, values.get("deleted_occurrences", ()))),
        original_start=reading.moment(parse_time(values.get("recurrence_id"))) if reading.recurrence is None else None,
    )


def _attendees(values: Mapping[str, Any]) -> list[Attendee]:
    return [
        Attendee(person(each), role, _RESPONSES.get(each.get("response", ""), Response.NONE))
        for name, role in _ROLES.items()
        for each in values.get(name, ())
    ]


def _moments(reading: EventReading, texts: Sequence[str]) -> list[Moment]:
    moments = (reading.moment(parse_time(text)) for text in texts)
    return [at for at in moments if at is not None]


def _exceptions(series: EventReading, contents: Mapping[str, bytes], exceptions: Sequence[EventReading]) -> list[Event]:
    """The changed occurrences, including those that could not be read: the series says when they take place."""
    read = {exception.values.get("original_start") for exception in exceptions}
    unread = [
        _unread_exception(series, occurrence)
        for occurrence in series.values.get("modified_occurrences", ())
        if occurrence["original_start"] not in read
    ]
    return [_exception(series, contents, exception) for exception in [*exceptions, *unread]]


def _exception(series: EventReading, contents: Mapping[str, bytes], exception: EventReading) -> Event:
    """One changed occurrence. Its original start is in the form of the series: a day if that is an all-day series."""
    original = series.moment(parse_time(exception.values.get("original_start")))
    return replace(typed_event(exception, contents), uid="", original_start=original)


def _unread_exception(series: EventReading, occurrence: Mapping[str, str]) -> EventReading:
    same = ("subject", "location", "sensitivity", "all_day", "modified")
    values: dict[str, Any] = {name: series.values[name] for name in same if name in series.values}
    values["original_start"] = occurrence["original_start"]
    return EventReading(values, parse_time(occurrence["start"]), parse_time(occurrence["end"]), series.zone, None, None)
