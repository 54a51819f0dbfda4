"""Computes the values of the operator's overview from the totals of the shards' summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.mailboxes.summary.counting import FRESH_MARGIN
from shared.mailboxes.summary.model import FRESHNESS_MINUTES, NOT_COUNTED, AttentionGroup, Concern, Totals
from shared.pages.console.trend import bar_width, trend_view
from shared.pages.languages import Language, percent_text

NAMED = 3
"""How many mailboxes of each group the overview names."""
TENANTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class FilterCount:
    """A number of mailboxes and the filter that lists them; `bar` is its share as a width from 0 to 100."""

    value: str
    count: int
    bar: float


@dataclass(frozen=True, slots=True)
class AttentionView:
    """A group of mailboxes that need attention for the same reason, and some of them, the longest waiting first."""

    concern: Concern
    reason: str
    count: int
    query: Mapping[str, str]
    """The filters of the list that shows the group."""
    mailboxes: tuple[Mailbox, ...]


def attention_ids(totals: Totals) -> list[str]:
    """The mailboxes that the overview names: they have to be read to show their addresses."""
    return list(dict.fromkeys(row.id for group in totals.attention for row in group.rows[:NAMED]))


def overview_values(
    totals: Totals, named: Sequence[Mailbox], now: datetime, interval: timedelta, is_operator: bool
) -> dict[str, Any]:
    """Return the values of the template `console/overview`. `named` are the mailboxes of `attention_ids`."""
    counts = totals.counts
    by_id = {mailbox.id: mailbox for mailbox in named}
    return {
        "counts": counts,
        "share": share_text(totals.share_fresh),
        "fresh_minutes": int((interval + FRESH_MARGIN).total_seconds() // 60),
        "attention_count": totals.needing_attention,
        "attention": [_attention(group, by_id) for group in totals.attention],
        "trend": trend_view(totals.trend),
        "freshness": _histogram(counts.freshness, counts.synced),
        "kinds": {
            "status": _filters(counts.by_status, counts.mailboxes),
            "source": _filters(counts.by_source, counts.mailboxes),
            "way": _filters(counts.by_way, counts.mailboxes),
        },
        "tenants": _filters(counts.by_tenant, counts.mailboxes)[:TENANTS_SHOWN] if len(counts.by_tenant) > 1 else [],
        "counted_at": totals.counted_at,
        "missing": totals.missing,
        "now": now,
        "is_operator": is_operator,
    }


def share_text(share: float | None, language: Language = Language.ENGLISH) -> str:
    """A share for people: never 100% unless it is all, never 0% unless it is none."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return percent_text(round(share * 100), language)
    return percent_text(f"{min(max(share * 100, 0.1), 99.9):.1f}", language)


def _filters(counts: Mapping[str, int], total: int) -> list[FilterCount]:
    ordered = sorted(counts.items(), key=lambda one: (one[0] == NOT_COUNTED, -one[1], one[0]))
    return [FilterCount(value, count, bar_width(count, total)) for value, count in ordered]


def _histogram(freshness: Sequence[int], total: int) -> list[tuple[str, FilterCount]]:
    """The steps of the histogram, each with the key of its name under [console.freshness]."""
    names = [*(f"within_{minutes}" for minutes in FRESHNESS_MINUTES), "older", "never"]
    return [
        (name, FilterCount(name, count, bar_width(count, total))) for name, count in zip(names, freshness, strict=True)
    ]


def _attention(group: AttentionGroup, by_id: Mapping[str, Mailbox]) -> AttentionView:
    named = tuple(by_id[row.id] for row in group.rows[:NAMED] if row.id in by_id)
    return AttentionView(group.concern, group.reason, group.count, _list_of(group), named)


def _list_of(group: AttentionGroup) -> dict[str, str]:
    """The filters of the list that shows a group; a late mailbox is found by the order of the list."""
    statuses = {
        Concern.SIGN_IN: "needs_sign_in",
        Concern.ADMINISTRATOR: "needs_admin",
        Concern.SUSPENDED: "suspended",
        Concern.FAILING: "active",
    }
    if group.concern in statuses:
        query = {"status": statuses[group.concern], "reason": group.reason}
        return {name: value for name, value in query.items() if value}
    return {"sort": "stalest"}
