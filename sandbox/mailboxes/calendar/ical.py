"""An event as iCalendar, which Exchange gives as the MIME content of a calendar item."""

from datetime import datetime

from sandbox.mailboxes.calendar.events import occurrences, pattern_of, span, zone_of
from sandbox.mailboxes.calendar.ical_flaws import flawed
from sandbox.mailboxes.calendar.recurrence import ical_rule
from sandbox.mailboxes.calendar.zones import Turn, Zone
from sandbox.mailboxes.fragments import children, local, parse_fragment, text_of, when
from sandbox.mailboxes.store import Item

_CLASSES = {"Private": "PRIVATE", "Personal": "PRIVATE", "Confidential": "CONFIDENTIAL"}
_ICAL_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def calendar(item: Item) -> bytes:
    """The whole calendar object: the time zone, the series, and every exception."""
    zone, single = zone_of(item), pattern_of(item) is None
    lines = ["BEGIN:VCALENDAR", "METHOD:PUBLISH", "PRODID:Microsoft Exchange Server 2010", "VERSION:2.0"]
    lines += _zone(zone)
    lines += _event(item, span(item), item.properties, single)
    for one in () if single else occurrences(item):
        if one.changed:
            texts = {**item.properties, **one.changed.properties}
            lines += _event(item, (one.start, one.end), texts, True, one.original)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) for line in flawed(item, lines)).encode()


def _event(
    item: Item,
    times: tuple[datetime, datetime],
    texts: dict[str, str],
    alone: bool,
    original: datetime | None = None,
) -> list[str]:
    zone, all_day = zone_of(item), text_of(texts.get("IsAllDayEvent", "")) == "true"
    lines = ["BEGIN:VEVENT", f"UID:{item.text('UID')}", f"DTSTAMP:{_utc(item.modified)}"]
    lines += [f"DTSTART{_time(zone, times[0], all_day)}", f"DTEND{_time(zone, times[1], all_day)}"]
    if original is not None:
        lines.append(f"RECURRENCE-ID{_time(zone, original, all_day)}")
    if not alone:
        lines += _series(item, zone, all_day)
    for name, key in (("Subject", "SUMMARY"), ("Location", "LOCATION"), ("Body", "DESCRIPTION")):
        if name in texts:
            lines.append(f"{key}:{_text(text_of(texts[name]))}")
    lines += _people(texts)
    lines.append(f"CLASS:{_CLASSES.get(text_of(texts.get('Sensitivity', '')), 'PUBLIC')}")
    cancelled = text_of(texts.get("IsCancelled", "")) == "true"
    lines.append(f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}")
    lines.append(f"X-MICROSOFT-CDO-ALLDAYEVENT:{'TRUE' if all_day else 'FALSE'}")
    return [*lines, "END:VEVENT"]


def _series(item: Item, zone: Zone, all_day: bool) -> list[str]:
    pattern = pattern_of(item)
    if pattern is None:
        return []
    until = f"{pattern.until:%Y%m%d}" + ("" if all_day else "T235959Z") if pattern.until else ""
    gone = [f"EXDATE{_time(zone, moment, all_day)}" for moment in item.deleted]
    return [f"RRULE:{ical_rule(pattern, until)}", *gone]


def _people(texts: dict[str, str]) -> list[str]:
    lines = []
    for name, role in (("RequiredAttendees", "REQ-PARTICIPANT"), ("OptionalAttendees", "OPT-PARTICIPANT")):
        for attendee in children(parse_fragment(texts[name])) if name in texts else ():
            found = {local(each): each.text or "" for each in attendee.iter() if isinstance(each.tag, str)}
            shown = found.get("Name", "").replace('"', "")
            lines.append(f'ATTENDEE;ROLE={role};CN="{shown}":mailto:{found.get("EmailAddress", "")}')
    if "Organizer" in texts:
        found = {local(each): each.text or "" for each in parse_fragment(texts["Organizer"]).iter()}
        lines.append(f'ORGANIZER;CN="{found.get("Name", "")}":mailto:{found.get("EmailAddress", "")}')
    return lines


def _time(zone: Zone, moment: datetime, all_day: bool) -> str:
    """A time with its parameters: a date, or local time with the zone, which Exchange names for single events too."""
    if all_day:
        return f";VALUE=DATE:{zone.wall(moment):%Y%m%d}"
    return f';TZID="{zone.id}":{zone.wall(moment):%Y%m%dT%H%M%S}'


def _utc(moment: datetime) -> str:
    return when(moment).replace("-", "").replace(":", "")


def _zone(zone: Zone) -> list[str]:
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone.id}"]
    if zone.daylight is None or zone.to_daylight is None or zone.to_standard is None:
        lines += _observance("STANDARD", zone.standard, zone.standard, None)
    else:
        lines += _observance("STANDARD", zone.daylight, zone.standard, zone.to_standard)
        lines += _observance("DAYLIGHT", zone.standard, zone.daylight, zone.to_daylight)
    return [*lines, "END:VTIMEZONE"]


def _observance(kind: str, before: int, after: int, turn: Turn | None) -> list[str]:
    start = f"{turn.at(1970):%Y%m%dT%H%M%S}" if turn else "19700101T000000"
    rule = [f"RRULE:FREQ=YEARLY;BYDAY={turn.week}{_ICAL_DAYS[turn.weekday]};BYMONTH={turn.month}"] if turn else []
    offsets = [f"TZOFFSETFROM:{_offset(before)}", f"TZOFFSETTO:{_offset(after)}"]
    return [f"BEGIN:{kind}", f"DTSTART:{start}", *offsets, *rule, f"END:{kind}"]


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _text(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\r", "\\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A content line folded into pieces of at most 75 octets, as RFC 5545 requires."""
    pieces, piece, width = [], "", 0
    for sign in line:
        size = len(sign.encode())
        if width + size > 74:
            pieces.append(piece)
            piece, width = "", 0
        piece, width = piece + sign, width + size
    return "\r\n ".join([*pieces, piece]) + "\r\n"
