"""One pass over one mailbox: look, read what changed, write it, repair what has to be repaired.

Whatever ends a pass (its time, a fault, a crash, a lost lease), what is committed is right as it stands and the next
pass goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.errors import ActionNeeded, Reason
from shared.sources.port import ChangeKind, Folder, FolderGone, ItemFailure
from shared.sync import parts, sweeping
from shared.sync.apply import Applier
from shared.sync.budget import BudgetSpent
from shared.sync.desk import LEFT_OUT, Desk
from shared.sync.items import deletion
from shared.sync.ledger import DUE, is_calendar
from shared.sync.look import Look, look, settle, unlist
from shared.sync.moves import Departure, Departures
from shared.sync.occurrences import write_occurrences
from shared.sync.plan import Group, Plan, Reading, add_reading
from shared.sync.rounds import Rounds
from shared.sync.sweep import has_lost

LOOKS = 2
"""How often a pass looks at the hierarchy when folders vanish while they are read."""


@dataclass(slots=True)
class Result:
    """What a pass came to. Counts of what was written are the writer's."""

    finished: bool = False
    """Everything there was to do is done; else the continuation is to be asked for."""
    held: bool = False
    """The safety stop held deletions back."""
    looked_at: datetime | None = None
    swept: sweeping.Figures | None = None
    """A daily sweep came to its end in this pass."""


