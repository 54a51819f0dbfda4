"""Sign-ins that strangers begin are bounded over all instances."""

from datetime import timedelta

import pytest

from shared.authorization.onboarding.start_limit import REPORTED_EVERY, StartLimit
from tests.fakes.authorization import MemoryStartCounter
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


WINDOW = timedelta(minutes=5)


def test_all_instances_together_begin_no_more_than_that(clock: FakeClock) -> None:
    """S8: the table of flows cannot be filled faster than the daily work deletes."""
    counter = MemoryStartCounter()
    instances = [StartLimit(counter, 1000, WINDOW, clock) for _ in range(10)]
    begun = sum(instance.wait() == 0 for _ in range(1000) for instance in instances)
    assert 1000 <= begun < 1000 + len(instances) * REPORTED_EVERY
    assert counter.added <= begun / REPORTED_EVERY
    seconds = instances[0].wait()
    assert 1 <= seconds <= 301
    clock.pass_by(seconds=seconds)
    assert [instance.wait() for instance in instances] == [0] * 10


def test_a_few_starts_cost_no_storage(clock: FakeClock) -> None:
    counter = MemoryStartCounter()
    limit = StartLimit(counter, 1000, WINDOW, clock)
    for _ in range(20):
        for _ in range(REPORTED_EVERY - 1):
            assert limit.wait() == 0
        clock.pass_by(minutes=5)
    assert counter.added == 0
