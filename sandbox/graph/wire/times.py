"""Times as Graph writes them: UTC, or the zone that the client prefers.

Source: learn.microsoft.com/graph/api/resources/datetimetimezone and the description of `Prefer: outlook.timezone`.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.graph.wire.errors import GraphError
from sandbox.graph.wire.request import Json, Preferences
from sandbox.mailboxes.calendar.zones import ZONES, Zone

NEVER = "0001-01-01T00:00:00Z"


def zoned(moment: datetime, prefer: Preferences) -> Json:
    """A moment as dateTimeTimeZone in the preferred zone. Raises GraphError for a zone that is not known."""
    if not prefer.time_zone:
        return date_time(moment.astimezone(UTC).replace(tzinfo=None), "UTC")
    zone = _zone(prefer.time_zone)
    wall = zone.wall(moment) if isinstance(zone, Zone) else moment.astimezone(zone).replace(tzinfo=None)
    return date_time(wall, prefer.time_zone)


def midnight(day: datetime, prefer: Preferences) -> Json:
    """An all-day event's beginning or end: midnight, whatever the zone."""
    return date_time(day.replace(hour=0, minute=0, second=0, microsecond=0), prefer.time_zone or "UTC")


def date_time(wall: datetime, zone: str) -> Json:
    """A dateTimeTimeZone."""
    return {"dateTime": wall.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0", "timeZone": zone}


def _zone(name: str) -> Zone | tzinfo:
    """A zone by its Windows or IANA name. Raises GraphError."""
    if name in ZONES:
        return ZONES[name]
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise GraphError(
            400, "TimeZoneNotSupportedException", f"The following TimeZone value is not supported: '{name}'."
        ) from None


def read_moment(text: str, name: str) -> datetime:
    """A time in a URL; one without an offset is UTC. Raises GraphError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise GraphError(
            400, "ErrorInvalidParameter", f"The value '{text}' of parameter '{name}' is invalid."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
