"""The model over Microsoft Graph for many more steps, different ones each time; a failure prints what leads to it."""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.graph_model import GraphModel

PARTS = 4
EXAMPLES = 60
STEPS = 25


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_over_graph_the_replica_becomes_the_mailbox(part: int, testrun_uid: str) -> None:
    model = seed(f"{testrun_uid}-{part}")(GraphModel)
    budget = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(model, settings=budget)
