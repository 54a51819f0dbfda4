"""Work that takes several passes: which folders the earlier passes have read, so that every pass makes progress.

Folders without change tokens are read in every pass. Without this, a mailbox with many such folders could spend each
pass's whole budget on reading the same folders again.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.sync.limits import Limits
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import ResumePoint


def resume_point(draft: CursorDraft, now: datetime, limits: Limits) -> ResumePoint | None:
    """Return the work that this pass continues; None if there is none, or if it is older than an interval.

    The finished work is complete as of the scan of its first pass.
    """
    resume = draft.state.resume
    return resume if resume is not None and now - resume.since < limits.interval else None


def leave(draft: CursorDraft, read: Iterable[str], since: datetime) -> None:
    """Record the folders already read, so that the next pass continues with the rest."""
    draft.update(resume=ResumePoint(since, tuple(sorted(read))))
