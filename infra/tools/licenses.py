"""Checks the license of every shipped package against a list; an unknown or unlisted license is a failure.

    python infra/tools/licenses.py

The license comes from the installed package's metadata: the SPDX expression if there is one, else the classifiers,
else the license field if it is an SPDX identifier. Expressions follow SPDX: OR, AND, WITH, parentheses.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = frozenset(
    map(str.lower, ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"))
)
"""SPDX identifiers of licenses that allow shipping the package unchanged inside a service."""

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""The SPDX identifier for each license classifier, an older scheme. For the BSD family it is the stricter license."""


def main() -> int:
    """Print the packages whose license is not allowed; returns 0 when there is none."""
    refused = 0
    for name in shipped((ROOT / "requirements.txt").read_text()):
        try:
            license_ = license_of(distribution(name))
        except PackageNotFoundError:
            continue  # a requirement of another platform
        if not is_allowed(license_):
            print(f"{name}: {license_ or 'no license named'}")
            refused += 1
    print(f"{refused} packages with a license that is not allowed")
    return 1 if refused else 0


def shipped(requirements: str) -> list[str]:
    """The names of the pinned packages."""
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", requirements, re.MULTILINE)


def license_of(package: Distribution) -> str:
    """The package's license as an SPDX expression, or the text that its metadata has instead."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    names = [text.rpartition(" :: ")[2] for text in classifiers]
    if names:
        return " AND ".join(CLASSIFIERS.get(name, name) for name in names)
    return str(metadata.get("License") or "").split("\n")[0]


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met with allowed licenses only. False for an invalid expression."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    try:
        allowed, rest = _either(words)
    except IndexError:
        return False
    return allowed and not rest


def _either(words: list[str]) -> tuple[bool, list[str]]:
    allowed, rest = _both(words)
    while rest and rest[0] == "OR":
        other, rest = _both(rest[1:])
        allowed = allowed or other
    return allowed, rest


def _both(words: list[str]) -> tuple[bool, list[str]]:
    allowed, rest = _one(words)
    while rest and rest[0] == "AND":
        other, rest = _one(rest[1:])
        allowed = allowed and other
    return allowed, rest


def _one(words: list[str]) -> tuple[bool, list[str]]:
    """An identifier with an optional exception (an exception only ever permits more), or parentheses."""
    if words[0] == "(":
        allowed, rest = _either(words[1:])
        return allowed and rest[0] == ")", rest[1:]
    rest = words[1:]
    if rest and rest[0] == "WITH":
        rest = rest[2:]
    return words[0].lower() in ALLOWED, rest


if __name__ == "__main__":
    sys.exit(main())
