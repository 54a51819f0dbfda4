"""The sync's model for many thousands of steps, different ones each time; a failure prints the steps that lead to it.

Each part is a test of its own, so that several processes share the work (`pytest tests/soak -n 2`).
"""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.sync.model import SyncModel

PARTS = 8
EXAMPLES = 1000
STEPS = 50
"""Eight parts of a thousand lives of at most 50 steps: some 200,000 steps, in about eight minutes on one core."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_the_replica_becomes_the_mailbox(part: int, testrun_uid: str) -> None:
    model = seed(f"{testrun_uid}-{part}")(SyncModel)
    budget = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(model, settings=budget)