class Pass:
    """One pass. `first_sync` while the mailbox has never been synced completely."""

    def __init__(self, desk: Desk, *, first_sync: bool) -> None:
        self.result = Result()
        self._desk = desk
        self._first_sync = first_sync
        self._read_to_end: set[str] = set()

    def run(self) -> Result:
        """Do what there is to do within the budget.

        Raises: what the source and the replica raise, after what was already fetched has been committed; LeaseLost.
        """
        try:
            self._everything()
        except BudgetSpent:
            self._leave_the_rest()
        except ActionNeeded:
            self._leave_the_rest()
            raise
        return self.result

    def _leave_the_rest(self) -> None:
        """Commit what there is and let the next pass go on from here: a server that throttles may do so every time."""
        if self.result.looked_at is not None and self._read_to_end:
            parts.keep(self._desk.ledger, self._read_to_end, self.result.looked_at)
        self._desk.writer.finish()

    def _everything(self) -> None:
        sweeping.begin_if_scope_changed(self._desk)
        self._go_on()
        for _ in range(LOOKS):
            seen = self._look()
            unknown = self._read(seen.to_read, seen)
            self._remove_gone(seen)
            if not unknown:
                break
        for folder in unknown:
            self._desk.failed(folder.id, ItemFailure(folder.id, Reason.ITEM_UNREADABLE, "folder"))
        self._read_not_found(seen)
        self._retry_issues(seen)
        if not seen.hold:
            self._reread(seen)
            self._sweep(seen)
            self._fasten(seen)
            self._occurrences(seen)
            self.result.swept = sweeping.finish(self._desk)
        self._desk.ledger.note(parts.NOTE, None)
        self._desk.writer.finish()
        self._desk.issues.recount()
        self._desk.writer.finish()
        self.result.finished = True

    def _go_on(self) -> None:
        """Take up what the passes before this one have read of the same work."""
        if part := parts.under_way(self._desk.ledger, self._desk.clock(), self._desk.limits):
            self.result.looked_at, self._read_to_end = part.since, set(part.read)

    def _look(self) -> Look:
        seen = look(self._desk, self._read_to_end)
        self.result.looked_at = self.result.looked_at or seen.at
        self.result.held = seen.hold
        self._desk.in_scope = seen.in_scope
        return seen

    def _read(self, folders: Sequence[Folder], seen: Look) -> list[Folder]:
        """Rounds until these folders are read to their end; gives those that the source lists but does not know."""
        if not folders:
            return []
        desk = self._desk
        rounds = Rounds(
            desk.source,
            desk.ledger,
            desk.limits,
            desk.budget,
            folders,
            first_sync=self._first_sync,
            known=desk.source_ids,
        )
        applier = Applier(desk, self._vanished(seen))
        try:
            for readings in rounds:
                applier.run(self._plan(readings, seen))
                if not rounds.over:
                    desk.budget.check()
        finally:
            rounds.close()
            for failure in rounds.unreadable:
                desk.failed(failure.item_id, failure)
        return rounds.unknown

    def _plan(self, readings: Sequence[Reading], seen: Look) -> Plan:
        """One round against the replica; a folder's state moves on with the last of its changes."""
        desk = self._desk
        new = all(reading.is_new for reading in readings)
        plan = Plan(first_sync=new, look_first=new and bool(desk.scope.mail_days), left_out=desk.count_left_out)
        known = desk.find([id_ for reading in readings for id_ in reading.to_look_up()])
        for reading in readings:
            group = Group(partial(self._read_so_far, reading, seen))
            add_reading(plan, reading, group, known, desk.scope)
            group.end()
        return plan

    def _read_so_far(self, reading: Reading, seen: Look, group: Group) -> None:
        folder, ledger = reading.folder, self._desk.ledger
        if reading.state is None or folder.id not in ledger.folders:
            return
        ledger.advance(folder, reading.state, complete=reading.complete)
        ledger.fasten(folder.id, group.arrivals)
        if reading.last and is_calendar(folder):
            ledger.note(DUE, True)
        if reading.complete:
            self._read_to_end.add(folder.id)
            if reading.last:
                self._note_surplus(reading)
            settle(self._desk, folder, seen.at)
            cured = self._desk.cure(folder.id)
            if cured and is_calendar(folder):
                ledger.note(DUE, True)
            self._desk.writer.cure(cured)

    def _note_surplus(self, reading: Reading) -> None:
        """Have a folder compared of which the replica has more than the source counts: deletions were not reported.

        The count is of the look: what has come since is allowed for. Only what grew since the last comparison counts,
        for a server may count otherwise than we do.
        """
        folder, ledger = reading.folder, self._desk.ledger
        if folder.total is None:
            return
        come = sum(change.kind is ChangeKind.UPSERT for change in reading.last.values())
        surplus = ledger.folders[folder.id].items - folder.total - come
        if surplus > max(0, sweeping.surplus_of(ledger, folder.id)):
            ledger.reread(folder.id, again=True)

    def _vanished(self, seen: Look) -> Departures:
        """Items of folders that are gone: some may have been moved elsewhere before."""
        vanished = Departures()
        left = self._desk.limits.round_changes
        for folder_id in (one for one in seen.gone if one in self._desk.ledger.folders):
            for item in self._desk.items(folder_id):
                if left <= 0:
                    return vanished
                vanished.add(Departure(item, lambda: None))
                left -= 1
        return vanished

    def _remove_gone(self, seen: Look) -> None:
        """Delete the items of folders that are gone. Should one come back half-way it is read from its beginning."""
        desk = self._desk
        for folder_id in seen.gone:
            desk.ledger.restart(folder_id)
            for item in desk.items(folder_id):
                desk.remembered.add(item)
                desk.keep_remembered()
                desk.writer.put(deletion(item), folder_id, desk.cure(item.source_id, folder_id))
                desk.writer.turn()
            unlist(desk, folder_id)

    def _read_not_found(self, seen: Look) -> None:
        """Read on where a listed item was not found: mostly it was deleted meanwhile, and its issue goes with that."""
        folders = [folder for folder_id, folder in seen.folders.items() if folder_id in self._desk.not_found]
        if folders:
            self._read(folders, seen)

    def _retry_issues(self, seen: Look) -> None:
        """Try failed items again whose time has come. Where one is not found its folder is compared: only what is not
        listed either is gone, and a held pass tries none.

        A source that was not opened to isolate failures tries none: one that it chokes on would end the pass.
        """
        desk = self._desk
        desk.not_found.clear()
        if seen.hold or not desk.issues.are_expected:
            return
        for item_id in desk.issues.of_folders_gone(seen.folders):
            desk.writer.cure(desk.cure(item_id))
        due = [
            issue for issue in (desk.issues.due() if desk.isolates_failures else ()) if issue.folder_id in seen.folders
        ]
        due = [issue for issue in due if issue.item_id != issue.folder_id]
        plan = Plan(left_out=desk.count_left_out, unreported=True)
        known = desk.find([issue.item_id for issue in due])
        for issue in due:
            group = Group()
            plan.want(seen.folders[issue.folder_id], issue.item_id, group, known.get(issue.item_id))
        Applier(desk).run(plan)
        for folder_id in desk.not_found:
            desk.ledger.reread(folder_id, again=True)

    def _reread(self, seen: Look) -> None:
        """Compare the folders whose sync state was lost: deletions of meanwhile were reported by nobody."""
        desk = self._desk
        for folder_id in desk.ledger.to_reread():
            if desk.issues.waits(folder_id):
                continue
            if folder := seen.folders.get(folder_id):
                sweeping.compare_folder(desk, folder, partial(self._read_on, seen), LEFT_OUT)
            else:
                desk.ledger.reread(folder_id, again=False)
            desk.budget.check()

    def _sweep(self, seen: Look) -> None:
        """Go on with a sweep, if there is one: each folder is read to its end, whatever its mark says, and compared."""
        desk = self._desk
        for folder in sweeping.left_to_sweep(desk.ledger, seen.folders):
            sweeping.sweep_folder(desk, folder, partial(self._read_on, seen))
            desk.budget.check()

    def _read_on(self, seen: Look, folder: Folder) -> None:
        if self._read([folder], seen):
            raise FolderGone("the folder went while it was compared")

    def _fasten(self, seen: Look) -> None:
        """Items written while their folder's state did not know them: read on, then ask for them by their ids."""
        desk = self._desk
        for folder_id, keys in desk.ledger.loose().items():
            if folder := seen.folders.get(folder_id):
                self._read([folder], seen)
                if has_lost(desk, folder, keys):
                    sweeping.compare_folder(desk, folder, partial(self._read_on, seen), LEFT_OUT)
            desk.ledger.fasten(folder_id, keys)
            desk.budget.check()

    def _occurrences(self, seen: Look) -> None:
        """Written before a daily sweep is over: a fault leaves both to the next pass."""
        ledger = self._desk.ledger
        if ledger.notes.get(DUE) or sweeping.is_daily(ledger):
            write_occurrences(self._desk, seen.folders.values())
