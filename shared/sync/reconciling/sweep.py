"""The sweep over all folders, which may take several passes; its progress is in the sync state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.grouping import grouped
from shared.sources.model import Folder
from shared.sync import safety
from shared.sync.limits import Limits
from shared.sync.recording.pass_result import SweepFigures
from shared.sync.scope import LeftOut, Scope
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import SweepProgress


def begin_daily(draft: CursorDraft) -> None:
    """Start the daily sweep; a sweep that is already in progress continues as the daily one."""
    draft.update(sweep=replace(draft.state.sweep or SweepProgress(daily=True), daily=True))


def is_daily(draft: CursorDraft) -> bool:
    """Whether a daily sweep is in progress."""
    return draft.state.sweep is not None and draft.state.sweep.daily


def begin_if_scope_changed(draft: CursorDraft, scope: Scope) -> None:
    """Start a sweep from the beginning if settings that decide item by item have changed."""
    digest, before = scope.digest(), draft.state.scope_digest
    draft.update(scope_digest=digest)
    if before not in ("", digest):
        progress = SweepProgress(daily=is_daily(draft))
        draft.update(sweep=progress, sweep_left_out={}, occurrences_due=True)


def left_to_sweep(draft: CursorDraft, folders: Mapping[str, Folder]) -> list[Folder]:
    """Return the folders that are still to be swept; none without a sweep in progress."""
    if draft.state.sweep is None:
        return []
    done = frozenset(draft.state.sweep.done)
    return [folder for id_, folder in folders.items() if id_ not in done]


def groups(draft: CursorDraft, folders: Sequence[Folder], most: int) -> Iterator[list[Folder]]:
    """Group the folders in which probably nothing differs, each group with at most `most` items.

    Left out are folders that have not been read to their end, that are compared for another reason, that are larger, or
    that do not count as many items as the replica has: they certainly differ, and would be listed twice.
    """
    return grouped(_probably_equal(draft, folders, most) if most else (), most)


def _probably_equal(draft: CursorDraft, folders: Sequence[Folder], most: int) -> Iterator[tuple[Folder, int]]:
    for folder in folders:
        state = draft.folders.get(folder.id)
        waits = folder.id in draft.state.to_compare or folder.id in draft.state.read_anew
        if state is not None and state.seeded and not waits and folder.total == state.items <= most:
            yield folder, state.items


def mark_done(draft: CursorDraft, folder_id: str) -> None:
    """Mark a folder as done in this sweep."""
    if sweep := draft.state.sweep:
        draft.update(sweep=replace(sweep, done=(*sweep.done, folder_id)))


def add_figures(draft: CursorDraft, missing: int, extra: int) -> None:
    """Add to the figures of what was repaired."""
    if sweep := draft.state.sweep:
        draft.update(sweep=replace(sweep, missing=sweep.missing + missing, extra=sweep.extra + extra))


def add_left_out(draft: CursorDraft, counts: Mapping[LeftOut, int], *, in_sweep: bool = False) -> None:
    """Count items that were found but are out of scope."""
    before = draft.state.sweep_left_out if in_sweep else draft.state.left_out
    after = dict(before)
    for reason, number in counts.items():
        after[reason.value] = after.get(reason.value, 0) + number
    draft.update(**{"sweep_left_out" if in_sweep else "left_out": after})


def keep_surplus(draft: CursorDraft, folder: Folder, items: int) -> None:
    """Record how many more items of a compared folder the replica has (`items`) than the source counts."""
    others = {id_: number for id_, number in draft.state.surplus.items() if id_ != folder.id}
    surplus = 0 if folder.total is None else items - folder.total
    draft.update(surplus={**others, folder.id: surplus} if surplus > 0 else others)


def keep_not_provided(draft: CursorDraft, folder: Folder, items: int) -> None:
    """Record how many items a listed folder counts that the source does not list."""
    others = {id_: number for id_, number in draft.state.not_provided.items() if id_ != folder.id}
    draft.update(not_provided={**others, folder.id: items} if items else others)


def deletions_blocked(
    draft: CursorDraft, folder_id: str, held: int, gone: int, *, now: datetime, limits: Limits
) -> bool:
    """Apply the safety stop to one folder: unreported deletions of much of it are believed an interval later."""
    waiting = dict(draft.state.folder_looks_empty_since)
    verdict = safety.judge(held, gone, waiting.pop(folder_id, None), now, limits)
    if verdict.since is not None and verdict.deletions_blocked:
        waiting[folder_id] = verdict.since
    draft.update(folder_looks_empty_since=waiting)
    return verdict.deletions_blocked


def finish(draft: CursorDraft) -> SweepFigures | None:
    """End a sweep whose folders are all done; returns the figures if it was the daily sweep."""
    sweep = draft.state.sweep
    if sweep is None:
        return None
    draft.update(sweep=None, left_out=draft.state.sweep_left_out, sweep_left_out={})
    return SweepFigures(sweep.missing, sweep.extra) if sweep.daily else None
