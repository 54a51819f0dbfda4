"""A series of events or tasks as patternedRecurrence: a pattern and a range, no RRULE."""

from sandbox.graph.views.entity import lower_first
from sandbox.graph.wire.request import Json
from sandbox.mailboxes.calendar.recurrence import DAYS, Pattern

_TYPES = {
    "DailyRecurrence": "daily",
    "WeeklyRecurrence": "weekly",
    "AbsoluteMonthlyRecurrence": "absoluteMonthly",
    "RelativeMonthlyRecurrence": "relativeMonthly",
    "AbsoluteYearlyRecurrence": "absoluteYearly",
    "RelativeYearlyRecurrence": "relativeYearly",
}
_WEEKS = {0: "first", 1: "second", 2: "third", 3: "fourth", -1: "last"}


def recurrence(pattern: Pattern | None, zone: str) -> Json | None:
    """A patternedRecurrence; None for what happens once, and for tasks that come again when they are done."""
    kind = _TYPES.get(pattern.kind) if pattern else None
    if pattern is None or kind is None:
        return None
    shown: Json = {
        "type": kind,
        "interval": pattern.interval,
        "month": pattern.month if "Yearly" in pattern.kind else 0,
        "dayOfMonth": pattern.day if pattern.kind.startswith("Absolute") else 0,
        "firstDayOfWeek": lower_first(DAYS[pattern.first_weekday]),
        "index": _WEEKS[pattern.week],
    }
    if pattern.weekdays:
        shown["daysOfWeek"] = [lower_first(DAYS[day]) for day in pattern.weekdays]
    return {"pattern": shown, "range": _range(pattern, zone)}


def _range(pattern: Pattern, zone: str) -> Json:
    kind = "endDate" if pattern.until else "numbered" if pattern.times else "noEnd"
    return {
        "type": kind,
        "startDate": pattern.start.isoformat(),
        "endDate": pattern.until.isoformat() if pattern.until else "0001-01-01",
        "recurrenceTimeZone": zone,
        "numberOfOccurrences": pattern.times or 0,
    }
