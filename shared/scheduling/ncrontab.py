"""NCRONTAB schedules as the Functions host reads them: six fields from seconds to weekday, in UTC.

croniter computes the ticks. What it accepts beyond NCRONTAB is rejected here: weekday 7, and ranges that run backward.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

HORIZON_YEARS = 8
"""A schedule without a tick in this many years (30 February) has no tick."""

TICKS = 500
"""Number of ticks that the interval is computed from: enough to cover all gaps of a schedule with hours or weekdays."""

SHORTEST_INTERVAL = timedelta(minutes=1)
LONGEST_INTERVAL = timedelta(days=1)

_FIELDS = 6
_NAME = re.compile(r"[A-Za-z]+")
_RANGE = re.compile(r"(\d+)-(\d+)")


class ScheduleInvalid(ValueError):
    """The text is not an NCRONTAB expression."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of a timer. A day must match both its day of the month and its weekday, as in the host."""

    expression: str

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Parse six fields, or five with 0 seconds. Raises ScheduleInvalid."""
        from croniter import croniter

        fields = expression.split()
        if len(fields) == _FIELDS - 1:
            fields.insert(0, "0")
        if len(fields) != _FIELDS:
            raise ScheduleInvalid(f"{expression!r} has {len(fields)} fields, not six")
        runs_backward = any(int(first) > int(last) for first, last in _RANGE.findall(expression))
        written = " ".join(_NAME.sub(lambda name: name[0][:3], field) for field in fields)
        if runs_backward or "7" in fields[-1] or not croniter.is_valid(written, second_at_beginning=True):
            raise ScheduleInvalid(f"{expression!r} is no NCRONTAB expression")
        return cls(written)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first tick after `moment` (aware), in UTC; None if there is none within the horizon."""
        return next(iter(self._ticks(moment, 1)), None)

    def interval(self) -> timedelta:
        """The shortest time between two ticks, which is how often a mailbox is due. Between a minute and a day."""
        ticks = self._ticks(datetime(2024, 1, 1, tzinfo=UTC), TICKS)
        gaps = (later - earlier for earlier, later in pairwise(ticks))
        return min(max(min(gaps, default=LONGEST_INTERVAL), SHORTEST_INTERVAL), LONGEST_INTERVAL)

    def _ticks(self, after: datetime, number: int) -> list[datetime]:
        from croniter import CroniterBadDateError, croniter

        ticks = croniter(
            self.expression,
            after.astimezone(UTC),
            ret_type=datetime,
            day_or=False,
            max_years_between_matches=HORIZON_YEARS,
            second_at_beginning=True,
        )
        found: list[datetime] = []
        try:
            while len(found) < number:
                found.append(ticks.get_next(datetime))
        except CroniterBadDateError:
            pass
        return found
