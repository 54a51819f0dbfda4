"""Takes the pictures of the README anew, of pages with sample values: `make pictures` (python -m tests.e2e.pictures).

Look at them before they are committed. They are small enough to be read beside each other.
"""

import sys
from pathlib import Path

from tests.e2e.browser import CHROMIUM, ROOT, chromium, watched
from tests.e2e.gallery import gallery

FOLDER = ROOT / "docs" / "images"
PICTURES = {"my-sync": "my-sync-up-to-date", "operator": "overview-500"}
"""The files, and the page of the gallery that each shows."""


def take(folder: Path) -> list[Path]:
    """Write the pictures into a folder; returns their files."""
    files = []
    with gallery() as url, chromium() as browser, watched(browser) as seen:
        for name, page in PICTURES.items():
            seen.page.goto(f"{url}/{page}")
            files.append(folder / f"{name}.png")
            seen.page.screenshot(path=files[-1])
    return files


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("There is no Chromium on this machine: run `make setup-browser`.")
    for file in take(FOLDER):
        print(file.relative_to(ROOT))
