"""Maps decoded events to the typed events that their files are written from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.formats.values.common import Attachment, Body, Importance, Moment, Person, Sensitivity
from shared.formats.values.event import Attendee, BusyStatus, Event, Response, Role
from shared.sources.graph.calendar.event_reading import (
    EventReading,
    GraphEvent,
    InvitedAttendee,
    ResponseStatus,
    is_meeting_of,
    join_url_of,
    property_of,
    response_of,
)
from shared.sources.graph.calendar.recurrence import day_of
from shared.sources.graph.mail.messages import (
    Recipient,
    number,
    person_of,
)
from shared.sources.graph.mail.rebuilt import ItemBody
from shared.sources.graph.transport.answers import moment

_BUSY = {
    "free": BusyStatus.FREE,
    "tentative": BusyStatus.TENTATIVE,
    "busy": BusyStatus.BUSY,
    "oof": BusyStatus.OUT_OF_OFFICE,
    "workingElsewhere": BusyStatus.WORKING_ELSEWHERE,
    "unknown": BusyStatus.UNKNOWN,
}
_RESPONSES = {
    "organizer": Response.ORGANIZER,
    "tentativelyAccepted": Response.TENTATIVE,
    "accepted": Response.ACCEPTED,
    "declined": Response.DECLINED,
    "notResponded": Response.NONE,
}
_ROLES = {"optional": Role.OPTIONAL, "resource": Role.RESOURCE}
SENSITIVITIES = {each.value: each for each in Sensitivity}
IMPORTANCES = {each.value: each for each in Importance}


def typed_event(reading: EventReading, attachments: Mapping[str, Sequence[Attachment]]) -> Event:
    """Return a typed event or series. `attachments` are by the id of the event or of the changed occurrence."""
    event = reading.event
    return Event(
        uid=event.i_cal_u_id or "",
        start=reading.moment(reading.start),
        end=reading.moment(reading.end),
        start_zone=reading.zone,
        end_zone=reading.end_zone,
        subject=event.subject or "",
        body=typed_body(event.body),
        locations=_locations(event),
        organizer=typed_person(event.organizer) if event.organizer is not None else None,
        attendees=tuple(_attendee(each) for each in event.attendees or ()),
        is_meeting=is_meeting_of(reading),
        is_canceled=bool(event.is_cancelled),
        response=_RESPONSES.get(response_of(event.response_status)),
        sensitivity=SENSITIVITIES.get(event.sensitivity or "", Sensitivity.NORMAL),
        importance=IMPORTANCES.get(event.importance or "", Importance.NORMAL),
        busy=_BUSY.get(event.show_as or ""),
        categories=tuple(event.categories or ()),
        reminder_minutes=(event.reminder_minutes_before_start or 0) if event.is_reminder_on else None,
        join_url=join_url_of(event),
        attachments=tuple(attachments.get(event.id, ())),
        sequence=number(reading.properties.get(property_of(0x8201))),
        created=moment(event.created_date_time),
        modified=moment(event.last_modified_date_time),
        recurrence=reading.recurrence,
        exceptions=tuple(_exception(reading, each, attachments) for each in reading.exceptions),
        canceled_occurrences=tuple(_canceled(reading)),
        original_start=_original(reading),
    )


def _original(reading: EventReading) -> Moment | None:
    """Return the start by the pattern of an occurrence to which the person was invited without the series."""
    if reading.recurrence is not None or reading.event.type not in ("occurrence", "exception"):
        return None
    return reading.moment(moment(reading.event.original_start))


def _exception(series: EventReading, each: EventReading, attachments: Mapping[str, Sequence[Attachment]]) -> Event:
    """Return a changed occurrence. Its original start is a time of the series, or a date in an all-day series."""
    original = series.moment(moment(each.event.original_start))
    return replace(typed_event(each, attachments), uid="", original_start=original)


def _canceled(reading: EventReading) -> list[Moment]:
    moments = (day_of(day) if reading.is_all_day else reading.of_pattern(day) for day in reading.canceled)
    return [at for at in moments if at is not None]


def _locations(event: GraphEvent) -> tuple[str, ...]:
    """Return the displayed location. Several locations are in one line, as in EWS."""
    shown = (event.location.display_name or "") if event.location is not None else ""
    names = [shown] if shown else [each.display_name or "" for each in event.locations or ()]
    return tuple(filter(None, names))


def _attendee(each: InvitedAttendee) -> Attendee:
    status = each.status or ResponseStatus()
    response = _RESPONSES.get(status.response or "", Response.NONE)
    return Attendee(typed_person(each), _ROLES.get(each.type or "", Role.REQUIRED), response)


def typed_person(recipient: Recipient) -> Person:
    """Return a person with name and address."""
    told = person_of(recipient)
    return Person(told.get("name", ""), told.get("address", ""))


def typed_body(body: ItemBody | None) -> Body:
    """Return the body in the format that Graph returned."""
    if body is None or not body.content:
        return Body()
    return Body(html=body.content) if body.content_type.lower() == "html" else Body(text=body.content)
