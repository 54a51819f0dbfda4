"""Calls from several threads: each element once, in order, and none after an error."""

import threading
from itertools import count

import pytest

from shared.errors import Reason, RetryLater
from shared.scheduling.ordered_calls import call_in_order

THREADS = 4


@pytest.mark.parametrize("threads", [1, THREADS])
def test_every_element_is_called_once(threads: int) -> None:
    called: list[int] = []

    assert call_in_order(called.append, range(1_000), threads) == 1_000

    assert sorted(called) == list(range(1_000))


def test_one_thread_keeps_the_order() -> None:
    called: list[int] = []
    call_in_order(called.append, range(100), 1)
    assert called == list(range(100))


def test_several_calls_are_in_progress_at_a_time() -> None:
    """Each call waits for three others: this ends only if four are made at a time."""
    together = threading.Barrier(THREADS)

    assert call_in_order(lambda _: together.wait(60), range(3 * THREADS), THREADS) == 3 * THREADS


def test_no_call_is_begun_after_an_error() -> None:
    called: list[int] = []

    def fail(number: int) -> None:
        called.append(number)
        if number == 5:
            raise RetryLater(Reason.UNAVAILABLE)

    with pytest.raises(RetryLater):
        call_in_order(fail, range(100), 1)
    assert called == list(range(6))


def test_an_error_in_one_thread_ends_the_calls_of_all() -> None:
    def fail(number: int) -> None:
        if number == 5:
            raise RetryLater(Reason.UNAVAILABLE)

    with pytest.raises(RetryLater):
        call_in_order(fail, count(), THREADS)


def test_nothing_to_call_is_nothing_done() -> None:
    assert call_in_order(lambda _: None, (), THREADS) == 0
