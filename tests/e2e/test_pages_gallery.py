"""Every page with sample values in a real browser: accessible, quiet, within its policy, readable on a phone."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import pictures
from tests.e2e.browser import CHROMIUM, LOOK_HIDDEN, SCHEMES, WIDTHS, Watched, chromium, keep_picture, watched
from tests.e2e.gallery import gallery
from tests.unit.pages.samples import NOW, all_pages

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]

ALIKE = "problem-"
"""The problem pages share one template: a few stand for all."""
LOOKED_AT = sorted(
    name
    for name in all_pages()
    if name != "interstitial"
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


CHECKED = {("phone", "dark"), ("desktop", "light")}
"""Each width and each scheme is checked once; the other two combinations have their pictures taken alone."""


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Watched]:
    """One window in which page after page is opened: making a fresh one takes longer than loading a page."""
    with watched(browser) as seen:
        seen.page.add_init_script(LOOK_HIDDEN)
        yield seen


@pytest.fixture
def seen(window: Watched) -> Watched:
    """The window, of which nothing has been seen yet."""
    window.origins.clear()
    window.complaints.clear()
    return window


@pytest.mark.parametrize("name", LOOKED_AT)
def test_page_is_accessible_and_has_its_pictures_taken(seen: Watched, url: str, name: str) -> None:
    """In each width and scheme, which one load of the page shows one after another."""
    found: dict[str, list[str]] = {}
    seen.page.goto(f"{url}/{name}")
    for width, scheme in product(WIDTHS, SCHEMES):
        seen.show_as(width, scheme)
        assert keep_picture(seen, f"{name}-{width}-{scheme}").stat().st_size > 1000
        problems = [*seen.violations(), *(["has to be scrolled sideways"] if seen.too_wide() else [])]
        if (width, scheme) in CHECKED:
            problems += seen.accessibility_problems()
        if problems:
            found[f"{width}, {scheme}"] = problems
    assert found == {}
    assert seen.complaints == []
    assert seen.origins == {url}


def test_a_receipt_shows_year_and_time_zone_for_whoever_keeps_it(browser: Browser, url: str) -> None:
    """The page's clock is set to the year of the sample: other pages leave the present year out."""
    with watched(browser) as seen:
        seen.page.clock.set_fixed_time(NOW)
        seen.page.goto(f"{url}/receipt")
        expect(seen.page.locator(".facts time")).to_have_text("23 Nov 2026, 15:07 CET")


IN_GERMAN = (
    "landing",
    "invitation",
    "approval",
    "ask-administrator",
    "my-sync-exceptions",
    "my-sync-just-synced",
    "confirm-change-account",
    "problem-wrong_account",
    "receipt",
)
"""Pages with the longest German words, in every layout."""


@pytest.mark.parametrize(("scheme", "names"), [("light", IN_GERMAN), ("dark", IN_GERMAN[:2])])
def test_german_with_a_brand_fits_on_a_phone_and_is_accessible(
    browser: Browser, url: str, scheme: str, names: tuple[str, ...]
) -> None:
    found: dict[str, object] = {}
    with watched(browser, width="phone", scheme=scheme, locale="de-DE") as seen:
        for name in names:
            seen.page.goto(f"{url}/{name}")
            assert seen.page.locator("html").get_attribute("lang") == "de"
            assert seen.page.get_by_role("img", name="Contoso GmbH").evaluate("image => image.naturalWidth") == 120
            keep_picture(seen, f"{name}-phone-{scheme}-german")
            problems = [*seen.violations(), *(["has to be scrolled sideways"] if seen.too_wide() else [])]
            problems += seen.accessibility_problems()
            if problems:
                found[name] = problems
    assert found == {}
    assert seen.complaints == []


def test_german_times_are_shown_in_the_reader_s_zone(browser: Browser, url: str) -> None:
    with watched(browser, zone="Europe/Berlin", locale="de-DE") as seen:
        seen.page.goto(f"{url}/invitation")
        shown = seen.page.locator("time").first
        expect(shown).to_contain_text("23. Nov")
        expect(shown).to_contain_text("15:07")
        expect(shown).to_have_attribute("title", "23. November 2026, 14:07 UTC")


