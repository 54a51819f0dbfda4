"""A sweep over all folders, one after the other, that may take several passes: how far it has got is in the notes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.sources.port import Folder, FolderGone, FolderUnreadable
from shared.sync import moves, safety
from shared.sync.apply import Applier
from shared.sync.desk import LEFT_OUT, Desk
from shared.sync.ledger import DUE, Ledger
from shared.sync.sweep import Difference, compare, confirm_gone, repair

NOTE = "sweep"
"""In the cursor's notes: a sweep under way, as `_Progress` keeps it."""

SWEEP_LEFT_OUT = "sweep_left_out"
"""In the cursor's notes: what the sweep under way has left out so far."""

SCOPE = "scope"
"""In the cursor's notes: the digest of the settings that the replica was made by."""

SURPLUS = "surplus"
"""In the cursor's notes: folder id → how many items more the replica has than the source counts, though compared."""

COMPARISONS = 2
"""How often a pass compares a folder that loses its state in the midst of it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a finished daily sweep found: items missing or outdated, and items that had no right to be there."""

    missing: int
    extra: int


@dataclass(frozen=True, slots=True)
class _Progress:
    """A sweep under way. `daily` when its figures are to be recorded, otherwise a changed setting asked for it."""

    daily: bool
    done: tuple[str, ...] = ()
    missing: int = 0
    extra: int = 0

    @classmethod
    def of(cls, ledger: Ledger) -> "_Progress | None":
        note = ledger.notes.get(NOTE)
        if not isinstance(note, Mapping):
            return None
        done = tuple(map(str, note["done"]))
        return cls(bool(note["daily"]), done, int(note["missing"]), int(note["extra"]))

    def keep(self, ledger: Ledger) -> None:
        ledger.note(
            NOTE,
            {
                "daily": self.daily,
                "done": list(self.done),
                "missing": self.missing,
                "extra": self.extra,
            },
        )


def begin_daily(ledger: Ledger) -> None:
    """Begin the daily sweep, or let one that is under way go on as one."""
    before = _Progress.of(ledger) or _Progress(daily=True)
    _Progress(True, before.done, before.missing, before.extra).keep(ledger)


def is_daily(ledger: Ledger) -> bool:
    """Whether a daily sweep is under way."""
    progress = _Progress.of(ledger)
    return progress is not None and progress.daily


def begin_if_scope_changed(desk: Desk) -> None:
    """Settings that decide item by item were changed: everything has to be looked through once, from the beginning."""
    digest, before = desk.scope.digest(), desk.ledger.notes.get(SCOPE)
    desk.ledger.note(SCOPE, digest)
    if before not in (None, digest):
        under_way = _Progress.of(desk.ledger)
        _Progress(daily=under_way is not None and under_way.daily).keep(desk.ledger)
        desk.ledger.note(SWEEP_LEFT_OUT, None)
        desk.ledger.note(DUE, True)


def left_to_sweep(ledger: Ledger, folders: Mapping[str, Folder]) -> list[Folder]:
    """The folders still to be swept; none when all are done, or nothing is to be swept."""
    progress = _Progress.of(ledger)
    if progress is None:
        return []
    done = frozenset(progress.done)
    return [folder for id_, folder in folders.items() if id_ not in done]


def sweep_folder(desk: Desk, folder: Folder, read_on: Callable[[Folder], None]) -> None:
    """Compare and repair one folder, whatever its mark says; one that cannot be read when its issue's time has come."""
    if desk.issues.waits(folder.id):
        desk.ledger.reread(folder.id, again=True)
        _mark_done(desk.ledger, folder.id)
        return
    compare_folder(desk, folder, read_on, SWEEP_LEFT_OUT, lambda: _mark_done(desk.ledger, folder.id))


