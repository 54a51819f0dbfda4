"""A sweep over all folders, one after the other, that may take several passes: how far it has got is in the state."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.sources.port import Folder
from shared.sync import safety
from shared.sync.limits import Limits
from shared.sync.pass_result import SweepFigures
from shared.sync.scope import LeftOut, Scope
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import SweepProgress


def begin_daily(draft: CursorDraft) -> None:
    """Begin the daily sweep, or let one that is under way go on as one."""
    draft.update(sweep=replace(draft.state.sweep or SweepProgress(daily=True), daily=True))


def is_daily(draft: CursorDraft) -> bool:
    """Whether a daily sweep is under way."""
    return draft.state.sweep is not None and draft.state.sweep.daily


def begin_if_scope_changed(draft: CursorDraft, scope: Scope) -> None:
    """Settings that decide item by item were changed: everything has to be looked through once, from the beginning."""
    digest, before = scope.digest(), draft.state.scope_digest
    draft.update(scope_digest=digest)
    if before not in ("", digest):
        progress = SweepProgress(daily=is_daily(draft))
        draft.update(sweep=progress, sweep_left_out={}, occurrences_due=True)


def left_to_sweep(draft: CursorDraft, folders: Mapping[str, Folder]) -> list[Folder]:
    """The folders still to be swept; none when all are done, or nothing is to be swept."""
    if draft.state.sweep is None:
        return []
    done = frozenset(draft.state.sweep.done)
    return [folder for id_, folder in folders.items() if id_ not in done]


def mark_done(draft: CursorDraft, folder_id: str) -> None:
    """A folder is compared, as far as this sweep can."""
    if sweep := draft.state.sweep:
        draft.update(sweep=replace(sweep, done=(*sweep.done, folder_id)))


def add_figures(draft: CursorDraft, missing: int, extra: int) -> None:
    """Count what was repaired."""
    if sweep := draft.state.sweep:
        draft.update(sweep=replace(sweep, missing=sweep.missing + missing, extra=sweep.extra + extra))


def add_left_out(draft: CursorDraft, counts: Mapping[LeftOut, int], *, in_sweep: bool = False) -> None:
    """Count items that were met and do not belong in the replica."""
    before = draft.state.sweep_left_out if in_sweep else draft.state.left_out
    after = dict(before)
    for reason, number in counts.items():
        after[reason.value] = after.get(reason.value, 0) + number
    draft.update(**{"sweep_left_out" if in_sweep else "left_out": after})


def keep_surplus(draft: CursorDraft, folder: Folder, items: int) -> None:
    """A folder was compared and has so many items in the replica: note how many the source does not count."""
    others = {id_: number for id_, number in draft.state.surplus.items() if id_ != folder.id}
    surplus = 0 if folder.total is None else items - folder.total
    draft.update(surplus={**others, folder.id: surplus} if surplus > 0 else others)


def keep_not_provided(draft: CursorDraft, folder: Folder, items: int) -> None:
    """A folder was listed and counts so many items that its source does not give."""
    others = {id_: number for id_, number in draft.state.not_provided.items() if id_ != folder.id}
    draft.update(not_provided={**others, folder.id: items} if items else others)


def deletions_blocked(
    draft: CursorDraft, folder_id: str, held: int, gone: int, *, now: datetime, limits: Limits
) -> bool:
    """The safety stop's part: much of a folder gone without a word is believed an interval later, if still so."""
    waiting = dict(draft.state.folder_looks_empty_since)
    verdict = safety.judge(held, gone, waiting.pop(folder_id, None), now, limits)
    if verdict.since is not None and verdict.deletions_blocked:
        waiting[folder_id] = verdict.since
    draft.update(folder_looks_empty_since=waiting)
    return verdict.deletions_blocked


def finish(draft: CursorDraft) -> SweepFigures | None:
    """Close a sweep whose folders are all done; gives the daily one's figures."""
    sweep = draft.state.sweep
    if sweep is None:
        return None
    draft.update(sweep=None, left_out=draft.state.sweep_left_out, sweep_left_out={})
    return SweepFigures(sweep.missing, sweep.extra) if sweep.daily else None
