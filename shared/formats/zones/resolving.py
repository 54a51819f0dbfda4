"""Resolves a source's time zone to the rules to use and the TZID to write.

A TZID identifies one set of rules. If the rules that an item was created with match an IANA zone in the relevant years,
that zone's name is written, which every program knows. Custom rules get a name that no other rules have, since programs
remember zones by their names, within a file and across files.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.formats.values.zone import PeriodsZone, RuleZone, TimeZone
from shared.formats.zones.jumps import offset_at, offset_jumps
from shared.formats.zones.windows_zones import WINDOWS_ZONES

_UTC_NAMES = ("", "UTC", "Etc/UTC", "tzone://Microsoft/Utc")
_NO_OFFSET = timedelta(0)
_MOST = timedelta(hours=16)
"""The largest plausible offset: no zone has ever been further from UTC."""


@dataclass(frozen=True, slots=True)
class ResolvedZone:
    """A known time zone: the name to write, and its rules."""

    tzid: str
    rules: tzinfo

    def local(self, moment: datetime) -> datetime:
        """A moment in this zone's local time. Raises OverflowError beyond the range of dates."""
        return moment.astimezone(self.rules)

    def day(self, midnight: datetime) -> date:
        """The day that begins at this midnight of the zone. Raises OverflowError as local() does.

        The nearest midnight counts: a day that was entered before the zone's rules changed is no longer exactly at it.
        """
        return (self.local(midnight) + timedelta(hours=12)).date()


def resolve(zone: TimeZone | None, years: tuple[int, int] | None = None) -> ResolvedZone | None:
    """The zone in which to write times; None if it is unknown or UTC.

    `years` are the first and last relevant years: if complete rules match the named IANA zone in these years, the
    result is that zone. Incomplete rules are used only if the zone's name is unknown.
    """
    if zone is None:
        return None
    known = _named(zone.name)
    if zone.rules is None or not _are_possible(zone.rules) or (known is not None and not zone.has_all_rules):
        return known
    if years is not None and known is not None and _agree(zone.rules, known.rules, *years):
        return known
    if zone.rules == RuleZone(_NO_OFFSET, _NO_OFFSET):
        return None
    rules = zone.rules.since(years[0]) if years and isinstance(zone.rules, PeriodsZone) else zone.rules
    return ResolvedZone(custom_tzid(zone.label or zone.name, rules), zone.rules)


def is_utc(zone: TimeZone) -> bool:
    """Whether a zone's name means UTC."""
    return bool(zone.name) and WINDOWS_ZONES.get(zone.name, zone.name) in _UTC_NAMES


def custom_tzid(label: str, rules: RuleZone | PeriodsZone) -> str:
    """A TZID that no other rules have: the zone's display name and a digest of its rules."""
    digest = hashlib.blake2b(repr(rules).encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^\w .+()/-]', ' ', label).strip()[:70] or 'Custom'} {digest}"


def day_of_midnight(at: datetime) -> date:
    """The day that begins at this midnight of an unknown zone: that of the nearest UTC midnight.

    11:00 UTC counts as midnight in summer in New Zealand and Tonga (UTC+13), with five million people, and not in
    American Samoa (UTC-11). Raises OverflowError beyond the range of dates.
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


def _are_possible(rules: RuleZone | PeriodsZone) -> bool:
    """Whether all offsets are within 16 hours of UTC."""
    every = (each for _, each in rules.periods) if isinstance(rules, PeriodsZone) else (rules,)
    return all(abs(offset) <= _MOST for each in every for offset in (each.standard, each.daylight))


@functools.lru_cache(maxsize=512)
def _agree(rules: RuleZone | PeriodsZone, known: tzinfo, first_year: int, last_year: int) -> bool:
    """Whether two zones have the same offsets in all the years from first to last."""
    if not 2 <= first_year <= last_year <= 9990:
        return False
    if offset_at(rules, first_year) != offset_at(known, first_year):
        return False
    mine, theirs = (offset_jumps(zone, first_year, last_year + 1) for zone in (rules, known))
    return [(jump.wall, jump.before, jump.after) for jump in mine] == [
        (jump.wall, jump.before, jump.after) for jump in theirs
    ]
