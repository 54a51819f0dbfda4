"""Time zones by Windows name: their rules for expanding series, and their definitions as EWS writes them.

A zone is what an EWS definition holds: an offset and, with daylight saving time, a second offset and the two days of
the year on which the clocks change. Custom zones arrive as such definitions and become the same objects.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from lxml import etree

from sandbox.mailboxes.fragments import T, escape


@dataclass(frozen=True, slots=True)
class Turn:
    """A day of the year on which the clocks change: the `week`-th `weekday` (-1: the last; Monday is 0) of a month."""

    month: int
    week: int
    weekday: int
    hour: int
    minute: int = 0

    def at(self, year: int) -> datetime:
        """The local time of the change in a year."""
        return _change(self, year)


@cache
def _change(turn: Turn, year: int) -> datetime:
    days = [day for day in calendar.Calendar().itermonthdates(year, turn.month) if day.month == turn.month]
    fitting = [day for day in days if day.weekday() == turn.weekday]
    day = fitting[-1] if turn.week == -1 else fitting[turn.week - 1]
    return datetime(day.year, day.month, day.day, turn.hour, turn.minute)  # noqa: DTZ001 -- a wall clock's time


@dataclass(frozen=True, eq=False)
class Zone(tzinfo):
    """One time zone. Offsets are minutes east of UTC."""

    id: str
    name: str
    standard: int
    daylight: int | None = None
    to_daylight: Turn | None = None
    to_standard: Turn | None = None

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """The offset at a local time."""
        return timedelta(minutes=self.standard) + self.dst(dt)

    def dst(self, dt: datetime | None) -> timedelta:
        """What daylight saving time adds at a local time."""
        if dt is None or self.daylight is None or self.to_daylight is None or self.to_standard is None:
            return timedelta(0)
        wall, start, end = dt.replace(tzinfo=None), self.to_daylight.at(dt.year), self.to_standard.at(dt.year)
        summer = start <= wall < end if start < end else not end <= wall < start
        return timedelta(minutes=self.daylight - self.standard) if summer else timedelta(0)

    def tzname(self, dt: datetime | None) -> str:
        """Its id."""
        return self.id

    def utc(self, wall: datetime) -> datetime:
        """A local time in this zone as UTC."""
        return (wall - self.utcoffset(wall)).replace(tzinfo=UTC)

    def wall(self, moment: datetime) -> datetime:
        """A moment as local time in this zone, without tzinfo."""
        naive = moment.astimezone(UTC).replace(tzinfo=None) + timedelta(minutes=self.standard)
        return naive + self.dst(naive)


_EUROPE = (Turn(3, -1, 6, 2), Turn(10, -1, 6, 3))
_AMERICA = (Turn(3, 2, 6, 2), Turn(11, 1, 6, 2))
_AUSTRALIA = (Turn(10, 1, 6, 2), Turn(4, 1, 6, 3))
_CHATHAM = (Turn(9, -1, 6, 2, 45), Turn(4, 1, 6, 3, 45))

_ALL = (
    Zone("UTC", "(UTC) Coordinated Universal Time", 0),
    Zone("GMT Standard Time", "(UTC+00:00) Dublin, Lisbon, London", 0, 60, Turn(3, -1, 6, 1), Turn(10, -1, 6, 2)),
    Zone("W. Europe Standard Time", "(UTC+01:00) Amsterdam, Berlin, Rome, Vienna", 60, 120, *_EUROPE),
    Zone("Romance Standard Time", "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", 60, 120, *_EUROPE),
    Zone("Central Europe Standard Time", "(UTC+01:00) Belgrade, Budapest, Prague", 60, 120, *_EUROPE),
    Zone("FLE Standard Time", "(UTC+02:00) Helsinki, Kyiv, Riga", 120, 180, Turn(3, -1, 6, 3), Turn(10, -1, 6, 4)),
    Zone("Eastern Standard Time", "(UTC-05:00) Eastern Time (US & Canada)", -300, -240, *_AMERICA),
    Zone("Central Standard Time", "(UTC-06:00) Central Time (US & Canada)", -360, -300, *_AMERICA),
    Zone("Pacific Standard Time", "(UTC-08:00) Pacific Time (US & Canada)", -480, -420, *_AMERICA),
    Zone("Newfoundland Standard Time", "(UTC-03:30) Newfoundland", -210, -150, *_AMERICA),
    Zone("India Standard Time", "(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", 330),
    Zone("Nepal Standard Time", "(UTC+05:45) Kathmandu", 345),
    Zone("Tokyo Standard Time", "(UTC+09:00) Osaka, Sapporo, Tokyo", 540),
    Zone("AUS Eastern Standard Time", "(UTC+10:00) Canberra, Melbourne, Sydney", 600, 660, *_AUSTRALIA),
    Zone("Lord Howe Standard Time", "(UTC+10:30) Lord Howe Island", 630, 660, Turn(10, 1, 6, 2), Turn(4, 1, 6, 2)),
    Zone("Chatham Islands Standard Time", "(UTC+12:45) Chatham Islands", 765, 825, *_CHATHAM),
)

ZONES = {zone.id: zone for zone in _ALL}
"""The zones that the server knows, by Windows name."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def short(zone: Zone, element: str = "TimeZoneDefinition") -> str:
    """A zone's id and name, as a property of an event shows it."""
    return f'<t:{element} Id="{escape(zone.id)}" Name="{escape(zone.name)}"/>'


