"""Writes times in iCalendar's forms: a date, a time in a zone, or a time in UTC."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from shared.formats.contentlines import line
from shared.formats.values.common import Moment
from shared.formats.values.recurrence import basic_date
from shared.formats.zones.resolving import ResolvedZone


def utc(at: datetime) -> str:
    """A time in UTC. strftime is not used: it does not pad years before 1000 to four digits."""
    return f"{_basic(at.astimezone(UTC))}Z"


def day_line(name: str, day: date | None) -> Iterable[str]:
    """The line for a date property, if there is a date."""
    if day is not None:
        yield line(name, basic_date(day), {"VALUE": "DATE"})


def utc_line(name: str, at: datetime | None) -> Iterable[str]:
    """The line for a property with a UTC time, if there is a time."""
    if at is not None:
        yield line(name, utc(at))


def moment_line(name: str, at: Moment, zone: ResolvedZone | None, *, is_series: bool = False) -> str:
    """The line for a property with a moment of an event.

    If a local time occurs twice, RFC 5545 means the first one. The second is therefore written in UTC, except in a
    series, whose rule uses local times only.
    """
    if not isinstance(at, datetime):
        return line(name, basic_date(at), {"VALUE": "DATE"})
    local = local_time(at, zone)
    if zone is None or local is None or (local.fold and not is_series):
        return line(name, utc(at))
    return line(name, _basic(local), {"TZID": zone.tzid})


def local_time(at: datetime, zone: ResolvedZone | None) -> datetime | None:
    """A moment in a zone's local time (UTC if there is no zone); None beyond the range of dates."""
    try:
        return zone.local(at) if zone is not None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _basic(at: datetime) -> str:
    return f"{basic_date(at)}T{at.time():%H%M%S}"
