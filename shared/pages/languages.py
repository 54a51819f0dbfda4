"""The languages of the pages that people see: which one a browser asks for, and how each writes numbers and times.

The operator's pages and the API are in English only.
"""

from datetime import datetime
from enum import StrEnum

MAX_RANGES = 20
"""The most entries of an Accept-Language header that are read; browsers send fewer than ten."""

_GERMAN_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip


class Language(StrEnum):
    """A language; its value is the tag of the `lang` attribute (RFC 5646)."""

    ENGLISH = "en"
    GERMAN = "de"


def preferred_language(accept_language: str) -> Language:
    """Return the language that suits an Accept-Language header best; English if none does.

    A range matches by its first subtag, so that `de-AT` is German. Of equal weights the first range counts
    (RFC 9110, 12.5.4). A weight that cannot be read counts as 0, which means "not acceptable".
    """
    best, found = 0.0, Language.ENGLISH
    for entry in accept_language.split(",")[:MAX_RANGES]:
        tag, _, parameter = entry.partition(";")
        primary = tag.strip().partition("-")[0].lower()
        if primary in set(Language) and (weight := _weight(parameter)) > best:
            best, found = weight, Language(primary)
    return found


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def number_text(number: int, language: Language) -> str:
    """Return a whole number with the language's thousands separator."""
    text = f"{number:,}"
    return text.replace(",", ".") if language is Language.GERMAN else text


def decimal_text(number: str, language: Language) -> str:
    """Return a number below 1,000 that is written with a decimal point as the language writes it."""
    return number.replace(".", ",") if language is Language.GERMAN else number


def percent_text(percent: float | str, language: Language) -> str:
    """Return a share, in percent, with its sign, which German sets apart."""
    text = decimal_text(str(percent), language)
    return f"{text} %" if language is Language.GERMAN else f"{text}%"


def time_text(at: datetime, language: Language) -> str:
    """Return a time in UTC as the language writes it, without the words "UTC" or "Uhr"."""
    if language is Language.GERMAN:
        return f"{at.day}. {_GERMAN_MONTHS[at.month - 1]} {at:%Y, %H:%M}"
    return f"{at.day} {at:%B %Y, %H:%M}"
