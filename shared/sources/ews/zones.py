"""Time zones as Exchange names or defines them: for local times, and as VTIMEZONE.

Exchange gives a name ("W. Europe Standard Time") and mostly the definition too that the event was made with, which may
have several periods, and which for events from elsewhere may be incomplete.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lxml import etree

from shared.sources.ews.answer import T

_NO_OFFSET = timedelta(0)
_EVER = datetime(1, 1, 1)  # noqa: DTZ001 -- local
"""Since when the first rules of a zone are in force."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DURATION = re.compile(r"^(-?)P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})(?:\.\d+)?S)?)?$")


@dataclass(frozen=True, slots=True)
class Change:
    """When a zone's offset changes every year: the nth such weekday (-1: the last) or, without one, a fixed day."""

    month: int
    time: timedelta
    weekday: int | None = None
    nth: int = 1
    day: int = 1

    def at(self, year: int) -> datetime:
        """The wall-clock time of the change, before it."""
        return datetime.combine(self._date(year), datetime.min.time()) + self.time

    def _date(self, year: int) -> date:
        length = calendar.monthrange(year, self.month)[1]
        if self.weekday is None:
            return date(year, self.month, min(self.day, length))
        if self.nth < 0:
            last = date(year, self.month, length)
            return last - timedelta((last.weekday() - self.weekday) % 7)
        first = date(year, self.month, 1)
        day = 1 + (self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1)
        return date(year, self.month, day if day <= length else day - 7)

    @property
    def rule(self) -> str:
        """The RRULE of this change."""
        if self.weekday is None:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={self.day}"
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={self.nth}{_DAYS[self.weekday]}"


