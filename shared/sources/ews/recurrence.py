"""Exchange's recurrence patterns as RFC 5545 rules."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime

from lxml import etree

from shared.sources.ews.answer import T

_DAYS = {
    "Sunday": "SU",
    "Monday": "MO",
    "Tuesday": "TU",
    "Wednesday": "WE",
    "Thursday": "TH",
    "Friday": "FR",
    "Saturday": "SA",
    "Day": "SU,MO,TU,WE,TH,FR,SA",
    "Weekday": "MO,TU,WE,TH,FR",
    "WeekendDay": "SA,SU",
}
_NTH = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_MONTHS = "January February March April May June July August September October November December"
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split(" "), start=1)}
_NO_LEAP_YEAR = 2026
_FREQUENCIES = ("Daily", "Weekly", "Monthly", "Yearly")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A pattern and its range, in the series' own time zone.

    `regenerates`: a task that comes again so long after it was completed, which no RRULE can say.
    """

    pattern: str
    start: date | None = None
    until: date | None = None
    count: int | None = None
    regenerates: bool = False

    def rule(self, until: str) -> str:
        """The RRULE's value; `until` is the last start, written as RFC 5545 wants it beside this DTSTART."""
        if self.count:
            return f"{self.pattern};COUNT={self.count}"
        return f"{self.pattern};UNTIL={until}" if self.until and until else self.pattern

    @property
    def told(self) -> str:
        """The rule as the metadata tells it: with a plain date as its end."""
        return self.rule(self.until.strftime("%Y%m%d") if self.until else "")


def read_recurrence(element: etree._Element) -> Recurrence | None:
    """The recurrence in a t:Recurrence element; None for a pattern that nobody documented."""
    pattern, regenerates = "", False
    start = until = None
    count: int | None = None
    for child in element:
        name = str(child.tag).rpartition("}")[2]
        if name.endswith(("Recurrence", "Regeneration")) and child.find(f"{T}StartDate") is None:
            pattern, regenerates = _pattern(name, child), name.endswith("Regeneration")
        else:
            start, until = _day(child, "StartDate"), _day(child, "EndDate")
            count = _number(child, "NumberOfOccurrences", 0) or None
    return Recurrence(pattern, start, until, count, regenerates) if pattern else None


def _pattern(name: str, element: etree._Element) -> str:
    if name.startswith("Relative"):
        return _relative(name, element)
    if name.startswith("Absolute"):
        return _absolute(name, element)
    frequency = next((word for word in _FREQUENCIES if name.startswith(word)), "")
    if not frequency:
        return ""
    rule = _every(frequency, element)
    days = _days(element)
    if frequency == "Weekly" and days:
        rule += f";BYDAY={days};WKST={_DAYS.get(element.findtext(f'{T}FirstDayOfWeek') or '', 'SU')}"
    return rule


def _relative(name: str, element: etree._Element) -> str:
    """The nth such day of a month: of several possible days, the nth of all of them together."""
    days, nth = _days(element), _NTH.get(element.findtext(f"{T}DayOfWeekIndex") or "", 1)
    by_day = f"BYDAY={days};BYSETPOS={nth}" if "," in days else f"BYDAY={nth}{days}"
    if name == "RelativeYearlyRecurrence":
        return f"FREQ=YEARLY;BYMONTH={_month(element)};{by_day}"
    return f"{_every('Monthly', element)};{by_day}"


def _absolute(name: str, element: etree._Element) -> str:
    """The same day of every month or year; where a month is too short Exchange takes its last day."""
    day = min(max(_number(element, "DayOfMonth", 1), 1), 31)
    if name == "AbsoluteYearlyRecurrence":
        month = _month(element)
        is_short = day > calendar.monthrange(_NO_LEAP_YEAR, month)[1]
        return f"FREQ=YEARLY;BYMONTH={month};{_month_day(day) if is_short else f'BYMONTHDAY={day}'}"
    return f"{_every('Monthly', element)};{_month_day(day)}"


def _month_day(day: int) -> str:
    if day <= 28:
        return f"BYMONTHDAY={day}"
    return f"BYMONTHDAY={','.join(str(number) for number in range(28, day + 1))};BYSETPOS=-1"


def _every(frequency: str, element: etree._Element) -> str:
    interval = _number(element, "Interval", 1)
    return f"FREQ={frequency.upper()}" + (f";INTERVAL={interval}" if interval > 1 else "")


def _days(element: etree._Element) -> str:
    names = (element.findtext(f"{T}DaysOfWeek") or "").split()
    return ",".join(dict.fromkeys(_DAYS[name] for name in names if name in _DAYS))


def _month(element: etree._Element) -> int:
    return _MONTH_NUMBERS.get(element.findtext(f"{T}Month") or "", 1)


def _number(element: etree._Element, name: str, default: int) -> int:
    text = (element.findtext(f"{T}{name}") or "").strip()
    return int(text[:6]) if text.isascii() and text.isdigit() else default


def _day(element: etree._Element, name: str) -> date | None:
    """A date; Exchange may append an offset to it, which means nothing."""
    text = element.findtext(f"{T}{name}") or ""
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").date()  # noqa: DTZ007 -- a date, no moment
    except ValueError:
        return None
