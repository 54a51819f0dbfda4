"""What a source's time zone means: the clock to use, and the TZID to write."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.formats.zone import TimeZone
from shared.formats.zones.windows_zones import WINDOWS_ZONES

_UTC_NAMES = ("", "UTC", "Etc/UTC", "tzone://Microsoft/Utc")


@dataclass(frozen=True, slots=True)
class ResolvedZone:
    """A time zone with a meaning: the name it is written under, and how its clocks go."""

    tzid: str
    rules: tzinfo

    def local(self, moment: datetime) -> datetime:
        """A moment on this zone's clocks."""
        return moment.astimezone(self.rules)

    def day(self, midnight: datetime) -> date:
        """The day that begins at a moment, which is a midnight of this zone.

        The nearest midnight is meant: what was entered before the zone changed its rules lies beside it by now.
        """
        return (self.local(midnight) + timedelta(hours=12)).date()


def resolve(zone: TimeZone | None) -> ResolvedZone | None:
    """The zone to write times in; None when nobody knows it, or when it is UTC.

    Incomplete rules are used only if the zone has no name that is known.
    """
    if zone is None:
        return None
    known = _named(zone.name) if zone.rules is None or not zone.has_all_rules else None
    if known is not None or zone.rules is None:
        return known
    return ResolvedZone(_tzid(zone.label or zone.name), zone.rules)


def day_of_midnight(at: datetime) -> date:
    """The day whose midnight this is, in a zone that is not known: that of the nearest UTC midnight.

    Eleven in the morning is taken for a midnight in summer in New Zealand and Tonga (UTC+13), five million people, and
    not for one in American Samoa (UTC-11).
    """
    return (at + timedelta(hours=13 if (at.hour, at.minute) == (11, 0) else 12)).date()


def _named(identifier: str) -> ResolvedZone | None:
    """A zone by its Windows or IANA name."""
    name = WINDOWS_ZONES.get(identifier, identifier)
    if name in _UTC_NAMES:
        return None
    try:
        return ResolvedZone(name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _tzid(name: str) -> str:
    return re.sub(r"[^\w .+()/-]", " ", name).strip()[:80] or "Custom"
