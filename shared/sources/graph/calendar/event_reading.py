"""Decodes events and series: times in their original zones, changed and deleted occurrences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from shared.formats.values.common import Moment
from shared.formats.values.recurrence import Recurrence
from shared.formats.values.zone import TimeZone
from shared.formats.zones.resolving import day_of_midnight, resolve
from shared.sources.graph.calendar.recurrence import PatternedRecurrence, day_of, typed_recurrence
from shared.sources.graph.calendar.windows_time_zones import defined_zone
from shared.sources.graph.mail.messages import (
    ITEM_CLASS,
    SEARCH_KEY,
    SIZE,
    Recipient,
)
from shared.sources.graph.mail.rebuilt import ItemBody
from shared.sources.graph.transport.answers import Extended, Named, binary, moment, values_of
from shared.sources.graph.transport.queries import extended, query

_SET = "00062002-0000-0000-c000-000000000046"
"""PSETID_Appointment."""

_SEQUENCE = f"Integer {{{_SET}}} Id 0x8201"
_STATE = f"Integer {{{_SET}}} Id 0x8217"
_ZONE_STRUCT = f"Binary {{{_SET}}} Id 0x8233"
_START_ZONE = f"Binary {{{_SET}}} Id 0x825E"
_END_ZONE = f"Binary {{{_SET}}} Id 0x825F"
_IS_MEETING = 1
"""The bit asfMeeting of the state flags."""

_SHORT = (
    "changeKey,createdDateTime,lastModifiedDateTime,categories,subject,start,end,isAllDay,showAs,location,attendees,"
    "isCancelled,type,responseStatus,organizer,iCalUId,importance,sensitivity,originalStart,originalStartTimeZone,"
    "originalEndTimeZone,seriesMasterId,hasAttachments,isDraft,isReminderOn,reminderMinutesBeforeStart"
)
_LONG = f"{_SHORT},body,recurrence,locations,onlineMeeting,onlineMeetingUrl"
_EXPAND = extended((SEARCH_KEY, ITEM_CLASS, SIZE, _SEQUENCE, _STATE, _ZONE_STRUCT, _START_ZONE, _END_ZONE))

FULL = query(select=_LONG, expand=_EXPAND)
"""The properties that are requested of an event: delta returns little more than its id."""

SERIES = query(select="cancelledOccurrences,exceptionOccurrences", expand="exceptionOccurrences")
"""The properties that only a series master has; Graph returns them only if they are selected by name."""

LONGEST_VIEW = timedelta(days=700)
"""The part of a calendar that is requested at a time."""

OCCURRENCE = query(select=_SHORT, expand=extended((ITEM_CLASS, SIZE, _STATE)), top="100")


class _Time(msgspec.Struct, rename="camel", gc=False):
    date_time: str | None = None
    time_zone: str | None = None


class ResponseStatus(msgspec.Struct, gc=False):
    """A response to an invitation."""

    response: str | None = None
    time: str | None = None


class InvitedAttendee(Recipient, rename="camel", gc=False):
    """An invited person or resource."""

    type: str | None = None
    status: ResponseStatus | None = None


class _Location(msgspec.Struct, rename="camel", gc=False):
    display_name: str | None = None


class _OnlineMeeting(msgspec.Struct, rename="camel", gc=False):
    join_url: str | None = None


class GraphEvent(Named, rename="camel", gc=False):
    """An event: single, a series master, an exception or an occurrence."""

    type: str | None = None
    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    categories: list[str] | None = None
    subject: str | None = None
    body: ItemBody | None = None
    start: _Time | None = None
    end: _Time | None = None
    is_all_day: bool | None = None
    show_as: str | None = None
    location: _Location | None = None
    locations: list[_Location] | None = None
    attendees: list[InvitedAttendee] | None = None
    is_cancelled: bool | None = None
    response_status: ResponseStatus | None = None
    organizer: Recipient | None = None
    i_cal_u_id: str | None = msgspec.field(default=None, name="iCalUId")
    importance: str | None = None
    sensitivity: str | None = None
    original_start: str | None = None
    original_start_time_zone: str | None = None
    original_end_time_zone: str | None = None
    series_master_id: str | None = None
    has_attachments: bool | None = None
    is_draft: bool | None = None
    is_reminder_on: bool | None = None
    reminder_minutes_before_start: int | None = None
    recurrence: PatternedRecurrence | None = None
    online_meeting: _OnlineMeeting | None = None
    online_meeting_url: str | None = None
    single_value_extended_properties: list[Extended] | None = None

    @property
    def is_series(self) -> bool:
        """Whether it is a series master."""
        return self.type == "seriesMaster" or (self.type is None and self.recurrence is not None)


class Series(msgspec.Struct, rename="camel"):
    """The occurrences of a series master. The ids of deleted ones are "OID.{master}.{date}"."""

    cancelled_occurrences: list[str] | None = None
    exception_occurrences: list[GraphEvent] | None = None


@dataclass(slots=True)
class EventReading:
    """A decoded event, with the data that depends on more than its own properties."""

    event: GraphEvent
    properties: Mapping[str, str]
    zone: TimeZone | None
    end_zone: TimeZone | None
    recurrence: Recurrence | None
    exceptions: Sequence["EventReading"] = field(default=())
    canceled: Sequence[str] = ()
    """The days of deleted occurrences, ISO 8601, in the zone of the series."""

    @property
    def is_all_day(self) -> bool:
        """Whether it has dates instead of times."""
        return bool(self.event.is_all_day)

    @property
    def start(self) -> datetime | None:
        """The start, UTC. That of an all-day event is midnight in its zone."""
        return self._instant(self.event.start)

    @property
    def end(self) -> datetime | None:
        """The end, UTC."""
        return self._instant(self.event.end)

    def moment(self, at: datetime | None) -> Moment | None:
        """Return a time of this event or of an occurrence; a date if it is an all-day event."""
        if at is None or not self.is_all_day:
            return at
        zone = resolve(self.zone)
        try:
            return zone.day(at) if zone is not None else day_of_midnight(at)
        except OverflowError:
            return None

    def _instant(self, told: _Time | None) -> datetime | None:
        """Parse a time. Graph returns UTC, as we request; the midnight of an all-day event has no zone."""
        at = moment(told.date_time) if told is not None else None
        zone = resolve(self.zone)
        if at is None or not self.is_all_day or zone is None or at.timetz() != time(0, tzinfo=UTC):
            return at
        return _at_midnight(at.date(), zone.rules)

    def of_pattern(self, day: str) -> datetime | None:
        """Return the start of a day's occurrence by the pattern, UTC: the local time of the series in its zone."""
        found, start = day_of(day), self.start
        if found is None or start is None:
            return None
        zone = resolve(self.zone)
        if zone is None:
            return datetime.combine(found, start.timetz())
        return datetime.combine(found, zone.local(start).time(), zone.rules).astimezone(UTC)


