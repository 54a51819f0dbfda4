"""Recognizes dates that mean "none" or "year unknown" in Exchange's properties, over EWS and over Graph."""

from datetime import date

from shared.formats.values.contact import PartialDate

_NO_DATES = (date(4501, 1, 1), date(1601, 1, 1))
"""The dates that Outlook and MAPI write for "no date"; any day of year 1 or 9999 means the same."""
_YEARLESS = 1604
"""The year of a birthday whose year is unknown: the first leap year in MAPI's range."""


def known_day(day: date | None) -> date | None:
    """The day; None if it means "no date"."""
    if day is None or day in _NO_DATES or day.year <= 1 or day.year == date.max.year:
        return None
    return day


def birthday(day: date | None) -> PartialDate | None:
    """The day as a birthday or anniversary, with its year if that is known."""
    known = known_day(day)
    if known is None:
        return None
    return PartialDate(known.month, known.day, None if known.year == _YEARLESS else known.year)
