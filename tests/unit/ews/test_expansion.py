"""Series as Exchange writes them: the occurrences that our iCalendar stands for, counted day by day and read back."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from zoneinfo import ZoneInfo

import icalendar
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.sources.model import ContentLevel, Item
from tests.unit.ews.soap_samples import CALENDAR, ScriptedChannel, items, mailbox

YEARS = 6
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GROUPS = {"Day": range(7), "Weekday": range(5), "WeekendDay": range(5, 7)}
INDEXES = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3, "Last": -1}
ZONES = {"W. Europe Standard Time": "Europe/Berlin", "Eastern Standard Time": "America/New_York", "UTC": "UTC"}


@dataclass(frozen=True)
class Pattern:
    """A recurrence pattern by what Exchange says of it. Days are numbers from Monday on."""

    name: str
    interval: int
    days: str
    first_day: int
    index: str
    day: int
    month: int

    @cached_property
    def weekdays(self) -> set[int]:
        return {number for name in self.days.split() for number in GROUPS.get(name, [])} | {
            DAYS.index(name) for name in self.days.split() if name in DAYS
        }

    @property
    def element(self) -> str:
        told = {
            "Interval": self.interval if "Yearly" not in self.name else None,
            "DaysOfWeek": self.days if self.name.startswith(("Weekly", "Relative")) else None,
            "FirstDayOfWeek": DAYS[self.first_day] if self.name.startswith("Weekly") else None,
            "DayOfWeekIndex": self.index if self.name.startswith("Relative") else None,
            "DayOfMonth": self.day if self.name.startswith("Absolute") else None,
            "Month": calendar.month_name[self.month] if "Yearly" in self.name else None,
        }
        inside = "".join(f"<t:{name}>{value}</t:{name}>" for name, value in told.items() if value is not None)
        return f"<t:{self.name}>{inside}</t:{self.name}>"

    def falls_on(self, on: date, first: date) -> bool:
        """Whether there is an occurrence on this day in a series whose first is on another."""
        if self.name == "DailyRecurrence":
            return (on - first).days % self.interval == 0
        if self.name == "WeeklyRecurrence":
            weeks = [(each.toordinal() - 1 - self.first_day) // 7 for each in (on, first)]
            return on.weekday() in self.weekdays and (weeks[0] - weeks[1]) % self.interval == 0
        if "Yearly" in self.name:
            return on.month == self.month and self._is_the_day(on)
        return ((on.year - first.year) * 12 + on.month - first.month) % self.interval == 0 and self._is_the_day(on)

    def _is_the_day(self, on: date) -> bool:
        length = calendar.monthrange(on.year, on.month)[1]
        if self.name.startswith("Absolute"):
            return on.day == min(self.day, length)
        possible = [day for day in range(1, length + 1) if on.replace(day=day).weekday() in self.weekdays]
        return possible[INDEXES[self.index]] == on.day

    def occurrences(self, after: date) -> Iterator[date]:
        """The days of the series that begins on the first possible day."""
        first: date | None = None
        for number in range(366 * YEARS * 2):
            on = after + timedelta(days=number)
            if self.falls_on(on, first or on):
                first = first or on
                yield on


@dataclass(frozen=True)
class Series:
    """A series: its pattern, when it begins, how it ends, and which of its occurrences were deleted."""

    pattern: Pattern
    after: date
    at: time
    zone: str
    ends: str
    length: int
    deleted: frozenset[int]
    all_day: bool

    @property
    def last(self) -> date:
        return self.after + timedelta(days=366 * YEARS)

    @cached_property
    def days(self) -> list[date]:
        most = self.length if self.ends != "NoEnd" else None
        return [on for on in islice(self.pattern.occurrences(self.after), most) if on <= self.last]

    def start(self, on: date) -> datetime:
        at = time(0) if self.all_day else self.at
        return datetime.combine(on, at, ZoneInfo(ZONES[self.zone])).astimezone(UTC)

    @property
    def element(self) -> str:
        days = self.days
        start = self.start(days[0])
        end = {
            "NoEnd": "",
            "EndDate": f"<t:EndDate>{days[-1]}Z</t:EndDate>",
            "Numbered": f"<t:NumberOfOccurrences>{self.length}</t:NumberOfOccurrences>",
        }[self.ends]
        deleted = "".join(
            f"<t:DeletedOccurrence><t:Start>{utc(self.start(on))}</t:Start></t:DeletedOccurrence>"
            for number, on in enumerate(days)
            if number in self.deleted
        )
        return (
            '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:Subject>Series</t:Subject>'
            f"<t:Start>{utc(start)}</t:Start><t:End>{utc(start + timedelta(hours=24 if self.all_day else 1))}</t:End>"
            f"<t:IsAllDayEvent>{str(self.all_day).lower()}</t:IsAllDayEvent>"
            f"<t:Recurrence>{self.pattern.element}<t:{self.ends}Recurrence><t:StartDate>{days[0]}Z</t:StartDate>{end}"
            f"</t:{self.ends}Recurrence></t:Recurrence><t:DeletedOccurrences>{deleted}</t:DeletedOccurrences>"
            f'<t:StartTimeZone Id="{self.zone}"/></t:CalendarItem>'
        )


PATTERNS = st.builds(
    Pattern,
    st.sampled_from(
        [
            "DailyRecurrence",
            "WeeklyRecurrence",
            "AbsoluteMonthlyRecurrence",
            "RelativeMonthlyRecurrence",
            "AbsoluteYearlyRecurrence",
            "RelativeYearlyRecurrence",
        ]
    ),
    st.integers(1, 14),
    st.sampled_from(list(GROUPS)) | st.lists(st.sampled_from(DAYS), min_size=1, max_size=4, unique=True).map(" ".join),
    st.integers(0, 6),
    st.sampled_from(list(INDEXES)),
    st.integers(1, 31),
    st.integers(1, 12),
)


SERIES = st.builds(
    Series,
    PATTERNS,
    st.dates(date(2020, 1, 1), date(2027, 12, 31)),
    st.times(time(4), time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(list(ZONES)),
    st.sampled_from(["NoEnd", "EndDate", "Numbered"]),
    st.integers(1, 60),
    st.frozensets(st.integers(0, 59), max_size=3),
    st.booleans(),
)
"""Hours beside a change of clocks are left out."""

THE_LAST_OF_APRIL = Series(
    Pattern("AbsoluteYearlyRecurrence", 1, "Day", 0, "First", 31, 4),
    date(2026, 1, 1), time(9), "UTC", "Numbered", 3, frozenset(), all_day=False,
)  # fmt: skip


@given(SERIES)
@example(THE_LAST_OF_APRIL)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_series_stands_for_the_occurrences_that_exchange_means(series: Series) -> None:
    left = [on for number, on in enumerate(series.days) if number not in series.deleted]
    assume(series.days)

    assert written(series.element, series.last) == (left if series.all_day else [series.start(on) for on in left])


def utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def written(element: str, last: date) -> list[date] | list[datetime]:
    """The occurrences of our iCalendar up to a day, as independent readers find them."""
    (item,) = mailbox(ScriptedChannel(items(element))).fetch(CALENDAR, ["I0"], ContentLevel.MIME)
    assert isinstance(item, Item)
    assert item.content is not None
    (event,) = icalendar.Calendar.from_ical(item.content.data).walk("VEVENT")
    start, rule = event["DTSTART"].dt, event["RRULE"].to_ical().decode()
    exdates = event.get("EXDATE", [])
    removed = [each.dt for group in (exdates if isinstance(exdates, list) else [exdates]) for each in group.dts]
    if not isinstance(start, datetime):
        found = rrulestr(rule, dtstart=datetime.combine(start, time(0))).between(
            datetime.combine(start, time(0)), datetime.combine(last, time(0)), inc=True
        )
        return [each.date() for each in found if each.date() not in removed]
    end = datetime.combine(last, time(23, 59), start.tzinfo)
    found = rrulestr(rule, dtstart=start).between(start, end, inc=True)
    return [at for each in found if (at := each.astimezone(UTC)) not in [day.astimezone(UTC) for day in removed]]
