"""What the documents point at is there: files, headings, and the targets of make."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIT = ("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
PAGES = sorted(subprocess.run(GIT, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"(?:`|^    )make ([a-z][a-z0-9-]*)", re.MULTILINE)
TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)
FILE = re.compile(r"`([\w./-]+\.(?:py|toml|bicep|html)|[\w.-]+(?:/[\w.-]+)*/)(?:: [^`]*)?`")
"""A file or a folder (with a slash at its end) that a page names in code style, perhaps with a name inside the file."""
MODULE = re.compile(r"python -m ((?:shared|sandbox|tests|infra)[\w.]*\w)")


def links(page: str) -> list[str]:
    """A page's links to places in this repository."""
    return [link for link in LINK.findall((ROOT / page).read_text()) if not re.match(r"[a-z]+:", link)]


def anchors(path: Path) -> set[str]:
    """What a link may name after #: the headings, as they are turned into anchors where repositories are shown."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(page: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    aim = (ROOT / page).parent / path if path else ROOT / page
    return aim.exists() and (not anchor or anchor in anchors(aim))


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_links_to_is_there(page: str) -> None:
    assert [link for link in links(page) if not is_there(page, link)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_a_page_names_is_there(page: str) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    assert set(MAKE.findall((ROOT / page).read_text())) - targets == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_runs_is_there(page: str) -> None:
    for module in MODULE.findall((ROOT / page).read_text()):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def tracked() -> set[str]:
    """Every file and folder of the repository with a slash before it; folders end with a slash."""
    listed = subprocess.run((*GIT[:-1], "*"), capture_output=True, text=True, check=True)  # noqa: S603
    files = [Path(name) for name in listed.stdout.split()]
    return {f"/{file}" for file in files} | {f"/{folder}/" for file in files for folder in file.parents}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    """A page may leave out the first folders of a path, as in `back_off/waits.py`."""
    there = tracked()
    named = set(FILE.findall((ROOT / page).read_text()))
    assert {name for name in named if not any(each.endswith(f"/{name}") for each in there)} == set()


def test_a_link_into_nothing_is_noticed() -> None:
    assert is_there("README.md", "docs/operations.md#alerts")
    assert not is_there("README.md", "docs/nothing.md")
    assert not is_there("README.md", "docs/operations.md#nothing")


def test_the_readme_is_short() -> None:
    """But for the table of settings, which has a line for each."""
    text = (ROOT / "README.md").read_text()
    written, table = text.split("<!-- settings: begin -->")[0], text.split("<!-- settings: end -->")[1]
    assert len((written + table).splitlines()) < 150
