"""Many thousands of mutated answers of Exchange's, different ones each time: typed errors and nothing else."""

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.unit.ews.test_fuzz import Ask, assert_typed, mutated

EXAMPLES = 20_000


@pytest.mark.timeout(1800)
def test_mutated_answers_give_typed_errors_and_nothing_else(testrun_uid: str) -> None:
    @seed(testrun_uid)
    @settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
    @given(mutated())
    def whatever_comes(case: tuple[bytes, Ask]) -> None:
        assert_typed(*case)

    whatever_comes()
