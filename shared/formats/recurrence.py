"""Recurrence patterns as Exchange and Graph have them, and as RFC 5545 rules."""

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.formats.zone import TimeZone

_NO_LEAP_YEAR = 2026


class Frequency(StrEnum):
    """How often a pattern can repeat; the values are those of RFC 5545."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(StrEnum):
    """A day of the week; the values are those of RFC 5545."""

    SUNDAY = "SU"
    MONDAY = "MO"
    TUESDAY = "TU"
    WEDNESDAY = "WE"
    THURSDAY = "TH"
    FRIDAY = "FR"
    SATURDAY = "SA"


EVERY_DAY = tuple(Weekday)
WORKING_DAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)
WEEKEND = (Weekday.SATURDAY, Weekday.SUNDAY)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A pattern and its range, in the series' own time zone.

    | pattern | fields |
    |---|---|
    | every n days | DAILY |
    | on some days of every nth week | WEEKLY, weekdays, first_weekday |
    | on the same day of every nth month, or of one month a year | MONTHLY or YEARLY, day_of_month (and month) |
    | on the nth of some weekdays of it | MONTHLY or YEARLY, weekdays, nth (and month) |
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[Weekday, ...] = ()
    first_weekday: Weekday = Weekday.SUNDAY
    """With which day a week begins: it matters from an interval of two weeks on."""
    nth: int = 0
    """1 to 4, or -1 for the last, of all the weekdays together; 0 where the pattern has no such number."""
    day_of_month: int = 0
    """1 to 31; in a shorter month the last day is meant. 0 where the pattern has none."""
    month: int = 0
    """1 to 12 in yearly patterns."""
    start: date | None = None
    """The range's first day, which is not always an occurrence."""
    until: date | None = None
    """The last day on which an occurrence may begin, in the series' time zone."""
    count: int | None = None
    """The number of occurrences, deleted ones included."""
    regenerates: bool = False
    """The task comes again so long after it was completed, which no RRULE can say."""
    zone: TimeZone | None = None
    """The zone of the pattern's days; None: the zone that the event starts in."""

    @property
    def pattern(self) -> str:
        """The RRULE's value without its end."""
        rule = f"FREQ={self.frequency}" + (f";INTERVAL={self.interval}" if self.interval > 1 else "")
        if self.month:
            rule += f";BYMONTH={self.month}"
        if self.nth and self.weekdays:
            return f"{rule};{self._nth_weekday}"
        if self.day_of_month:
            return f"{rule};{self._month_day}"
        if self.frequency is Frequency.WEEKLY and self.weekdays:
            return f"{rule};BYDAY={','.join(self.weekdays)};WKST={self.first_weekday}"
        return rule

    def rule(self, until: str) -> str:
        """The RRULE's value; `until` is the last start, written as RFC 5545 wants it beside this DTSTART."""
        if self.count:
            return f"{self.pattern};COUNT={self.count}"
        return f"{self.pattern};UNTIL={until}" if self.until and until else self.pattern

    @property
    def plain_rule(self) -> str:
        """The rule with a plain date as its end, as an item's metadata has it."""
        return self.rule(basic_date(self.until) if self.until else "")

    @property
    def _nth_weekday(self) -> str:
        """Of several possible days, the nth of all of them together."""
        if len(self.weekdays) == 1:
            return f"BYDAY={self.nth}{self.weekdays[0]}"
        return f"BYDAY={','.join(self.weekdays)};BYSETPOS={self.nth}"

    @property
    def _month_day(self) -> str:
        """The same day of every month or year; where a month is too short, its last day."""
        day = self.day_of_month
        longest = calendar.monthrange(_NO_LEAP_YEAR, self.month)[1] if self.month else 28
        if day <= longest:
            return f"BYMONTHDAY={day}"
        return f"BYMONTHDAY={','.join(str(number) for number in range(28, day + 1))};BYSETPOS=-1"


def basic_date(day: date) -> str:
    """A date in ISO 8601's basic form; strftime does not fill years before 1000 up to four digits."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