class RuleZone(tzinfo):
    """A zone given by its rules: one offset, or two with the days of the year when they change."""

    def __init__(self, standard: timedelta, daylight: timedelta, starts: Change | None, ends: Change | None) -> None:
        self.standard = standard
        self.daylight = daylight
        self.starts = starts
        self.ends = ends

    def fromutc(self, moment: datetime) -> datetime:
        """The local time; where it comes twice, `fold` tells the second. It is summer time if both clocks say so."""
        early, late = moment + self.standard, moment + self.daylight
        if self.dst(early) and self.dst(late):
            return late
        return early.replace(fold=1 if self.dst(early) else 0)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self.standard + self.dst(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """By how much clocks are forward at a local time."""
        if moment is None or self.starts is None or self.ends is None:
            return _NO_OFFSET
        local = moment.replace(tzinfo=None)
        starts, ends = self.starts.at(local.year), self.ends.at(local.year)
        forward = starts <= local < ends if starts < ends else not ends <= local < starts
        return self.daylight - self.standard if forward else _NO_OFFSET

    def tzname(self, moment: datetime | None) -> str:
        """None that anybody would know."""
        return "custom"


class PeriodsZone(tzinfo):
    """A zone that changed its rules: each period with the local time from which on it holds, the first since ever."""

    def __init__(self, periods: Sequence[tuple[datetime, RuleZone]]) -> None:
        self._periods = periods

    def since(self, year: int) -> tzinfo:
        """What of it holds from the beginning of a year on."""
        first = datetime(year, 1, 1)  # noqa: DTZ001 -- local
        later = [period for period in self._periods if period[0] > first]
        return PeriodsZone([(_EVER, self._at(first)), *later]) if later else self._at(first)

    def fromutc(self, moment: datetime) -> datetime:
        """The local time, by the period that it lies in itself."""
        near = self._at(moment).fromutc(moment)
        return self._at(near).fromutc(moment)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time."""
        return self._at(moment).utcoffset(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """By how much clocks are forward at a local time."""
        return self._at(moment).dst(moment)

    def tzname(self, moment: datetime | None) -> str:
        """None that anybody would know."""
        return "custom"

    def _at(self, moment: datetime | None) -> RuleZone:
        local = moment.replace(tzinfo=None) if moment is not None else _EVER
        return next((rules for starts, rules in reversed(self._periods) if starts <= local), self._periods[0][1])


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: the name it is written under, and how it reckons."""

    name: str
    rules: tzinfo

    def local(self, moment: datetime) -> datetime:
        """A moment on this zone's clocks."""
        return moment.astimezone(self.rules)


def day_of_midnight(at: datetime) -> date:
    """The day whose midnight this is, in a zone that is not known: that of the nearest UTC midnight.

    Eleven in the morning is taken for a midnight in summer in New Zealand and Tonga (UTC+13), five million people, and
    not for one in American Samoa (UTC-11).
    """
    return (at + timedelta(hours=13 if (at.hour, at.minute) == (11, 0) else 12)).date()


def read_zone(element: etree._Element) -> Zone | None:
    """The zone in a t:StartTimeZone element; None when nobody knows it, or when it is UTC.

    An incomplete definition is gone by only if the zone has no name that is known.
    """
    identifier = (element.get("Id") or "").strip()
    defined, is_complete = _defined(element)
    known = _named(identifier) if not is_complete else None
    if known is not None or defined is None:
        return known
    return Zone(_tzid(element.get("Name") or identifier), defined)


def _named(identifier: str) -> Zone | None:
    """A zone by its Windows or IANA name."""
    from exchangelib.winzone import MS_TIMEZONE_TO_IANA_MAP

    name = MS_TIMEZONE_TO_IANA_MAP.get(identifier, identifier)
    if name in ("", "UTC", "Etc/UTC", "tzone://Microsoft/Utc"):
        return None
    try:
        return Zone(name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _tzid(name: str) -> str:
    return re.sub(r"[^\w .+()/-]", " ", name).strip()[:80] or "Custom"


def _defined(element: etree._Element) -> tuple[tzinfo | None, bool]:
    """The zone that the element itself defines, and whether it tells the offset of every period."""
    offsets = {
        period.get("Id") or "": -(duration(period.get("Bias")) or _NO_OFFSET)
        for period in element.iterfind(f"{T}Periods/{T}Period")
    }
    groups = {
        group.get("Id") or "": _rules(group, offsets)
        for group in element.iterfind(f"{T}TransitionsGroups/{T}TransitionsGroup")
        if offsets
    }
    if not groups:
        return None, False
    named = [(_since(each), each.findtext(f"{T}To") or "") for each in element.iterfind(f"{T}Transitions/*")]
    periods = [(since, *groups[name]) for since, name in named if name in groups]
    periods = periods or [(_EVER, *next(iter(groups.values())))]
    is_complete = all(complete for *_, complete in periods)
    if len(periods) == 1:
        return periods[0][1], is_complete
    return PeriodsZone([(since, rules) for since, rules, _ in sorted(periods, key=lambda each: each[0])]), is_complete


def _since(transition: etree._Element) -> datetime:
    """The local time from which on a group is in force; the first one has none."""
    try:
        return datetime.fromisoformat((transition.findtext(f"{T}DateTime") or "")[:19]).replace(tzinfo=None)
    except ValueError:
        return _EVER


def _rules(group: etree._Element, offsets: Mapping[str, timedelta]) -> tuple[RuleZone, bool]:
    """A group of transitions as rules, and whether the offset after each of them is known."""
    changes = [(_change(transition), offsets.get(transition.findtext(f"{T}To") or "")) for transition in group]
    is_complete = all(offset is not None for _, offset in changes)
    yearly = [(change, offset) for change, offset in changes if change is not None and offset is not None]
    if len(yearly) == 2 and yearly[0][1] != yearly[1][1]:
        (ends, standard), (starts, daylight) = sorted(yearly, key=lambda pair: pair[1])
        return RuleZone(standard, daylight, starts, ends), is_complete
    known = [offset for _, offset in changes if offset is not None]
    only = known[0] if known else next(iter(offsets.values()))
    return RuleZone(only, only, None, None), is_complete


def _change(transition: etree._Element) -> Change | None:
    month, time = transition.findtext(f"{T}Month") or "", duration(transition.findtext(f"{T}TimeOffset"))
    if not month.isdigit() or not 1 <= int(month) <= 12 or time is None:
        return None
    name = transition.findtext(f"{T}DayOfWeek")
    if name in _DAY_NAMES:
        nth = int(transition.findtext(f"{T}Occurrence") or "1")
        return Change(int(month), time, _DAY_NAMES.index(name), -1 if nth in (-1, 5) else min(max(nth, 1), 4))
    day = transition.findtext(f"{T}Day") or "1"
    return Change(int(month), time, day=min(max(int(day), 1), 31) if day.isdigit() else 1)


def duration(text: str | None) -> timedelta | None:
    """An XML duration of days and less (PT2H, -PT60M, PT7200.000S); None when it is none."""
    match = _DURATION.match(text or "")
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -value if match[1] else value
