"""Putting what actions come to on pages, and moving folders' states on with them."""

from shared.sync.budget import Budget
from shared.sync.limits import Limits
from shared.sync.planning.write import Write
from shared.sync.progress import Progress
from shared.sync.reading import folder_change_tokens
from shared.sync.state.checkpoint import StateCheckpoint
from shared.sync.state.cursor_draft import CursorDraft, is_calendar
from shared.sync.state.issues import Issues
from shared.sync.state.page_writer import PageWriter


class PageFiller:
    """Fills one pass's pages. `read_to_end` are the folders that earlier passes over the same work have read."""

    def __init__(
        self,
        *,
        draft: CursorDraft,
        pages: PageWriter,
        issues: Issues,
        limits: Limits,
        budget: Budget,
        progress: Progress,
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
        """The folders that were read to their end."""
        return frozenset(self._read_to_end)

    def add(self, write: Write) -> None:
        """Put one action on the page, with the checkpoints that it reaches.

        Raises: BudgetSpent when the page was full and the pass's time is up.
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
        """Move a folder's state on."""
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
        """Have a folder compared of which the replica has more than the source counts: deletions were not reported.

        The count is of the scan: what has come since is allowed for. Only what grew since the last comparison counts,
        for a server may count otherwise than we do.
        """
        folder, draft = checkpoint.folder, self._draft
        if folder.total is None or not checkpoint.changes:
            return
        surplus = draft.folders[folder.id].items - folder.total - checkpoint.upserts
        if surplus > draft.state.surplus.get(folder.id, 0):
            draft.compare_again(folder.id, again=True)
