"""Headless Chromium as the tests use it: one browser, pages that are watched for whatever they should not do."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
AXE = ROOT / "sandbox" / "node_modules" / "axe-core" / "axe.min.js"

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WIDTHS = {"phone": (360, 740), "desktop": (1280, 860)}
SCHEMES = ("light", "dark")

PATIENCE = 120_000
"""Milliseconds to wait for what is certain to come, however busy the machine is."""
expect.set_options(timeout=PATIENCE)

_WATCH_POLICY = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', event =>
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

_RUN_AXE = """
axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
}).then(({violations}) => violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 160))]))
"""

LOOK_HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => true})"
"""A script for a page that nobody looks at: it asks for no progress and stays as it was loaded."""


@dataclass
class Watched:
    """A page, and what was seen of it: origins asked, policy violations, errors on the console."""

    page: Page
    origins: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What the present document's security policy has reported."""
        return list(self.page.evaluate("window.__violations"))

    def accessibility_problems(self) -> list[str]:
        """What axe-core finds on the page as it is: rule and element.

        Run in the page itself through the debugging protocol, which the page's policy does not concern. All rules run,
        but only violations are described and handed over: describing what passes takes longer than finding it.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8") + "; undefined")
        return [f"{rule}: {json.dumps(elements)}" for rule, elements in self.page.evaluate(_RUN_AXE)]

    def show_as(self, width: str, scheme: str) -> None:
        """Give the window another width and color scheme; the page is not loaded anew."""
        across, down = WIDTHS[width]
        self.page.set_viewport_size({"width": across, "height": down})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def too_wide(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of the machine's own Chromium, ended afterward."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched(
    browser: Browser,
    *,
    width: str = "desktop",
    scheme: str = "light",
    script: bool = True,
    zone: str = "Europe/Paris",
    locale: str = "en-GB",
) -> Iterator[Watched]:
    """A page in a fresh profile: no cookies, the given width, color scheme and language, the sandbox's CA accepted."""
    across, down = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": across, "height": down},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        ignore_https_errors=True,
        timezone_id=zone,
        locale=locale,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_WATCH_POLICY)
    page = context.new_page()
    seen = Watched(page)
    page.on("request", lambda request: seen.origins.add("://".join(urlsplit(request.url)[:2])))
    page.on("console", lambda told: seen.complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    try:
        yield seen
    finally:
        context.close()


def keep_picture(seen: Watched, name: str) -> Path:
    """A picture of the page as it is now, in the folder that git ignores."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    seen.page.screenshot(path=path, full_page=True)
    return path
