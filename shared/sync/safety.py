"""The safety stop: a mailbox that suddenly answers empty is not erased until a second pass, later, says the same.

An outage, a mailbox being moved between servers or a wrong answer can look like a person who deleted everything. So a
pass that would take away much of a replica first only notes that; everything else is synced meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.replica.port import FolderState
from shared.sources.port import Folder
from shared.sync.limits import Limits

TOLERANCE = 0.9
"""A part of an interval counts as one: dispatches jitter."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether deletions are blocked in this pass, and since when it has looked like that (None: it does not)."""

    deletions_blocked: bool
    since: datetime | None


def vanishing(
    states: Mapping[str, FolderState], listed: Mapping[str, Folder], in_scope: Mapping[str, Folder]
) -> tuple[int, int]:
    """How many items the replica holds, and how many of them this scan says are gone.

    Folders that went out of scope do not count: a setting, or a person moving a folder, did that on purpose.
    """
    counted = {id_: state for id_, state in states.items() if id_ in in_scope or id_ not in listed}
    held = sum(state.items for state in counted.values())
    absent = sum(state.items for id_, state in counted.items() if id_ not in listed)
    shrunk = held - sum(_total(folder, states.get(id_)) for id_, folder in in_scope.items())
    return held, max(absent, shrunk, 0)


def judge(held: int, gone: int, since: datetime | None, now: datetime, limits: Limits) -> Verdict:
    """Block at first sight; let it happen when at least an interval later the mailbox still says the same.

    `since` is when it was said first.
    """
    if held < limits.plenty or gone < held * limits.vanishing_share:
        return Verdict(deletions_blocked=False, since=None)
    if since is None:
        return Verdict(deletions_blocked=True, since=now)
    return Verdict(deletions_blocked=now - since < limits.interval * TOLERANCE, since=since)


def is_shrinking(folder: Folder, state: FolderState | None) -> bool:
    """Whether reading this folder now could only take items away: what a pass with blocked deletions leaves unread."""
    return state is not None and folder.total is not None and folder.total < state.items


def _total(folder: Folder, state: FolderState | None) -> int:
    """How many items a folder counts; where the source cannot tell, as many as the replica holds."""
    if folder.total is not None:
        return folder.total
    return state.items if state is not None else 0
