"""The whole fault table, each kind at each place, and every pair of troubles: for `make soak`."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest

from tests.conftest import Faults
from tests.e2e import fault_table as table
from tests.e2e.conftest import _benches, bench
from tests.e2e.fault_bench import After, Bench, Trouble

__all__ = ["_benches", "bench"]


ELSEWHERE = frozenset(
    {
        ("GetItem", "malformed XML"),
        ("SyncFolderItems", "malformed XML"),
        ("GET items", "a captive portal"),
    }
)
"""What may be the fault of single items or folders: tests/e2e/test_faults_lasting.py says how. And a portal in the
place of a row: there its answer is a 404 that Storage did not mean, which the table has as such."""


def everywhere(places: Sequence[tuple[str, str]], kinds: Mapping[str, tuple[table.Fault, After]]) -> list[object]:
    """Each kind at each place."""
    return [
        pytest.param(Trouble(service, operation, fault), expected, id=f"{operation} {name}")
        for service, operation in places
        for name, (fault, expected) in kinds.items()
        if (operation, name) not in ELSEWHERE
    ]


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        *everywhere([("exchange", operation) for operation in table.EXCHANGE_OPERATIONS], table.EXCHANGE),
        *everywhere(table.WITHIN_A_PASS, table.STORAGE),
    ],
)
def test_each_trouble_at_each_place(bench: Bench, faults: Faults, trouble: Trouble, expected: After) -> None:
    assert bench.suffer(faults, trouble) == expected
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(service, operation, fault), id=f"{operation} {name}")
        for service, operation in table.BESIDE_A_PASS
        for name, fault in table.BESIDE.items()
    ],
)
def test_each_trouble_beside_a_pass(bench: Bench, faults: Faults, trouble: Trouble) -> None:
    after = bench.suffer(faults, trouble)
    assert (after.raised, after.status, after.failures, after.rejections) == ("RetryLater", "active", 0, 0)
    bench.get_over_it()
    bench.assert_whole()


@pytest.mark.parametrize("names", list(combinations(table.SAMPLES, 2)), ids=" and ".join)
def test_every_two_troubles_together_end_whole(bench: Bench, faults: Faults, names: tuple[str, str]) -> None:
    bench.two_together(faults, *(table.SAMPLES[name] for name in names))


def test_a_minute_of_silence_is_as_good_as_a_short_one(bench: Bench, faults: Faults) -> None:
    silence = {"kind": "silence", "seconds": 60}
    after = bench.suffer(faults, Trouble("exchange", "FindFolder", silence))
    assert after == table.later("timed_out")
    bench.get_over_it()
    bench.assert_whole()