def compare_folder(
    desk: Desk,
    folder: Folder,
    read_on: Callable[[Folder], None],
    note: str,
    done: Callable[[], None] = lambda: None,
) -> None:
    """Compare and repair one folder, which `read_on` reads to its end.

    What was held back is compared again in the next passes, until it is believed or has come back. So is a folder that
    lost its state after it was listed: what was deleted between the two is reported by nobody. And so is one that is
    gone, if the next look lists it all the same, or cannot be read, once it can.
    """
    try:
        difference = _compared(desk, folder, read_on)
        asked = dict.fromkeys([*difference.extra, *difference.unlisted])
        certain = frozenset(confirm_gone(desk, folder, list(asked)))
    except (FolderGone, FolderUnreadable) as exc:
        _put_off(desk, folder, exc)
        done()
        return
    gone = [id_ for id_ in difference.extra if id_ in certain]
    held = _is_held(desk, folder, difference.items, len(gone))
    for id_ in certain.intersection(difference.unlisted):
        desk.writer.cure(desk.cure(id_, folder.id))
    difference.extra = [] if held else gone
    desk.ledger.recount(folder.id, difference.items)
    applier = Applier(desk)

    def finished() -> None:
        if not held:
            _keep_surplus(desk.ledger, folder, difference.items - len(difference.extra))
        desk.ledger.reread(folder.id, again=held or folder.id in desk.ledger.restarted)
        done()

    try:
        repair(desk, applier, folder, difference, note=note, done=finished)
    finally:
        _add_figures(desk.ledger, applier.written, applier.removed)


def surplus_of(ledger: Ledger, folder_id: str) -> int:
    """How many items more than the source counted the replica had of a folder after it was last compared."""
    note = ledger.notes.get(SURPLUS)
    return int(note.get(folder_id, 0)) if isinstance(note, Mapping) else 0


def _keep_surplus(ledger: Ledger, folder: Folder, items: int) -> None:
    note = ledger.notes.get(SURPLUS)
    others = {id_: number for id_, number in note.items() if id_ != folder.id} if isinstance(note, Mapping) else {}
    surplus = 0 if folder.total is None else items - folder.total
    ledger.note(SURPLUS, {**others, folder.id: surplus} if surplus > 0 else others)


def _put_off(desk: Desk, folder: Folder, exc: FolderGone | FolderUnreadable) -> None:
    """Compare it in a later pass, if it is listed then and can be read."""
    if isinstance(exc, FolderUnreadable):
        desk.unreadable(folder, exc)
    desk.ledger.reread(folder.id, again=True)


def _compared(desk: Desk, folder: Folder, read_on: Callable[[Folder], None]) -> Difference:
    """A folder that loses its state after it was listed is compared once more, with the state that it has now."""
    for _ in range(COMPARISONS):
        desk.ledger.restarted.discard(folder.id)
        difference = compare(desk, folder, read_on)
        if folder.id not in desk.ledger.restarted:
            break
    return difference


def _is_held(desk: Desk, folder: Folder, items: int, gone: int) -> bool:
    """The safety stop's part: much of a folder gone without a word is believed an interval later, if still so."""
    note = desk.ledger.notes.get(safety.SWEEP_NOTE)
    waiting = dict(note) if isinstance(note, Mapping) else {}
    verdict = safety.judge(items, gone, waiting.pop(folder.id, None), desk.clock(), desk.limits)
    if verdict.hold:
        waiting[folder.id] = verdict.since
    desk.ledger.note(safety.SWEEP_NOTE, waiting)
    return verdict.hold


def _mark_done(ledger: Ledger, folder_id: str) -> None:
    if progress := _Progress.of(ledger):
        done = (*progress.done, folder_id)
        _Progress(progress.daily, done, progress.missing, progress.extra).keep(ledger)


def _add_figures(ledger: Ledger, missing: int, extra: int) -> None:
    if progress := _Progress.of(ledger):
        missing, extra = progress.missing + missing, progress.extra + extra
        _Progress(progress.daily, progress.done, missing, extra).keep(ledger)


def finish(desk: Desk) -> Figures | None:
    """Close a sweep whose folders are all done; gives the daily one's figures.

    Remembered deletions are forgotten with it: the compaction that follows may drop the bytes they point to.
    """
    progress = _Progress.of(desk.ledger)
    if progress is None:
        return None
    desk.ledger.note(NOTE, None)
    desk.ledger.note(LEFT_OUT, desk.ledger.notes.get(SWEEP_LEFT_OUT))
    desk.ledger.note(SWEEP_LEFT_OUT, None)
    if not progress.daily:
        return None
    desk.remembered.clear()
    desk.ledger.note(moves.NOTE, None)
    return Figures(progress.missing, progress.extra)
