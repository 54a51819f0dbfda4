"""What changed in a folder, and the opaque states in which clients keep how far they have read.

As in [MS-OXCFXICS]: a state holds which things the client was given (ranges of numbers) and the last commit it has
seen. What it was given and is gone is a delete; what changed and was not given is a create, else an update. So a
state alone decides, and any number of clients may hold states of their own.
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
    """One commit: which thing it changed; `gone` when it removed it. `id` is the thing's id at that time."""

    sequence: int
    number: int
    id: str
    thing: Thing
    gone: bool


class Changes[Thing](Protocol):
    """Where changes are read from."""

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every thing that changed after `sequence`, in order."""

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether nothing has happened to an entry's thing since."""


class ChangeLog[Thing]:
    """Commits in order; of each thing only the last one counts."""

    def __init__(self) -> None:
        self._entries: list[Entry[Thing]] = []
        self._latest: dict[int, int] = {}

    def record(self, sequence: int, number: int, thing_id: str, thing: Thing, *, gone: bool = False) -> None:
        """Note that a commit changed a thing. Sequences only grow."""
        self._entries.append(Entry(sequence, number, thing_id, thing, gone))
        self._latest[number] = sequence
        if len(self._entries) > 2 * len(self._latest) + 64:
            self._entries = [entry for entry in self._entries if self._latest[entry.number] == entry.sequence]

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every thing that changed after `sequence`, in order."""
        start = bisect_right(self._entries, sequence, key=lambda entry: entry.sequence)
        for position in range(start, len(self._entries)):
            entry = self._entries[position]
            if self._latest[entry.number] == entry.sequence:
                yield entry

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether nothing has happened to an entry's thing since."""
        return self._latest.get(entry.number) == entry.sequence


class MergedChanges[Thing]:
    """Several logs of one mailbox as one."""

    def __init__(self, logs: Iterable[Changes[Thing]]) -> None:
        self._logs = list(logs)

    def since(self, sequence: int) -> Iterator[Entry[Thing]]:
        """The last commit of every thing that changed after `sequence`, in order."""
        return merge(*(log.since(sequence) for log in self._logs), key=lambda entry: entry.sequence)

    def is_latest(self, entry: Entry[Thing]) -> bool:
        """Whether nothing has happened to an entry's thing since."""
        return any(log.is_latest(entry) for log in self._logs)


class Given:
    """The numbers a client was given, as half-open ranges."""

    def __init__(self, bounds: list[int]) -> None:
        self._bounds = bounds

    def __contains__(self, number: int) -> bool:
        return bisect_right(self._bounds, number) % 2 == 1

    def with_changes(self, added: list[int], removed: set[int]) -> list[int]:
        """The bounds of these numbers with some added and some removed."""
        spans = [(self._bounds[at], self._bounds[at + 1]) for at in range(0, len(self._bounds), 2)]
        spans = _joined(sorted([*spans, *((number, number + 1) for number in added)]))
        for number in removed:
            spans = [part for span in spans for part in _without(span, number)]
        return [bound for span in spans for bound in span]


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans with those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(span: tuple[int, int], number: int) -> list[tuple[int, int]]:
    """A span with one number cut out."""
    start, end = span
    if not start <= number < end:
        return [span]
    return [part for part in ((start, number), (number + 1, end)) if part[0] < part[1]]


@dataclass(frozen=True, slots=True)
class SyncState:
    """What a client hands back: of which folder, in which epoch of the mailbox, how far, and what it was given."""

    scope: str
    epoch: str
    seen: int
    given: tuple[int, ...] = ()

    def encode(self) -> str:
        """The opaque text; it grows with the gaps between what was given, as the real one does."""
        plain = json.dumps([self.scope, self.epoch, self.seen, _steps(self.given)]).encode()
        packed = zlib.compress(plain, 1)
        return base64.b64encode(_HEAD + len(packed).to_bytes(4) + packed).decode()

    @classmethod
    def decode(cls, text: str) -> "SyncState":
        """Read a state back. Raises ValueError on anything that we did not write."""
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
    """Bounds as differences, which pack better."""
    return [bound - before for before, bound in zip((0, *bounds), bounds, strict=False)]


def _bounds(steps: list[int]) -> list[int]:
    """The reverse of `_steps`."""
    bounds, total = [], 0
    for step in steps:
        total += int(step)
        bounds.append(total)
    return bounds
