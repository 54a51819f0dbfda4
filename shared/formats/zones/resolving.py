"""What a source's time zone means: the clock to use, and the TZID to write.

A TZID stands for one set of rules. Where the rules that an item was made with are those of an IANA zone in the years
that matter, that zone's name is written, which every reader knows. Rules of one's own get a name that no other rules
have: readers keep zones by their names, within a file and across files.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.formats.zone import PeriodsZone, RuleZone, TimeZone
from shared.formats.zones.jumps import offset_at, offset_jumps
from shared.formats.zones.windows_zones import WINDOWS_ZONES

_UTC_NAMES = ("", "UTC", "Etc/UTC", "tzone://Microsoft/Utc")
_NO_OFFSET = timedelta(0)
_MOST = timedelta(hours=16)
"""No clock has ever been further from UTC."""


@dataclass(frozen=True, slots=True)
class ResolvedZone:
    """A time zone with a meaning: the name it is written under, and how its clocks go."""

    tzid: str
    rules: tzinfo

    def local(self, moment: datetime) -> datetime:
        """A moment on this zone's clocks. Raises OverflowError at the ends of the calendar."""
        return moment.astimezone(self.rules)

    def day(self, midnight: datetime) -> date:
        """The day that begins at a moment, which is a midnight of this zone. Raises OverflowError as local() does.

        The nearest midnight is meant: what was entered before the zone changed its rules lies beside it by now.
        """
        return (self.local(midnight) + timedelta(hours=12)).date()


def resolve(zone: TimeZone | None, years: tuple[int, int] | None = None) -> ResolvedZone | None:
    """The zone to write times in; None when nobody knows it, or when it is UTC.

    `years` are the first and the last that matter: complete rules that are those of the named IANA zone then are that
    zone. Incomplete rules are used only if the zone has no name that is known.
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
    """Whether a zone is named as UTC."""
    return bool(zone.name) and WINDOWS_ZONES.get(zone.name, zone.name) in _UTC_NAMES


def custom_tzid(label: str, rules: RuleZone | PeriodsZone) -> str:
    """A TZID that no other rules have: what people call the zone, and a digest of its rules."""
    digest = hashlib.blake2b(repr(rules).encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^\w .+()/-]', ' ', label).strip()[:70] or 'Custom'} {digest}"


def day_of_midnight(at: datetime) -> date:
    """The day whose midnight this is, in a zone that is not known: that of the nearest UTC midnight.

    Eleven in the morning is taken for a midnight in summer in New Zealand and Tonga (UTC+13), five million people, and
    not for one in American Samoa (UTC-11). Raises OverflowError at the ends of the calendar.
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
    """Whether clocks can go so: within half a day and a bit of UTC."""
    every = (each for _, each in rules.periods) if isinstance(rules, PeriodsZone) else (rules,)
    return all(abs(offset) <= _MOST for each in every for offset in (each.standard, each.daylight))


@functools.lru_cache(maxsize=512)
def _agree(rules: RuleZone | PeriodsZone, known: tzinfo, first_year: int, last_year: int) -> bool:
    """Whether two zones have the same offsets in all of these years."""
    if not 2 <= first_year <= last_year <= 9990:
        return False
    if offset_at(rules, first_year) != offset_at(known, first_year):
        return False
    mine, theirs = (offset_jumps(zone, first_year, last_year + 1) for zone in (rules, known))
    return [(jump.wall, jump.before, jump.after) for jump in mine] == [
        (jump.wall, jump.before, jump.after) for jump in theirs
    ]
