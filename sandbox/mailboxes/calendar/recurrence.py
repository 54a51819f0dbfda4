"""Recurring events and tasks: Exchange's recurrence patterns, and the dates they produce.

Pure calendar arithmetic on local dates; the caller converts them to moments in a time zone.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from lxml import etree

from sandbox.mailboxes.fragments import children, local

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKS = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3, "Last": -1}
_GROUPS = {"Day": range(7), "Weekday": range(5), "WeekendDay": range(5, 7)}

HORIZON = 4000
"""The maximum number of occurrences of a series; a sandbox's calendars are shorter."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A recurrence: its kind, the numbers that its kind uses, and its range."""

    kind: str
    start: date
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    day: int = 1
    week: int = 0
    month: int = 1
    first_weekday: int = 6
    until: date | None = None
    times: int | None = None

    def dates(self) -> Iterator[date]:
        """The dates of the series, in order."""
        made = 0
        for day in self._candidates():
            if day < self.start:
                continue
            if (self.until and day > self.until) or made >= min(self.times or HORIZON, HORIZON):
                return
            made += 1
            yield day

    def _candidates(self) -> Iterator[date]:
        if self.kind == "DailyRecurrence":
            return (self.start + timedelta(days=step * self.interval) for step in range(HORIZON))
        if self.kind == "WeeklyRecurrence":
            return self._weekly()
        if self.kind.endswith("MonthlyRecurrence"):
            return self._monthly(self.interval, self.start.month)
        if self.kind.endswith("YearlyRecurrence"):
            return self._monthly(12 * self.interval, self.month)
        return iter((self.start,))

    def _weekly(self) -> Iterator[date]:
        back = (self.start.weekday() - self.first_weekday) % 7
        monday = self.start - timedelta(days=back)
        offsets = sorted((day - self.first_weekday) % 7 for day in self.weekdays)
        for step in range(HORIZON):
            week = monday + timedelta(weeks=step * self.interval)
            yield from (week + timedelta(days=offset) for offset in offsets)

    def _monthly(self, months: int, first: int) -> Iterator[date]:
        base = self.start.year * 12 + first - 1
        for step in count():
            year, month = divmod(base + step * months, 12)
            if year > date.max.year or step > HORIZON:
                return
            yield self._within(year, month + 1)

    def _within(self, year: int, month: int) -> date:
        """The date of the series within a month."""
        length = calendar.monthrange(year, month)[1]
        if self.kind.startswith("Absolute"):
            return date(year, month, min(self.day, length))
        fitting = [day for day in range(1, length + 1) if date(year, month, day).weekday() in self.weekdays]
        return date(year, month, fitting[self.week])


def read(recurrence: etree._Element) -> Pattern:
    """The pattern of a Recurrence element. Raises ValueError when it is invalid."""
    parts = children(recurrence)
    if len(parts) != 2:
        raise ValueError("a pattern and a range are needed")
    pattern, extent = parts
    texts = {local(child): (child.text or "").strip() for child in [*children(pattern), *children(extent)]}
    try:
        return _pattern(local(pattern), local(extent), texts)
    except (KeyError, IndexError) as exc:
        raise ValueError("unknown recurrence") from exc


def _pattern(kind: str, extent: str, texts: dict[str, str]) -> Pattern:
    until = date.fromisoformat(texts["EndDate"][:10]) if extent == "EndDateRecurrence" else None
    times = int(texts["NumberOfOccurrences"]) if extent == "NumberedRecurrence" else None
    return Pattern(
        kind=kind,
        start=date.fromisoformat(texts["StartDate"][:10]),
        interval=int(texts.get("Interval") or 1),
        weekdays=_weekdays(texts.get("DaysOfWeek", "")),
        day=int(texts.get("DayOfMonth") or 1),
        week=_WEEKS[texts.get("DayOfWeekIndex") or "First"],
        month=MONTHS.index(texts.get("Month") or "January") + 1,
        first_weekday=DAYS.index(texts.get("FirstDayOfWeek") or "Sunday"),
        until=until,
        times=times,
    )


def _weekdays(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for name in text.split():
        days.update(_GROUPS[name] if name in _GROUPS else [DAYS.index(name)])
    return tuple(sorted(days))


_ICAL_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def ical_rule(pattern: Pattern, until: str) -> str:
    """The pattern as iCalendar's RRULE; `until` is its last moment in iCalendar's format, empty when it has none."""
    frequency = pattern.kind.removesuffix("Recurrence").removeprefix("Absolute").removeprefix("Relative").upper()
    rule = [f"FREQ={frequency}", f"INTERVAL={pattern.interval}"]
    days = ",".join(_ICAL_DAYS[day] for day in pattern.weekdays)
    if pattern.kind == "WeeklyRecurrence":
        rule += [f"BYDAY={days}", f"WKST={_ICAL_DAYS[pattern.first_weekday]}"]
    elif pattern.kind.startswith("Absolute"):
        rule += _month_day(pattern.day)
    elif pattern.kind.startswith("Relative"):
        rule += [f"BYDAY={days}", f"BYSETPOS={pattern.week + 1 if pattern.week >= 0 else -1}"]
    if frequency == "YEARLY":
        rule.append(f"BYMONTH={pattern.month}")
    if pattern.times:
        rule.append(f"COUNT={pattern.times}")
    return ";".join([*rule, *([f"UNTIL={until}"] if until else [])])


def _month_day(day: int) -> list[str]:
    """The day of a month. In a shorter month Exchange takes the last day, which RRULE must state explicitly."""
    if day <= 28:
        return [f"BYMONTHDAY={day}"]
    return [f"BYMONTHDAY={','.join(map(str, range(28, day + 1)))}", "BYSETPOS=-1"]
