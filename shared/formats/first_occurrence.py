"""Finds the first occurrence of a series.

RFC 5545 always counts DTSTART as an occurrence, and does not define a series whose DTSTART does not match its rule. In
Exchange only the pattern counts: a series may start on a day that does not match it.
"""

import calendar
from datetime import date, timedelta

from shared.formats.values.recurrence import Frequency, Recurrence, Weekday

_WEEKDAYS = (
    Weekday.MONDAY,
    Weekday.TUESDAY,
    Weekday.WEDNESDAY,
    Weekday.THURSDAY,
    Weekday.FRIDAY,
    Weekday.SATURDAY,
    Weekday.SUNDAY,
)
_LONGEST = 366 * 5
"""The number of days to search: no pattern that a calendar offers has its first occurrence later."""


def days_to_first(recurrence: Recurrence, start: date) -> int:
    """The number of days from the series' nominal start to its first occurrence; 0 if that is on the same day."""
    for number in range(_LONGEST):
        try:
            day = start + timedelta(days=number)
        except OverflowError:
            return 0
        if _falls_on(recurrence, day, recurrence.start or start):
            return number
    return 0


def _falls_on(recurrence: Recurrence, day: date, first: date) -> bool:
    match recurrence.frequency:
        case Frequency.DAILY:
            return True
        case Frequency.WEEKLY:
            return not recurrence.weekdays or _is_in_week(recurrence, day, first)
        case Frequency.MONTHLY:
            months = (day.year - first.year) * 12 + day.month - first.month
            return months % recurrence.interval == 0 and _is_in_month(recurrence, day)
        case Frequency.YEARLY:
            years = day.year - first.year
            is_month = not recurrence.month or day.month == recurrence.month
            return years % recurrence.interval == 0 and is_month and _is_in_month(recurrence, day)


def _is_in_week(recurrence: Recurrence, day: date, first: date) -> bool:
    first_weekday = _WEEKDAYS.index(recurrence.first_weekday)
    weeks = [(each.toordinal() - 1 - first_weekday) // 7 for each in (day, first)]
    return _WEEKDAYS[day.weekday()] in recurrence.weekdays and (weeks[0] - weeks[1]) % recurrence.interval == 0


def _is_in_month(recurrence: Recurrence, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if recurrence.nth and recurrence.weekdays:
        days = [each for each in range(1, length + 1) if _WEEKDAYS[_weekday(day, each)] in recurrence.weekdays]
        position = recurrence.nth - 1 if recurrence.nth > 0 else recurrence.nth
        return len(days) > position and days[position] == day.day
    return not recurrence.day_of_month or day.day == min(recurrence.day_of_month, length)


def _weekday(month: date, day: int) -> int:
    return month.replace(day=day).weekday()
