"""What alerts and workbook read of the metrics is what the program records: names, attributes, values."""

import json
import re
from pathlib import Path

import pytest

from shared.errors import Reason
from shared.mailboxes.model import Status
from shared.metrics.instruments import ALL, PASSES
from shared.metrics.recording import Histogram
from shared.sync.moving.parity import MoveOutcome

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
WORKBOOK = json.loads((ROOT / "infra" / "workbook.json").read_text())
PREFIX = re.findall(r"^var metrics = '([^']*)'$", ALERTS, re.MULTILINE)
RULES = {
    name: query.replace("${metrics}", PREFIX[0])
    for name, query in re.findall(r"^    name: '([\w-]+)'\n.*?^    query: '([^']*)'", ALERTS, re.MULTILINE | re.DOTALL)
}
QUERIES = {
    **RULES,
    **{item["name"]: item["content"]["query"] for item in WORKBOOK["items"] if "query" in item["content"]},
}
OF_METRICS = {name: query for name, query in QUERIES.items() if "AppMetrics" in query}
BY_NAME = {one.name: one for one in ALL}
VALUES = {
    "status": {status.value for status in Status},
    "freshness": {"fresh", "stale", "late"},
    "outcome": {*(reason.value for reason in Reason), *MoveOutcome, "done", "continues", "held", "restated"},
}
COLUMNS = {"Name", "Sum", "ItemCount", "Min", "Max", "Properties", "TimeGenerated"}
"""Of the table AppMetrics: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics"""


@pytest.mark.parametrize("name", OF_METRICS)
def test_query_reads_instruments_and_attributes_that_there_are(name: str) -> None:
    query = OF_METRICS[name]
    for wanted in re.findall(r'Name == "([^"]+)"', query):
        assert set(re.findall(r"Properties\.(\w+)", query)) <= set(BY_NAME[wanted].attributes)
    assert all(any(one.startswith(wanted) for one in BY_NAME) for wanted in re.findall(r'startswith "([^"]+)"', query))
    assert set(re.findall(r"\b(?<!\.)[A-Z]\w+\b", re.sub(r'"[^"]*"', "", query))) <= COLUMNS | {"AppMetrics"}


@pytest.mark.parametrize("name", OF_METRICS)
def test_extremes_and_number_of_values_are_those_of_histograms(name: str) -> None:
    """A counter's row has one value, whatever was added."""
    query = OF_METRICS[name]
    if re.search(r"\b(ItemCount|Min|Max)\b", query):
        assert all(isinstance(BY_NAME[one], Histogram) for one in re.findall(r'Name == "([^"]+)"', query))


@pytest.mark.parametrize("name", OF_METRICS)
def test_query_compares_with_values_that_are_recorded(name: str) -> None:
    for attribute, value in re.findall(r'Properties\.(\w+)\) (?:==|!=) "(\w+)"', OF_METRICS[name]):
        assert value in VALUES[attribute]
    for attribute, listed in re.findall(r"Properties\.(\w+)\) !?in \(([^)]*)\)", OF_METRICS[name]):
        assert set(re.findall(r'"(\w+)"', listed)) <= VALUES[attribute]


def test_no_outcome_without_an_error_counts_as_a_failed_pass() -> None:
    (listed,) = re.findall(r"Properties\.outcome\) !in \(([^)]*)\)", RULES["failing-passes"])
    assert VALUES["outcome"] - set(re.findall(r'"(\w+)"', listed)) == {reason.value for reason in Reason}
    assert "outcome" in PASSES.attributes


def test_workbook_shows_every_instrument() -> None:
    shown = " ".join(item["content"].get("query", "") for item in WORKBOOK["items"])
    assert [one.name for one in ALL if f'"{one.name}"' not in shown] == []


@pytest.mark.parametrize("name", ["late-share", "needs-sign-in"])
def test_share_of_mailboxes_needs_no_number_that_somebody_set(name: str) -> None:
    assert "expected" not in RULES[name]
    assert re.search(r"\* 100 > mailboxes \* \$\{\w+Percent\}", RULES[name])
