"""Properties that Exchange computes for an event: its kind, an occurrence's times, the changes in a series."""

from collections.abc import Callable
from datetime import datetime

from sandbox.mailboxes.calendar.events import Occurrence, occurrences, pattern_of, span, zone_of
from sandbox.mailboxes.fragments import flag, tag, when
from sandbox.mailboxes.ids import occurrence_id
from sandbox.mailboxes.store import Item

type Compute = Callable[[Item, Occurrence | None], str | None]
"""Computes a property's fragment; None: use the stored one."""


def _kind(item: Item, occurrence: Occurrence | None) -> str:
    if occurrence is not None:
        return "Exception" if occurrence.changed else "Occurrence"
    return "RecurringMaster" if "Recurrence" in item.properties else "Single"


def _times(item: Item, occurrence: Occurrence | None) -> tuple[datetime, datetime]:
    return (occurrence.start, occurrence.end) if occurrence else span(item)


def _duration(item: Item, occurrence: Occurrence | None) -> str:
    start, end = _times(item, occurrence)
    minutes = int((end - start).total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    clock = f"T{rest // 60}H{rest % 60}M" if rest or not days else ""
    return tag("Duration", f"P{f'{days}D' if days else ''}{clock}")


def _original(item: Item, occurrence: Occurrence | None) -> str:
    return tag("OriginalStart", when(occurrence.original)) if occurrence else ""


def _recurrence_id(item: Item, occurrence: Occurrence | None) -> str:
    return tag("RecurrenceId", when(occurrence.original)) if occurrence else ""


def _recurrence(item: Item, occurrence: Occurrence | None) -> str:
    return "" if occurrence else item.properties.get("Recurrence", "")


def _wall(name: str, which: int) -> Compute:
    def compute(item: Item, occurrence: Occurrence | None) -> str:
        zone, moment = zone_of(item), _times(item, occurrence)[which]
        offset = zone.wall(moment) - moment.replace(tzinfo=None)
        minutes = int(offset.total_seconds() // 60)
        sign = "-" if minutes < 0 else "+"
        return tag(name, f"{zone.wall(moment).isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}")

    return compute


def _mention(item: Item, one: Occurrence, element: str) -> str:
    return (
        f'<t:{element}><t:ItemId Id="{occurrence_id(item.id, one.original)}" ChangeKey="{item.change_key}"/>'
        f"<t:Start>{when(one.start)}</t:Start><t:End>{when(one.end)}</t:End>"
        f"<t:OriginalStart>{when(one.original)}</t:OriginalStart></t:{element}>"
    )


def _first(item: Item, occurrence: Occurrence | None) -> str:
    if occurrence or pattern_of(item) is None:
        return ""
    one = next(occurrences(item), None)
    return _mention(item, one, "FirstOccurrence") if one else ""


def _last(item: Item, occurrence: Occurrence | None) -> str:
    pattern = pattern_of(item)
    if occurrence or pattern is None or (pattern.until is None and pattern.times is None):
        return ""
    left = list(occurrences(item))
    return _mention(item, left[-1], "LastOccurrence") if left else ""


def _modified(item: Item, occurrence: Occurrence | None) -> str:
    if occurrence or not item.exceptions:
        return ""
    changed = sorted(item.exceptions.items())
    mentions = [Occurrence(original, one.start, one.end, one) for original, one in changed]
    inside = "".join(_mention(item, one, "Occurrence") for one in mentions)
    return f"<t:ModifiedOccurrences>{inside}</t:ModifiedOccurrences>"


def _deleted(item: Item, occurrence: Occurrence | None) -> str:
    if occurrence or not item.deleted:
        return ""
    inside = "".join(
        f"<t:DeletedOccurrence><t:Start>{when(moment)}</t:Start></t:DeletedOccurrence>"
        for moment in sorted(item.deleted)
    )
    return f"<t:DeletedOccurrences>{inside}</t:DeletedOccurrences>"


def _meeting(item: Item) -> bool:
    return any(name in item.properties for name in ("RequiredAttendees", "OptionalAttendees", "Resources"))


def _or(name: str, value: Callable[[Item], str]) -> Compute:
    """The stored value, else a default."""
    return lambda item, occurrence: None if name in item.properties else tag(name, value(item))


EVENT_PROPERTIES: dict[str, Compute] = {
    "Start": lambda item, occurrence: tag("Start", when(_times(item, occurrence)[0])),
    "End": lambda item, occurrence: tag("End", when(_times(item, occurrence)[1])),
    "CalendarItemType": lambda item, occurrence: tag("CalendarItemType", _kind(item, occurrence)),
    "IsRecurring": lambda item, occurrence: tag("IsRecurring", flag(occurrence is not None)),
    "Duration": _duration,
    "OriginalStart": _original,
    "RecurrenceId": _recurrence_id,
    "Recurrence": _recurrence,
    "FirstOccurrence": _first,
    "LastOccurrence": _last,
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "StartWallClock": _wall("StartWallClock", 0),
    "EndWallClock": _wall("EndWallClock", 1),
    "StartTimeZoneId": lambda item, occurrence: tag("StartTimeZoneId", zone_of(item).id),
    "EndTimeZoneId": lambda item, occurrence: tag("EndTimeZoneId", zone_of(item).id),
    "TimeZone": lambda item, occurrence: tag("TimeZone", zone_of(item).name),
    "DateTimeStamp": lambda item, occurrence: tag("DateTimeStamp", when(item.modified)),
    "IsAllDayEvent": _or("IsAllDayEvent", lambda item: "false"),
    "IsCancelled": _or("IsCancelled", lambda item: "false"),
    "IsMeeting": _or("IsMeeting", lambda item: flag(_meeting(item))),
    "IsOrganizer": _or("IsOrganizer", lambda item: "true"),
    "MeetingRequestWasSent": _or("MeetingRequestWasSent", lambda item: "false"),
    "LegacyFreeBusyStatus": _or("LegacyFreeBusyStatus", lambda item: "Busy"),
    "MyResponseType": _or("MyResponseType", lambda item: "Organizer" if _meeting(item) else "Unknown"),
    "AppointmentSequenceNumber": _or("AppointmentSequenceNumber", lambda item: "0"),
    "AppointmentState": _or("AppointmentState", lambda item: "1" if _meeting(item) else "0"),
    "ConferenceType": _or("ConferenceType", lambda item: "0"),
    "AllowNewTimeProposal": _or("AllowNewTimeProposal", lambda item: "true"),
    "IsOnlineMeeting": _or("IsOnlineMeeting", lambda item: "false"),
    "ConflictingMeetingCount": _or("ConflictingMeetingCount", lambda item: "0"),
    "AdjacentMeetingCount": _or("AdjacentMeetingCount", lambda item: "0"),
}
