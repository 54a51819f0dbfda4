"""Counts the mailboxes of one shard while the dispatch reads them."""

import heapq
from collections import Counter
from datetime import UTC, datetime, timedelta

from shared.mailboxes.directory.model import way_in
from shared.mailboxes.model import SYNCED, Mailbox, Status, is_late
from shared.mailboxes.summary.model import (
    FRESHNESS_MINUTES,
    NOT_COUNTED,
    TREND_HOURS,
    AttentionGroup,
    AttentionRow,
    Concern,
    Counts,
    MoveCounts,
    ShardSummary,
    TrendPoint,
    freshness_step,
)

ROWS_KEPT = 25
"""How many mailboxes of each group are named in a shard's summary; all are counted."""
TENANTS_KEPT = 200
GROUPS_KEPT = 40
FRESH_MARGIN = timedelta(minutes=5)
"""A mailbox is fresh if it is complete as of one interval and this much ago: 35 minutes by the default schedule."""

PARITY = ("same", "changed", "new", "gone", "not_given", "fields_lost")
"""The counts of a parity report."""

_CONCERNS = {
    Status.NEEDS_SIGN_IN: Concern.SIGN_IN,
    Status.NEEDS_ADMIN: Concern.ADMINISTRATOR,
    Status.SUSPENDED: Concern.SUSPENDED,
}


class ShardCounter:
    """Counts mailboxes one by one; `summary` gives the result. Its memory does not grow with their number."""

    def __init__(self, now: datetime, interval: timedelta) -> None:
        self._now = now
        self._interval = interval
        self._single = Counter[str]()
        self._by = {name: Counter[str]() for name in ("status", "reason", "tenant", "source", "way")}
        self._freshness = [0] * (len(FRESHNESS_MINUTES) + 2)
        self._group_counts = Counter[tuple[Concern, str]]()
        self._group_rows: dict[tuple[Concern, str], list[tuple[float, str]]] = {}
        self._moves = Counter[str]()
        self._moving: tuple[list[str], ...] = ([], [], [])
        """Ids by rank: blocked and waiting, either, neither."""
        self._stalest: list[tuple[float, str]] = []

    def count(self, mailbox: Mailbox) -> None:
        """Add one mailbox."""
        self._single.update(
            mailboxes=1, items=mailbox.items, issues=mailbox.issues, with_issues=int(mailbox.issues > 0)
        )
        self._by["status"][mailbox.status.value] += 1
        self._by["tenant"][mailbox.tenant_id] += 1
        self._by["source"][mailbox.source.value] += 1
        self._by["way"][way_in(mailbox).value] += 1
        if mailbox.reason:
            self._by["reason"][mailbox.reason] += 1
        self._count_move(mailbox)
        if mailbox.status in SYNCED:
            self._count_freshness(mailbox)
        if (concern := concern_of(mailbox, self._now, self._interval)) is not None:
            key = concern, mailbox.reason or mailbox.move_blocked
            self._group_counts[key] += 1
            _keep_oldest(self._group_rows.setdefault(key, []), mailbox.last_success_at or mailbox.created_at, mailbox)

    def _count_freshness(self, mailbox: Mailbox) -> None:
        age = self._now - mailbox.complete_as_of if mailbox.complete_as_of else None
        self._freshness[freshness_step(age)] += 1
        self._single.update(synced=1, fresh=int(age is not None and age <= self._interval + FRESH_MARGIN))
        _keep_oldest(self._stalest, mailbox.complete_as_of or mailbox.created_at, mailbox)

    def _count_move(self, mailbox: Mailbox) -> None:
        if not is_concerned(mailbox):
            return
        self._moves.update(
            mailboxes=1, asked=int(mailbox.moving_to is not None), blocked=int(bool(mailbox.move_blocked))
        )
        self._moves.update({name: getattr(mailbox, f"parity_{name}") for name in PARITY})
        same_rank = self._moving[(not mailbox.move_blocked) + (mailbox.moving_to is None)]
        if len(same_rank) < ROWS_KEPT:
            same_rank.append(mailbox.id)

    def summary(self, shard: int, at: datetime, before: ShardSummary | None) -> ShardSummary:
        """The summary as of the tick `at`, with the trend of the summary before."""
        attention = sum(self._group_counts.values())
        point = TrendPoint(at, self._single["synced"], self._single["fresh"], attention)
        earlier = before.trend if before is not None else ()
        first = at - timedelta(hours=TREND_HOURS)
        return ShardSummary(
            shard=shard,
            at=at,
            counts=self._counts(),
            attention=tuple(
                AttentionGroup(*key, count, _rows(self._group_rows[key]))
                for key, count in self._group_counts.most_common(GROUPS_KEPT)
            ),
            stalest=_rows(self._stalest),
            moves=tuple(mailbox_id for rank in self._moving for mailbox_id in rank)[:ROWS_KEPT],
            trend=(*(one for one in earlier if first < one.at < at), point),
        )

    def _counts(self) -> Counts:
        tenants = dict(self._by["tenant"].most_common(TENANTS_KEPT))
        if others := self._by["tenant"].total() - sum(tenants.values()):
            tenants[NOT_COUNTED] = others
        single = {name: self._single[name] for name in ("mailboxes", "synced", "fresh", "items", "issues")}
        return Counts(
            **single,
            with_issues=self._single["with_issues"],
            by_status=dict(self._by["status"]),
            by_reason=dict(self._by["reason"]),
            by_tenant=tenants,
            by_source=dict(self._by["source"]),
            by_way=dict(self._by["way"]),
            freshness=tuple(self._freshness),
            moves=MoveCounts(**self._moves),
        )


def is_concerned(mailbox: Mailbox) -> bool:
    """Whether a mailbox was compared, moved, blocked, or asked to move."""
    asked = mailbox.moving_to is not None or bool(mailbox.move_blocked) or mailbox.moved_at is not None
    return asked or any(getattr(mailbox, f"parity_{name}") for name in PARITY)


def concern_of(mailbox: Mailbox, now: datetime, interval: timedelta) -> Concern | None:
    """Why a mailbox needs attention; None if it does not. One that is being erased does not."""
    if mailbox.erasing_since is not None:
        return None
    if mailbox.status in _CONCERNS:
        return _CONCERNS[mailbox.status]
    if mailbox.status is not Status.ACTIVE:
        return None
    if mailbox.failures:
        return Concern.FAILING
    if is_late(mailbox, now, interval):
        return Concern.LATE
    return Concern.HELD if mailbox.move_blocked else None


def _keep_oldest(kept: list[tuple[float, str]], since: datetime, mailbox: Mailbox) -> None:
    """Keep the oldest ones in a heap whose first entry is the youngest of them."""
    entry = -since.timestamp(), mailbox.id
    if len(kept) < ROWS_KEPT:
        heapq.heappush(kept, entry)
    else:
        heapq.heappushpop(kept, entry)


def _rows(kept: list[tuple[float, str]]) -> tuple[AttentionRow, ...]:
    oldest_first = sorted(kept, reverse=True)
    return tuple(AttentionRow(mailbox_id, datetime.fromtimestamp(-age, UTC)) for age, mailbox_id in oldest_first)
