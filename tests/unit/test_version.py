"""The version is said in one place, is shown where somebody asks for it, and a release has to fit it."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from shared.cli import main as cli
from shared.pages.pages import Pages
from shared.version import VERSION
from tests.unit.pages.samples import all_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "infra" / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_project_file_reads_the_version_and_says_none_of_its_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "shared.version.VERSION"}


def test_the_command_line_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == VERSION


def test_the_operators_page_says_the_version() -> None:
    template, values = all_pages()["overview-5"]
    assert f"Mailbox Sync {VERSION}" in Pages("Contoso").render(template, **values)


def test_the_version_in_the_code_can_be_released(release: ModuleType) -> None:
    notes = release.notes(f"v{VERSION}", (ROOT / "shared/version.py").read_text(), (ROOT / "CHANGELOG.md").read_text())
    assert "Sign in with Microsoft 365" in notes
    assert not re.search(r"^## ", notes, re.MULTILINE)


CHANGELOG = "## [Unreleased]\n\n- later\n\n## [0.2.0] - 2027-01-02\n\n- new\n\n## [0.1.0] - 2026-11-28\n\n- old\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "problem"),
    [
        ("v0.2.1", "0.2.0", CHANGELOG, "shared/version.py says 0.2.0"),
        ("0.2.0", "0.2.0", CHANGELOG, "shared/version.py says 0.2.0"),
        ("v0.3.0", "0.3.0", CHANGELOG, r"no dated section \[0.3.0\]"),
        ("v0.2.0", "0.2.0", CHANGELOG.replace(" - 2027-01-02", ""), r"no dated section \[0.2.0\]"),
        ("v0.2.0", "0.2.0", CHANGELOG.replace("- new\n", ""), r"no dated section \[0.2.0\]"),
    ],
)
def test_a_tag_that_does_not_fit_is_not_released(
    release: ModuleType, tag: str, version: str, changelog: str, problem: str
) -> None:
    assert release.notes("v0.2.0", 'VERSION = "0.2.0"\n', CHANGELOG) == "- new"
    with pytest.raises(release.NotReleasable, match=problem):
        release.notes(tag, f'VERSION = "{version}"\n', changelog)
