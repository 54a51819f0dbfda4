"""Creates the objects of one pass and connects them. No other module knows how they are constructed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry
from shared.replica.port import Cursor, Replica
from shared.sources.model import Access, SourceName
from shared.sources.port import MailSources
from shared.sync.back_off.waits import is_stuck
from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.mailbox_sync import MailboxSync
from shared.sync.planning.move_detector import MoveDetector
from shared.sync.planning.page_filler import PageFiller
from shared.sync.planning.plan_executor import PlanExecutor
from shared.sync.planning.removed_items import RemovalMemory
from shared.sync.reading import reset
from shared.sync.reading.change_reader import ChangeReader
from shared.sync.reading.folder_scan import FolderScanner
from shared.sync.reading.item_fetcher import ItemFetcher
from shared.sync.reconciling import sweep
from shared.sync.reconciling.folder_comparison import FolderComparison
from shared.sync.reconciling.joint_comparison import JointComparison
from shared.sync.reconciling.occurrences import OccurrenceWriter
from shared.sync.recording.pass_result import PassResult, RunStats
from shared.sync.recording.progress import ProgressReporter
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.scope import Scope
from shared.sync.state import resume
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.issues import Issues
from shared.sync.state.page_writer import PageWriter
from shared.sync.state.replica_view import ReplicaView
from shared.sync.state.settled_cursor import SettledCursor


@dataclass(frozen=True, slots=True)
class PassOpener:
    """Opens passes. Its fields are the same for all of them."""

    sources: MailSources
    replica: Replica
    registry: MailboxRegistry
    recorder: RunRecorder
    scope_of: Callable[[Mailbox], Scope]
    limits: Limits
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]

    def open(
        self, settled: SettledCursor, cursor: Cursor, stats: RunStats, access: Access, budget: Budget
    ) -> MailboxSync:
        """Return a pass over one mailbox, ready to run; `stats` say when it started and whether it is a sweep.

        Failures are isolated when several passes in a row have failed, or when an issue is due or becomes due in this
        pass.

        Raises:
            OperatorMustAct: the mailbox's group does not exist.
        """
        mailbox = settled.mailbox
        limits, clock, first_sync = self.limits, self.clock, not mailbox.first_sync_done
        scope = self.scope_of(mailbox)
        draft = _draft(cursor, access.source, stats)
        reset.begin_if_requested(draft, mailbox.reset_at)
        pages = PageWriter(
            self.replica,
            self.registry,
            mailbox.id,
            cursor,
            draft,
            limits=limits,
            budget=budget,
            first_sync=first_sync,
            announce_page=settled.announce_page,
        )
        issues = Issues(self.registry, mailbox.id, draft, pages, limits, clock=clock, counted=mailbox.issues)
        stuck = is_stuck(mailbox, limits)
        isolates_failures = stuck or issues.will_be_due(timedelta(seconds=limits.budget_seconds))
        progress = ProgressReporter(
            mailbox, stats, self.recorder, draft, issues, limits=limits, monotonic=self.monotonic
        )
        before = resume.resume_point(draft, clock(), limits)
        view, memory = ReplicaView(self.replica, mailbox.id, pages), RemovalMemory(draft, clock(), limits)
        source = self.sources.open(access, isolate_failures=isolates_failures)
        fetcher = ItemFetcher(source, issues, skip_waiting=stuck)
        moves = MoveDetector(fetcher, view, memory)
        read_to_end = frozenset(before.read if before else ())
        comparison = FolderComparison(source, view, fetcher, issues, scope, limits=limits)
        return MailboxSync(
            source=source,
            replica=view,
            draft=draft,
            pages=pages,
            filler=PageFiller(draft, pages, issues, limits, budget, progress=progress, read_to_end=read_to_end),
            issues=issues,
            memory=memory,
            scanner=FolderScanner(source, scope, draft, issues, limits),
            reader=ChangeReader(source, draft, limits, budget, first_sync=first_sync, known=view.source_ids),
            moves=moves,
            executor=PlanExecutor(fetcher, moves, view, issues, scope, clock=clock, clocks_apart=limits.clocks_apart),
            comparison=comparison,
            together=JointComparison(source, view, comparison, issues, draft),
            occurrences=OccurrenceWriter(source, view, draft, pages, issues, scope=scope, limits=limits, budget=budget),
            progress=progress,
            scope=scope,
            limits=limits,
            budget=budget,
            clock=clock,
            isolates_failures=isolates_failures,
            result=PassResult(scanned_at=before.since if before else None),
        )


def _draft(cursor: Cursor, source: SourceName, stats: RunStats) -> CursorDraft:
    """Return the cursor to change. It names the source that reads the mailbox, and whether a sweep is in progress."""
    draft = CursorDraft(cursor)
    if source is not SourceName.EWS:
        draft.update(source=source)
    if stats.sweep:
        sweep.begin_daily(draft)
    return draft
