"""Maps decoded events to items. Metadata has EWS's names."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.sources.graph.calendar.event_reading import (
    EventReading,
    InvitedAttendee,
    is_meeting_of,
    join_url_of,
    property_of,
    response_of,
)
from shared.sources.graph.ids import ews_id
from shared.sources.graph.mail.messages import (
    addresses_in,
    capitalized,
    hexadecimal,
    number,
    person_of,
)
from shared.sources.graph.transport.answers import utc_text
from shared.sources.item_values import item_of
from shared.sources.model import Item, ItemKind


def event_item(reading: EventReading, folder_id: str) -> Item:
    """Return the item of an event; `at` is its start."""
    event = reading.event
    values = _values(reading)
    people = [*values["required"], *values["optional"], *values["resources"], values["organizer"]]
    return item_of(values, event.id, folder_id, ItemKind.EVENT, at=reading.start, addresses=addresses_in(people))


def _values(reading: EventReading) -> dict[str, Any]:
    event, properties = reading.event, reading.properties
    values = {
        "version": event.version,
        "move_key": hexadecimal(properties.get("300b")),
        "item_class": properties.get("001a") or "IPM.Appointment",
        "size": number(properties.get("0e08")),
        "subject": event.subject or "",
        "sensitivity": capitalized(event.sensitivity) or "Normal",
        "categories": event.categories,
        "importance": capitalized(event.importance),
        "has_attachments": event.has_attachments,
        "draft": event.is_draft,
        "created": utc_text(event.created_date_time),
        "modified": utc_text(event.last_modified_date_time),
        "start": _text(reading.start),
        "end": _text(reading.end),
        "all_day": event.is_all_day,
        "busy": _BUSY_WORDS.get(event.show_as or "", ""),
        "location": (event.location.display_name or "") if event.location else "",
        "meeting": is_meeting_of(reading),
        "cancelled": event.is_cancelled,
        "recurring": event.type in ("occurrence", "exception"),
        "type": _TYPES.get(event.type or "", "Single"),
        "response": _RESPONSE_WORDS.get(response_of(event.response_status), "Unknown"),
        "organizer": person_of(event.organizer),
        **_attendee_values(event.attendees or ()),
        "sequence": number(properties.get(property_of(0x8201))),
        "uid": event.i_cal_u_id,
        "recurrence_id": utc_text(event.original_start) if event.type in ("occurrence", "exception") else "",
        "reminder": event.is_reminder_on,
        "reminder_minutes": event.reminder_minutes_before_start or 0,
        "time_zone": event.original_start_time_zone,
        "join_url": join_url_of(event),
        "recurrence": reading.recurrence.plain_rule if reading.recurrence is not None else "",
        "modified_occurrences": [_occurrence_values(each) for each in reading.exceptions],
        "deleted_occurrences": [_text(reading.of_pattern(day)) for day in reading.canceled],
    }
    return values | _days(reading)


def _days(reading: EventReading) -> dict[str, str]:
    days = {"start_date": reading.moment(reading.start), "end_date": reading.moment(reading.end)}
    return {name: day.isoformat() for name, day in days.items() if day is not None} if reading.is_all_day else {}


def _text(at: datetime | None) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z") if at is not None else ""


def _attendee_values(attendees: Iterable[InvitedAttendee]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {"required": [], "optional": [], "resources": []}
    for each in attendees:
        told = person_of(each)
        word = _RESPONSE_WORDS.get(response_of(each.status), "")
        if word:
            told["response"] = word
        found[_ATTENDEE_LISTS.get(each.type or "", "required")].append(told)
    return found


def _occurrence_values(exception: EventReading) -> dict[str, str]:
    return {
        "id": ews_id(exception.event.id),
        "start": _text(exception.start),
        "end": _text(exception.end),
        "original_start": utc_text(exception.event.original_start),
    }


_ATTENDEE_LISTS = {"required": "required", "optional": "optional", "resource": "resources"}
_TYPES = {
    "singleInstance": "Single",
    "seriesMaster": "RecurringMaster",
    "occurrence": "Occurrence",
    "exception": "Exception",
}
_BUSY_WORDS = {
    "free": "Free",
    "tentative": "Tentative",
    "busy": "Busy",
    "oof": "OOF",
    "workingElsewhere": "WorkingElsewhere",
    "unknown": "NoData",
}
_RESPONSE_WORDS = {
    "organizer": "Organizer",
    "tentativelyAccepted": "Tentative",
    "accepted": "Accept",
    "declined": "Decline",
    "notResponded": "NoResponseReceived",
}
"""EWS's spelling of responses, so that metadata is the same from both sources."""
