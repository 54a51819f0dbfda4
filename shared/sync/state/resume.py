"""Work that takes several passes: which folders the earlier passes have read, so that every pass gets further.

Without this a mailbox whose folders have no change tokens, and so are asked every time, could spend each pass's whole
budget on asking the same folders again.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.sync.limits import Limits
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import ResumePoint


def resume_point(draft: CursorDraft, now: datetime, limits: Limits) -> ResumePoint | None:
    """The work that this pass goes on with; older than an interval it is begun anew.

    The whole will be complete as of its first pass's scan.
    """
    resume = draft.state.resume
    return resume if resume is not None and now - resume.since < limits.interval else None


def leave(draft: CursorDraft, read: Iterable[str], since: datetime) -> None:
    """Leave the rest to the next pass."""
    draft.update(resume=ResumePoint(since, tuple(sorted(read))))
