"""Takes pictures of the console's pages as the bench renders them: with as many mailboxes as it has."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from playwright.sync_api import Route

from shared.pages.pages import static_file
from tests.e2e.browser import WIDTHS, chromium, watched

URL = "https://console.example/"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def take(pages: Mapping[str, str], folder: Path) -> None:
    """Write a picture of each page (its name and its HTML) for a phone and a desktop."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for width in WIDTHS:
            with watched(browser, width=width) as seen:
                for name, page in pages.items():
                    seen.page.route("**/*", partial(_answer, page))
                    seen.page.goto(URL)
                    seen.page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
                    seen.page.unroute_all()


def _answer(page: str, route: Route) -> None:
    """Answer a request of the browser: the page itself, or one of its static files. Nothing leaves the machine."""
    name = Path(route.request.url).name
    if route.request.url == URL:
        route.fulfill(body=page, content_type="text/html; charset=utf-8")
    else:
        route.fulfill(body=static_file(name) or b"", content_type=_TYPES.get(Path(name).suffix, "text/plain"))