def definition(zone: Zone, element: str = "TimeZoneDefinition") -> str:
    """A zone's full definition: its periods, and the transitions of each year."""
    periods = _period("std", "Standard", zone.standard)
    group = _to("Transition", "std")
    if zone.daylight is not None and zone.to_daylight and zone.to_standard:
        periods += _period("dlt", "Daylight", zone.daylight)
        group = _turn("dlt", zone.to_daylight) + _turn("std", zone.to_standard)
    return (
        f'<t:{element} Name="{escape(zone.name)}" Id="{escape(zone.id)}"><t:Periods>{periods}</t:Periods>'
        f'<t:TransitionsGroups><t:TransitionsGroup Id="0">{group}</t:TransitionsGroup></t:TransitionsGroups>'
        f'<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions></t:{element}>'
    )


def _period(key: str, name: str, offset: int) -> str:
    sign, minutes = ("-" if offset > 0 else ""), abs(offset)
    return f'<t:Period Bias="{sign}PT{minutes // 60}H{minutes % 60}M" Name="{name}" Id="{key}"/>'


def _to(element: str, key: str, more: str = "") -> str:
    return f'<t:{element}><t:To Kind="Period">{key}</t:To>{more}</t:{element}>'


def _turn(key: str, turn: Turn) -> str:
    more = (
        f"<t:TimeOffset>PT{turn.hour}H{turn.minute}M</t:TimeOffset><t:Month>{turn.month}</t:Month>"
        f"<t:DayOfWeek>{_DAYS[turn.weekday]}</t:DayOfWeek><t:Occurrence>{turn.week}</t:Occurrence>"
    )
    return _to("RecurringDayTransition", key, more)


def from_definition(element: etree._Element) -> Zone:
    """The zone of a StartTimeZone or EndTimeZone: a known one by its id, a custom one by its definition."""
    known = ZONES.get(str(element.get("Id", "")))
    biases = {str(period.get("Id")): _minutes(period) for period in element.iter(f"{T}Period")}
    if known is not None or not biases:
        return known or ZONES["UTC"]
    name, key = str(element.get("Name", "")), str(element.get("Id", ""))
    turns = {_target(turn): turn for turn in element.iter(f"{T}RecurringDayTransition")}
    if len(turns) != 2:
        return Zone(key, name, next(iter(biases.values())))
    standard, daylight = sorted(turns, key=lambda period: biases.get(period, 0))
    return Zone(key, name, biases[standard], biases[daylight], _read_turn(turns[daylight]), _read_turn(turns[standard]))


def _minutes(period: etree._Element) -> int:
    """Minutes east of UTC from a bias such as -PT1H or PT8H30M."""
    bias = str(period.get("Bias", "PT0S"))
    total = _duration(bias.lstrip("-"))
    return total if bias.startswith("-") else -total


def _duration(text: str) -> int:
    """The minutes of a duration such as PT2H30M or P0DT2H0M0.0S."""
    hours = minutes = 0
    digits = ""
    for sign in text.partition("T")[2]:
        if sign.isdigit():
            digits += sign
        else:
            hours, minutes = (int(digits or 0), minutes) if sign == "H" else (hours, minutes)
            minutes = int(digits or 0) if sign == "M" else minutes
            digits = ""
    return hours * 60 + minutes


def _target(turn: etree._Element) -> str:
    return turn.findtext(f"{T}To") or ""


def _read_turn(turn: etree._Element) -> Turn:
    minutes = _duration(turn.findtext(f"{T}TimeOffset") or "PT0M")
    week, weekday = int(turn.findtext(f"{T}Occurrence") or 1), turn.findtext(f"{T}DayOfWeek") or "Sunday"
    return Turn(int(turn.findtext(f"{T}Month") or 1), week, _DAYS.index(weekday), minutes // 60, minutes % 60)
