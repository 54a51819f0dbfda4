"""The binary properties in which Exchange keeps a series and its time zone.

Source: [MS-OXOCAL] 2.2.1.39 (PidLidTimeZoneStruct), 2.2.1.41 (PidLidAppointmentTimeZoneDefinitionRecur) and 2.2.1.44
(PidLidAppointmentRecur). Days are minutes since 1601 in the local time of the series.
"""

import struct
from datetime import date, datetime, time, timedelta

from sandbox.mailboxes.calendar.events import pattern_of, span, zone_of
from sandbox.mailboxes.calendar.recurrence import Pattern
from sandbox.mailboxes.calendar.zones import Turn, Zone
from sandbox.mailboxes.fragments import text_of
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.store import Item

_EPOCH = date(1601, 1, 1)
_NEVER = 0x5AE980DF
_FREQUENCIES = {"Daily": 0x200A, "Weekly": 0x200B, "Monthly": 0x200C, "Yearly": 0x200D}
_SUBJECT, _LOCATION = 0x0001, 0x0010


def recurrence_blob(item: Item) -> bytes:
    """The AppointmentRecurrencePattern of a series; empty for an event that does not recur."""
    pattern = pattern_of(item)
    if pattern is None:
        return b""
    zone, (start, end) = zone_of(item), span(item)
    opens = zone.wall(start)
    offset = opens.hour * 60 + opens.minute
    changed = sorted(item.exceptions.items())
    blob = _pattern(item, pattern, zone)
    blob += struct.pack("<IIII", 0x3006, 0x3009, offset, offset + int((end - start).total_seconds() // 60))
    blob += struct.pack("<H", len(changed))
    for original, one in changed:
        blob += _exception(zone, original, one)
    blob += struct.pack("<I", 0)
    for original, one in changed:
        blob += _extended_exception(zone, original, one)
    return blob + struct.pack("<I", 0)


def _pattern(item: Item, pattern: Pattern, zone: Zone) -> bytes:
    frequency = next(value for name, value in _FREQUENCIES.items() if name in pattern.kind)
    kind, specific, period = _specific(pattern)
    ends = 0x2021 if pattern.until else 0x2022 if pattern.times else 0x2023
    days = list(pattern.dates()) if ends != 0x2023 else []
    head = struct.pack("<HHHHH", 0x3004, 0x3004, frequency, kind, 0)
    head += struct.pack("<III", _first(pattern, period), period, 0) + specific
    head += struct.pack("<III", ends, pattern.times or len(days) or 10, (pattern.first_weekday + 1) % 7)
    modified = sorted(_day(zone, original) for original in item.exceptions)
    moved = sorted(_day(zone, one.start) for one in item.exceptions.values())
    deleted = sorted({_day(zone, moment) for moment in item.deleted} | set(modified))
    for numbers in (deleted, moved):
        head += struct.pack("<I", len(numbers)) + b"".join(struct.pack("<I", number) for number in numbers)
    last = _minutes(days[-1]) if days else _NEVER
    return head + struct.pack("<II", _minutes(pattern.start), last)


def _specific(pattern: Pattern) -> tuple[int, bytes, int]:
    """The pattern's type, the fields that only this type has, and its period."""
    mask = sum(1 << (day + 1) % 7 for day in pattern.weekdays)
    if pattern.kind == "DailyRecurrence":
        return 0, b"", pattern.interval * 1440
    if pattern.kind == "WeeklyRecurrence":
        return 1, struct.pack("<I", mask), pattern.interval
    period = pattern.interval * (12 if "Yearly" in pattern.kind else 1)
    if pattern.kind.startswith("Absolute"):
        return 2, struct.pack("<I", pattern.day), period
    return 3, struct.pack("<II", mask, pattern.week + 1 if pattern.week >= 0 else 5), period


def _first(pattern: Pattern, period: int) -> int:
    """FirstDateTime: the first date on which the pattern would fall if it had no start date."""
    if pattern.kind == "DailyRecurrence":
        return _minutes(pattern.start) % period
    if pattern.kind == "WeeklyRecurrence":
        back = (pattern.start.weekday() - pattern.first_weekday) % 7
        return _minutes(pattern.start - timedelta(days=back)) % (period * 7 * 1440)
    months = (
        (pattern.start.year - 1601) * 12 + (pattern.month if period % 12 == 0 else pattern.start.month) - 1
    ) % period
    return _minutes(date(1601 + months // 12, months % 12 + 1, 1))


def _exception(zone: Zone, original: datetime, one: ChangedOccurrence) -> bytes:
    """The changed fields of one exception, with texts in Windows-1252."""
    flags, texts = _override(one)
    blob = struct.pack("<IIIH", *(_moment(zone, moment) for moment in (one.start, one.end, original)), flags)
    for text in texts:
        narrow = text.encode("cp1252", "replace")
        blob += struct.pack("<HH", len(narrow) + 1, len(narrow)) + narrow
    return blob


def _extended_exception(zone: Zone, original: datetime, one: ChangedOccurrence) -> bytes:
    """The same fields with texts in Unicode."""
    _, texts = _override(one)
    blob = struct.pack("<III", 4, 0, 0)
    if not texts:
        return blob
    blob += struct.pack("<III", *(_moment(zone, moment) for moment in (one.start, one.end, original)))
    for text in texts:
        blob += struct.pack("<H", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")
    return blob + struct.pack("<I", 0)


def _override(one: ChangedOccurrence) -> tuple[int, list[str]]:
    flags, texts = 0, []
    for name, flag in (("Subject", _SUBJECT), ("Location", _LOCATION)):
        if name in one.properties:
            flags |= flag
            texts.append(text_of(one.properties[name]))
    return flags, texts


def _minutes(day: date) -> int:
    return (day - _EPOCH).days * 1440


def _day(zone: Zone, moment: datetime) -> int:
    return _minutes(zone.wall(moment).date())


def _moment(zone: Zone, moment: datetime) -> int:
    wall = zone.wall(moment)
    return _minutes(wall.date()) + wall.hour * 60 + wall.minute


# Time zones


def zone_definition(zone: Zone, *, recurring: bool) -> bytes:
    """A TimeZoneDefinition with one rule."""
    name = zone.id.encode("utf-16-le")
    head = struct.pack("<BBHHH", 2, 1, 6 + len(name), 2, len(zone.id)) + name + struct.pack("<H", 1)
    rule = struct.pack("<BBHHH14x", 2, 1, 0x3E, 3 if recurring else 2, 1601)
    standard, daylight = _dates(zone)
    return head + rule + _biases(zone) + standard + daylight


def zone_struct(zone: Zone) -> bytes:
    """A PidLidTimeZoneStruct."""
    standard, daylight = _dates(zone)
    return _biases(zone) + b"\0\0" + standard + b"\0\0" + daylight


def _biases(zone: Zone) -> bytes:
    saving = (zone.daylight - zone.standard) if zone.daylight is not None else 0
    return struct.pack("<iii", -zone.standard, 0, -saving)


def _dates(zone: Zone) -> tuple[bytes, bytes]:
    if zone.to_standard is None or zone.to_daylight is None:
        return bytes(16), bytes(16)
    return _system_time(zone.to_standard), _system_time(zone.to_daylight)


def _system_time(turn: Turn) -> bytes:
    week, clock = 5 if turn.week == -1 else turn.week, time(turn.hour, turn.minute)
    weekday = (turn.weekday + 1) % 7
    return struct.pack("<HHHHHHHH", 0, turn.month, weekday, week, clock.hour, clock.minute, 0, 0)
