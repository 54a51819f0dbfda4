"""Every page with sample values in a real browser: accessible, quiet, within its policy, readable on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import CHROMIUM, SCHEMES, WIDTHS, chromium, keep_picture, watched
from tests.e2e.gallery import gallery
from tests.unit.pages.samples import all_pages

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]

ALIKE = "problem-"
"""The problem pages share one template: a few stand for all."""
LOOKED_AT = sorted(
    name
    for name in all_pages()
    if name != "onward"
    and (
        not name.startswith(ALIKE)
        or name in {"problem-wrong_account", "problem-conditional_access", "problem-internal"}
    )
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with gallery() as served:
        yield served


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_keeps_to_itself(browser: Browser, url: str, width: str, scheme: str) -> None:
    found: dict[str, object] = {}
    with watched(browser, width=width, scheme=scheme) as seen:
        for name in LOOKED_AT:
            seen.page.goto(f"{url}/{name}")
            keep_picture(seen, f"{name}-{width}-{scheme}")
            problems = [*seen.violations(), *seen.accessibility_problems()]
            if seen.too_wide():
                problems.append("has to be scrolled sideways")
            if problems:
                found[name] = problems
    assert found == {}
    assert seen.complaints == []
    assert seen.origins == {url}
