"""The pages clicked through in a real browser, from the first link to the receipt, with the whole app behind them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from shared.app import utc_now
from shared.mailboxes.commands import SYNC_NOW_INTERVAL
from shared.mailboxes.model import Mailbox
from tests.e2e.browser import CHROMIUM, SCHEMES, WIDTHS, Watched, chromium, keep_picture, watched
from tests.e2e.people import begin, connect, give_password, mailbox_id, new_person

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def seen(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as page:
        yield page


def test_a_person_connects_a_mailbox_and_sees_it_become_up_to_date(seen: Watched, running_app: Any) -> None:
    page, url = seen.page, running_app.url
    address = new_person(running_app.sandbox)
    begin(page, f"{url}/")
    begin(page, page.get_by_role("link", name="Sign in with Microsoft").evaluate("link => link.href"))
    give_password(page, running_app.sandbox, address)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Your mailbox is connected.")).to_be_visible()
    expect(page.get_by_text(address)).to_be_visible()
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=120_000)
    assert seen.accessibility_problems() == []
    assert seen.violations() == []
    assert seen.complaints == []
    assert seen.origins == {url, running_app.sandbox.endpoints["entra"]}


def test_everything_works_without_script(browser: Browser, running_app: Any) -> None:
    with watched(browser, script=False, width="phone") as seen:
        page = seen.page
        begin(page, f"{running_app.url}/sign-in")
        give_password(page, running_app.sandbox, new_person(running_app.sandbox))
        page.get_by_role("button", name="Accept").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="My sync", level=1)).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", name="Paused")).to_be_visible()


def test_pausing_and_starting_again(seen: Watched, running_app: Any) -> None:
    page = seen.page
    connect(page, running_app.url, running_app.sandbox, new_person(running_app.sandbox))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.get_by_text("None planned")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Syncing continues.")).to_be_visible()


def _last_synced_earlier(mailbox: Mailbox) -> Mailbox:
    return replace(mailbox, last_pass_at=utc_now() - 2 * SYNC_NOW_INTERVAL)


def test_a_sync_can_be_asked_for_once_a_minute(seen: Watched, running_app: Any) -> None:
    page = seen.page
    connect(page, running_app.url, running_app.sandbox, new_person(running_app.sandbox))
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Sync now is possible again:")).to_be_visible()
    running_app.parts().registry.change(mailbox_id(page), _last_synced_earlier)
    page.reload()
    earlier = page.context.new_page()
    earlier.goto(page.url)
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("A sync has been started.")).to_be_visible()
    page = earlier
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("heading", name="A sync has just been started")).to_be_visible()
    page.get_by_role("link", name="Back to My sync").click()
    expect(page.get_by_role("heading", name="My sync", level=1)).to_be_visible()


def test_disconnecting_asks_first_and_signing_in_again_keeps_the_mailbox(seen: Watched, running_app: Any) -> None:
    page = seen.page
    address = new_person(running_app.sandbox)
    connect(page, running_app.url, running_app.sandbox, address)
    before = mailbox_id(page)
    page.get_by_role("link", name="Disconnect").click()
    expect(page.get_by_role("heading", name="Disconnect this mailbox?")).to_be_visible()
    assert seen.accessibility_problems() == []
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Disconnected")).to_have_count(0)
    page.get_by_role("link", name="Disconnect").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("heading", name="Disconnected")).to_be_visible()
    page.get_by_role("button", name="Sign in again").click()
    expect(page.get_by_text("You are signed in again.")).to_be_visible(timeout=120_000)
    assert mailbox_id(page) == before


def test_erasing_asks_first_and_gives_a_receipt(seen: Watched, running_app: Any) -> None:
    page, sandbox = seen.page, running_app.sandbox
    message = f"/mailboxes/{(address := new_person(sandbox))}/messages?folder=Inbox"
    sandbox.control.call("POST", message, data=b"Subject: one\n\nx\n")
    connect(page, running_app.url, sandbox, address)
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=120_000)
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything was erased")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("row", name=re.compile(r"^Items \d+"))).to_be_visible()
    assert seen.accessibility_problems() == []
    keep_picture(seen, "flow-receipt")
    page.goto(f"{running_app.url}/my-sync")
    expect(page.get_by_role("heading", name="No mailbox is connected")).to_be_visible()


def test_signing_in_again_with_another_account_connects_nothing(seen: Watched, running_app: Any) -> None:
    page, sandbox = seen.page, running_app.sandbox
    connect(page, running_app.url, sandbox, new_person(sandbox))
    before = mailbox_id(page)
    page.context.clear_cookies(domain="127.0.0.1")
    page.get_by_role("button", name="Sign in again").click()
    give_password(page, sandbox, new_person(sandbox))
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="That is a different account")).to_be_visible()
    page.goto(f"{running_app.url}/my-sync")
    assert mailbox_id(page) == before


def test_changing_the_account_explains_and_connects_another_mailbox(seen: Watched, running_app: Any) -> None:
    page, sandbox = seen.page, running_app.sandbox
    connect(page, running_app.url, sandbox, new_person(sandbox))
    before = mailbox_id(page)
    page.get_by_role("link", name="Change account").click()
    expect(page.get_by_role("heading", name="Change account?")).to_be_visible()
    page.get_by_role("button", name="Sign in with another account").click()
    give_password(page, sandbox, new_person(sandbox))
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Your mailbox is connected.")).to_be_visible()
    assert mailbox_id(page) != before


def test_declining_connects_nothing_and_says_so(seen: Watched, running_app: Any) -> None:
    page = seen.page
    begin(page, f"{running_app.url}/sign-in")
    give_password(page, running_app.sandbox, new_person(running_app.sandbox))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="The permission was declined")).to_be_visible()
    expect(page.get_by_role("link", name="Start again")).to_be_visible()


def test_a_person_without_a_mailbox_learns_it_at_once(seen: Watched, running_app: Any) -> None:
    page, sandbox = seen.page, running_app.sandbox
    begin(page, f"{running_app.url}/sign-in")
    give_password(page, sandbox, new_person(sandbox, has_mailbox=False))
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="There is no mailbox for this account")).to_be_visible()


def test_administrators_approval_leads_to_the_connected_mailbox(browser: Browser, running_app: Any) -> None:
    sandbox = running_app.sandbox
    with watched(browser) as person, watched(browser) as administrator:
        begin(person.page, f"{running_app.url}/sign-in")
        give_password(person.page, sandbox, "kim@northwind.example")
        person.page.get_by_role("button", name=re.compile("^Return")).click()
        expect(person.page.get_by_role("heading", name="Your administrator has to approve")).to_be_visible()
        assert person.accessibility_problems() == []
        keep_picture(person, "flow-approval")
        link = person.page.get_by_label("Approval link").input_value()
        begin(administrator.page, link)
        give_password(administrator.page, sandbox, "lee@northwind.example")
        administrator.page.get_by_role("button", name="Accept").click()
        expect(administrator.page.get_by_role("heading", name="Approved for your organization")).to_be_visible()
        assert administrator.accessibility_problems() == []
        begin(person.page, f"{running_app.url}/sign-in")
        expect(person.page.get_by_role("heading", name="My sync", level=1)).to_be_visible()


def test_nobody_reaches_anybody_else_s_mailbox(browser: Browser, running_app: Any) -> None:
    sandbox = running_app.sandbox
    with watched(browser) as one, watched(browser) as other:
        connect(one.page, running_app.url, sandbox, new_person(sandbox))
        connect(other.page, running_app.url, sandbox, new_person(sandbox))
        theirs = mailbox_id(one.page)
        for path in ("my-sync", "my-sync/progress", "my-sync/erase"):
            answer = other.page.goto(f"{running_app.url}/{path}?mailbox={theirs}")
            assert answer is not None
            assert answer.status == 404


def test_an_act_needs_the_session_s_own_form(seen: Watched, running_app: Any) -> None:
    page = seen.page
    connect(page, running_app.url, running_app.sandbox, new_person(running_app.sandbox))
    own, form = mailbox_id(page), f"{running_app.url}/my-sync/pause"
    assert page.request.get(f"{form}?mailbox={own}").status == 404
    assert page.request.post(form, form={"mailbox": own}).status == 403
    assert page.request.post(form, form={"mailbox": own, "csrf": "guessed"}).status == 403
    csrf = page.locator("input[name=csrf]").first.input_value()
    foreign = page.request.post(form, form={"mailbox": own, "csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403
    page.reload()
    expect(page.get_by_role("heading", name="Paused")).to_have_count(0)


def test_signing_out_ends_the_session_in_this_browser(seen: Watched, running_app: Any) -> None:
    page = seen.page
    connect(page, running_app.url, running_app.sandbox, new_person(running_app.sandbox))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(f"{running_app.url}/my-sync")
    expect(page.get_by_role("heading", name="Please sign in")).to_be_visible()


def test_the_operator_s_page_is_for_operators_alone(seen: Watched, running_app: Any) -> None:
    page = seen.page
    connect(page, running_app.url, running_app.sandbox, new_person(running_app.sandbox))
    page.goto(f"{running_app.url}/operator")
    expect(page.get_by_role("heading", name="This page is for operators")).to_be_visible()


def test_an_operator_sees_every_mailbox_and_no_address_in_a_url(browser: Browser, running_app: Any) -> None:
    sandbox = running_app.sandbox
    with watched(browser) as operator, watched(browser) as somebody:
        connect(somebody.page, running_app.url, sandbox, address := new_person(sandbox))
        begin(operator.page, f"{running_app.url}/operator")
        begin(operator.page, operator.page.get_by_role("link", name="Sign in").evaluate("link => link.href"))
        give_password(operator.page, sandbox, "robin@contoso.example")
        accept = operator.page.get_by_role("button", name="Accept")
        overview = operator.page.get_by_role("heading", name="Overview", level=1)
        expect(accept.or_(overview)).to_be_visible()
        if accept.count():
            accept.click()
        expect(overview).to_be_visible()
        operator.page.get_by_role("link", name="Mailboxes", exact=True).click()
        operator.page.get_by_label("Address begins with").fill(address)
        operator.page.get_by_role("button", name="Show").click()
        expect(operator.page.get_by_role("link", name=address)).to_be_visible()
        assert operator.accessibility_problems() == []
        assert "@" not in operator.page.url
        keep_picture(operator, "flow-operator")
        operator.page.get_by_role("link", name="Activate mailboxes").click()
        expect(operator.page.get_by_role("heading", name="Activate mailboxes", level=1)).to_be_visible()
        assert operator.accessibility_problems() == []


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "GET", 404),
        ("/static/nothing.css", "GET", 404),
        ("/my-sync", "DELETE", 405),
        ("/sign-in", "POST", 405),
        ("/my-sync", "GET", 401),
        ("/sign-in/callback", "GET", 400),
        ("/api/health", "GET", 200),
        ("/api/ready", "GET", 401),
        ("/invitation/none", "GET", 404),
    ],
)
def test_bad_input_has_a_clear_answer(seen: Watched, running_app: Any, path: str, method: str, status: int) -> None:
    answer = seen.page.request.fetch(running_app.url + path, method=method)
    assert answer.status == status
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Traceback" not in answer.text()


def test_the_app_answers_in_the_language_of_the_browser(seen: Watched, running_app: Any) -> None:
    for accepted, language in (("de-DE,de;q=0.9", "de"), ("fr", "en")):
        answer = seen.page.request.fetch(running_app.url, headers={"Accept-Language": accepted})
        assert f'<html lang="{language}">' in answer.text()
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")
        assert answer.headers["cache-control"] == "public, max-age=60"


def test_my_sync_has_its_picture_taken(seen: Watched, running_app: Any) -> None:
    connect(seen.page, running_app.url, running_app.sandbox, "bo@contoso.example")
    keep_picture(seen, "flow-my-sync-begun")
    expect(seen.page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=120_000)
    seen.page.goto(f"{running_app.url}/my-sync")
    for width, scheme in product(WIDTHS, SCHEMES):
        seen.show_as(width, scheme)
        assert not seen.too_wide()
        assert keep_picture(seen, f"flow-my-sync-{width}-{scheme}").stat().st_size > 1000