def test_pictures_of_the_readme_are_of_pages_that_exist() -> None:
    assert set(pictures.PICTURES.values()) <= set(all_pages())
    assert {file.stem for file in pictures.FOLDER.iterdir()} == set(pictures.PICTURES)


def test_the_accessibility_check_would_notice(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        seen.page.goto(f"{url}/landing")
        seen.page.evaluate("document.querySelector('h1').replaceChildren(document.createElement('img'))")
        assert any(problem.startswith("image-alt") for problem in seen.accessibility_problems())


def test_the_policy_would_stop_an_inline_script_and_report_it(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        seen.page.goto(f"{url}/landing")
        seen.page.evaluate(
            "{ const script = document.createElement('script'); script.text = 'window.ran = true';"
            " document.body.append(script); }"
        )
        assert seen.page.evaluate("window.ran") is None
        assert seen.violations() != []


def test_a_first_sync_is_followed_without_reloading_the_page(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        seen.page.goto(f"{url}/my-sync-first")
        seen.page.evaluate("window.__same = true")
        expect(seen.page.get_by_role("heading", name="First sync in progress")).to_be_visible()
        expect(seen.page.get_by_role("heading", name="Up to date")).to_be_visible()
        assert seen.page.evaluate("window.__same") is True
        expect(seen.page.locator("#announcement")).to_have_text("Up to date")
        expect(seen.page.get_by_role("progressbar")).to_have_count(0)


def test_a_page_that_nobody_looks_at_asks_for_nothing(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        seen.page.add_init_script(LOOK_HIDDEN)
        seen.page.goto(f"{url}/my-sync-first")
        seen.page.wait_for_timeout(4000)
        assert [address for address in asked if "progress" in address] == []


def test_times_are_shown_in_the_reader_s_zone(browser: Browser, url: str) -> None:
    with watched(browser, zone="Asia/Kolkata") as seen:
        seen.page.goto(f"{url}/invitation")
        shown = seen.page.locator("time").first
        expect(shown).to_contain_text("23 Nov")
        expect(shown).to_contain_text("19:37")
        expect(shown).to_have_attribute("title", "23 November 2026, 14:07 UTC")


def test_without_script_times_are_marked_utc_and_the_page_works(browser: Browser, url: str) -> None:
    with watched(browser, script=False) as seen:
        seen.page.goto(f"{url}/my-sync-exceptions")
        expect(seen.page.locator("time").first).to_contain_text("UTC")
        expect(seen.page.get_by_role("button", name="Sync now")).to_be_visible()
        expect(seen.page.get_by_role("link", name="Refresh")).to_be_visible()


def test_the_keyboard_reaches_the_content_first_and_focus_is_visible(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        seen.page.goto(f"{url}/my-sync-exceptions")
        seen.page.keyboard.press("Tab")
        skip = seen.page.get_by_role("link", name="Skip to content")
        expect(skip).to_be_focused()
        assert seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("main")).to_be_focused()


def test_the_approval_link_can_be_copied(browser: Browser, url: str) -> None:
    with watched(browser) as seen:
        seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        seen.page.goto(f"{url}/approval")
        seen.page.get_by_role("button", name="Copy link").click()
        expect(seen.page.get_by_role("button", name="Copied")).to_be_visible()
        assert seen.page.evaluate("navigator.clipboard.readText()") == "https://sync.contoso.example/approval"


def test_the_commands_for_an_administrator_can_be_copied(browser: Browser, url: str) -> None:
    """U8."""
    with watched(browser) as seen:
        seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        seen.page.goto(f"{url}/ask-administrator")
        seen.page.get_by_role("button", name="Copy the commands").click()
        expect(seen.page.get_by_role("button", name="Copied")).to_be_visible()
        copied = seen.page.evaluate("navigator.clipboard.readText()")
        assert "\nSet-OrganizationConfig -EwsEnabled $true" in copied
