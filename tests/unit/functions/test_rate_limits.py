"""How often one client address may call an anonymous route."""

import pytest

from functions.http.rate_limits import MAX_CALLERS, RateLimit, client_address
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limit(clock: FakeClock) -> RateLimit:
    return RateLimit(burst=3, per_minute=6, together=10, monotonic=clock.monotonic)


def test_a_caller_waits_after_a_burst_and_may_go_on_later(limit: RateLimit, clock: FakeClock) -> None:
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 0]
    wait = limit.wait("a")
    assert 1 <= wait <= 11
    assert limit.wait("b") == 0
    clock.pass_by(seconds=wait)
    assert limit.wait("a") == 0
    assert limit.wait("a") > 0


def test_knocking_while_waiting_does_not_make_the_wait_longer(limit: RateLimit, clock: FakeClock) -> None:
    for _ in range(100):
        limit.wait("a")
    clock.pass_by(seconds=10)
    assert limit.wait("a") == 0


def test_all_callers_together_are_bounded_too(limit: RateLimit) -> None:
    assert [limit.wait(f"caller-{n}") for n in range(30)] == [0] * 30
    assert limit.wait("one-more") > 0
    assert limit.wait("") > 0


def test_looking_whether_a_caller_is_blocked_counts_nothing(limit: RateLimit, clock: FakeClock) -> None:
    assert [limit.blocked("a") for _ in range(50)] == [0] * 50
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 0]
    seconds = limit.blocked("a")
    assert seconds > 0
    assert limit.blocked("b") == 0
    clock.pass_by(seconds=seconds)
    assert limit.blocked("a") == 0


def test_memory_is_bounded(clock: FakeClock) -> None:
    limit = RateLimit(burst=1, per_minute=6, together=10**6, monotonic=clock.monotonic)
    for number in range(MAX_CALLERS + 10):
        limit.wait(str(number))
    assert limit.wait("0") == 0


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        ("203.0.113.7:5512", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7:5512", "203.0.113.7"),
        ("[2001:db8::7]:5512", "2001:db8::/64"),
        ("2001:db8::dead:beef", "2001:db8::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_the_caller_is_who_the_platform_saw(header: str, caller: str) -> None:
    assert client_address(header) == caller


def test_what_is_left_is_told_without_counting() -> None:
    clock = FakeClock()
    limit = RateLimit(burst=3, per_minute=60, together=20, monotonic=clock.monotonic)
    assert limit.left("one") == (3, 0)
    limit.wait("one")
    limit.wait("one")
    assert limit.left("one") == (1, 3)
    assert limit.left("one") == (1, 3)
    assert limit.left("other") == (3, 0)
    clock.pass_by(seconds=2)
    assert limit.left("one") == (3, 0)
