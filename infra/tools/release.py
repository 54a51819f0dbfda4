"""Checks that a tag can be released, and prints its release notes.

    python infra/tools/release.py v0.1.0

The version is only in shared/version.py; the notes are the tag's section of CHANGELOG.md.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class NotReleasable(Exception):
    """The tag does not match the code or the changelog; the message says why."""


def main(tag: str) -> int:
    """The command."""
    try:
        release_notes = notes(tag, (ROOT / "shared" / "version.py").read_text(), (ROOT / "CHANGELOG.md").read_text())
    except NotReleasable as problem:
        print(problem, file=sys.stderr)
        return 1
    print(release_notes)
    return 0


def version_of(source: str) -> str:
    """The version in shared/version.py."""
    found = re.search(r'^VERSION = "([^"]+)"$', source, re.MULTILINE)
    if not found:
        raise NotReleasable("shared/version.py says no version")
    return found[1]


def notes(tag: str, source: str, changelog: str) -> str:
    """The changelog's section for a tag. Raises NotReleasable."""
    version = version_of(source)
    if tag != f"v{version}":
        raise NotReleasable(f"the tag is {tag}, but shared/version.py says {version}")
    section = re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## \[|^\[[\w.]+\]: |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if not section or not section[1].strip():
        raise NotReleasable(f"CHANGELOG.md has no dated section [{version}] with anything in it")
    return section[1].strip()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python infra/tools/release.py TAG")
    sys.exit(main(sys.argv[1]))
