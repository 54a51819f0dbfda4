"""Computes the values of the operator's page of one mailbox."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.errors import ActionNeeded, PersonMustSignIn, Reason
from shared.mailboxes.directory.model import WayIn, way_in
from shared.mailboxes.groups.model import Group, ScopeSettings
from shared.mailboxes.groups.origins import named, origins_of
from shared.mailboxes.holds import MAX_REASON
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.not_copied import not_copied
from shared.mailboxes.port import AuditEntry, ItemIssue, Run
from shared.mailboxes.summary.counting import concern_of
from shared.mailboxes.summary.model import Concern
from shared.pages.my_sync import group_issues, pass_summary
from shared.pages.status import next_sync_at, progress, status_view
from shared.replica.port import FolderState

SESSIONS_SHOWN = 20
ACTIVITY_SHOWN = 30
FOLDERS_SHOWN = 500
ITEMS_NAMED = 20
"""The most issues of one reason that are listed by the item's id; the others are counted."""


class OperatorAction(StrEnum):
    """An operator's action on one mailbox; its value is the last part of the path it is posted to."""

    SYNC = "sync"
    CHECK = "check"
    PAUSE = "pause"
    START = "start"
    RESET = "reset"
    DISCONNECT = "disconnect"
    ERASE = "erase"
    HOLD = "hold"
    LIFT_HOLD = "lift-hold"
    GROUP = "group"


CONFIRMED_FIRST = frozenset(
    {OperatorAction.RESET, OperatorAction.DISCONNECT, OperatorAction.ERASE, OperatorAction.LIFT_HOLD}
)
"""The actions that a separate page asks to confirm."""

_SPECIFIC = frozenset(
    {
        Reason.ADMIN_CONSENT_REQUIRED,
        Reason.CONDITIONAL_ACCESS,
        Reason.EWS_BLOCKED,
        Reason.NOT_ASSIGNED,
        Reason.APP_NOT_IN_TENANT,
        Reason.NO_MAILBOX,
        Reason.NO_LICENSE,
        Reason.ACCESS_DENIED,
        Reason.IMPERSONATION_DENIED,
        Reason.ACCOUNT_DISABLED,
        Reason.OUR_CREDENTIAL,
        Reason.OUR_CONFIGURATION,
    }
)
"""The reasons whose own remedy says more than that of their concern."""


@dataclass(frozen=True, slots=True)
class OperatorIssues:
    """The issues with one reason, with ids alone: their names are for the mailbox's owner."""

    reason: str
    count: int
    first_at: datetime
    next_try_at: datetime
    support: tuple[str, ...]
    items: tuple[ItemIssue, ...]


def remedy_key(concern: Concern, reason: str) -> str:
    """The key of the one thing to do about a concern."""
    return f"operator.remedies.{reason}" if reason in _SPECIFIC else f"console.remedies.{concern.value}"


def mailbox_values(
    mailbox: Mailbox,
    *,
    runs: Sequence[Run],
    issues: Sequence[ItemIssue],
    activity: Sequence[AuditEntry],
    folders: Iterable[FolderState],
    now: datetime,
    interval: timedelta,
    is_operator: bool,
    refusal: ActionNeeded | None = None,
    groups: Sequence[Group] = (),
    deployment: ScopeSettings | None = None,
) -> dict[str, Any]:
    """Return the values of the template `console/mailbox`.

    `refusal` is what a check of its access just met; `groups` are all groups, `deployment` is the default one.
    """
    listed = sorted(folders, key=lambda folder: (folder.archive, folder.path))
    concern = concern_of(mailbox, now, interval)
    return {
        "mailbox": mailbox,
        "way": way_in(mailbox).value,
        "shown": status_view(mailbox, now, interval),
        "concern": concern,
        "wants_sign_in": _wants_sign_in(mailbox),
        "remedy": remedy_key(concern, mailbox.reason) if concern else "",
        "refusal": refusal,
        "refusal_remedy": _remedy_after(refusal),
        "not_copied": not_copied(mailbox),
        "progress": progress(mailbox, runs, now),
        "next_at": next_sync_at(mailbox, now, interval),
        "sessions": [pass_summary(run) for run in runs[:SESSIONS_SHOWN]],
        "issues": _issues(issues),
        "activity": activity[:ACTIVITY_SHOWN],
        "folders": listed[:FOLDERS_SHOWN],
        "folders_found": len(listed),
        "actions": actions_of(mailbox) if is_operator else [],
        "is_operator": is_operator,
        "longest_hold_reason": MAX_REASON,
        "groups": [group.name for group in groups],
        "origins": origins_of(mailbox, named(mailbox.group, groups), deployment or ScopeSettings()),
    }


def actions_of(mailbox: Mailbox) -> list[OperatorAction]:
    """What an operator can do with the mailbox now, the mildest first. Holds and groups have a section of their own."""
    if mailbox.erasing_since is not None:
        return [OperatorAction.ERASE]
    by_status = {
        Status.ACTIVE: [OperatorAction.SYNC, OperatorAction.CHECK, OperatorAction.PAUSE, OperatorAction.RESET],
        Status.NEEDS_ADMIN: [
            OperatorAction.SYNC,
            OperatorAction.CHECK,
            OperatorAction.START,
            OperatorAction.PAUSE,
            OperatorAction.RESET,
        ],
        Status.PAUSED: [OperatorAction.START, OperatorAction.CHECK],
        Status.SUSPENDED: [OperatorAction.START, OperatorAction.CHECK, OperatorAction.RESET],
        Status.NEEDS_SIGN_IN: [OperatorAction.CHECK, OperatorAction.RESET],
        Status.DISCONNECTED: [],
    }
    found = [*by_status[mailbox.status]]
    if mailbox.status is not Status.DISCONNECTED:
        found.append(OperatorAction.DISCONNECT)
    return found if mailbox.hold_since is not None else [*found, OperatorAction.ERASE]


def _remedy_after(refusal: ActionNeeded | None) -> str:
    """The key of the one thing to do about what a check met; empty if there is nothing but to wait."""
    if isinstance(refusal, PersonMustSignIn):
        return "console.remedies.sign_in"
    return f"operator.remedies.{refusal.reason}" if refusal is not None and refusal.reason in _SPECIFIC else ""


def _wants_sign_in(mailbox: Mailbox) -> bool:
    """Whether the mailbox goes on when its person signs in, so that the page offers the link to send them."""
    is_stopped = mailbox.status in (Status.NEEDS_SIGN_IN, Status.DISCONNECTED)
    return is_stopped and way_in(mailbox) is WayIn.SIGN_IN and mailbox.erasing_since is None


def _issues(issues: Sequence[ItemIssue]) -> list[OperatorIssues]:
    by_reason: dict[str, list[ItemIssue]] = defaultdict(list)
    for issue in issues:
        by_reason[issue.reason].append(issue)
    return [
        OperatorIssues(
            group.reason,
            group.count,
            group.first_at,
            group.next_try_at,
            group.support,
            tuple(sorted(by_reason.get(group.reason, []), key=lambda issue: issue.first_at)[:ITEMS_NAMED]),
        )
        for group in group_issues(issues)
    ]
