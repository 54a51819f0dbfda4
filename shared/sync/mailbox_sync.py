"""The algorithm: one pass over one mailbox.

    scan ─► read changes ─► plan ─► execute ─► reconcile ─► commit

However a pass ends (budget, error, crash, lost lease), everything committed is consistent, and the next pass continues
from there. A page commits the items and the cursor together. A folder's state advances with the page that holds the
last of its changes (`StateCheckpoint`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from shared.errors import ActionNeeded, Reason
from shared.sources.model import Folder, ItemFailure
from shared.sources.port import FolderGone, FolderUnreadable, MailSource
from shared.sync.budget import Budget, BudgetSpent
from shared.sync.limits import Limits
from shared.sync.planning.item_changes import deletion
from shared.sync.planning.move_detector import MoveDetector
from shared.sync.planning.page_filler import PageFiller
from shared.sync.planning.plan import Plan, plan_retries, plan_round
from shared.sync.planning.plan_executor import PlanExecutor
from shared.sync.planning.removed_items import RemovalMemory
from shared.sync.planning.write import Write, WriteOrigin
from shared.sync.reading import folder_change_tokens
from shared.sync.reading.change_reader import ChangeReader
from shared.sync.reading.folder_scan import FolderScan, FolderScanner
from shared.sync.reconciling import sweep
from shared.sync.reconciling.folder_comparison import Difference, FolderComparison
from shared.sync.reconciling.joint_comparison import JointComparison
from shared.sync.reconciling.occurrences import OccurrenceWriter
from shared.sync.recording.pass_result import PassResult, RunStats
from shared.sync.recording.progress import ProgressReporter
from shared.sync.scope import LeftOut, Scope
from shared.sync.state import resume
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.issues import Issues
from shared.sync.state.page_writer import PageWriter
from shared.sync.state.replica_view import ReplicaView

SCANS = 2
"""How often a pass scans the folders at most, when some disappear while they are read."""

COMPARISONS = 2
"""How often a pass compares a folder at most, when it loses its state during the comparison."""


@dataclass(slots=True)
class MailboxSync:
    """One pass, created by `open_pass`."""

    source: MailSource
    replica: ReplicaView
    draft: CursorDraft
    pages: PageWriter
    filler: PageFiller
    issues: Issues
    memory: RemovalMemory
    scanner: FolderScanner
    reader: ChangeReader
    moves: MoveDetector
    executor: PlanExecutor
    comparison: FolderComparison
    together: JointComparison
    occurrences: OccurrenceWriter
    progress: ProgressReporter
    scope: Scope
    limits: Limits
    budget: Budget
    clock: Callable[[], datetime]
    isolates_failures: bool
    """Whether the source was opened to isolate failures."""
    result: PassResult

    def run(self) -> PassResult:
        """Sync the mailbox within the budget.

        Raises:
            LeaseLost: another pass may be running.
            ActionNeeded: any error of the source or the replica, after what was already fetched has been committed.
        """
        try:
            sweep.begin_if_scope_changed(self.draft, self.scope)
            for _ in range(SCANS):
                scan = self._scan()
                unknown = self._sync_changes(scan.to_read, scan)
                self._remove_gone_folders(scan)
                if not unknown:
                    break
            for folder in unknown:
                self.issues.failed(folder.id, ItemFailure(folder.id, Reason.ITEM_UNREADABLE, "folder"))
            self._read_not_found(scan)
            if not scan.deletions_blocked:
                self._retry_issues(scan)
                self._reconcile(scan)
            self._commit()
        except BudgetSpent:
            self._leave_the_rest()
        except ActionNeeded:
            self._leave_the_rest()
            raise
        return self.result

    def close(self) -> RunStats:
        """Wait for the page being written, close the source, and return the figures of the pass."""
        try:
            self.pages.close()
        finally:
            requests = self.source.figures.requests
            self.source.close()
        stats, pages = self.progress.stats(), self.pages
        return replace(
            stats, counts=pages.counts, sequence=pages.sequence, cursor_etag=pages.cursor_etag, requests=requests
        )

    def _leave_the_rest(self) -> None:
        """Commit what there is, so that the next pass continues from here. A server may throttle every pass."""
        if self.result.scanned_at is not None and self.filler.read_to_end:
            resume.leave(self.draft, self.filler.read_to_end, self.result.scanned_at)
        self.pages.submit(wait=True)

    def _scan(self) -> FolderScan:
        """Scan the folders. The replica becomes complete as of the first scan, which a continued pass may have made."""
        scan = self.scanner.scan(self.clock(), self.filler.read_to_end)
        scanned_at = self.result.scanned_at or scan.at
        self.result = replace(self.result, scanned_at=scanned_at, deletions_blocked=scan.deletions_blocked)
        self.progress.scanned(scan.in_scope)
        return scan

    def _sync_changes(self, folders: Sequence[Folder], scan: FolderScan) -> list[Folder]:
        """Read these folders to their end and write the changes; returns those that are listed but do not exist."""
        unknown: list[Folder] = []
        if not folders:
            return unknown
        gone = (folder_id for folder_id in scan.gone if folder_id in self.draft.folders)
        self.moves.begin_reading(islice(self.replica.items_of(gone), self.limits.round_changes))
        with closing(self.reader.rounds(folders)) as rounds:
            for each in rounds:
                unknown += each.unknown
                for failure in each.unreadable:
                    self.issues.failed(failure.item_id, failure)
                if each.readings:
                    known = self.replica.find([id_ for reading in each.readings for id_ in reading.to_look_up()])
                    self._execute(plan_round(each.readings, known, self.scope, scan.at))
                    if not each.is_last:
                        self.budget.check()
        return unknown

    def _execute(self, plan: Plan) -> None:
        """Execute a plan and add its writes to the pages."""
        for write in self.executor.run(plan):
            if write.left_out is not None:
                sweep.add_left_out(self.draft, {write.left_out: 1})
            self.filler.add(write)

    def _remove_gone_folders(self, scan: FolderScan) -> None:
        """Remove the items of folders that are gone. A folder that comes back half-way is read from the start.

        What only a setting took out of scope is deleted at once, whatever the retention is, and so are the items that
        left the folder before.
        """
        for folder_id in scan.gone:
            self.draft.restart(folder_id)
            for item in self.replica.items(folder_id):
                self.memory.remember(item)
                resolved = self.issues.resolve_issue(item.source_id, folder_id)
                change = self.executor.removal(item) if folder_id in scan.left else deletion(item)
                self.filler.add(Write(WriteOrigin.REMOVAL, change, folder_id, resolved))
            if folder_id not in scan.left and self.draft.state.keeps_left:
                for item in self.replica.left_items(folder_id):
                    self.filler.add(Write(WriteOrigin.REMOVAL, deletion(item)))
            folder_change_tokens.forget(self.draft, folder_id)
            self.draft.remove(folder_id)

    def _read_not_found(self, scan: FolderScan) -> None:
        """Read folders again in which a listed item was not found. Usually it was deleted, which resolves its issue."""
        not_found = self.issues.take_not_found()
        self._sync_changes([folder for folder_id, folder in scan.folders.items() if folder_id in not_found], scan)

    def _retry_issues(self, scan: FolderScan) -> None:
        """Try the failed items that are due again. If one is not found, its folder is compared, because an item counts
        as gone only if it is not listed either.

        Items are retried only if the source isolates failures; otherwise one bad item could end the pass.
        """
        self.issues.take_not_found()
        if not self.issues.are_expected:
            return
        for item_id in self.issues.of_folders_gone(scan.folders):
            self.pages.resolve(self.issues.resolve_issue(item_id))
        due = [issue for issue in self.issues.due() if issue.folder_id in scan.folders]
        due = [issue for issue in due if self.isolates_failures and issue.item_id != issue.folder_id]
        known = self.replica.find([issue.item_id for issue in due])
        self.moves.begin_reading()
        self._execute(plan_retries(due, scan.folders, known))
        for folder_id in self.issues.take_not_found():
            self.draft.compare_again(folder_id, again=True)

    def _reconcile(self, scan: FolderScan) -> None:
        """Repair what changes do not report: lost states, a sweep, and items written before their folder's state."""
        for folder_id in self.draft.state.to_compare:
            if self.issues.waits(folder_id):
                continue
            if folder := scan.folders.get(folder_id):
                self._compare(folder, scan, in_sweep=False)
            else:
                self.draft.compare_again(folder_id, again=False)
            self.budget.check()
        self._sweep_equal_folders(scan)
        for folder in sweep.left_to_sweep(self.draft, scan.folders):
            if self.issues.waits(folder.id):
                self.draft.compare_again(folder.id, again=True)
                sweep.mark_done(self.draft, folder.id)
            else:
                self._compare(folder, scan, in_sweep=True)
            self.budget.check()
        for folder in sweep.left_to_sweep(self.draft, scan.not_tracked):
            self._repair(folder, self.comparison.compare_not_tracked(folder.id, self.clock()), in_sweep=True)
            sweep.mark_done(self.draft, folder.id)
            self.budget.check()
        self._confirm(scan)
        if self.draft.state.occurrences_due or sweep.is_daily(self.draft):
            self.occurrences.write(scan.folders.values(), self.clock())
        swept = sweep.finish(self.draft)
        if swept is not None:
            # The compaction that follows may drop the bytes that remembered removals point to.
            self.memory.clear()
        self.result = replace(self.result, swept=swept)

    def _sweep_equal_folders(self, scan: FolderScan) -> None:
        """Compare the folders together in which probably nothing differs; those that differ are left to the sweep."""
        left = sweep.left_to_sweep(self.draft, scan.folders)
        for group in sweep.groups(self.draft, left, self.limits.compared_together):
            equal = self.together.equal_folders(group, self.clock())
            for folder in group:
                if folder.id in equal:
                    self._settle(folder, equal[folder.id], frozenset(), in_sweep=True)
                    sweep.mark_done(self.draft, folder.id)
            self.budget.check()

    def _compare(self, folder: Folder, scan: FolderScan, *, in_sweep: bool) -> None:
        """Compare and repair one folder.

        The next passes compare the folder again in these cases:
        - Deletions were blocked: until they are confirmed or the items have come back.
        - The folder lost its state after it was listed: nothing reports what was deleted in between.
        - The folder is gone, but the next scan lists it; or it cannot be read now.
        """
        try:
            difference = self._difference(folder, scan)
            asked = dict.fromkeys([*difference.extra, *difference.unlisted])
            certain = frozenset(self.comparison.confirm_gone(folder, list(asked)))
        except (FolderGone, FolderUnreadable) as exc:
            if isinstance(exc, FolderUnreadable):
                self.issues.unreadable(folder, exc)
            again = True
        else:
            blocked = self._settle(folder, difference, certain, in_sweep=in_sweep)
            again = blocked or self.draft.has_restarted(folder.id)
        self.draft.compare_again(folder.id, again=again)
        if in_sweep:
            sweep.mark_done(self.draft, folder.id)

    def _settle(self, folder: Folder, difference: Difference, certain: frozenset[str], *, in_sweep: bool) -> bool:
        """Repair what a comparison found, and record the folder's counts; `certain` are the items that are gone.

        Returns whether the safety stop blocks the deletions.
        """
        gone = [id_ for id_ in difference.extra if id_ in certain]
        blocked = sweep.deletions_blocked(
            self.draft, folder.id, difference.items, len(gone), now=self.clock(), limits=self.limits
        )
        for id_ in certain.intersection(difference.unlisted):
            self.pages.resolve(self.issues.resolve_issue(id_, folder.id))
        self.draft.recount(folder.id, difference.items)
        self._repair(folder, replace(difference, extra=[] if blocked else gone), in_sweep=in_sweep)
        sweep.keep_not_provided(self.draft, folder, difference.not_provided)
        if not blocked:
            sweep.keep_surplus(self.draft, folder, difference.items - len(gone))
        return blocked

    def _difference(self, folder: Folder, scan: FolderScan) -> Difference:
        """List the folder, read it to its end, then compare. In this order its state covers everything listed.

        A folder that loses its state after it was listed is compared once more, with its new state.
        """
        for _ in range(COMPARISONS):
            now = self.clock()
            self.draft.watch_restart(folder.id)
            listing = self.comparison.list_folder(folder, now)
            if self._sync_changes([folder], scan):
                raise FolderGone("the folder went while it was compared")
            read_anew = folder.id in self.draft.state.read_anew
            difference = self.comparison.compare(folder, listing, now, confirm_all=read_anew)
            if not self.draft.has_restarted(folder.id):
                break
        return difference

    def _repair(self, folder: Folder, difference: Difference, *, in_sweep: bool) -> None:
        """Make the replica equal to the folder. Left-out items are counted at the end, because a repair that takes
        several passes finds them again in each pass."""
        left_out = Counter({LeftOut.OLD: difference.passed_by})
        repaired = Counter[WriteOrigin]()
        self.moves.begin_reading()
        try:
            for plan in self.comparison.plan_repairs(folder, difference):
                for write in self.executor.run(plan):
                    left_out.update([write.left_out] if write.left_out else ())
                    repaired.update([write.origin] if write.change else ())
                    self.filler.add(write)
        finally:
            sweep.add_figures(self.draft, repaired[WriteOrigin.ARRIVAL], repaired[WriteOrigin.REMOVAL])
        sweep.add_left_out(self.draft, +left_out, in_sweep=in_sweep)

    def _confirm(self, scan: FolderScan) -> None:
        """Confirm items that were written before their folder's state advanced: read on, then ask for them by id."""
        for folder_id, keys in self.draft.unconfirmed().items():
            if folder := scan.folders.get(folder_id):
                self._sync_changes([folder], scan)
                if self.comparison.has_lost(folder, keys):
                    self._compare(folder, scan, in_sweep=False)
            self.draft.confirm(folder_id, keys)
            self.budget.check()

    def _commit(self) -> None:
        """Write the last page, then the number of issues that remain after those that the page resolved are deleted."""
        self.draft.update(resume=None)
        self.pages.submit(wait=True)
        self.issues.recount()
        self.pages.submit(wait=True)
        self.result = replace(self.result, finished=True)
