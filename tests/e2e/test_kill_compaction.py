"""The app's process is killed while it rewrites packs to be rid of what was deleted; tests/soak kills it more often."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.local.local_stack import LocalStack, local_stack
from tests.e2e.conftest import NEVER
from tests.e2e.killing import SLOW_PACKS, Killer, assert_whole, compaction_killed, dead_bytes, slow
from tests.e2e.watching import Watched, wait_for

SEED = 20261127
VICTIMS = 1
MANY = 900
"""Messages in three folders: four packs and more."""


@pytest.fixture
def compacting(tmp_path: Path) -> Iterator[LocalStack]:
    """The product with a promise of one day, so that every sweep compacts, and a proxy that can slow Storage down."""
    settings = {"SYNC_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
    options = ("--in-memory", "--storage-proxy", "--messages", "1")
    with local_stack(tmp_path / "state", *options, settings=settings | {"REPLICA_DELETED_DAYS": "1"}) as running:
        yield running


def test_a_killed_compaction_loses_nothing_and_the_next_one_completes(compacting: LocalStack) -> None:
    compactions_killed(compacting, VICTIMS)


def compactions_killed(running: LocalStack, victims: int) -> None:
    """Kill one compaction of each of so many mailboxes, and look at all of them afterward."""
    killer, everybody = Killer(running, SEED), [Watched(running, MANY) for _ in range(victims)]
    began = datetime.now(UTC)
    for one in everybody:
        one.sign_in()
    wait_for(everybody, began)
    with slow(running, SLOW_PACKS):
        for number, one in enumerate(everybody):
            compaction_killed(killer, one, number)
    assert killer.hits == victims
    assert_whole(everybody)
    for one in everybody:
        assert dead_bytes(one) == set()
