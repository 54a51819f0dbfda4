"""Decodes the binary time zone definitions that Outlook stores with an event: they also define zones without a name.

[MS-OXOCAL] 2.2.1.39 PidLidTimeZoneStruct (one rule), 2.2.1.41 and .42 PidLidAppointmentTimeZoneDefinition* (a name, and
rules by year).
"""

import struct
from datetime import datetime, timedelta

from shared.formats.values.zone import EVER, PeriodsZone, RuleZone, TimeZone, YearlyChange

_REGISTRY = struct.Struct("<iiiH16sH16s")
"""TZREG: bias, standard and daylight bias in minutes west of UTC, and the start of each (the year is 0)."""

_RULE = struct.Struct("<BBHHH14xiii16s16s")
"""TZRule: versions, reserved, flags, year, biases, the starts of standard and daylight time."""

_SYSTEM_TIME = struct.Struct("<8H")
_NO_OFFSET = timedelta(0)


def defined_zone(definition: bytes, fallback: bytes, name: str) -> TimeZone | None:
    """Return the zone of a definition, else of the single rule; None if neither has rules."""
    label, rules = _definition(definition) if definition else ("", None)
    if rules is None and fallback:
        rules = _single(fallback)
    return TimeZone(name=name or label, label=label, rules=rules) if rules is not None else None


def _definition(data: bytes) -> tuple[str, RuleZone | PeriodsZone | None]:
    """Return the zone's name and rules; both empty if the definition is incomplete."""
    try:
        size, _, length = struct.unpack_from("<HHH", data, 2)
        start = 8 + 2 * length
        label = data[8:start].decode("utf-16-le", "replace").rstrip("\0")
        (count,) = struct.unpack_from("<H", data, 4 + size)
        periods = [_period(data, 6 + size + number * _RULE.size) for number in range(min(count, 64))]
    except struct.error:
        return "", None
    if not periods:
        return label, None
    periods.sort(key=lambda period: period[0])
    first = periods[0][1]
    if all(rules == first for _, rules in periods):
        return label, first
    return label, PeriodsZone(((EVER, first), *periods[1:]))


def _period(data: bytes, offset: int) -> tuple[datetime, RuleZone]:
    _, _, _, _, year, bias, standard, daylight, ends, starts = _RULE.unpack_from(data, offset)
    since = datetime(year, 1, 1) if 1 < year < 9999 else EVER  # noqa: DTZ001 -- local
    return since, _rules(bias, standard, daylight, starts, ends)


def _single(data: bytes) -> RuleZone | None:
    if len(data) < _REGISTRY.size:
        return None
    bias, standard, daylight, _, ends, _, starts = _REGISTRY.unpack_from(data)
    return _rules(bias, standard, daylight, starts, ends)


def _rules(bias: int, standard: int, daylight: int, starts: bytes, ends: bytes) -> RuleZone:
    summer, winter = _change(starts), _change(ends)
    usual = -timedelta(minutes=bias + standard)
    if summer is None or winter is None:
        return RuleZone(usual, usual)
    return RuleZone(usual, -timedelta(minutes=bias + daylight), summer, winter)


def _change(data: bytes) -> YearlyChange | None:
    """Decode a SYSTEMTIME: the nth weekday (5: last) of a month, or with a year a fixed day; None without a month."""
    year, month, weekday, day, hour, minute, second, _ = _SYSTEM_TIME.unpack(data)
    if not 1 <= month <= 12 or not 1 <= day <= 31 or weekday > 6:
        return None
    time = timedelta(hours=hour, minutes=minute, seconds=second)
    if year:
        return YearlyChange(month, time, day=day)
    return YearlyChange(month, time, (weekday - 1) % 7, -1 if day >= 5 else day)
