"""Decides what the pages show as a mailbox's status, from plain data. The catalog has the texts.

The shown status is not always the stored one: an active mailbox that has not been synced for two intervals is late.
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
"""A pass that started longer ago is not running any more, although its record says so: its process has ended."""

MIN_EVIDENCE_ITEMS = 100
MIN_EVIDENCE_SECONDS = 15
"""The items and seconds of a first sync that have to be observed before the remaining time is estimated."""

MAX_SHOWN_MINUTES = 90


class Tone(StrEnum):
    """The severity of a status: a color of the style sheet, always shown together with a word and a symbol."""

    GOOD = "good"
    WORKING = "working"
    ATTENTION = "attention"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StatusView:
    """The shown status: `state` is the key under [statuses], `reason` is the problem that explains it, if any.

    `act` is the main action, if there is one. `live` says whether the page updates itself.
    """

    state: str
    tone: Tone
    act: MailboxAction | None = None
    reason: str = ""
    live: bool = False


def status_view(mailbox: Mailbox, now: datetime, interval: timedelta) -> StatusView:
    """Return the status that is shown for a mailbox."""
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
    """Return the status of a stopped mailbox; a pass that is still running ends within a minute."""
    if is_syncing(mailbox, now):
        return StatusView("stopping", Tone.WORKING, act, live=True)
    return StatusView(state, Tone.STOPPED, act)


def _active(mailbox: Mailbox, reason: str, now: datetime, interval: timedelta) -> StatusView:
    """Return the status of an active mailbox. Late comes first, so that a running pass never hides a stale replica."""
    if is_behind(mailbox, now, interval):
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


def is_behind(mailbox: Mailbox, now: datetime, interval: timedelta) -> bool:
    """Whether an active mailbox has gone without a success for more than two intervals.

    A first sync is not late while its passes continue, whatever its size: the time counts from its latest pass.
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
    """Estimate when the next automatic sync starts: the first tick at which the mailbox is due; None if never.

    Ticks are assumed at whole multiples of the interval since midnight UTC, as in the default schedule.
    """
    if mailbox.status not in SYNCED:
        return None
    after = max(now, mailbox.due_at or now)
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + interval * (math.floor((after - midnight) / interval) + 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a first sync. `minutes` is an estimate of the remaining time, None without enough data."""

    done: int
    total: int
    percent: int
    minutes: int | None


def progress(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> Progress | None:
    """Return the progress of a first sync; None if it is done, or if the total is not known yet."""
    if mailbox.first_sync_done or mailbox.in_scope <= 0:
        return None
    done = min(mailbox.items, mailbox.in_scope)
    percent = min(99, done * 100 // mailbox.in_scope)
    return Progress(done, mailbox.in_scope, percent, _minutes_left(mailbox, runs, now))


def _minutes_left(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> int | None:
    """Estimate the remaining minutes from the speed so far; None if the mailbox is stopped or there is little data."""
    if mailbox.status is not Status.ACTIVE:
        return None
    items, seconds = _observed(mailbox, runs, now)
    if items < MIN_EVIDENCE_ITEMS or seconds < MIN_EVIDENCE_SECONDS:
        return None
    left = max(0, mailbox.in_scope - mailbox.items)
    return max(1, math.ceil(left * seconds / items / 60))


def _observed(mailbox: Mailbox, runs: Sequence[Run], now: datetime) -> tuple[int, float]:
    """Return how many items took how many seconds, including the waits between passes.

    Finished passes are more accurate; before there are any, the running pass is used.
    """
    passes = [run for run in runs if run.kind == "pass"]
    if passes:
        span = max(run.ended_at for run in passes) - min(run.started_at for run in passes)
        return sum(run.created for run in passes), span.total_seconds()
    if mailbox.syncing_since is None:
        return 0, 0.0
    # While the count does not change the estimate stays: waiting for a throttled server says nothing about the speed.
    until = mailbox.counted_at if mailbox.counted_at and mailbox.counted_at > mailbox.syncing_since else now
    return mailbox.items, (until - mailbox.syncing_since).total_seconds()


def estimate_key(minutes: int | None) -> tuple[str, int]:
    """Return the sentence key for an estimate and its number: minutes up to an hour and a half, then hours."""
    if minutes is None:
        return "progress.estimate_none", 0
    if minutes <= MAX_SHOWN_MINUTES:
        return "progress.estimate_minutes", minutes
    return "progress.estimate_hours", round(minutes / 60)
