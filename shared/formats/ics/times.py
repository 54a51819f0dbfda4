"""Times as iCalendar writes them: a day, a time in a zone, or UTC."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from shared.formats.common import Moment
from shared.formats.contentlines import line
from shared.formats.recurrence import basic_date
from shared.formats.zones.resolving import ResolvedZone


def utc(at: datetime) -> str:
    """A time in UTC; strftime does not fill years before 1000 up to four digits."""
    at = at.astimezone(UTC)
    return f"{basic_date(at)}T{at:%H%M%S}Z"


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
    if zone is None:
        return line(name, utc(at))
    local = zone.local(at)
    if local.fold and not is_series:
        return line(name, utc(at))
    return line(name, f"{basic_date(local)}T{local:%H%M%S}", {"TZID": zone.tzid})
