"""Finds the offset changes of a zone of any type."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_NO_OFFSET = timedelta(0)


@dataclass(frozen=True, slots=True)
class Jump:
    """One offset change; `wall` is the local time just before it."""

    wall: datetime
    before: timedelta
    after: timedelta
    forward: bool


def offset_at(rules: tzinfo, year: int) -> timedelta:
    """The offset at the beginning of a year."""
    return _offset(rules, datetime(year, 1, 1, tzinfo=UTC))


def offset_jumps(rules: tzinfo, first_year: int, last_year: int) -> list[Jump]:
    """Every offset change from the beginning of one year to the beginning of another, to the minute.

    Two changes within one week that cancel each other are missed; no zone has such changes (Morocco's in Ramadan are
    further apart).
    """
    found = []
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 1, 1, tzinfo=UTC)
    before = _offset(rules, moment)
    while moment < end:
        following = moment + timedelta(days=7)
        after = _offset(rules, following)
        if after != before:
            at = _found_within(rules, moment, following)
            forward = bool(at.astimezone(rules).dst())
            found.append(Jump((at + before).replace(tzinfo=None), before, after, forward))
        moment, before = following, after
    return found


def _found_within(rules: tzinfo, low: datetime, high: datetime) -> datetime:
    """The first minute with the new offset."""
    before = _offset(rules, low)
    start, end = 0, int((high - low).total_seconds() // 60)
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(rules, low + timedelta(minutes=middle)) == before:
            start = middle
        else:
            end = middle
    return low + timedelta(minutes=end)


def _offset(rules: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(rules).utcoffset() or _NO_OFFSET
