"""A job, its slices, and its progress. No vendor, no clock, no storage."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.mailboxes.directory.model import DirectoryQuery
from shared.mailboxes.erasures.erasing import ErasureReceipt

SLICE = 50
"""Targets in one slice, which is one row and one queue message."""

BATCH = 10
"""Targets between two writes of a slice's position. After a crash at most so many commands are given again.

An erasure is written at once: its receipt cannot be had again.
"""

MAX_TARGETS = 100_000

JOBS_KEPT = timedelta(days=30)
"""How long a job can be looked at, and the names that an activation failed for."""


class JobCommand(StrEnum):
    """What a job does with each of its targets."""

    ACTIVATE = "activate"
    CHECK = "check"
    SYNC = "sync"
    PAUSE = "pause"
    START = "start"
    RESET = "reset"
    MOVE = "move"
    GROUP = "group"
    DISCONNECT = "disconnect"
    ERASE = "erase"
    HOLD = "hold"
    LIFT_HOLD = "lift_hold"


DELETING = frozenset({JobCommand.DISCONNECT, JobCommand.ERASE})
"""Commands that cannot be taken back. They need a list or a filter."""


class JobState(StrEnum):
    """How far a job is. `planning`: its targets are being collected."""

    PLANNING = "planning"
    RUNNING = "running"
    DONE = "done"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Job:
    """One command on many targets, which are mailbox ids, or names for an activation.

    `arguments` are those of the command. `filter` selects the mailboxes if they were not listed; each of them is
    compared with it again just before its command.
    """

    id: str
    command: JobCommand
    actor: str
    created_at: datetime
    arguments: Mapping[str, str] = field(default_factory=dict)
    filter: Mapping[str, str] | None = None
    total: int = 0
    slices: int = 0
    planned_at: datetime | None = None
    canceled_at: datetime | None = None
    settled: bool = False
    """Whether the daily work has seen its end, and need not look at its slices again."""
    version: str = field(default="", compare=False)

    def with_changes(self, **changes: object) -> "Job":
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


FILTERS = ("prefix", "status", "reason", "tenant", "source", "way", "group", "hold")
"""The fields of a query by which a job selects mailboxes."""


def query_of(filter: Mapping[str, str]) -> DirectoryQuery:
    """The query of a job's filter."""
    asked: dict[str, Any] = {name: filter.get(name, "") for name in FILTERS}
    return DirectoryQuery(**asked)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the command for one target. An empty `reason`: it was done; `skipped`: it did not apply any more."""

    target: str
    reason: str = ""
    support: str = ""
    skipped: bool = False
    receipt: ErasureReceipt | None = None


@dataclass(frozen=True, slots=True)
class JobSlice:
    """A part of a job's targets, and how far it has come. `position` is how many of them have been handled.

    When all have been, the targets are removed: they may be addresses, and only those that failed are still shown.
    """

    job_id: str
    number: int
    targets: tuple[str, ...]
    position: int = 0
    done: int = 0
    skipped: int = 0
    failures: tuple[Outcome, ...] = ()
    receipts: tuple[ErasureReceipt, ...] = ()
    """What was erased, of each mailbox that an erasure has erased."""
    ended_at: datetime | None = None
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: `left` were not handled yet. `reasons` counts the failures by reason.

    `receipts` is how many of an erasure's mailboxes have one: not one that was erased before.
    """

    job: Job
    state: JobState
    done: int = 0
    skipped: int = 0
    failed: int = 0
    left: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    ended_at: datetime | None = None
    receipts: int = 0


def sliced(job_id: str, targets: Iterable[str]) -> list[JobSlice]:
    """The slices of a list of targets; each target once, in its first place."""
    once = list(dict.fromkeys(targets))
    starts = range(0, len(once), SLICE)
    return [JobSlice(job_id, n, tuple(once[start : start + SLICE])) for n, start in enumerate(starts)]


def batch_size(command: JobCommand) -> int:
    """How many targets have the command between two writes of a slice's position."""
    return 1 if command is JobCommand.ERASE else BATCH


def after_batch(found: JobSlice, outcomes: Sequence[Outcome], now: datetime) -> JobSlice:
    """The slice after some more of its targets were handled."""
    failures = tuple(outcome for outcome in outcomes if outcome.reason)
    skipped = sum(outcome.skipped for outcome in outcomes)
    position = found.position + len(outcomes)
    is_last = position >= len(found.targets)
    return replace(
        found,
        targets=() if is_last else found.targets,
        position=position,
        done=found.done + len(outcomes) - len(failures) - skipped,
        skipped=found.skipped + skipped,
        failures=found.failures + failures,
        receipts=found.receipts + tuple(outcome.receipt for outcome in outcomes if outcome.receipt is not None),
        ended_at=now if is_last else None,
    )


def progress_of(job: Job, slices: Iterable[JobSlice]) -> Progress:
    """Add up the slices of a job."""
    ours = [one for one in slices if one.number < job.slices]
    done, skipped = sum(one.done for one in ours), sum(one.skipped for one in ours)
    reasons = Counter(failure.reason for one in ours for failure in one.failures)
    left = job.total - sum(one.position for one in ours)
    ends = [one.ended_at for one in ours]
    last = max((end for end in ends if end is not None), default=job.planned_at)
    return Progress(
        job,
        _state(job, left),
        done,
        skipped,
        reasons.total(),
        left,
        dict(reasons),
        job.canceled_at or (last if not left else None),
        sum(len(one.receipts) for one in ours),
    )


def _state(job: Job, left: int) -> JobState:
    if job.planned_at is not None and left == 0:
        return JobState.DONE
    if job.canceled_at is not None:
        return JobState.CANCELED
    return JobState.PLANNING if job.planned_at is None else JobState.RUNNING
