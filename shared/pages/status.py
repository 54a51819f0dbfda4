"""What a mailbox's status shows: decided here from plain data, worded by the catalog, painted by the templates.

The effective status is not always the stored one: a mailbox that is active and has not been synced for two intervals
is late, whatever its record says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.mailboxes.model import SYNCED, Mailbox, Status
from shared.mailboxes.port import Run
from shared.pages.mailbox_actions import MailboxAction
from shared.pages.problems import PROBLEMS

LATE_AFTER = 2
"""Intervals without a success after which an active mailbox is late."""

MAX_PASS_DURATION = timedelta(minutes=30)
"""A pass that began longer ago is not under way any more, whatever its record says: the process ended."""

MIN_EVIDENCE_ITEMS = 100
MIN_EVIDENCE_SECONDS = 15
"""What has to have been seen of a first sync before anything is said about how long it takes."""

MAX_SHOWN_MINUTES = 90


class Tone(StrEnum):
    """How a status feels; the style sheet's colors, always together with a word and a sign."""

    GOOD = "good"
    WORKING = "working"
    ATTENTION = "attention"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StatusView:
    """What is shown: `state` is the key under [statuses], `reason` the problem that explains it, if one does.

    `act` is the one thing to do, if there is one. `live`: whether the page should look again by itself.
    """

    state: str
    tone: Tone
    act: MailboxAction | None = None
    reason: str = ""
    live: bool = False


def status_view(mailbox: Mailbox, now: datetime, interval: timedelta) -> StatusView:
    """The effective status of a mailbox."""
    reason = mailbox.reason if mailbox.reason in PROBLEMS else ""
    match mailbox.status:
        case Status.PAUSED:
            return _stopped("paused", MailboxAction.START, mailbox, now)
        case Status.DISCONNECTED:
            return _stopped("disconnected", MailboxAction.SIGN_IN, mailbox, now)
        case Status.SUSPENDED:
            return StatusView("suspended", Tone.ATTENTION, MailboxAction.START, reason)
        case Status.NEEDS_SIGN_IN:
            return StatusView("needs_sign_in", Tone.ATTENTION, MailboxAction.SIGN_IN, reason)
        case Status.NEEDS_ADMIN:
            return StatusView("needs_admin", Tone.ATTENTION, MailboxAction.APPROVAL, reason)
        case Status.ACTIVE:
            return _active(mailbox, reason, now, interval)


def _stopped(state: str, act: MailboxAction, mailbox: Mailbox, now: datetime) -> StatusView:
    """A mailbox that its person has stopped; a pass that was under way ends within a minute."""
    if is_syncing(mailbox, now):
        return StatusView("stopping", Tone.WORKING, act, live=True)
    return StatusView(state, Tone.STOPPED, act)


def _active(mailbox: Mailbox, reason: str, now: datetime, interval: timedelta) -> StatusView:
    """An active mailbox: late before anything else, so that work under way never hides a stale replica."""
    if is_late(mailbox, now, interval):
        return StatusView("late", Tone.ATTENTION, MailboxAction.SYNC, reason, live=is_syncing(mailbox, now))
    if not mailbox.first_sync_done:
        return _first_sync(mailbox, reason, now)
    if is_syncing(mailbox, now):
        return StatusView("syncing", Tone.WORKING, live=True)
    if reason:
        return StatusView("retrying", Tone.WORKING, MailboxAction.SYNC, reason)
    return StatusView("up_to_date_except" if mailbox.issues else "up_to_date", Tone.GOOD, MailboxAction.SYNC)


def _first_sync(mailbox: Mailbox, reason: str, now: datetime) -> StatusView:
    if reason and not is_syncing(mailbox, now):
        return StatusView("first_sync_retrying", Tone.WORKING, MailboxAction.SYNC, reason, live=True)
    begun = is_syncing(mailbox, now) or mailbox.last_pass_at is not None
    return StatusView("first_sync" if begun else "first_sync_waiting", Tone.WORKING, live=True)


def is_late(mailbox: Mailbox, now: datetime, interval: timedelta) -> bool:
    """Whether an active mailbox has gone without a success for more than two intervals.

    A first sync of any size is not late while its passes go on: it counts from the last pass, or from the start.
    """
    since = mailbox.last_success_at or mailbox.created_at
    if not mailbox.first_sync_done and mailbox.last_pass_at and not mailbox.reason:
        since = max(since, mailbox.last_pass_at)
    if not mailbox.first_sync_done and is_syncing(mailbox, now) and mailbox.syncing_since:
        since = max(since, mailbox.syncing_since)
    return now - since > interval * LATE_AFTER


def is_syncing(mailbox: Mailbox, now: datetime) -> bool:
    """Whether a pass is under way."""
    return mailbox.syncing_since is not None and now - mailbox.syncing_since < MAX_PASS_DURATION


def next_sync_at(mailbox: Mailbox, now: datetime, interval: timedelta) -> datetime | None:
    """About when the next sync by itself begins: the first tick from now that finds it due; None when none will.

    Ticks are taken to come at whole multiples of the interval since midnight UTC, as the schedule's default does.
    """
    if mailbox.status not in SYNCED:
        return None
    after = max(now, mailbox.due_at or now)
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + interval * (math.floor((after - midnight) / interval) + 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a first sync is. `minutes` is an estimate of what is left, None without evidence."""

    done: int
    total: int
    percent: int
    minutes: int | None


def progress(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> Progress | None:
    """The progress of a first sync; None when it is done, or when it is not known yet how much there is."""
    if mailbox.first_sync_done or mailbox.in_scope <= 0:
        return None
    done = min(mailbox.items, mailbox.in_scope)
    percent = min(99, done * 100 // mailbox.in_scope)
    return Progress(done, mailbox.in_scope, percent, _minutes_left(mailbox, runs, now))


def _minutes_left(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> int | None:
    """What is left at the speed seen so far; None while nothing goes on, or before there is enough to go by."""
    if mailbox.status is not Status.ACTIVE:
        return None
    items, seconds = _seen(mailbox, runs, now)
    if items < MIN_EVIDENCE_ITEMS or seconds < MIN_EVIDENCE_SECONDS:
        return None
    left = max(0, mailbox.in_scope - mailbox.items)
    return max(1, math.ceil(left * seconds / items / 60))


def _seen(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> tuple[int, float]:
    """The evidence: so many items in so many seconds, waiting between passes included.

    Passes that have ended are the better witness; before there are any, the one under way has to do.
    """
    passes = [run for run in runs if run.kind == "pass"]
    if passes:
        span = max(run.ended_at for run in passes) - min(run.started_at for run in passes)
        return sum(run.created for run in passes), span.total_seconds()
    if mailbox.syncing_since is None:
        return 0, 0.0
    # While nothing moves the estimate stays: a server that makes us wait says nothing about the speed.
    until = mailbox.counted_at if mailbox.counted_at and mailbox.counted_at > mailbox.syncing_since else now
    return mailbox.items, (until - mailbox.syncing_since).total_seconds()


def estimate_key(minutes: int | None) -> tuple[str, int]:
    """The sentence for an estimate, and its number: minutes up to an hour and a half, then hours."""
    if minutes is None:
        return "progress.estimate_none", 0
    if minutes <= MAX_SHOWN_MINUTES:
        return "progress.estimate_minutes", minutes
    return "progress.estimate_hours", round(minutes / 60)
