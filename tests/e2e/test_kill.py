"""The app's process is killed six times in the middle of passes; tests/soak kills it thirty times."""

from datetime import UTC, datetime

import pytest

from sandbox.local.local_stack import LocalStack
from tests.e2e.killing import Killer, assert_whole, first_sync_killed, pass_killed, slow
from tests.e2e.watching import Watched, wait_for

SEED = 20261123
EACH = 3
MANY, FEW = 600, 60


@pytest.mark.timeout(400)
def test_killing_the_app_leaves_nothing_missing_doubled_or_different(running_app: LocalStack) -> None:
    killer = Killer(running_app, SEED)
    settled = [Watched(running_app, FEW) for _ in range(EACH)]
    began = datetime.now(UTC)
    for one in settled:
        one.sign_in()
    wait_for(settled, began)
    everybody = list(settled)
    with slow(running_app):
        for number, one in enumerate(settled):
            pass_killed(killer, one, number)
            everybody.append(first_sync_killed(killer, running_app, MANY))
    assert_whole(everybody)
    assert killer.hits >= EACH
