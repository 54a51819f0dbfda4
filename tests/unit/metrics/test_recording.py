"""Recording metrics: off until configured, through the real SDK, with attributes that name nobody."""

import ast
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.metrics import instruments, recording
from shared.metrics.instruments import ALL, FRESHNESS, PASSES, QUEUE_AGE
from shared.metrics.recording import Counter, Histogram
from tests.fakes.metrics import recorded_metrics

ROOT = Path(__file__).parents[3]


def test_counter_adds_up_by_its_attributes() -> None:
    with recorded_metrics() as metrics:
        PASSES.add(outcome="done", source="ews", kind="pass")
        PASSES.add(2, outcome="done", source="ews", kind="pass")
        PASSES.add(outcome="throttled", source="graph", kind="sweep")
        assert metrics.sums(PASSES) == {("done", "ews", "pass"): 3, ("throttled", "graph", "sweep"): 1}


def test_histogram_keeps_sum_count_extremes_and_its_own_buckets() -> None:
    with recorded_metrics() as metrics:
        for seconds in (3, 400, 20):
            QUEUE_AGE.record(seconds, queue="sync-mailboxes")
        (point,) = metrics.points(QUEUE_AGE)
    assert (point.sum, point.count, point.min, point.max) == (423, 3, 3, 400)
    assert tuple(point.explicit_bounds) == QUEUE_AGE.bounds


@pytest.mark.parametrize(
    "value",
    ["alex@contoso.example", "8b0d6a7e-6c0f-4d7b-9a53-0c1c2d3e4f50", "3f2a9c", "", "A", "word " * 3, "x" * 41],
)
def test_value_that_may_name_somebody_becomes_other(value: str) -> None:
    with recorded_metrics() as metrics:
        PASSES.add(outcome=value, source="ews", kind="pass")
        assert metrics.sums(PASSES) == {("other", "ews", "pass"): 1}


def test_attribute_that_the_instrument_does_not_have_is_dropped() -> None:
    with recorded_metrics() as metrics:
        FRESHNESS.record(5, mailbox="alex")
        (point,) = metrics.points(FRESHNESS)
    assert dict(point.attributes) == {"source": "other"}


def test_values_are_dropped_while_metrics_are_off() -> None:
    recording.configure(None)
    PASSES.add()
    recording.configure(lambda: None)
    PASSES.add()
    recording.configure(None)


def test_recorder_that_cannot_be_opened_is_tried_once_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def broken() -> None:
        tries.append(1)
        raise ValueError("a secret")

    recording.configure(broken)
    with caplog.at_level(logging.WARNING):
        PASSES.add()
        PASSES.add()
    recording.configure(None)
    assert len(tries) == 1
    assert [record.msg for record in caplog.records] == ["metrics are off"]


def test_instruments_have_names_units_and_few_attributes_of_their_own() -> None:
    listed = [one for one in vars(instruments).values() if isinstance(one, Counter | Histogram)]
    assert list(ALL) == listed
    assert len({one.name for one in ALL}) == len(ALL)
    assert all(one.name.startswith("mailbox_sync.") and one.unit and len(one.attributes) <= 3 for one in ALL)


def calls() -> Iterator[tuple[str, set[str]]]:
    """Every call of an instrument in the program: its name, and the attributes that it is given."""
    for path in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = node.func.value
                if isinstance(of, ast.Name) and isinstance(vars(instruments).get(of.id), Counter | Histogram):
                    yield of.id, {str(keyword.arg) for keyword in node.keywords}


def test_every_instrument_is_recorded_with_just_its_attributes() -> None:
    found = list(calls())
    for name, given in found:
        assert given == set(getattr(instruments, name).attributes), name
    assert {getattr(instruments, name).name for name, _ in found} == {one.name for one in ALL}


def test_process_without_metrics_never_imports_the_library() -> None:
    code = "import sys, function_app; assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    subprocess.run(  # noqa: S603 -- ourselves
        [sys.executable, "-c", code], check=True, cwd=ROOT, timeout=110
    )
