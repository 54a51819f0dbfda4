"""Writes a zone's VTIMEZONE, from its custom rules or from the zone database for the years of a series."""

import calendar
import functools
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from shared.formats.contentlines import component, line, text_line
from shared.formats.values.zone import PeriodsZone, RuleZone, YearlyChange
from shared.formats.zones.jumps import Jump, offset_at, offset_jumps
from shared.formats.zones.resolving import ResolvedZone

_FIRST_YEAR = 1969
_REGULAR_YEARS = 8
_LISTED_YEARS = 30
_SETTLED = 2038
"""From this year the zone database has almost only yearly rules."""
_WEEKDAYS = 7


def vtimezone(zone: ResolvedZone, year: int) -> str:
    """The VTIMEZONE component, which is correct from `year` on."""
    year = min(max(year, _FIRST_YEAR + 1), 2200)
    rules = zone.rules.since(year) if isinstance(zone.rules, PeriodsZone) else zone.rules
    observances = _of_rules(rules) if isinstance(rules, RuleZone) else _of_database(rules, year)
    return component("VTIMEZONE", [text_line("TZID", zone.tzid), *observances])


def _of_rules(rules: RuleZone) -> Sequence[str]:
    """Observances of permanent rules. They are equal in all files, since programs remember zones by their names."""
    if rules.starts is None or rules.ends is None:
        start = datetime(_FIRST_YEAR, 1, 1)  # noqa: DTZ001 -- local
        return [_observance("STANDARD", rules.standard, rules.standard, start)]
    return [
        _observance("STANDARD", rules.daylight, rules.standard, rules.ends.at(_FIRST_YEAR), rules.ends.rule),
        _observance("DAYLIGHT", rules.standard, rules.daylight, rules.starts.at(_FIRST_YEAR), rules.starts.rule),
    ]


@functools.lru_cache(maxsize=256)
def _of_database(rules: tzinfo, year: int) -> Sequence[str]:
    """Observances from the zone database: single changes while they are irregular, then yearly rules."""
    end = max(year + _LISTED_YEARS, _SETTLED + _REGULAR_YEARS)
    jumps = offset_jumps(rules, year - 1, end)
    regular = _regular(jumps, end)
    listed = jumps if not regular else [jump for jump in jumps if jump.wall.year < regular[0][0].wall.year]
    observances = []
    if not jumps or jumps[0].wall.year >= year:
        offset = offset_at(rules, year - 1)
        observances.append(_observance("STANDARD", offset, offset, datetime(year - 1, 1, 1)))  # noqa: DTZ001 -- local
    observances += [_jump_observance(jump, "") for jump in listed]
    return observances + [_jump_observance(jump, change.rule) for jump, change in regular]


def _jump_observance(jump: Jump, rule: str) -> str:
    return _observance("DAYLIGHT" if jump.forward else "STANDARD", jump.before, jump.after, jump.wall, rule)


def _regular(jumps: list[Jump], end: int) -> list[tuple[Jump, YearlyChange]]:
    """The two yearly changes that the zone has permanently, each with the first jump that matches; empty if none."""
    found = []
    for forward in (False, True):
        same = [jump for jump in jumps if jump.forward is forward]
        last = [jump for jump in same if jump.wall.year >= end - _REGULAR_YEARS]
        change = _same_change(last)
        if change is None or len(last) != _REGULAR_YEARS:
            return []
        found.append((same, change))
    since = max(_since(same, change) for same, change in found)
    return [(next(jump for jump in same if jump.wall.year >= since), change) for same, change in found]


def _since(jumps: list[Jump], change: YearlyChange) -> int:
    """The first year from which all jumps match this change and have the offsets of the last one."""
    last = jumps[-1]
    year = last.wall.year
    for jump in reversed(jumps):
        if jump.wall != change.at(year) or (jump.before, jump.after) != (last.before, last.after):
            break
        year -= 1
    return year + 1


def _same_change(jumps: list[Jump]) -> YearlyChange | None:
    shapes = {(jump.wall.month, jump.wall.weekday(), jump.wall.time(), jump.before, jump.after) for jump in jumps}
    if len(shapes) != 1:
        return None
    month, weekday, time, *_ = next(iter(shapes))
    within = timedelta(hours=time.hour, minutes=time.minute)
    if all(jump.wall.day + _WEEKDAYS > calendar.monthrange(jump.wall.year, month)[1] for jump in jumps):
        return YearlyChange(month, within, weekday, -1)
    numbers = {(jump.wall.day - 1) // _WEEKDAYS + 1 for jump in jumps}
    return YearlyChange(month, within, weekday, numbers.pop()) if len(numbers) == 1 else None


def _observance(kind: str, before: timedelta, after: timedelta, starts: datetime, rule: str = "") -> str:
    lines = [
        line("DTSTART", starts.strftime("%Y%m%dT%H%M%S")),
        line("TZOFFSETFROM", _written(before)),
        line("TZOFFSETTO", _written(after)),
    ]
    if rule:
        lines.append(line("RRULE", rule))
    return component(kind, lines)


def _written(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
