"""Times as iCalendar writes them: a day, a time in a zone, or UTC."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from shared.formats.common import Moment
from shared.formats.contentlines import line
from shared.formats.recurrence import basic_date
from shared.formats.zones.resolving import ResolvedZone


def utc(at: datetime) -> str:
    """A time in UTC. The year is always written with four digits, which strftime does not do before 1000."""
    return f"{_basic(at.astimezone(UTC))}Z"


def day_line(name: str, day: date | None) -> Iterable[str]:
    """A property that is a day, if there is one."""
    if day is not None:
        yield line(name, basic_date(day), {"VALUE": "DATE"})


def utc_line(name: str, at: datetime | None) -> Iterable[str]:
    """A property that is a time in UTC, if there is one."""
    if at is not None:
        yield line(name, utc(at))


def moment_line(name: str, at: Moment, zone: ResolvedZone | None, *, is_series: bool = False) -> str:
    """A property that is a moment of an event.

    A local time that comes twice is the first of them to RFC 5545, so the second is written in UTC; but not in a
    series, whose rule knows local times alone.
    """
    if not isinstance(at, datetime):
        return line(name, basic_date(at), {"VALUE": "DATE"})
    local = local_time(at, zone)
    if zone is None or local is None or (local.fold and not is_series):
        return line(name, utc(at))
    return line(name, _basic(local), {"TZID": zone.tzid})


def local_time(at: datetime, zone: ResolvedZone | None) -> datetime | None:
    """A moment on a zone's clocks (UTC without one); None beyond the ends of the calendar."""
    try:
        return zone.local(at) if zone is not None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _basic(at: datetime) -> str:
    return f"{basic_date(at)}T{at.time():%H%M%S}"
