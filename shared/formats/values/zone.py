"""Time zones as sources provide them: an IANA name, a Windows name, or custom rules.

Exchange gives a Windows name and usually also the rules that the item was created with. The rules may have several
periods; for items from other systems they may be incomplete. Graph gives IANA or Windows names, and
"tzone://Microsoft/Custom".
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_NO_OFFSET = timedelta(0)
EVER = datetime(1, 1, 1)  # noqa: DTZ001 -- local
"""The local time from which the first rules of a zone apply."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """The yearly date of an offset change: the nth weekday of a month (-1: the last) or, if it has none, a fixed day.

    `time` is the wall-clock time just before the change, as the time since midnight. `weekday` counts from Monday (0).
    """

    month: int
    time: timedelta
    weekday: int | None = None
    nth: int = 1
    day: int = 1

    def at(self, year: int) -> datetime:
        """The wall-clock time just before the change in a year."""
        return datetime.combine(self._date(year), datetime.min.time()) + self.time

    def _date(self, year: int) -> date:
        length = calendar.monthrange(year, self.month)[1]
        if self.weekday is None:
            return date(year, self.month, min(self.day, length))
        if self.nth < 0:
            last = date(year, self.month, length)
            return last - timedelta((last.weekday() - self.weekday) % 7)
        first = date(year, self.month, 1)
        day = 1 + (self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1)
        return date(year, self.month, day if day <= length else day - 7)

    @property
    def rule(self) -> str:
        """The RRULE for this change."""
        if self.weekday is None:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={self.day}"
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={self.nth}{_DAYS[self.weekday]}"


@dataclass(frozen=True)
class RuleZone(tzinfo):
    """A zone's rules: one offset, or two with the dates on which they change every year. Offsets are east of UTC."""

    standard: timedelta
    daylight: timedelta
    starts: YearlyChange | None = None
    """When daylight saving time starts."""
    ends: YearlyChange | None = None

    def fromutc(self, moment: datetime) -> datetime:
        """The local time; `fold` is 1 for the second of two equal ones. It is daylight time if both offsets say so."""
        early, late = moment + self.standard, moment + self.daylight
        if self.dst(early) and self.dst(late):
            return late
        return early.replace(fold=1 if self.dst(early) else 0)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self.standard + self.dst(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """The daylight saving offset at a local time; `fold` selects one of two equal local times."""
        if moment is None or self.starts is None or self.ends is None:
            return _NO_OFFSET
        local, saved = moment.replace(tzinfo=None), self.daylight - self.standard
        starts, ends = self.starts.at(local.year), self.ends.at(local.year)
        if moment.fold and ends - saved <= local < ends:
            return _NO_OFFSET
        forward = starts <= local < ends if starts < ends else not ends <= local < starts
        return saved if forward else _NO_OFFSET

    def tzname(self, moment: datetime | None) -> str:
        """No name that a reader knows."""
        return "custom"


@dataclass(frozen=True)
class PeriodsZone(tzinfo):
    """A zone whose rules changed: each period with the local time from which it applies, `EVER` for the first one."""

    periods: tuple[tuple[datetime, RuleZone], ...]

    def since(self, year: int) -> "RuleZone | PeriodsZone":
        """The part of the zone that applies from the beginning of a year."""
        first = datetime(year, 1, 1)  # noqa: DTZ001 -- local
        later = tuple(period for period in self.periods if period[0] > first)
        return PeriodsZone(((EVER, self._at(first)), *later)) if later else self._at(first)

    def fromutc(self, moment: datetime) -> datetime:
        """The local time, by the period that contains this local time."""
        near = self._at(moment).fromutc(moment)
        return self._at(near).fromutc(moment)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self._at(moment).utcoffset(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """The daylight saving offset at a local time."""
        return self._at(moment).dst(moment)

    def tzname(self, moment: datetime | None) -> str:
        """No name that a reader knows."""
        return "custom"

    def _at(self, moment: datetime | None) -> RuleZone:
        local = moment.replace(tzinfo=None) if moment is not None else EVER
        return next((rules for starts, rules in reversed(self.periods) if starts <= local), self.periods[0][1])


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone as a source provides it. Its name may be unknown: resolve() decides what it means."""

    name: str = ""
    """An IANA name ("Europe/Berlin"), a Windows name ("W. Europe Standard Time"), or another name of the source."""
    label: str = ""
    """The display name ("(UTC+01:00) Amsterdam, Berlin"), which names a custom zone in a file."""
    rules: RuleZone | PeriodsZone | None = None
    """The rules that the item was created with, if the source provides them."""
    has_all_rules: bool = True
    """Whether `rules` are complete. Incomplete rules are used only if the name is unknown."""
