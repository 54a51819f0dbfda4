"""An operator compares a mailbox, moves it to Microsoft Graph and back, all on the pages, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sandbox.local.local_stack import LocalStack
from shared.sources.model import SourceName
from tests.e2e.browser import CHROMIUM, Watched, chromium, keep_picture, watched
from tests.e2e.people import begin, give_password
from tests.e2e.person import Person
from tests.e2e.watching import Watched as WatchedMailbox
from tests.e2e.watching import insist, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

OPERATOR = "robin@contoso.example"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def seen(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as page:
        yield page


@pytest.fixture(scope="module")
def connected(running_app: LocalStack) -> WatchedMailbox:
    """A small mailbox, synced once over EWS."""
    one = WatchedMailbox(running_app, 20)
    one.sign_in()
    wait_for([one], one.mailbox.created_at)
    return one


def test_an_operator_compares_and_moves_a_mailbox_and_back(
    seen: Watched, running_app: LocalStack, connected: WatchedMailbox
) -> None:
    page = seen.page
    begin(page, f"{running_app.url}/sign-in?to=operator")
    give_password(page, running_app.sandbox, OPERATOR)
    page.get_by_role("link", name="Moves", exact=True).click()
    expect(page.get_by_role("heading", name="Moves between EWS and Microsoft Graph")).to_be_visible()
    assert seen.accessibility_problems() == []

    page.goto(f"{running_app.url}/operator/moves/{connected.id}")
    expect(page.get_by_text("has not been compared")).to_be_visible()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("The dry run begins with the next sync.")).to_be_visible()
    made(connected, SourceName.EWS)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("A dry run compared Exchange Web Services with Microsoft Graph")).to_be_visible()
    expect(page.get_by_role("row", name="Messages")).to_be_visible()
    assert seen.accessibility_problems() == []
    assert seen.violations() == []
    keep_picture(seen, "flow-parity")

    page.get_by_role("button", name="Move to Microsoft Graph").click()
    made(connected, SourceName.GRAPH)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Moved from Exchange Web Services to Microsoft Graph.")).to_be_visible()
    parts = running_app.parts()
    for shard in range(parts.settings.sync_shards):
        parts.dispatch.shard(shard)
    page.get_by_role("link", name="All moves").click()
    expect(page.get_by_role("link", name=connected.address)).to_be_visible()

    page.get_by_role("link", name=connected.address).click()
    page.get_by_role("button", name="Move back to EWS").click()
    expect(page.get_by_role("button", name="Withdraw the request")).to_be_visible()
    page.get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_text("What was asked for is withdrawn.")).to_be_visible()
    assert seen.complaints == []


def made(one: WatchedMailbox, source: SourceName) -> None:
    """Wait until what was asked for is made, and the mailbox is read over this source."""
    insist("the move", one.ask, lambda: one.mailbox.moving_to is None and one.mailbox.source is source)


def test_forms_are_refused_that_no_page_of_the_operators_posts(
    running_app: LocalStack, connected: WatchedMailbox
) -> None:
    operator = Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    csrf, one = operator.csrf("/operator/moves"), f"/operator/moves/{connected.id}"
    refused = [
        ("/operator/moves", {"action": "survey"}, 403),
        (one, {"action": "move"}, 403),
        (one, {"action": "delete", "csrf": csrf}, 400),
        (one, {"csrf": csrf}, 400),
        ("/operator/moves", {"action": "move", "csrf": csrf}, 400),
        ("/operator/moves", {"action": "force", "csrf": csrf}, 400),
        (f"/operator/moves/{'0' * 32}", {"action": "move", "csrf": csrf}, 404),
        ("/operator/moves/a'b", {"action": "move", "csrf": csrf}, 404),
    ]
    for path, fields, status in refused:
        assert operator.ask("POST", path, data=fields).status_code == status, (path, fields)
    assert connected.mailbox.moving_to is None


def test_all_mailboxes_are_asked_for_and_withdrawn_on_one_page(
    running_app: LocalStack, connected: WatchedMailbox
) -> None:
    operator = Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    fields = {"csrf": operator.csrf("/operator/moves")}

    answer = operator.ask("POST", "/operator/moves", data=fields | {"action": "cancel"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/moves?done=cancel")
    assert "is withdrawn" in operator.ask("GET", "/operator/moves?done=cancel").text
    assert operator.ask("GET", "/operator/moves?done=<script>").status_code == 200
