"""Recurrence patterns as Exchange and Graph define them, and their RFC 5545 rules."""

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.formats.values.zone import TimeZone

_NO_LEAP_YEAR = 2026


class Frequency(StrEnum):
    """The unit in which a pattern repeats; the values are those of RFC 5545."""

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
    """The first day of a week, which matters for intervals of two weeks or more."""
    nth: int = 0
    """1 to 4, or -1 for the last, counted over all the weekdays together; 0 if the pattern has no such number."""
    day_of_month: int = 0
    """1 to 31; in a shorter month it means the last day. 0 if the pattern has none."""
    month: int = 0
    """1 to 12 in yearly patterns."""
    start: date | None = None
    """The first day of the range, which is not always an occurrence."""
    until: date | None = None
    """The last day on which an occurrence may begin, in the series' time zone."""
    count: int | None = None
    """The number of occurrences, deleted ones included."""
    regenerates: bool = False
    """Whether the interval counts from the completion of a task, which an RRULE cannot express."""
    zone: TimeZone | None = None
    """The zone of the pattern's days; None if it is the zone of the event's start."""

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
        """The RRULE's value. `until` is the last start, in the form that RFC 5545 requires for this DTSTART."""
        if self.count:
            return f"{self.pattern};COUNT={self.count}"
        return f"{self.pattern};UNTIL={until}" if self.until and until else self.pattern

    @property
    def plain_rule(self) -> str:
        """The rule with a plain date as its end, as stored in an item's metadata."""
        return self.rule(basic_date(self.until) if self.until else "")

    @property
    def _nth_weekday(self) -> str:
        """The nth weekday; of several weekdays, the nth of all of them together."""
        if len(self.weekdays) == 1:
            return f"BYDAY={self.nth}{self.weekdays[0]}"
        return f"BYDAY={','.join(self.weekdays)};BYSETPOS={self.nth}"

    @property
    def _month_day(self) -> str:
        """The same day of every month or year; in a shorter month its last day."""
        day = self.day_of_month
        longest = calendar.monthrange(_NO_LEAP_YEAR, self.month)[1] if self.month else 28
        if day <= longest:
            return f"BYMONTHDAY={day}"
        return f"BYMONTHDAY={','.join(str(number) for number in range(28, day + 1))};BYSETPOS=-1"


def basic_date(day: date) -> str:
    """A date in ISO 8601 basic format. strftime is not used: it does not pad years before 1000 to four digits."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
