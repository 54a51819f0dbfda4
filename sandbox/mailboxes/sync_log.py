"""Changes of a folder, and the opaque sync states that tell how far a client has read.

As in [MS-OXCFXICS], a state holds the items that the client was given (ranges of numbers) and the last commit it has
seen. An item that was given and is gone is a delete; a changed item that was not given is a create, else an update.
The state alone decides, so any number of clients may hold their own.
"""

import base64
import binascii
import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Protocol

_HEAD = b"\x0b\x53\x53\x01"


@dataclass(frozen=True, slots=True)
class Entry[Thing]:
    """One commit: the object it changed, whose id at that time is `id`; `gone` when the commit removed it."""

    sequence: int
    number: int
    id: str
    thing: Thing
    gone: bool


class Changes[Thing](Protocol):
    """A source of changes."""

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every object that changed after `sequence`, in order."""

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether an entry is the last commit of its object."""


class ChangeLog[Thing]:
    """Commits in order; only the last one of each object counts."""

    def __init__(self) -> None:
        self._entries: list[Entry[Thing]] = []
        self._latest: dict[int, int] = {}

    def record(self, sequence: int, number: int, thing_id: str, thing: Thing, *, gone: bool = False) -> None:
        """Record that a commit changed an object. Sequences only grow."""
        self._entries.append(Entry(sequence, number, thing_id, thing, gone))
        self._latest[number] = sequence
        if len(self._entries) > 2 * len(self._latest) + 64:
            self._entries = [entry for entry in self._entries if self._latest[entry.number] == entry.sequence]

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every object that changed after `sequence`, in order."""
        start = bisect_right(self._entries, sequence, key=lambda entry: entry.sequence)
        for position in range(start, len(self._entries)):
            entry = self._entries[position]
            if self._latest[entry.number] == entry.sequence:
                yield entry

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether an entry is the last commit of its object."""
        return self._latest.get(entry.number) == entry.sequence


class MergedChanges[Thing]:
    """Several logs of one mailbox as one source."""

    def __init__(self, logs: Iterable[Changes[Thing]]) -> None:
        self._logs = list(logs)

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every object that changed after `sequence`, in order."""
        return merge(*(log.since(sequence) for log in self._logs), key=lambda entry: entry.sequence)

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether an entry is the last commit of its object."""
        return any(log.is_latest(entry) for log in self._logs)


class Given:
    """The item numbers that a client was given, as half-open ranges."""

    def __init__(self, bounds: list[int]) -> None:
        self._bounds = bounds

    def __contains__(self, number: int) -> bool:
        return bisect_right(self._bounds, number) % 2 == 1

    def with_changes(self, added: list[int], removed: set[int]) -> list[int]:
        """The ranges with some numbers added and some removed."""
        spans = [(self._bounds[at], self._bounds[at + 1]) for at in range(0, len(self._bounds), 2)]
        spans = _joined(sorted([*spans, *((number, number + 1) for number in added)]))
        for number in removed:
            spans = [part for span in spans for part in _without(span, number)]
        return [bound for span in spans for bound in span]


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted ranges with adjacent ones joined."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(span: tuple[int, int], number: int) -> list[tuple[int, int]]:
    """A range without one number."""
    start, end = span
    if not start <= number < end:
        return [span]
    return [part for part in ((start, number), (number + 1, end)) if part[0] < part[1]]


@dataclass(frozen=True, slots=True)
class SyncState:
    """What a client sends back: the folder, the epoch of the mailbox, the last commit, and the items it was given."""

    scope: str
    epoch: str
    seen: int
    given: tuple[int, ...] = ()

    def encode(self) -> str:
        """The opaque text; it grows with the gaps between the given numbers, as the real one does."""
        plain = json.dumps([self.scope, self.epoch, self.seen, _steps(self.given)]).encode()
        packed = zlib.compress(plain, 1)
        return base64.b64encode(_HEAD + len(packed).to_bytes(4) + packed).decode()

    @classmethod
    def decode(cls, text: str) -> "SyncState":
        """Decode a state. Raises ValueError when we did not write it."""
        try:
            raw = base64.b64decode(text, validate=True)
            if not raw.startswith(_HEAD):
                raise ValueError("not a state")
            if int.from_bytes(raw[4:8]) != len(raw) - 8:
                raise ValueError("cut short")
            scope, epoch, seen, steps = json.loads(zlib.decompress(raw[8:]))
            return cls(str(scope), str(epoch), int(seen), tuple(_bounds(steps)))
        except (binascii.Error, zlib.error, TypeError) as exc:
            raise ValueError("not a state") from exc


def _steps(bounds: tuple[int, ...]) -> list[int]:
    """The bounds as differences, which compress better."""
    return [bound - before for before, bound in zip((0, *bounds), bounds, strict=False)]


def _bounds(steps: list[int]) -> list[int]:
    """The inverse of `_steps`."""
    bounds, total = [], 0
    for step in steps:
        total += int(step)
        bounds.append(total)
    return bounds
