"""Draws the last day's trend, and bars, as inline SVG: numbers in, coordinates out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.mailboxes.summary.model import TrendPoint

WIDTH, HEIGHT = 720, 120
BAR_WIDTH = 100
FULL = 100.0
STEP = 10
"""The lower end of the scale is a multiple of this many percent."""


@dataclass(frozen=True, slots=True)
class TrendView:
    """The line of a trend: SVG path data within WIDTH by HEIGHT, and what it shows in numbers."""

    line: str
    area: str
    lowest: float
    """The lower end of the scale, in percent."""
    worst: TrendPoint
    first_at: datetime
    last_at: datetime


def share_of(point: TrendPoint) -> float:
    """The share of fresh mailboxes at one point, in percent; nothing to sync counts as all fresh."""
    return FULL * point.fresh / point.synced if point.synced else FULL


def trend_view(points: Sequence[TrendPoint]) -> TrendView | None:
    """The trend of the share of fresh mailboxes; None with fewer than two points."""
    if len(points) < 2:
        return None
    worst = min(points, key=share_of)
    lowest = float(min(int(share_of(worst) // STEP) * STEP, int(FULL) - STEP))
    begin, span = points[0].at, (points[-1].at - points[0].at).total_seconds() or 1.0
    places = [
        (
            WIDTH * (point.at - begin).total_seconds() / span,
            HEIGHT * (FULL - share_of(point)) / (FULL - lowest),
        )
        for point in points
    ]
    line = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return TrendView(line, f"{line} L{WIDTH},{HEIGHT} L0,{HEIGHT} Z", lowest, worst, points[0].at, points[-1].at)


def bar_width(count: int, total: int) -> float:
    """The width of a bar within BAR_WIDTH; something always shows at least a line."""
    return round(max(BAR_WIDTH * count / total, 0.5), 1) if count and total else 0.0
