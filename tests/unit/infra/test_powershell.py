"""The PowerShell scripts: they parse, no name hides another, and what they grant is what the documents say."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "infra" / "scripts").glob("*.ps1"))
NARROW = ROOT / "infra" / "scripts" / "narrow_app_access.ps1"
VARIABLE = re.compile(r"\$(\w+)")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_parses(script: Path) -> None:
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.read_bytes())
    assert not tree.root_node.has_error


def test_the_parser_would_notice() -> None:
    tree = Parser(Language(tree_sitter_powershell.language())).parse(b"if ($a) { foreach ($b in $c) { }")
    assert tree.root_node.has_error


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_variable_is_another_one_in_other_letters(script: Path) -> None:
    """PowerShell takes $audience and $Audience for one variable; reading a parameter so is all right."""
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for name in VARIABLE.findall(script.read_text()):
        spellings[name.lower()].add(name)
    assert [sorted(names) for names in spellings.values() if len(names) > 1] == []


def test_narrowed_access_has_the_roles_that_the_documents_name() -> None:
    roles = set(re.findall(r"'(Application [\w.]+)'", NARROW.read_text()))
    documented = set(re.findall(r"`(Application [\w.]+)`", (ROOT / "docs" / "authorization.md").read_text()))
    assert roles == documented
    assert len(roles) == 4


def test_narrowing_again_changes_what_is_there() -> None:
    text = NARROW.read_text()
    for noun in ("ManagementScope", "ManagementRoleAssignment"):
        assert {f"{verb}-{noun}" in text for verb in ("Get", "New", "Set")} == {True}
    assert text.index("Get-ServicePrincipal") < text.index("New-ServicePrincipal")
