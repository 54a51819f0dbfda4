"""Reports the figures of a running pass for the person's page."""

from collections.abc import Callable
from dataclasses import replace

from shared.mailboxes.model import SYNCED, Mailbox
from shared.sync.limits import Limits
from shared.sync.recording.pass_result import RunStats
from shared.sync.recording.run_recorder import RunRecorder
from shared.sync.scope import LeftOut
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.issues import Issues


class ProgressReporter:
    """Reports every few seconds; in a first sync the first report comes immediately."""

    def __init__(
        self,
        mailbox: Mailbox,
        started: RunStats,
        recorder: RunRecorder,
        draft: CursorDraft,
        issues: Issues,
        *,
        limits: Limits,
        monotonic: Callable[[], float],
    ) -> None:
        self._mailbox_id = mailbox.id
        self._started = started
        self._recorder = recorder
        self._draft = draft
        self._issues = issues
        self._limits = limits
        self._monotonic = monotonic
        self._last = monotonic() - (0 if mailbox.first_sync_done else limits.progress_seconds)
        self._in_scope: int | None = None

    def scanned(self, in_scope: int) -> None:
        """Record how many items the folders in scope have."""
        self._in_scope = in_scope

    def stats(self) -> RunStats:
        """Return the current figures from the draft and the issues."""
        items, issues = self._draft.held(), len(self._issues)
        state = self._draft.state
        return replace(
            self._started,
            items=items,
            issues=issues,
            in_scope=self._in_scope,
            not_provided=sum(state.not_provided.values()),
            private_left_out=state.left_out.get(LeftOut.PRIVATE, 0),
        )

    def report(self) -> bool:
        """Report if it is time; returns whether the pass should continue.

        The pass ends if the mailbox was stopped in the meantime, because disconnecting and erasing rely on that.
        """
        if self._monotonic() - self._last < self._limits.progress_seconds:
            return True
        self._last = self._monotonic()
        after = self._recorder.in_progress(self._mailbox_id, self.stats())
        return after is not None and after.status in SYNCED
