"""Selects the zones in which an event's times are written."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.formats.values.event import Event
from shared.formats.values.zone import RuleZone, TimeZone
from shared.formats.zones.resolving import ResolvedZone, custom_tzid, is_utc, resolve

_YEARS_AHEAD = 10
"""For a series without an end: the number of years in which its rules are compared with those of an IANA zone."""
_WHOLE_HOURS = sorted(range(-12, 15), key=abs)


@dataclass(frozen=True, slots=True)
class EventZones:
    """The zones of an event's start and end; None means UTC or dates without times."""

    start: ResolvedZone | None
    end: ResolvedZone | None


def zones_of(event: Event) -> EventZones:
    """The zones of an event. A series is written in the zone of its pattern, since its rule uses local days."""
    if not isinstance(event.start, datetime):
        return EventZones(None, None)
    years = _years(event, event.start)
    of_pattern = event.recurrence.zone if event.recurrence is not None else None
    zone = of_pattern or event.start_zone
    start = resolve(zone, years) or _guessed(event, event.start, zone)
    return EventZones(start, resolve(event.end_zone, years) if event.end_zone else start)


def _years(event: Event, start: datetime) -> tuple[int, int]:
    """The first and the last year in which the event takes place; for a series without an end, the first ten years."""
    if event.recurrence is None:
        return start.year, start.year
    until = event.recurrence.until
    last = min(until.year, start.year + _YEARS_AHEAD) if until is not None else start.year + _YEARS_AHEAD
    return start.year, max(start.year, last)


def _guessed(event: Event, start: datetime, zone: TimeZone | None) -> ResolvedZone | None:
    """A fixed offset for a series in an unknown zone: the smallest that puts its start on its pattern's first day.

    In UTC such a series would take place on days that do not match its pattern. Whether the zone has daylight saving
    time cannot be known.
    """
    first_day = event.recurrence.start if event.recurrence is not None else None
    if first_day is None or (zone is not None and (zone.rules is not None or is_utc(zone))):
        return None
    label = (zone.label or zone.name) if zone is not None else ""
    for offset in (timedelta(hours=hours) for hours in _WHOLE_HOURS):
        if _day_at(start, offset) == first_day:
            rules = RuleZone(offset, offset)
            return ResolvedZone(custom_tzid(label, rules), rules) if offset else None
    return None


def _day_at(moment: datetime, offset: timedelta) -> date | None:
    """The local day of a moment at an offset; None beyond the range of dates."""
    try:
        return (moment + offset).date()
    except OverflowError:
        return None
