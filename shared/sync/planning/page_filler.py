"""Adds writes to feed pages and advances the folders' states with them."""

from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.planning.write import Write
from shared.sync.reading import folder_change_tokens
from shared.sync.recording.progress import ProgressReporter
from shared.sync.state.checkpoint import StateCheckpoint
from shared.sync.state.cursor_draft import CursorDraft, is_calendar
from shared.sync.state.issues import Issues
from shared.sync.state.page_writer import PageWriter


class PageFiller:
    """Fills the pages of one pass. `read_to_end` are the folders that the passes it continues have already read."""

    def __init__(
        self,
        draft: CursorDraft,
        pages: PageWriter,
        issues: Issues,
        limits: Limits,
        budget: Budget,
        *,
        progress: ProgressReporter,
        read_to_end: frozenset[str] = frozenset(),
    ) -> None:
        self._draft = draft
        self._pages = pages
        self._issues = issues
        self._limits = limits
        self._budget = budget
        self._progress = progress
        self._read_to_end = set(read_to_end)

    @property
    def read_to_end(self) -> frozenset[str]:
        """The ids of the folders that were read to their end."""
        return frozenset(self._read_to_end)

    def add(self, write: Write) -> None:
        """Add one write to the page, with the checkpoints that it reaches.

        Raises:
            BudgetSpent: the page was full and the pass's time is up.
        """
        if write.change is not None:
            if write.is_unconfirmed:
                self._draft.add_unconfirmed(write.change.item.folder_id, write.change.item.key)
            self._pages.put(write.change, write.before)
        self._pages.resolve(write.resolved)
        for checkpoint in write.checkpoints:
            self._advance(checkpoint)
        if self._pages.is_full:
            self._pages.submit()
            if not self._progress.report():
                self._budget.stop()
            self._budget.check()

    def _advance(self, checkpoint: StateCheckpoint) -> None:
        """Advance a folder's state to a checkpoint."""
        folder, draft = checkpoint.folder, self._draft
        if folder.id not in draft.folders:
            return
        draft.advance(folder, checkpoint.state, complete=checkpoint.complete)
        draft.confirm(folder.id, checkpoint.confirmed)
        if checkpoint.changes and is_calendar(folder):
            draft.update(occurrences_due=True)
        if checkpoint.complete:
            self._read_to_end.add(folder.id)
            self._check_surplus(checkpoint)
            folder_change_tokens.settle(draft, folder, checkpoint.scanned_at, self._limits)
            resolved = self._issues.resolve_issue(folder.id)
            if resolved and is_calendar(folder):
                draft.update(occurrences_due=True)
            self._pages.resolve(resolved)

    def _check_surplus(self, checkpoint: StateCheckpoint) -> None:
        """Schedule a comparison if the replica has more items of the folder than the source: deletions were missed.

        The source's count is from the scan, so later arrivals are subtracted. Only growth since the last comparison
        matters, because a server may count differently than we do.
        """
        folder, draft = checkpoint.folder, self._draft
        if folder.total is None or not checkpoint.changes:
            return
        surplus = draft.folders[folder.id].items - folder.total - checkpoint.upserts
        if surplus > draft.state.surplus.get(folder.id, 0):
            draft.compare_again(folder.id, again=True)
