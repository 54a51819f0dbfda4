"""Parses time zones as Exchange names or defines them.

Exchange gives a name ("W. Europe Standard Time") and usually also the rules that the item was created with. The rules
may have several periods; for items from other systems they may be incomplete.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from lxml import etree

from shared.formats.values.zone import EVER, PeriodsZone, RuleZone, TimeZone, YearlyChange
from shared.sources.ews.transport.soap_response import T

_NO_OFFSET = timedelta(0)
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DURATION = re.compile(r"^(-?)P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})(?:\.\d+)?S)?)?$")


def read_zone(element: etree._Element) -> TimeZone:
    """Parse a t:StartTimeZone or t:EndTimeZone element."""
    rules, is_complete = _defined(element)
    return TimeZone(
        name=(element.get("Id") or "").strip(),
        label=(element.get("Name") or "").strip(),
        rules=rules,
        has_all_rules=is_complete,
    )


def _defined(element: etree._Element) -> tuple[RuleZone | PeriodsZone | None, bool]:
    """The rules that the element itself defines, and whether it has the offset of every period."""
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
    periods = periods or [(EVER, *next(iter(groups.values())))]
    is_complete = all(complete for *_, complete in periods)
    if len(periods) == 1:
        return periods[0][1], is_complete
    in_order = sorted(periods, key=lambda each: each[0])
    return PeriodsZone(tuple((since, rules) for since, rules, _ in in_order)), is_complete


def _since(transition: etree._Element) -> datetime:
    """The local time from which a group applies; EVER for the first group, which has none."""
    try:
        return datetime.fromisoformat((transition.findtext(f"{T}DateTime") or "")[:19]).replace(tzinfo=None)
    except ValueError:
        return EVER


def _rules(group: etree._Element, offsets: Mapping[str, timedelta]) -> tuple[RuleZone, bool]:
    """A group of transitions as rules, and whether the offset after each transition is known."""
    changes = [(_change(transition), offsets.get(transition.findtext(f"{T}To") or "")) for transition in group]
    is_complete = all(offset is not None for _, offset in changes)
    yearly = [(change, offset) for change, offset in changes if change is not None and offset is not None]
    if len(yearly) == 2 and yearly[0][1] != yearly[1][1]:
        (ends, standard), (starts, daylight) = sorted(yearly, key=lambda pair: pair[1])
        return RuleZone(standard, daylight, starts, ends), is_complete
    known = [offset for _, offset in changes if offset is not None]
    only = known[0] if known else next(iter(offsets.values()))
    return RuleZone(only, only, None, None), is_complete


def _change(transition: etree._Element) -> YearlyChange | None:
    month, time = transition.findtext(f"{T}Month") or "", duration(transition.findtext(f"{T}TimeOffset"))
    if not month.isdigit() or not 1 <= int(month) <= 12 or time is None:
        return None
    name = transition.findtext(f"{T}DayOfWeek")
    if name in _DAY_NAMES:
        nth = int(transition.findtext(f"{T}Occurrence") or "1")
        return YearlyChange(int(month), time, _DAY_NAMES.index(name), -1 if nth in (-1, 5) else min(max(nth, 1), 4))
    day = transition.findtext(f"{T}Day") or "1"
    return YearlyChange(int(month), time, day=min(max(int(day), 1), 31) if day.isdigit() else 1)


def duration(text: str | None) -> timedelta | None:
    """Parse an XML duration of days or smaller units (PT2H, -PT60M, PT7200.000S); None if it is invalid."""
    match = _DURATION.match(text or "")
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -value if match[1] else value