def _at_midnight(day: date, rules: Any) -> datetime:
    try:
        return datetime.combine(day, time(0), rules).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(0), UTC)


def read_event(event: GraphEvent, series: Series | None = None, of: "EventReading | None" = None) -> EventReading:
    """Decode an event with the data of its series. `of` is a changed occurrence's series, whose zone it has."""
    properties = values_of(event.single_value_extended_properties)
    fallback = binary(properties.get(property_of(0x8233)))
    start = event.original_start_time_zone or ""
    zone = defined_zone(binary(properties.get(property_of(0x825E))), fallback, _known(start)) or _named(start)
    if zone is None and of is not None:
        zone = of.zone
    end = event.original_end_time_zone or ""
    end_zone = defined_zone(binary(properties.get(property_of(0x825F))), b"", _known(end)) or _named(end)
    reading = EventReading(event, properties, zone, end_zone, typed_recurrence(event.recurrence, zone))
    if series is not None:
        reading.exceptions = [read_event(each, of=reading) for each in series.exception_occurrences or ()]
        reading.canceled = [each.rpartition(".")[2] for each in series.cancelled_occurrences or ()]
    return reading


def property_of(number_: int) -> str:
    """Return the key of an appointment's property."""
    return f"{_SET}/{number_:04x}"


def _known(name: str) -> str:
    """Return the name of a zone; empty for the two names that Graph uses for "no zone"."""
    return "" if name.lower().startswith("tzone://") else name


def _named(name: str) -> TimeZone | None:
    return TimeZone(_known(name)) if _known(name) else None


def is_meeting_of(reading: EventReading) -> bool:
    """Whether the event is a meeting: by the state flags, else by whether it has attendees."""
    state = reading.properties.get(property_of(0x8217))
    return bool(int(state) & _IS_MEETING) if state and state.isdigit() else bool(reading.event.attendees)


def response_of(status: ResponseStatus | None) -> str:
    """Return an attendee's response, in Graph's spelling."""
    return (status.response or "") if status is not None else ""


def join_url_of(event: GraphEvent) -> str:
    """Return the link to join an online meeting."""
    meeting = (event.online_meeting.join_url or "") if event.online_meeting is not None else ""
    return meeting or event.online_meeting_url or ""
