"""Thirty kills of the app's process, in first syncs and in passes over changes, one after the other."""

import pytest

from sandbox.stage import Stage
from tests.e2e.conftest import running_app
from tests.e2e.killing import Killer, assert_whole, first_sync_killed, pass_killed, slow_exchange
from tests.e2e.watching import Watched

__all__ = ["running_app"]

SEED = 30
ROUNDS = 3
NEWCOMERS = 5
MANY = 900


@pytest.mark.timeout(1800)
def test_thirty_kills_leave_nothing_missing_doubled_or_different(running_app: Stage) -> None:
    killer, everybody = Killer(running_app, SEED), list[Watched]()
    for number in range(ROUNDS):
        with slow_exchange(running_app):
            newcomers = [first_sync_killed(killer, running_app, MANY) for _ in range(NEWCOMERS)]
        everybody += newcomers
        assert_whole(everybody)
        with slow_exchange(running_app):
            for place, one in enumerate(newcomers):
                pass_killed(killer, one, number * 100 + place)
        assert_whole(everybody)
    assert killer.hits >= ROUNDS * NEWCOMERS
