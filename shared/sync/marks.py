"""Which folders changed since they were last read, from the marks that one request brings for all of them.

A mark (EWS: the time of the folder's last commit, and its count of deletions) may have a resolution of one second: a
commit in the same second as our look leaves the mark as we saw it. So a mark is believed only when that second is
certainly over: when it lies far back by any clock, or when we have seen it unchanged for longer than its resolution.
Until then the mark is unsettled and its folder is asked once more in the next pass, which costs one request.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.replica.port import FolderState
from shared.sources.port import Folder
from shared.sync.limits import Limits

NOTE = "unsettled"
"""In the cursor's notes: folder id → [mark, when it was first seen]."""


def has_changed(folder: Folder, state: FolderState | None, notes: Mapping[str, object], *, again: bool = False) -> bool:
    """Whether the folder has to be read: it is new, unfinished, changed, or may have changed unseen.

    `again` when it was read in a pass whose continuation this is: then only a change that shows counts.
    """
    if state is None or state.state is None or not state.seeded or state.mark != folder.mark:
        return True
    return not again and (folder.mark is None or folder.id in unsettled(notes))


def unsettled(notes: Mapping[str, object]) -> dict[str, list[str]]:
    """The unsettled marks that a cursor's notes keep."""
    kept = notes.get(NOTE)
    return dict(kept) if isinstance(kept, Mapping) else {}


def is_settled(folder: Folder, seen: list[str] | None, looked_at: datetime, limits: Limits) -> bool:
    """Whether nothing can hide behind this mark any more, after a read that followed the look at `looked_at`."""
    if folder.mark is None:
        return True
    if folder.marked_at is not None and looked_at - folder.marked_at >= limits.clocks_apart:
        return True
    if seen is None or seen[0] != folder.mark:
        return False
    return looked_at - datetime.fromisoformat(seen[1]) >= limits.mark_resolution


def settle(folder: Folder, notes: dict[str, object], looked_at: datetime, limits: Limits) -> bool:
    """Note what a finished read says of the folder's mark; gives whether the notes changed."""
    waiting = unsettled(notes)
    seen = waiting.get(folder.id)
    if is_settled(folder, seen, looked_at, limits):
        return forget(folder.id, notes)
    if seen is not None and seen[0] == folder.mark:
        return False
    notes[NOTE] = {**waiting, folder.id: [folder.mark or "", looked_at.astimezone(UTC).isoformat()]}
    return True


def forget(folder_id: str, notes: dict[str, object]) -> bool:
    """Drop a folder's unsettled mark; gives whether there was one."""
    waiting = unsettled(notes)
    if waiting.pop(folder_id, None) is None:
        return False
    notes[NOTE] = waiting
    return True
