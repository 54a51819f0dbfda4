"""The readiness check: every dependency at once, in bounded time, and asked seldom."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.errors import OperatorMustAct, Reason, RetryLater
from shared.readiness.checking import LONGEST_AGE, SECONDS_KEPT, Dependency, Probe, ReadinessCheck
from tests.fakes.clock import FakeClock


class Probed:
    """A dependency that counts how often it is asked, and does the given thing."""

    def __init__(self, does: Callable[[], float | None] = lambda: None) -> None:
        self.asked = 0
        self._does = does

    def __call__(self) -> float | None:
        self.asked += 1
        return self._does()


def raising(error: Exception) -> Probe:
    def probe() -> float | None:
        raise error

    return probe


def check_of(clock: FakeClock, seconds: float = 60.0, **probes: Probe) -> ReadinessCheck:
    return ReadinessCheck(probes, clock, clock.monotonic, seconds_to_answer=seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_app_is_ready_if_every_dependency_answers(clock: FakeClock) -> None:
    found = check_of(clock, blob_storage=Probed(), key_vault=Probed()).check()
    assert found.is_ready
    assert found.checked_at == clock()
    assert found.dependencies == (Dependency("blob_storage", "ok", 0), Dependency("key_vault", "ok", 0))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RetryLater(Reason.THROTTLED, "a secret"), "throttled"),
        (OperatorMustAct(Reason.OUR_STORAGE, "a secret"), "our_storage"),
        (ZeroDivisionError("a secret"), "internal"),
    ],
)
def test_dependency_that_fails_is_named_with_its_reason_and_no_text(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, error: Exception, status: str
) -> None:
    with caplog.at_level(logging.WARNING):
        found = check_of(clock, key_vault=raising(error), blob_storage=Probed()).check()
    assert not found.is_ready
    assert [one.status for one in found.dependencies] == [status, "ok"]
    assert [record.msg for record in caplog.records] == ["dependency not ready"]
    assert "a secret" not in repr(found)


@pytest.mark.parametrize(("age", "status"), [(LONGEST_AGE, "ok"), (LONGEST_AGE + 1, "late")])
def test_queue_is_late_if_its_oldest_message_has_waited_too_long(clock: FakeClock, age: float, status: str) -> None:
    (found,) = check_of(clock, queue_age=Probed(lambda: age)).check().dependencies
    assert (found.status, found.age_seconds) == (status, round(age))


def test_answer_is_kept_so_that_nobody_can_load_the_dependencies(clock: FakeClock) -> None:
    probed = Probed()
    check = check_of(clock, table_storage=probed)
    assert len({check.check().checked_at for _ in range(50)}) == 1
    assert probed.asked == 1
    clock.pass_by(seconds=SECONDS_KEPT + 1)
    check.check()
    assert probed.asked == 2


@contextmanager
def hanging() -> Iterator[tuple[Probed, threading.Event]]:
    """A dependency that does not answer before it is released."""
    release = threading.Event()

    def hang() -> None:
        release.wait()

    try:
        yield Probed(hang), release
    finally:
        release.set()


def test_dependency_that_does_not_answer_is_named_and_not_asked_again(clock: FakeClock) -> None:
    with hanging() as (hung, release):
        check = check_of(clock, 0.05, entra_keys=hung, blob_storage=Probed())
        for _ in range(2):
            (entra, _blobs) = check.check().dependencies
            assert entra == Dependency("entra_keys", "timed_out", 50)
            clock.pass_by(seconds=SECONDS_KEPT + 1)
        assert hung.asked == 1
        release.set()
        until_it_answers = time.monotonic() + 60
        while not check.check().is_ready:
            assert time.monotonic() < until_it_answers
            clock.pass_by(seconds=SECONDS_KEPT + 1)


def test_callers_at_the_same_time_share_one_answer(clock: FakeClock) -> None:
    probed = Probed()
    check = check_of(clock, blob_storage=probed)
    callers = [threading.Thread(target=check.check) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert probed.asked == 1
