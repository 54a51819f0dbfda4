"""NCRONTAB schedules as the Functions host reads them: six fields from seconds to weekday, in UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HORIZON = timedelta(days=366 * 8)
"""A schedule that fires on no day of the next eight years (30 February) is taken as one that never fires."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


class ScheduleInvalid(ValueError):
    """The text is not an NCRONTAB expression."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field's bounds, and the names that stand for its numbers."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """Every value that the field's text allows."""
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, text: str) -> range:
        match = _PART.fullmatch(text)
        if not match:
            raise ScheduleInvalid(f"{text!r} cannot be read as {self.name}")
        step = int(match["step"] or 1)
        if match["all"]:
            first, last = self.least, self.most
        else:
            first = self._number(match["first"])
            # "5/10" has no end of its own: it runs from 5 to the field's last value.
            last = self._number(match["last"]) if match["last"] else self.most if match["step"] else first
        if first > last or step < 1:
            raise ScheduleInvalid(f"{text!r} is empty as {self.name}")
        return range(first, last + 1, step)

    def _number(self, text: str) -> int:
        if text.isdigit():
            number = int(text)
        elif text[:3].lower() in self.names:
            number = self.least + self.names.index(text[:3].lower())
        else:
            raise ScheduleInvalid(f"{text!r} is not known as {self.name}")
        if not self.least <= number <= self.most:
            raise ScheduleInvalid(f"{number} is out of bounds as {self.name}")
        return number


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires. A day has to match both its day of the month and its weekday, as in the real host."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Read six fields, or five: then the seconds are 0. Raises ScheduleInvalid."""
        texts = expression.split()
        if len(texts) == len(_FIELDS) - 1:
            texts.insert(0, "0")
        if len(texts) != len(_FIELDS):
            raise ScheduleInvalid(f"{expression!r} has {len(texts)} fields, not six")
        return cls(*(field.read(text) for field, text in zip(_FIELDS, texts, strict=True)))

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time later than `moment` (aware); None when there is none within the horizon."""
        first = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(HORIZON.days):
            day = first.date() + timedelta(days=ahead)
            found = self._time_on(day, first.time() if ahead == 0 else time.min)
            if found is not None:
                return datetime.combine(day, found, UTC)
        return None

    def _time_on(self, day: date, earliest: time) -> time | None:
        """The first time of one day that is not before `earliest`."""
        if day.month not in self.months or day.day not in self.days or day.isoweekday() % 7 not in self.weekdays:
            return None
        for hour in sorted(hour for hour in self.hours if hour >= earliest.hour):
            for minute in sorted(self.minutes):
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in sorted(self.seconds):
                    if time(hour, minute, second) >= earliest:
                        return time(hour, minute, second)
        return None
