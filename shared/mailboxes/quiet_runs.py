"""The record of a pass that found nothing new: fields of the mailbox's row, so that it needs no row of its own.

Of several such passes in a row only the last one is remembered.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import Run


def with_quiet_run(mailbox: Mailbox, started_at: datetime, ended_at: datetime, requests: int) -> Mailbox:
    """The mailbox with this pass as its last quiet one."""
    return mailbox.with_changes(quiet_started_at=started_at, quiet_ended_at=ended_at, quiet_requests=requests)


def with_quiet_run_of(mailbox: Mailbox, runs: Sequence[Run], limit: int) -> list[Run]:
    """The runs that have rows together with the quiet one, newest first."""
    if mailbox.quiet_started_at is None or mailbox.quiet_ended_at is None:
        return list(runs)
    quiet = Run(
        mailbox_id=mailbox.id,
        started_at=mailbox.quiet_started_at,
        ended_at=mailbox.quiet_ended_at,
        outcome="done",
        issues=mailbox.issues,
        requests=mailbox.quiet_requests,
    )
    return sorted([*runs, quiet], key=lambda run: run.started_at, reverse=True)[:limit]
