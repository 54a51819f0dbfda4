"""What alerts and workbook look for is what the program writes: its events, their fields, its reasons."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared import errors
from shared.errors import OperatorMustAct, Reason, SettingsInvalid
from shared.logs import describe_error
from shared.mailboxes.model import Status

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
WORKBOOK = json.loads((ROOT / "infra" / "workbook.json").read_text())
PROGRAM = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
QUERIES = [
    *re.findall(r"^    query: '([^']*)'", ALERTS, re.MULTILINE),
    *(item["content"]["query"] for item in WORKBOOK["items"] if "query" in item["content"]),
]
EVERYWHERE = {"event", "level", "error"}
OF_ERRORS = {*describe_error(OperatorMustAct(Reason.INTERNAL)), *describe_error(SettingsInvalid(["X is missing"]))}


def calls(*names: str) -> Iterator[ast.Call]:
    """The program's calls of methods of these names."""
    for path in PROGRAM:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
                yield node


@cache
def written() -> dict[str, set[str]]:
    """Every event that the program logs, with the fields of its own."""
    events: dict[str, set[str]] = {}
    for call in calls("info", "warning", "error"):
        if call.args and isinstance(call.args[0], ast.Constant):
            fields = events.setdefault(str(call.args[0].value), set())
            for extra in (keyword.value for keyword in call.keywords if keyword.arg == "extra"):
                assert isinstance(extra, ast.Dict)
                fields |= {key.value for key in extra.keys if isinstance(key, ast.Constant)}  # type: ignore[misc]
    return events


@cache
def bound() -> set[str]:
    """The ids that the program puts on every line of a message."""
    return {str(keyword.arg) for call in calls("bound") for keyword in call.keywords}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_reads_events_and_fields_that_the_program_writes(query: str) -> None:
    events = written()
    wanted = re.findall(r'line\.event == "([^"]+)"', query)
    assert set(wanted) <= set(events)
    carried = set().union(*(events[event] for event in wanted or events)) | EVERYWHERE | bound()
    assert set(re.findall(r"\bline\.(\w+)", query)) <= carried
    assert set(re.findall(r"\bline\.error\.(\w+)", query)) <= OF_ERRORS


def test_an_alert_looks_for_reasons_statuses_and_errors_that_there_are() -> None:
    reasons = re.findall(r'line\.(?:error\.reason|outcome)\) == "(\w+)"', ALERTS)
    for listed in re.findall(r"line\.error\.reason\) in \(([^)]*)\)", ALERTS):
        reasons += re.findall(r'"(\w+)"', listed)
    assert {Reason(reason) for reason in reasons} >= {Reason.OUR_CREDENTIAL, Reason.OUR_STORAGE, Reason.EWS_BLOCKED}
    assert [Status(status) for status in re.findall(r'line\.status\) == "(\w+)"', ALERTS)] == [Status.SUSPENDED]
    assert all(hasattr(errors, name) for name in re.findall(r'line\.error\.type\) == "(\w+)"', ALERTS))


def test_settings_that_cannot_be_used_raise_the_operators_alarm() -> None:
    alarm = re.search(r"name: 'our-credential'.*?query: '([^']*)'", ALERTS, re.DOTALL)
    assert alarm
    assert f'"{describe_error(SettingsInvalid(["X is missing"]))["type"]}"' in alarm[1]


@pytest.mark.parametrize("limit", ["ServerBusy", "ClientThrottling", "ClientAccountRequestThrottling"])
def test_throttling_of_a_partition_or_the_account_raises_an_alarm(limit: str) -> None:
    listed = re.search(r"^var throttled = \[(.*)\]", ALERTS, re.MULTILINE)
    assert listed
    assert f"'{limit}Error'" in listed[1]


def test_the_operations_page_says_what_to_do_about_every_alert() -> None:
    rules = re.findall(r"^    name: '([\w-]+)'", ALERTS, re.MULTILINE)
    metrics = re.findall(r"metricAlertPrefix\}\$\{prefix\}-([\w-]+)'", ALERTS)
    page = (ROOT / "docs" / "operations.md").read_text().partition("## Alerts")[2].partition("\n## ")[0]
    told = re.findall(r"^\| ([\w, -]+) \| \d \|", page, re.MULTILINE)
    assert sorted(", ".join(told).split(", ")) == sorted(rules + metrics)
