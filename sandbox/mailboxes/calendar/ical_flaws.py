"""Flaws that were seen in real servers' iCalendar texts, for events that request one.

An event with a category "iCalendar: NAME" has the flaw of that name in its MIME content; its properties stay correct.
The flaws and where they were reported:
"""

import re
from collections.abc import Callable

from sandbox.mailboxes.fragments import children, parse_fragment
from sandbox.mailboxes.store import Item

type Flaw = Callable[[list[str]], list[str]]

_CATEGORY = "iCalendar: "
_BY_CID = "ATTACH:CID:part1@x.example"
_ALARM = ["BEGIN:VALARM", "DESCRIPTION:REMINDER", "TRIGGER;RELATED=START:P", "ACTION:DISPLAY", "END:VALARM"]


def _without_attendees(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("ATTENDEE")]


def _days_as_times(lines: list[str]) -> list[str]:
    pattern = re.compile(r"^(DTSTART|DTEND);VALUE=DATE:(\d{8})$")
    return [pattern.sub(r"\1;TZID=W. Europe Standard Time:\2T000000", line) for line in lines]


def _cut_off(lines: list[str]) -> list[str]:
    return lines[:-1]


def _nul_in_tzid(lines: list[str]) -> list[str]:
    return [re.sub(r'^(TZID:[^\0]+)$|(TZID="[^"]+)', lambda found: found[0] + "\0" * 4, line) for line in lines]


def _exception_without_summary(lines: list[str]) -> list[str]:
    kept, is_exception = [], False
    for line in lines:
        is_exception = (is_exception or line.startswith("RECURRENCE-ID")) and line != "END:VEVENT"
        if not (is_exception and line.startswith("SUMMARY")):
            kept.append(line)
    return kept


def _attachment_by_cid(lines: list[str]) -> list[str]:
    return [each for line in lines for each in ((line, _BY_CID) if line.startswith("UID:") else (line,))]


def _trigger_p(lines: list[str]) -> list[str]:
    return [each for line in lines for each in ((*_ALARM, line) if line == "END:VEVENT" else (line,))]


FLAWS: dict[str, Flaw] = {
    "attendees missing": _without_attendees,
    "all-day as times": _days_as_times,
    "cut off": _cut_off,
    "NUL in TZID": _nul_in_tzid,
    "exception without summary": _exception_without_summary,
    "attachment by CID": _attachment_by_cid,
    "trigger P": _trigger_p,
}
"""exchangelib#1013; davmail, akonadi-ews#12; exchangelib#115; davmail#83; davmail#103; davmail; py-vobject#14."""


def category(flaw: str) -> str:
    """The category that requests a flaw."""
    return _CATEGORY + flaw


def flawed(item: Item, lines: list[str]) -> list[str]:
    """The lines of an event's calendar with the flaws that its categories request."""
    fragment = item.properties.get("Categories")
    names = [child.text or "" for child in children(parse_fragment(fragment))] if fragment else []
    for name in names:
        flaw = FLAWS.get(name.removeprefix(_CATEGORY)) if name.startswith(_CATEGORY) else None
        lines = flaw(lines) if flaw is not None else lines
    return lines
