"""The safety stop: if much of a mailbox seems to be gone, nothing is deleted until a later pass finds the same.

An outage, a mailbox move between servers, or a wrong response can look as if the person had deleted everything. So the
first pass that would delete much of a replica only records this; everything else is still synced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.replica.port import FolderState
from shared.sources.model import Folder
from shared.sync.limits import Limits

TOLERANCE = 0.9
"""The fraction of an interval that counts as a whole one, because dispatch times vary."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether deletions are blocked in this pass, and since when so much has seemed to be gone (None: it does not)."""

    deletions_blocked: bool
    since: datetime | None


def vanishing(
    states: Mapping[str, FolderState], listed: Mapping[str, Folder], in_scope: Mapping[str, Folder]
) -> tuple[int, int]:
    """Return how many items the replica holds, and how many of them are gone according to this scan.

    Folders that went out of scope do not count, because a setting or a person's move of a folder did this on purpose.
    """
    counted = {id_: state for id_, state in states.items() if id_ in in_scope or id_ not in listed}
    held = sum(state.items for state in counted.values())
    absent = sum(state.items for id_, state in counted.items() if id_ not in listed)
    shrunk = held - sum(_total(folder, states.get(id_)) for id_, folder in in_scope.items())
    return held, max(absent, shrunk, 0)


def judge(held: int, gone: int, since: datetime | None, now: datetime, limits: Limits) -> Verdict:
    """Block deletions when many are seen for the first time; allow them if they are still there an interval later.

    `since` is when they were first seen.
    """
    if held < limits.plenty or gone < held * limits.vanishing_share:
        return Verdict(deletions_blocked=False, since=None)
    if since is None:
        return Verdict(deletions_blocked=True, since=now)
    return Verdict(deletions_blocked=now - since < limits.interval * TOLERANCE, since=since)


def is_shrinking(folder: Folder, state: FolderState | None) -> bool:
    """Whether the folder has fewer items than the replica. A pass with blocked deletions does not read it."""
    return state is not None and folder.total is not None and folder.total < state.items


def _total(folder: Folder, state: FolderState | None) -> int:
    """Return how many items a folder has; if the source does not say, as many as the replica holds."""
    if folder.total is not None:
        return folder.total
    return state.items if state is not None else 0
