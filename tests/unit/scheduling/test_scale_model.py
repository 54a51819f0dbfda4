"""The simulation behind docs/scale.md keeps its own books: each mailbox is read at every tick, and copies age."""

import pytest

from tests.bench.scale import monthly
from tests.bench.scale_model import Deployment, Simulation


def test_simulated_day_reads_each_mailbox_at_every_tick_despite_an_outage() -> None:
    day = Simulation(Deployment(1_000, outage=(3600, 7200), length=3 * 3600)).run()
    assert day.total["passes"] == pytest.approx(1_000 * 6 + 1_000, rel=0.01)
    assert sum(day.ages) == pytest.approx(1_000 * 3 * 3600, rel=0.2)
    assert 14 * 60 < day.age(0.5) < 30 * 60
    assert day.age(1.0) >= 85 * 60
    assert day.deepest == pytest.approx(2_000, rel=0.05)
    assert day.total["vault"] < day.total["passes"]
    assert sum(monthly(day).values()) > 0
