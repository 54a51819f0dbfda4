"""The occurrences of events: a single event once, a series on all its days, with its exceptions and deletions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from sandbox.mailboxes.calendar.recurrence import Pattern, read
from sandbox.mailboxes.calendar.zones import ZONES, Zone, from_definition
from sandbox.mailboxes.fragments import parse_fragment, read_when
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.store import Item

LONG_AGO = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event on one day. `original` is its start in the series; `changed` holds an exception's own values."""

    original: datetime
    start: datetime
    end: datetime
    changed: ChangedOccurrence | None = None


@lru_cache(maxsize=4096)
def _pattern(fragment: str) -> Pattern:
    return read(parse_fragment(fragment))


@lru_cache(maxsize=1024)
def _zone(fragment: str) -> Zone:
    return from_definition(parse_fragment(fragment))


def pattern_of(item: Item) -> Pattern | None:
    """The recurrence of an item; None when it does not recur."""
    fragment = item.properties.get("Recurrence")
    return _pattern(fragment) if fragment else None


def zone_of(item: Item) -> Zone:
    """The time zone in which an event was created."""
    fragment = item.properties.get("StartTimeZone")
    return _zone(fragment) if fragment else ZONES["UTC"]


def span(item: Item) -> tuple[datetime, datetime]:
    """The start and end of an event; of a series, of its first occurrence."""
    start = read_when(item.text("Start", "1601-01-01T00:00:00Z"))
    return start, read_when(item.text("End", "1601-01-01T00:00:00Z"))


def _days(item: Item, pattern: Pattern) -> Iterator[datetime]:
    """The original starts of a series, including deleted occurrences."""
    zone = zone_of(item)
    start = zone.wall(span(item)[0]).time()
    for day in pattern.dates():
        yield zone.utc(_at(day, start))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock)


def occurrences(item: Item, until: datetime | None = None) -> Iterator[Occurrence]:
    """The occurrences of a series that are not deleted, by original start; a single event as one occurrence."""
    pattern, (first, last) = pattern_of(item), span(item)
    if pattern is None:
        yield Occurrence(first, first, last)
        return
    deleted, length = set(item.deleted), last - first
    for original in _days(item, pattern):
        if until is not None and original > until + timedelta(days=31):
            return
        if original in deleted:
            continue
        changed = item.exceptions.get(original)
        if changed:
            yield Occurrence(original, changed.start, changed.end, changed)
        else:
            yield Occurrence(original, original, original + length)


def between(item: Item, start: datetime, end: datetime) -> list[Occurrence]:
    """The occurrences of an event that overlap a time range."""
    found = [one for one in occurrences(item, end) if one.start < end and (one.end > start or one.start >= start)]
    return sorted(found, key=lambda one: one.start)


def occurrence_at(item: Item, original: datetime) -> Occurrence | None:
    """The occurrence with this original start; None when there is none or it was deleted."""
    return next((one for one in occurrences(item, original) if one.original == original), None)


def original_of_index(item: Item, index: int) -> datetime | None:
    """The original start of the index-th occurrence, counted from one, including deleted ones."""
    pattern = pattern_of(item)
    for number, original in enumerate(_days(item, pattern) if pattern else (), 1):
        if number == index:
            return original
    return None


def ends(item: Item) -> datetime | None:
    """The last original start of a series that has an end."""
    pattern = pattern_of(item)
    if pattern is None or (pattern.until is None and pattern.times is None):
        return None
    last = None
    for last in _days(item, pattern):  # noqa: B007 -- the last one is what is looked for
        pass
    return last
