"""docs/operations.md is a runbook: each alert has a section with its meaning, what to do, and its own severity."""

import re
from pathlib import Path

import pytest

from shared.errors import Reason
from shared.notices.model import NoticeKind
from shared.pages.catalog import english
from shared.readiness.checking import LONGEST_AGE
from shared.storage.storage_layout import QUEUES

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
PAGE = (ROOT / "docs" / "operations.md").read_text()
SECTION = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]


def severities(text: str) -> dict[str, int]:
    """Every alert of a module, with its severity."""
    found = re.findall(r"^    name: '([\w-]+)'\n    severity: (\d)", text, re.MULTILINE)
    found += re.findall(r"metricAlertPrefix\}\$\{prefix\}-([\w-]+)'.*?severity: (\d)", text, re.DOTALL)
    return {name: int(severity) for name, severity in found}


def sections(text: str) -> dict[str, str]:
    """The text below each third-level heading."""
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def problems(alerts: dict[str, int], text: str) -> list[str]:
    """What is missing or too much in the runbook."""
    told = sections(text)
    found = [f"{name} has no section" for name in alerts if name not in told]
    found += [f"{name} is no alert" for name in told if name not in alerts]
    for name, section in told.items():
        meaning = re.search(r"\*\*What it means\.\*\* (.+?)\n\n\*\*What to do\.\*\*(.+)", section, re.DOTALL)
        if meaning is None or min(len(meaning[1].split()), len(meaning[2].split())) < 10:
            found.append(f"{name} does not say what it means and what to do")
    return found


def test_each_alert_has_a_section_that_says_what_to_do() -> None:
    assert problems(severities(ALERTS), SECTION) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("### poison\n", "", "poison has no section"),
        ("### poison\n", "### poisoned\n", "poisoned is no alert"),
        ("**What to do.** Nothing, if", "Nothing, if", "vault-throttled does not say what it means and what to do"),
    ],
)
def test_gap_in_the_runbook_is_found(old: str, new: str, problem: str) -> None:
    assert old in SECTION
    assert problem in problems(severities(ALERTS), SECTION.replace(old, new))


def test_table_says_the_severities_of_the_alerts() -> None:
    rows = re.findall(r"^\| ([\w, -]+) \| (\d) \|", SECTION, re.MULTILINE)
    assert {name: int(severity) for names, severity in rows for name in names.split(", ")} == severities(ALERTS)


def test_mail_section_has_each_mail_by_its_subject() -> None:
    section = PAGE.partition("\n## Mail\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| \*(.+?)\*", section, re.MULTILINE)
    sent = [english().text(f"mail.{kind}.operator_subject", address="").removesuffix(": ") for kind in NoticeKind]
    assert told == [*sent, english().text("mail.digest.subject", day="DATE", count=0).partition(":")[0]]


def test_poison_section_has_each_queue() -> None:
    assert set(re.findall(r"`([\w-]+)-poison`", sections(SECTION)["poison"])) == set(QUEUES)


@pytest.mark.parametrize(
    ("variable", "alert", "words"),
    [
        ("latePercent", "late-share", "{}%"),
        ("signInPercent", "needs-sign-in", "{}%"),
        ("failingPercent", "failing-passes", "{}%"),
    ],
)
def test_table_says_the_share_that_an_alert_allows(variable: str, alert: str, words: str) -> None:
    (percent,) = re.findall(rf"^var {variable} = (\d+)$", ALERTS, re.MULTILINE)
    row = next(line for line in SECTION.splitlines() if line.startswith(f"| {alert} |"))
    assert words.format(percent) in row


def test_table_says_how_the_threshold_of_suspended_follows_the_number_of_mailboxes() -> None:
    (divisor,) = re.findall(r"^var suspendedInAnHour = expectedMailboxes / (\d+)$", ALERTS, re.MULTILINE)
    row = next(line for line in SECTION.splitlines() if line.startswith("| suspended |"))
    assert f"{int(divisor):,}" in row


def test_alert_of_the_queue_and_the_readiness_check_agree_on_what_is_late() -> None:
    (seconds,) = re.findall(r"^var longestQueueSeconds = (\d+)$", ALERTS, re.MULTILINE)
    assert int(seconds) == LONGEST_AGE


def test_reasons_that_the_runbook_names_are_those_of_the_program() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", SECTION)) - {"auto"}
    assert named >= {"throttled", "interaction_required", "internal"}
    assert named <= {reason.value for reason in Reason}


@pytest.mark.parametrize(
    "line", ["metrics are off", "metrics not sent", "metrics not accepted", "dependency not ready"]
)
def test_log_lines_that_the_runbook_names_are_written(line: str) -> None:
    assert f"`{line}`" in PAGE
    assert any(f'"{line}"' in path.read_text() for path in (ROOT / "shared").rglob("*.py"))
