"""Reads calendar items: their metadata, and the values that their .ics files are written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lxml import etree

from shared.formats.values.common import Moment
from shared.formats.values.recurrence import Recurrence
from shared.formats.values.zone import TimeZone
from shared.formats.zones.resolving import day_of_midnight, resolve
from shared.sources.ews.reading.attachments import read_attachments
from shared.sources.ews.reading.items import COMMON, Reader, flag, item, mailbox_of, number, signed, time, values_of
from shared.sources.ews.recurrence import read_recurrence
from shared.sources.ews.transport.soap_response import T, parse_time
from shared.sources.ews.zones import read_zone
from shared.sources.model import Item, ItemKind


def _attendees(element: etree._Element) -> list[dict[str, str]]:
    return [_attendee(child) for child in element]


def _attendee(element: etree._Element) -> dict[str, str]:
    mailbox = element.find(f"{T}Mailbox")
    found = mailbox_of(mailbox) if mailbox is not None else {}
    response = element.findtext(f"{T}ResponseType")
    if response and response != "Unknown":
        found["response"] = response
    return found


def _organizer(element: etree._Element) -> dict[str, str]:
    return mailbox_of(element[0]) if len(element) else {}


def _modified(element: etree._Element) -> list[dict[str, str]]:
    found = []
    for occurrence in element:
        identifier = occurrence.find(f"{T}ItemId")
        found.append(
            {
                "id": (identifier.get("Id") or "") if identifier is not None else "",
                "start": _time_of(occurrence, "Start"),
                "end": _time_of(occurrence, "End"),
                "original_start": _time_of(occurrence, "OriginalStart"),
            }
        )
    return found


def _deleted(element: etree._Element) -> list[str]:
    return [_time_of(occurrence, "Start") for occurrence in element]


def _time_of(element: etree._Element, name: str) -> str:
    child = element.find(f"{T}{name}")
    return time(child) if child is not None else ""


def _itself(element: etree._Element) -> etree._Element:
    return element


READERS: Mapping[str, tuple[str, Reader]] = {
    **COMMON,
    f"{T}Start": ("start", time),
    f"{T}End": ("end", time),
    f"{T}IsAllDayEvent": ("all_day", flag),
    f"{T}LegacyFreeBusyStatus": ("busy", None),
    f"{T}Location": ("location", None),
    f"{T}IsMeeting": ("meeting", flag),
    f"{T}IsCancelled": ("cancelled", flag),
    f"{T}IsRecurring": ("recurring", flag),
    f"{T}CalendarItemType": ("type", None),
    f"{T}MyResponseType": ("response", None),
    f"{T}Organizer": ("organizer", _organizer),
    f"{T}RequiredAttendees": ("required", _attendees),
    f"{T}OptionalAttendees": ("optional", _attendees),
    f"{T}Resources": ("resources", _attendees),
    f"{T}AppointmentSequenceNumber": ("sequence", number),
    f"{T}UID": ("uid", None),
    f"{T}RecurrenceId": ("recurrence_id", time),
    f"{T}ReminderIsSet": ("reminder", flag),
    f"{T}ReminderMinutesBeforeStart": ("reminder_minutes", signed),
    f"{T}ModifiedOccurrences": ("modified_occurrences", _modified),
    f"{T}DeletedOccurrences": ("deleted_occurrences", _deleted),
    f"{T}Recurrence": ("recurrence", read_recurrence),
    f"{T}StartTimeZone": ("time_zone", _itself),
    f"{T}EndTimeZone": ("end_time_zone", _itself),
    f"{T}JoinOnlineMeetingUrl": ("join_url", None),
    f"{T}Attachments": ("attachments", read_attachments),
}


@dataclass(slots=True)
class EventReading:
    """A calendar item as read: its properties under our names, and the parsed times, zones and recurrence."""

    values: dict[str, Any]
    start: datetime | None
    end: datetime | None
    zone: TimeZone | None
    end_zone: TimeZone | None
    recurrence: Recurrence | None

    @property
    def is_all_day(self) -> bool:
        """Whether the event begins and ends with whole days."""
        return bool(self.values.get("all_day"))

    def day(self, at: datetime) -> date | None:
        """The day that begins at this time in the event's zone. An all-day event begins and ends at midnight there.

        None beyond the range of dates.
        """
        zone = resolve(self.zone)
        try:
            return zone.day(at) if zone is not None else day_of_midnight(at)
        except OverflowError:
            return None

    def moment(self, at: datetime | None) -> Moment | None:
        """A time of this event or of one of its occurrences, as a day if it is an all-day event."""
        return self.day(at) if at is not None and self.is_all_day else at


def read_event(element: etree._Element) -> EventReading:
    """Parse a t:CalendarItem."""
    values = values_of(element, READERS)
    start, end = parse_time(values.get("start")), parse_time(values.get("end"))
    zone_element, end_element = values.pop("time_zone", None), values.pop("end_time_zone", None)
    if zone_element is not None:
        values["time_zone"] = zone_element.get("Id") or ""
    recurrence = values.pop("recurrence", None)
    if recurrence is not None:
        values["recurrence"] = recurrence.plain_rule
    event = EventReading(values, start, end, _zone(zone_element), _zone(end_element), recurrence)
    if event.is_all_day:
        for name, at in (("start_date", start), ("end_date", end)):
            day = event.day(at) if at is not None else None
            if day is not None:
                values[name] = day.isoformat()
    return event


def _zone(element: etree._Element | None) -> TimeZone | None:
    return read_zone(element) if element is not None else None


def event_item(event: EventReading, identifier: str, folder_id: str) -> Item:
    """The item for an event. Consumes its values; the item's `at` is the start."""
    values = event.values
    people = [*values.get("required", ()), *values.get("optional", ()), *values.get("resources", ())]
    if values.get("organizer"):
        people.append(values["organizer"])
    return item(values, identifier, folder_id, ItemKind.EVENT, at=values.get("start"), people=people)
