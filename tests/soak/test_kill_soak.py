"""Kills of the app's process one after the other: thirty in first syncs and passes over changes, ten in compactions."""

import pytest

from sandbox.local.local_stack import LocalStack
from tests.e2e.conftest import running_app
from tests.e2e.killing import Killer, assert_whole, first_sync_killed, pass_killed, slow
from tests.e2e.test_kill_compaction import compacting, compactions_killed
from tests.e2e.watching import Watched

__all__ = ["compacting", "running_app"]

SEED = 30
ROUNDS = 3
NEWCOMERS = 5
MANY = 900
COMPACTIONS = 10


@pytest.mark.timeout(1800)
def test_thirty_kills_leave_nothing_missing_doubled_or_different(running_app: LocalStack) -> None:
    killer, everybody = Killer(running_app, SEED), list[Watched]()
    for number in range(ROUNDS):
        with slow(running_app):
            newcomers = [first_sync_killed(killer, running_app, MANY) for _ in range(NEWCOMERS)]
        everybody += newcomers
        assert_whole(everybody)
        with slow(running_app):
            for place, one in enumerate(newcomers):
                pass_killed(killer, one, number * 100 + place)
        assert_whole(everybody)
    assert killer.hits >= ROUNDS * NEWCOMERS


@pytest.mark.timeout(1800)
def test_ten_killed_compactions_lose_nothing(compacting: LocalStack) -> None:
    compactions_killed(compacting, COMPACTIONS)
