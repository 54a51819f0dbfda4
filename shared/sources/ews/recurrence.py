"""Parses Exchange's recurrence patterns."""

from datetime import date, datetime

from lxml import etree

from shared.formats.values.recurrence import EVERY_DAY, WEEKEND, WORKING_DAYS, Frequency, Recurrence, Weekday
from shared.sources.ews.transport.soap_response import T

_WEEKDAYS: dict[str, tuple[Weekday, ...]] = {
    **{day.name.capitalize(): (day,) for day in Weekday},
    "Day": EVERY_DAY,
    "Weekday": WORKING_DAYS,
    "WeekendDay": WEEKEND,
}
_NTH = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_MONTHS = "January February March April May June July August September October November December"
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split(" "), start=1)}
_FREQUENCIES = {"Daily": Frequency.DAILY, "Weekly": Frequency.WEEKLY, "Monthly": Frequency.MONTHLY}
_FREQUENCIES |= {"Yearly": Frequency.YEARLY}


def read_recurrence(element: etree._Element) -> Recurrence | None:
    """Parse a t:Recurrence element; None if its pattern is not in the schema."""
    pattern, extent = None, None
    for child in element:
        name = str(child.tag).rpartition("}")[2]
        if name.endswith(("Recurrence", "Regeneration")) and child.find(f"{T}StartDate") is None:
            pattern = child
        else:
            extent = child
    return _recurrence(pattern, extent) if pattern is not None else None


def _recurrence(pattern: etree._Element, extent: etree._Element | None) -> Recurrence | None:
    name = str(pattern.tag).rpartition("}")[2]
    plain = name.removeprefix("Relative").removeprefix("Absolute")
    frequency = next((frequency for word, frequency in _FREQUENCIES.items() if plain.startswith(word)), None)
    if frequency is None:
        return None
    is_relative, is_absolute = name.startswith("Relative"), name.startswith("Absolute")
    has_weekdays = is_relative or (frequency is Frequency.WEEKLY and not name.endswith("Regeneration"))
    return Recurrence(
        frequency,
        interval=_number(pattern, "Interval", 1),
        weekdays=_weekdays(pattern) if has_weekdays else (),
        first_weekday=_first_weekday(pattern),
        nth=_NTH.get(pattern.findtext(f"{T}DayOfWeekIndex") or "", 1) if is_relative else 0,
        day_of_month=min(max(_number(pattern, "DayOfMonth", 1), 1), 31) if is_absolute else 0,
        month=_month(pattern) if frequency is Frequency.YEARLY and (is_relative or is_absolute) else 0,
        start=_day(extent, "StartDate"),
        until=_day(extent, "EndDate"),
        count=_number(extent, "NumberOfOccurrences", 0) or None,
        regenerates=name.endswith("Regeneration"),
    )


def _weekdays(element: etree._Element) -> tuple[Weekday, ...]:
    names = (element.findtext(f"{T}DaysOfWeek") or "").split()
    return tuple(dict.fromkeys(day for name in names for day in _WEEKDAYS.get(name, ())))


def _first_weekday(element: etree._Element) -> Weekday:
    return _WEEKDAYS.get(element.findtext(f"{T}FirstDayOfWeek") or "", (Weekday.SUNDAY,))[0]


def _month(element: etree._Element) -> int:
    return _MONTH_NUMBERS.get(element.findtext(f"{T}Month") or "", 1)


def _number(element: etree._Element | None, name: str, default: int) -> int:
    text = (element.findtext(f"{T}{name}") or "").strip() if element is not None else ""
    return int(text[:6]) if text.isascii() and text.isdigit() else default


def _day(element: etree._Element | None, name: str) -> date | None:
    """Parse a date. Exchange may append a UTC offset to it, which has no meaning."""
    text = (element.findtext(f"{T}{name}") or "") if element is not None else ""
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").date()  # noqa: DTZ007 -- a date without a time
    except ValueError:
        return None
