"""Maps Graph's recurrence patterns to typed ones. https://learn.microsoft.com/graph/api/resources/recurrencepattern"""

from datetime import date

import msgspec

from shared.formats.values.recurrence import Frequency, Recurrence, Weekday
from shared.formats.values.zone import TimeZone


class _Pattern(msgspec.Struct, rename="camel"):
    type: str = ""
    interval: int | None = None
    month: int | None = None
    day_of_month: int | None = None
    days_of_week: list[str] | None = None
    first_day_of_week: str | None = None
    index: str | None = None


class _Range(msgspec.Struct, rename="camel"):
    type: str = ""
    start_date: str | None = None
    end_date: str | None = None
    number_of_occurrences: int | None = None
    recurrence_time_zone: str | None = None


class PatternedRecurrence(msgspec.Struct):
    """A pattern and its range."""

    pattern: _Pattern | None = None
    range: _Range | None = None


_WEEKDAYS = {day.name.lower(): day for day in Weekday}
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_FREQUENCIES = {
    "daily": Frequency.DAILY,
    "weekly": Frequency.WEEKLY,
    "absolutemonthly": Frequency.MONTHLY,
    "relativemonthly": Frequency.MONTHLY,
    "absoluteyearly": Frequency.YEARLY,
    "relativeyearly": Frequency.YEARLY,
}


def typed_recurrence(told: PatternedRecurrence | None, zone: TimeZone | None = None) -> Recurrence | None:
    """Return the recurrence; None for an undocumented pattern. `zone` is the zone of the series, if it is known.

    Properties that a pattern does not have are 0 or null.
    """
    pattern = told.pattern if told is not None else None
    frequency = _FREQUENCIES.get(pattern.type.lower()) if pattern is not None else None
    if told is None or pattern is None or frequency is None:
        return None
    kind, span = pattern.type.lower(), told.range or _Range()
    is_relative, is_yearly = kind.startswith("relative"), frequency is Frequency.YEARLY
    has_days = is_relative or frequency is Frequency.WEEKLY
    name = span.recurrence_time_zone or ""
    return Recurrence(
        frequency=frequency,
        interval=max(pattern.interval or 1, 1),
        weekdays=_weekdays(pattern) if has_days else (),
        first_weekday=_WEEKDAYS.get((pattern.first_day_of_week or "").lower(), Weekday.SUNDAY),
        nth=_NTH.get((pattern.index or "first").lower(), 1) if is_relative else 0,
        day_of_month=min(max(pattern.day_of_month or 1, 1), 31) if kind.startswith("absolute") else 0,
        month=min(max(pattern.month or 1, 1), 12) if is_yearly else 0,
        start=day_of(span.start_date),
        until=day_of(span.end_date) if span.type == "endDate" else None,
        count=(span.number_of_occurrences or None) if span.type == "numbered" else None,
        zone=TimeZone(name) if name and zone is None else None,
    )


def _weekdays(pattern: _Pattern) -> tuple[Weekday, ...]:
    """Return the weekdays in the order of the week."""
    named = {_WEEKDAYS[day.lower()] for day in pattern.days_of_week or () if day.lower() in _WEEKDAYS}
    return tuple(day for day in Weekday if day in named)


def day_of(text: str | None) -> date | None:
    """Return a date; None if the text is not a date."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
