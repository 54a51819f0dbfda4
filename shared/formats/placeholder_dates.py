"""Dates that stand for "none" or for "year not known" in Exchange's properties, over EWS as over Graph."""

from datetime import date

from shared.formats.contact import PartialDate

_NO_DATES = (date(4501, 1, 1), date(1601, 1, 1))
"""What Outlook and MAPI write for no date at all; the last day of year 9999 and any day of year 1 mean it too."""
_YEARLESS = 1604
"""The year of a birthday whose year is not known: the first leap year there is in MAPI."""


def known_day(day: date | None) -> date | None:
    """The day, unless it stands for none."""
    if day is None or day in _NO_DATES or day.year <= 1 or day.year == date.max.year:
        return None
    return day


def birthday(day: date | None) -> PartialDate | None:
    """A day of every year, with its year where that is known."""
    known = known_day(day)
    if known is None:
        return None
    return PartialDate(known.month, known.day, None if known.year == _YEARLESS else known.year)
