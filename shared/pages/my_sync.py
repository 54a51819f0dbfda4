"""Computes the values of a person's own page from plain data."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import Reason
from shared.mailboxes.groups.model import Group, GroupSettings, ScopeSettings
from shared.mailboxes.groups.origins import origins_of
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.not_copied import not_copied
from shared.mailboxes.port import ItemIssue, Run
from shared.pages.mailbox_actions import MailboxAction
from shared.pages.problems import PROBLEMS
from shared.pages.status import StatusView, estimate_key, next_sync_at, progress, status_view
from shared.sources.model import SourceName

PASSES_SHOWN = 10
ISSUES_NAMED = 20
"""The most items of one reason that the page lists; it only counts the others."""


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """The issues with one reason: a person acts on reasons, not on single items."""

    reason: str
    count: int
    first_at: datetime
    next_try_at: datetime
    support: tuple[str, ...]
    named: tuple[ItemIssue, ...] = ()
    """The listed issues, the latest first; only those whose folder is known."""


@dataclass(frozen=True, slots=True)
class PassSummary:
    """One pass in the page's list of sessions. `result` is the key of its sentence."""

    started_at: datetime
    seconds: int
    result: str
    created: int
    updated: int
    moved: int
    deleted: int
    issues: int

    @property
    def failed(self) -> bool:
        """Whether the pass failed, so that zero changes does not mean that there were none."""
        return not self.result.startswith("sessions.")

    @property
    def quiet(self) -> bool:
        """Whether the pass changed nothing in the copy."""
        return not (self.created or self.updated or self.moved or self.deleted)


def live_values(
    mailbox: Mailbox,
    runs: Sequence[Run],
    issues: Sequence[ItemIssue],
    now: datetime,
    interval: timedelta,
    *,
    group: Group | None = None,
    deployment: ScopeSettings | None = None,
) -> dict[str, Any]:
    """Return the values of the part of the page that updates itself.

    `group` is the mailbox's; None: the settings of the deployment apply.
    """
    first_sync, settings = progress(mailbox, runs, now), deployment or ScopeSettings()
    scope = (group.settings if group else GroupSettings()).in_deployment(settings)
    estimate, number = estimate_key(first_sync.minutes if first_sync else None)
    return {
        "mailbox": mailbox,
        "blocking_problem": _blocking_problem(mailbox),
        "shown": status_view(mailbox, now, interval),
        "progress": first_sync,
        "estimate": (estimate, number),
        "next_at": next_sync_at(mailbox, now, interval),
        "sessions": [pass_summary(run) for run in runs[:PASSES_SHOWN]],
        "issues": group_issues(issues),
        "not_copied": not_copied(mailbox),
        "origins": origins_of(mailbox, group, settings),
        "group": group.name if group else "",
        "scope": scope,
        "retention_days": scope.retention_days,
    }


def actions_for(mailbox: Mailbox, now_shown: StatusView) -> list[MailboxAction]:
    """Return the actions on the mailbox, the mildest first.

    The one that its status already offers is left out, and what a legal hold forbids.
    """
    offered = {
        Status.ACTIVE: [
            MailboxAction.SYNC,
            MailboxAction.PAUSE,
            MailboxAction.SIGN_IN,
            MailboxAction.CHANGE_ACCOUNT,
            MailboxAction.DISCONNECT,
            MailboxAction.ERASE,
        ],
        Status.NEEDS_ADMIN: [
            MailboxAction.SYNC,
            MailboxAction.PAUSE,
            MailboxAction.SIGN_IN,
            MailboxAction.CHANGE_ACCOUNT,
            MailboxAction.DISCONNECT,
            MailboxAction.ERASE,
        ],
        Status.PAUSED: [
            MailboxAction.START,
            MailboxAction.SIGN_IN,
            MailboxAction.CHANGE_ACCOUNT,
            MailboxAction.DISCONNECT,
            MailboxAction.ERASE,
        ],
        Status.SUSPENDED: [
            MailboxAction.START,
            MailboxAction.SIGN_IN,
            MailboxAction.CHANGE_ACCOUNT,
            MailboxAction.DISCONNECT,
            MailboxAction.ERASE,
        ],
        Status.NEEDS_SIGN_IN: [
            MailboxAction.SIGN_IN,
            MailboxAction.CHANGE_ACCOUNT,
            MailboxAction.DISCONNECT,
            MailboxAction.ERASE,
        ],
        Status.DISCONNECTED: [MailboxAction.SIGN_IN, MailboxAction.ERASE],
    }[mailbox.status]
    idle = {now_shown.act, MailboxAction.SYNC if now_shown.live else None}
    if mailbox.hold_since is not None:
        idle.add(MailboxAction.ERASE)
    return [act for act in offered if act not in idle]


def group_issues(issues: Sequence[ItemIssue]) -> list[IssueGroup]:
    """Group the issues by reason, the most frequent first."""
    by_reason: dict[str, list[ItemIssue]] = defaultdict(list)
    for issue in issues:
        by_reason[issue.reason if issue.reason in PROBLEMS else "item_unreadable"].append(issue)
    groups = [
        IssueGroup(
            reason=reason,
            count=len(group),
            first_at=min(issue.first_at for issue in group),
            next_try_at=min(issue.next_try_at for issue in group),
            support=tuple(sorted({issue.support for issue in group if issue.support})),
            named=tuple(sorted((issue for issue in group if issue.folder), key=_latest_first)[:ISSUES_NAMED]),
        )
        for reason, group in by_reason.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.reason))


def _latest_first(issue: ItemIssue) -> tuple[float, str]:
    return -issue.at.timestamp() if issue.at else 0.0, issue.folder


def pass_summary(run: Run) -> PassSummary:
    """Return one pass as the list of sessions shows it."""
    known = {
        "done": f"sessions.{run.kind}_done",
        "continues": "sessions.continues",
        "held": "sessions.held",
        "moved": "sessions.move_done",
        "restated": "sessions.move_done",
        "surveyed": "sessions.move_surveyed",
        "blocked": "sessions.move_blocked",
    }
    failed = f"problems.{run.outcome}.title" if run.outcome in PROBLEMS else "problems.internal.title"
    return PassSummary(
        started_at=run.started_at,
        seconds=round((run.ended_at - run.started_at).total_seconds()),
        result=known.get(run.outcome, failed),
        created=run.created,
        updated=run.updated,
        moved=run.moved,
        deleted=run.deleted,
        issues=run.issues,
    )


def _blocking_problem(mailbox: Mailbox) -> str:
    """What keeps the mailbox from being read over Microsoft Graph, if somebody can do something about it."""
    is_over_ews = mailbox.source is SourceName.EWS
    return mailbox.move_blocked if is_over_ews and mailbox.move_blocked in _CURABLE else ""


_CURABLE = frozenset(
    {
        Reason.ACCESS_DENIED,
        Reason.ADMIN_CONSENT_REQUIRED,
        Reason.APP_NOT_IN_TENANT,
        Reason.CONDITIONAL_ACCESS,
        Reason.CONSENT_REQUIRED,
        Reason.INTERACTION_REQUIRED,
        Reason.NOT_ASSIGNED,
    }
)
