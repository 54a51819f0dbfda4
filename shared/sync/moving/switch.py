"""The rules that decide about a move, and the cursor that switches a mailbox to its other source."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.replica.port import Cursor, FolderState
from shared.sources.model import SourceName
from shared.sync.limits import Limits
from shared.sync.moving.content_sample import SampleResult
from shared.sync.moving.survey import FolderSurvey, Survey, fingerprint
from shared.sync.state.sync_state import Restating, SweepProgress, SyncState, from_notes, to_notes

SHARE = 20
"""The safety stop blocks a move that would delete or download again more than one in this many items."""


def is_blocked(survey: Survey, held: int, limits: Limits) -> bool:
    """Whether the safety stop blocks a move, because it would change too much of the replica."""
    total = survey.total()
    distrusted = sum(counts.same for kind, counts in survey.by_kind().items() if is_distrusted(survey, kind))
    return total.gone + total.changed + distrusted > max(held // SHARE, limits.plenty // 10)


def is_distrusted(survey: Survey, kind: str) -> bool:
    """Whether the sampled contents of a kind differ, so that all of its contents have to be read again."""
    return survey.sampled.get(kind) == SampleResult.DIFFERENT


def source_of(cursor: Cursor, chosen: SourceName) -> SourceName:
    """Return the source whose states a cursor holds; before anything was read, the chosen source."""
    named = from_notes(cursor.notes).source
    if named is not None:
        return named
    return chosen if cursor.sequence == 0 and not cursor.folders else SourceName.EWS


def switched(
    cursor: Cursor, survey: Survey, document: bytes, written: Mapping[str, Iterable[str]], now: datetime
) -> Cursor:
    """Return the cursor over the other source. Its folders continue from the states that the survey has reached.

    `document` is the survey as it is stored: the rows are restated from it.
    `written` are the keys by folder of what was written since the survey began: the new states may not know them.
    Whatever differs, or was not surveyed, is compared item by item by the passes that follow.
    """
    state = from_notes(cursor.notes)
    names = {folder.id: folder.target_id for folder in survey.folders.values()}
    folders = [_over_target(folder, survey) for folder in cursor.folders.values()]
    differing = {names.get(id_, id_) for id_ in cursor.folders if _has_to_be_compared(id_, survey)}
    waiting = {names.get(id_, id_) for id_ in state.to_compare} | differing
    state = state.with_changes(
        to_compare=tuple(sorted(waiting - survey.kept.keys())),
        read_anew=_to_read_anew(survey, {names.get(id_, id_) for id_ in state.read_anew}),
        unconfirmed=_under_new_names(names, state.unconfirmed, written),
        not_tracked={id_: state.not_tracked.get(id_, now) for id_ in survey.kept},
    )
    state = _over_other_source(state, survey.target, _restating(survey, document, names, now))
    if survey.target is SourceName.EWS and state.sweep is None:
        # Settings may have changed meanwhile for items that Graph does not give.
        state = state.with_changes(sweep=SweepProgress(daily=False), sweep_left_out={})
    notes = to_notes(state)
    return replace(cursor, folders={folder.id: folder for folder in folders}, notes=notes)


def _over_target(folder: FolderState, survey: Survey) -> FolderState:
    found = survey.folders.get(folder.id)
    if found is None or not is_surveyed(found):
        return replace(folder, id=found.target_id if found else folder.id, state=None, change_token=None)
    return replace(folder, id=found.target_id, state=found.state, change_token=None)


def is_surveyed(folder: FolderSurvey) -> bool:
    """Whether a folder's new state covers all its items."""
    return folder.complete and not folder.is_unreadable


def _has_to_be_compared(folder_id: str, survey: Survey) -> bool:
    if folder_id in survey.kept:
        return False
    found = survey.folders.get(folder_id)
    if found is None or not is_surveyed(found):
        return True
    return found.differs or any(is_distrusted(survey, kind) for kind in found.kinds)


def _to_read_anew(survey: Survey, before: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of kinds whose contents differ, and those of an earlier move that were not read yet."""
    distrusted = {
        folder.target_id
        for folder in survey.folders.values()
        if any(is_distrusted(survey, kind) for kind in folder.kinds)
    }
    return tuple(sorted({*before, *distrusted}))


def _under_new_names(names: Mapping[str, str], *known: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Merge item keys by folder."""
    found: dict[str, dict[str, None]] = {}
    for keys_by_folder in known:
        for id_, keys in keys_by_folder.items():
            found.setdefault(names.get(id_, id_), {}).update(dict.fromkeys(keys))
    return {id_: tuple(keys) for id_, keys in found.items() if keys}


def _restating(survey: Survey, document: bytes, names: Mapping[str, str], now: datetime) -> Restating:
    origin = SourceName.EWS if survey.target is SourceName.GRAPH else SourceName.GRAPH
    other_names = {id_: name for id_, name in names.items() if name != id_}
    return Restating(origin, now, fingerprint(document), other_names)


def _over_other_source(state: SyncState, target: SourceName, restating: Restating) -> SyncState:
    """Return the sync state without what belongs to the other source's folders."""
    return state.with_changes(
        source=target,
        restating=restating,
        unsettled={},
        resume=None,
        sweep=replace(state.sweep, done=()) if state.sweep else None,
        looks_empty_since=None,
        folder_looks_empty_since={},
        surplus={},
        not_provided={},
        occurrences_due=True,
    )
