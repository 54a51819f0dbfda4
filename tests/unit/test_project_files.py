"""The files by which a company or a contributor judges a project are there and agree with what is run."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def checks_of_make() -> list[str]:
    """The tools of `make check`, with their arguments."""
    rule = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    return re.findall(r"^\t@\.venv/bin/(.+)$", rule, re.MULTILINE)


def test_pre_commit_runs_what_make_check_runs() -> None:
    entries = re.findall(r"entry: \.venv/bin/(.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert len(entries) == 4
    assert entries == [check.removesuffix(" .") for check in checks_of_make()]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LICENSE", "MIT License"),
        ("SECURITY.md", "Report a vulnerability"),
        ("SECURITY.md", "## Supported versions"),
        ("CONTRIBUTING.md", "## How to add a setting"),
        ("CONTRIBUTING.md", "## How to add a page"),
        ("CONTRIBUTING.md", "## How to add a source"),
        ("CODE_OF_CONDUCT.md", "## Reporting"),
        (".github/CODEOWNERS", "*  "),
        (".github/PULL_REQUEST_TEMPLATE.md", "make test"),
        (".github/ISSUE_TEMPLATE/bug.yml", "Version"),
        (".github/ISSUE_TEMPLATE/feature.yml", "achieve"),
        (".editorconfig", "max_line_length = 120"),
    ],
)
def test_a_file_that_people_look_for_is_there(name: str, said: str) -> None:
    assert said in (ROOT / name).read_text()


def test_the_line_length_is_the_same_everywhere() -> None:
    length = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"]
    python = (ROOT / ".editorconfig").read_text().partition("[*.{py,pyi}]")[2].partition("[")[0]
    assert f"max_line_length = {length}" in python


def test_the_changelog_has_the_headings_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_code_owners_are_named_for_paths_that_are_there() -> None:
    rules = [
        line.split() for line in (ROOT / ".github" / "CODEOWNERS").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    assert rules[0][0] == "*"
    for pattern, *owners in rules:
        assert pattern == "*" or (ROOT / pattern.strip("/")).exists(), pattern
        assert owners
        assert all(re.fullmatch(r"@[a-z0-9-]+(/[a-z0-9-]+)?", owner) for owner in owners)
    assert len({owner for _, *owners in rules for owner in owners}) == 1, "one team, which a fork replaces at once"
