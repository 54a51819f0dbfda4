"""A shard's summary, and the totals of all shards. Ids only: no address. No vendor, no clock, no storage."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum

NEVER = -1
FRESHNESS_MINUTES = (35, 65, 125, 6 * 60, 24 * 60, 7 * 24 * 60)
"""The upper bounds of the freshness histogram's steps; two more steps follow: older, and never."""

TREND_HOURS = 24
NOT_COUNTED = ""
"""The name under which what exceeds a bound is counted: the mailboxes of the smallest tenants."""


class Concern(StrEnum):
    """Why a mailbox needs attention, by who acts, in the order of urgency."""

    SIGN_IN = "sign_in"
    ADMINISTRATOR = "administrator"
    SUSPENDED = "suspended"
    FAILING = "failing"
    LATE = "late"
    HELD = "held"
    """The move to another source was blocked."""


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """One mailbox that needs attention. `since`: its last success, or when it was connected."""

    id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AttentionGroup:
    """The mailboxes that need attention for the same reason: how many, and the ones that have waited longest."""

    concern: Concern
    reason: str
    count: int = 0
    rows: tuple[AttentionRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What one tick of the dispatch found."""

    at: datetime
    synced: int = 0
    fresh: int = 0
    attention: int = 0


@dataclass(frozen=True, slots=True)
class MoveCounts:
    """Moves between sources: the mailboxes that were compared, moved, blocked, or asked to move, and how many of them
    were asked and blocked; and how the items of all of them compared."""

    mailboxes: int = 0
    asked: int = 0
    blocked: int = 0
    same: int = 0
    changed: int = 0
    new: int = 0
    gone: int = 0
    not_given: int = 0
    fields_lost: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many mailboxes there are of each kind.

    `synced` are those in a status in which they are synced, `fresh` those of them that are complete as of at most 35
    minutes ago (by the default interval of 30). `freshness` counts them by the steps of `FRESHNESS_MINUTES`.
    """

    mailboxes: int = 0
    synced: int = 0
    fresh: int = 0
    items: int = 0
    issues: int = 0
    with_issues: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict[str, int])
    by_reason: Mapping[str, int] = field(default_factory=dict[str, int])
    by_tenant: Mapping[str, int] = field(default_factory=dict[str, int])
    by_source: Mapping[str, int] = field(default_factory=dict[str, int])
    by_way: Mapping[str, int] = field(default_factory=dict[str, int])
    freshness: tuple[int, ...] = (0,) * (len(FRESHNESS_MINUTES) + 2)
    moves: MoveCounts = MoveCounts()


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What the dispatch found in one shard at `at`."""

    shard: int
    at: datetime
    counts: Counts = Counts()
    attention: tuple[AttentionGroup, ...] = ()
    stalest: tuple[AttentionRow, ...] = ()
    """The synced mailboxes with the oldest "complete as of", oldest first."""
    trend: tuple[TrendPoint, ...] = ()
    moves: tuple[str, ...] = ()
    """The ids of mailboxes that are concerned by moves: those that were blocked first, then those that wait."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of the shards' summaries. `missing`: how many shards have none yet, or none of the last day."""

    counts: Counts = Counts()
    attention: tuple[AttentionGroup, ...] = ()
    stalest: tuple[AttentionRow, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    counted_at: datetime | None = None
    """When the shard was read that was read longest ago."""
    missing: int = 0
    moves: tuple[str, ...] = ()

    @property
    def share_fresh(self) -> float | None:
        """The share of the synced mailboxes that are fresh, 0 to 1; None if none is synced."""
        return self.counts.fresh / self.counts.synced if self.counts.synced else None

    @property
    def needing_attention(self) -> int:
        """How many mailboxes need attention."""
        return sum(group.count for group in self.attention)


def freshness_step(age: timedelta | None) -> int:
    """The index of an age in the histogram; None: never complete."""
    if age is None:
        return len(FRESHNESS_MINUTES) + 1
    minutes = age.total_seconds() / 60
    return sum(minutes > bound for bound in FRESHNESS_MINUTES)


def total(summaries: Iterable[ShardSummary], shards: int, now: datetime, rows: int = 50) -> Totals:
    """Add the shards up; `rows`: the most mailboxes of each group, and of the stalest."""
    recent = [one for one in summaries if one.shard < shards and one.at > now - timedelta(hours=TREND_HOURS)]
    return Totals(
        counts=_sum_of_counts([one.counts for one in recent]),
        attention=merged_groups([group for one in recent for group in one.attention], rows),
        stalest=_oldest([row for one in recent for row in one.stalest], rows),
        trend=_sum_of_trends([point for one in recent for point in one.trend], now),
        counted_at=min((one.at for one in recent), default=None),
        missing=shards - len(recent),
        moves=tuple(mailbox_id for one in recent for mailbox_id in one.moves),
    )


def merged_groups(groups: Iterable[AttentionGroup], rows: int) -> tuple[AttentionGroup, ...]:
    """One group for each concern and reason, the most urgent and largest first."""
    by_key: dict[tuple[Concern, str], list[AttentionGroup]] = {}
    for group in groups:
        by_key.setdefault((group.concern, group.reason), []).append(group)
    merged = [
        AttentionGroup(
            concern,
            reason,
            sum(one.count for one in same),
            _oldest([row for one in same for row in one.rows], rows),
        )
        for (concern, reason), same in by_key.items()
    ]
    order = list(Concern)
    return tuple(sorted(merged, key=lambda one: (order.index(one.concern), -one.count, one.reason)))


def _oldest(rows: Sequence[AttentionRow], most: int) -> tuple[AttentionRow, ...]:
    return tuple(sorted(rows, key=lambda row: (row.since, row.id))[:most])


def _sum_of_counts(parts: Sequence[Counts]) -> Counts:
    def added(name: str) -> dict[str, int]:
        together = Counter[str]()
        for part in parts:
            together.update(getattr(part, name))
        return dict(together.most_common())

    return Counts(
        mailboxes=sum(part.mailboxes for part in parts),
        synced=sum(part.synced for part in parts),
        fresh=sum(part.fresh for part in parts),
        items=sum(part.items for part in parts),
        issues=sum(part.issues for part in parts),
        with_issues=sum(part.with_issues for part in parts),
        by_status=added("by_status"),
        by_reason=added("by_reason"),
        by_tenant=added("by_tenant"),
        by_source=added("by_source"),
        by_way=added("by_way"),
        freshness=tuple(map(sum, zip(*(part.freshness for part in parts), strict=True))) or Counts().freshness,
        moves=MoveCounts(*(sum(getattr(part.moves, each.name) for part in parts) for each in fields(MoveCounts))),
    )


def _sum_of_trends(points: Sequence[TrendPoint], now: datetime) -> tuple[TrendPoint, ...]:
    """The last day's points, one for each tick: all shards' points of a tick have the same time."""
    by_time: dict[datetime, list[TrendPoint]] = {}
    for point in points:
        if point.at > now - timedelta(hours=TREND_HOURS):
            by_time.setdefault(point.at, []).append(point)
    return tuple(
        TrendPoint(
            at,
            sum(point.synced for point in same),
            sum(point.fresh for point in same),
            sum(point.attention for point in same),
        )
        for at, same in sorted(by_time.items())
    )
