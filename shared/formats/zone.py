"""Time zones as sources give them: an IANA name, a Windows name, or rules of their own.

Exchange gives a Windows name and mostly the rules too that the item was made with, which may have several periods, and
which for items from elsewhere may be incomplete. Graph gives names, IANA or Windows, and "tzone://Microsoft/Custom".
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_NO_OFFSET = timedelta(0)
EVER = datetime(1, 1, 1)  # noqa: DTZ001 -- local
"""Since when the first rules of a zone are in force."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class YearlyChange:
    """When a zone's offset changes every year: the nth such weekday (-1: the last) or, without one, a fixed day.

    `time` is the wall-clock time just before the change, since midnight; `weekday` counts from Monday (0).
    """

    month: int
    time: timedelta
    weekday: int | None = None
    nth: int = 1
    day: int = 1

    def at(self, year: int) -> datetime:
        """The wall-clock time of the change, before it."""
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
        """The RRULE of this change."""
        if self.weekday is None:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={self.day}"
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={self.nth}{_DAYS[self.weekday]}"


@dataclass(frozen=True)
class RuleZone(tzinfo):
    """Rules of a zone: one offset, or two with the days of the year when they change. Offsets are east of UTC."""

    standard: timedelta
    daylight: timedelta
    starts: YearlyChange | None = None
    """When daylight saving time starts."""
    ends: YearlyChange | None = None

    def fromutc(self, moment: datetime) -> datetime:
        """The local time; where it comes twice, `fold` marks the second. It is summer time if both clocks say so."""
        early, late = moment + self.standard, moment + self.daylight
        if self.dst(early) and self.dst(late):
            return late
        return early.replace(fold=1 if self.dst(early) else 0)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self.standard + self.dst(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """By how much clocks are forward at a local time; of one that comes twice, `fold` says which is meant."""
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
    """A zone that changed its rules: each period with the local time from which it holds, the first one `EVER`."""

    periods: tuple[tuple[datetime, RuleZone], ...]

    def since(self, year: int) -> "RuleZone | PeriodsZone":
        """What of it holds from the beginning of a year on."""
        first = datetime(year, 1, 1)  # noqa: DTZ001 -- local
        later = tuple(period for period in self.periods if period[0] > first)
        return PeriodsZone(((EVER, self._at(first)), *later)) if later else self._at(first)

    def fromutc(self, moment: datetime) -> datetime:
        """The local time, by the period that it lies in itself."""
        near = self._at(moment).fromutc(moment)
        return self._at(near).fromutc(moment)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self._at(moment).utcoffset(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """By how much clocks are forward at a local time."""
        return self._at(moment).dst(moment)

    def tzname(self, moment: datetime | None) -> str:
        """No name that a reader knows."""
        return "custom"

    def _at(self, moment: datetime | None) -> RuleZone:
        local = moment.replace(tzinfo=None) if moment is not None else EVER
        return next((rules for starts, rules in reversed(self.periods) if starts <= local), self.periods[0][1])


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone as a source gives it. It need not be known to anybody: resolve() decides what it means."""

    name: str = ""
    """An IANA name ("Europe/Berlin"), a Windows name ("W. Europe Standard Time"), or what the source has instead."""
    label: str = ""
    """What people are shown ("(UTC+01:00) Amsterdam, Berlin"); names a zone of one's own in a file."""
    rules: RuleZone | PeriodsZone | None = None
    """The rules that the item was made with, where the source gives them."""
    has_all_rules: bool = True
    """Whether `rules` are complete. Incomplete ones are used only if the name is not known."""
