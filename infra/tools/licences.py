"""Checks the licence of every package that is shipped against a list; an unknown or unlisted one is a failure.

    python infra/tools/licences.py

Reads the installed packages' own metadata: the SPDX expression where there is one, else the classifiers.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = (
    "apache",
    "bsd",
    "isc",
    "mit",
    "mozilla public license 2.0",
    "mpl-2.0",
    "psf-2.0",
    "python software foundation",
)
"""Licences that allow shipping the package unchanged inside a service; matched without regard to case."""


def main() -> int:
    """Print the packages whose licence is not allowed; 0 when there is none."""
    refused = 0
    for name in shipped((ROOT / "requirements.txt").read_text()):
        try:
            licence = licence_of(distribution(name))
        except PackageNotFoundError:
            continue  # a requirement of another platform
        if not is_allowed(licence):
            print(f"{name}: {licence or 'no licence named'}")
            refused += 1
    print(f"{refused} packages with a licence that is not allowed")
    return 1 if refused else 0


def shipped(requirements: str) -> list[str]:
    """The names of the pinned packages."""
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", requirements, re.MULTILINE)


def licence_of(package: Distribution) -> str:
    """What the package says of its licence, in one line."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    said = [text.rpartition(" :: ")[2] for text in classifiers] or [str(metadata.get("License") or "").split("\n")[0]]
    return " AND ".join(said)


def is_allowed(licence: str) -> bool:
    """Whether one of the alternatives (OR) consists of allowed licences only."""
    return any(
        all(any(known in part.lower() for known in ALLOWED) for part in re.split(r" AND ", alternative))
        for alternative in re.split(r" OR ", licence)
        if alternative
    )


if __name__ == "__main__":
    sys.exit(main())
