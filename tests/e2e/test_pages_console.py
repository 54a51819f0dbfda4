"""The operator's console in a real browser: overview, search, a mailbox's page, its actions; and what a reader may."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sandbox.local.local_stack import LocalStack
from tests.e2e.browser import CHROMIUM, Watched, chromium, keep_picture, watched
from tests.e2e.people import begin, connect, give_password, mailbox_id, new_person
from tests.e2e.person import Person, title

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


@pytest.fixture
def connected(browser: Browser, running_app: LocalStack) -> tuple[str, str]:
    """A connected mailbox: its address and id."""
    with watched(browser) as somebody:
        address = new_person(running_app.sandbox)
        connect(somebody.page, running_app.url, running_app.sandbox, address)
        return address, mailbox_id(somebody.page)


def sign_in_as_operator(seen: Watched, running_app: LocalStack, address: str = OPERATOR) -> None:
    begin(seen.page, f"{running_app.url}/sign-in?to=operator")
    give_password(seen.page, running_app.sandbox, address)
    expect(seen.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def test_an_operator_finds_a_mailbox_pauses_starts_and_erases_it(
    seen: Watched, running_app: LocalStack, connected: tuple[str, str]
) -> None:
    (address, mailbox), page = connected, seen.page
    parts = running_app.parts()
    for shard in range(parts.settings.sync_shards):
        parts.dispatch.shard(shard)
    sign_in_as_operator(seen, running_app)
    expect(page.get_by_text("Need attention")).to_be_visible()
    assert seen.accessibility_problems() == []
    keep_picture(seen, "flow-overview")

    page.get_by_role("link", name="Mailboxes", exact=True).click()
    page.get_by_label("Address begins with").fill(address.upper()[:8])
    page.get_by_role("button", name="Show").click()
    assert address.partition("@")[0] not in page.url
    assert seen.accessibility_problems() == []
    page.get_by_role("link", name=address).click()
    expect(page.get_by_role("heading", name=address, level=1)).to_be_visible()
    assert seen.accessibility_problems() == []

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("The mailbox is paused.")).to_be_visible()
    expect(page.get_by_role("cell", name="Paused").first).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The mailbox is started.")).to_be_visible()
    page.get_by_role("link", name="Disconnect").click()
    expect(page.get_by_role("heading", name="Disconnect this mailbox?")).to_be_visible()
    assert seen.accessibility_problems() == []
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Its copy is kept.").first).to_be_visible()
    expect(page.get_by_label("Link to send to the owner")).to_have_value(f"{running_app.url}/my-sync")
    keep_picture(seen, "flow-mailbox")
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_role("heading", name="Everything was erased")).to_be_visible(timeout=120_000)
    page.goto(f"{running_app.url}/operator/mailboxes/{mailbox}")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert seen.violations() == []
    assert seen.origins == {running_app.url, running_app.sandbox.endpoints["entra"]}


def test_the_list_goes_from_page_to_page_and_downloads(running_app: LocalStack, connected: tuple[str, str]) -> None:
    operator = Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    csrf = {"csrf": operator.csrf("/operator/mailboxes")}
    answer = operator.ask("POST", "/operator/mailboxes", data=csrf | {"prefix": connected[0], "format": "csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [line.split(",")[1] for line in answer.text.splitlines()] == ["address", connected[0]]
    assert connected[0] in operator.ask("POST", "/operator/mailboxes", data=csrf | {"prefix": connected[1]}).text
    assert operator.ask("POST", "/operator/mailboxes", data=csrf | {"cursor": "%%"}).status_code == 400
    assert operator.ask("GET", "/operator/mailboxes?sort=stalest&status=nonsense").status_code == 200


def test_actions_are_refused_that_no_page_of_this_session_posts(
    running_app: LocalStack, connected: tuple[str, str]
) -> None:
    operator, page = Person(running_app, OPERATOR), f"/operator/mailboxes/{connected[1]}"
    operator.come_back(operator.begin("/sign-in?to=operator"))
    csrf = operator.csrf("/operator/mailboxes")
    refused = [
        ("POST", f"{page}/pause", {"csrf": "x"}, 403),
        ("POST", f"{page}/nonsense", {"csrf": csrf}, 404),
        ("GET", f"{page}/pause", {}, 404),
        ("POST", page, {"csrf": csrf}, 405),
        ("POST", f"/operator/mailboxes/{'0' * 32}/pause", {"csrf": csrf}, 404),
        ("POST", "/operator/mailboxes/a'b/pause", {"csrf": csrf}, 404),
        ("POST", "/operator/invitations", {"address": "a@b.example"}, 403),
    ]
    for method, path, fields, status in refused:
        assert operator.ask(method, path, data=fields).status_code == status, path


def test_an_operator_makes_an_invitation_and_sees_it_used(
    seen: Watched, browser: Browser, running_app: LocalStack
) -> None:
    page, address = seen.page, new_person(running_app.sandbox)
    sign_in_as_operator(seen, running_app)
    page.get_by_role("link", name="Invitations").click()
    page.get_by_label("Address", exact=True).fill(address)
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_role("textbox", name="Link to send").input_value()
    expect(page.get_by_role("rowheader", name=address)).to_be_visible()
    assert seen.accessibility_problems() == []
    with watched(browser) as invited:
        begin(invited.page, link)
        begin(invited.page, invited.page.get_by_role("link", name="Sign in with Microsoft").evaluate("l => l.href"))
        give_password(invited.page, running_app.sandbox, address)
        invited.page.get_by_role("button", name="Accept").click()
        expect(invited.page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="Invitations").click()
    expect(page.get_by_role("rowheader", name=address)).to_have_count(0)
    expect(page.get_by_text("Used").first).to_be_visible()


def test_a_reader_sees_the_console_and_can_change_nothing(running_app: LocalStack, connected: tuple[str, str]) -> None:
    reader = Person(running_app, new_person(running_app.sandbox, roles=["Operator.Read"]))
    reader.come_back(reader.begin("/sign-in?to=operator"))
    page = f"/operator/mailboxes/{connected[1]}"
    for path in ("/operator", "/operator/mailboxes", "/operator/invitations", page):
        assert reader.ask("GET", path).status_code == 200, path
    csrf = {"csrf": reader.csrf("/operator/mailboxes")}
    assert "Pause" not in reader.ask("GET", page).text
    for path in (f"{page}/pause", f"{page}/erase", "/operator/moves", "/operator/activate"):
        answer = reader.ask("POST", path, data=csrf)
        assert (answer.status_code, title(answer)) == (403, "This page is for operators"), path
    invited = reader.ask("POST", "/operator/invitations", data=csrf | {"address": "a@contoso.example"})
    assert invited.status_code == 403
    for path in (f"{page}/erase", "/operator/moves", "/operator/activate"):
        assert reader.ask("GET", path).status_code == 403, path


def test_an_operator_pauses_a_chosen_mailbox_by_a_job(
    seen: Watched, running_app: LocalStack, connected: tuple[str, str]
) -> None:
    (address, mailbox), page = connected, seen.page
    sign_in_as_operator(seen, running_app)
    page.get_by_role("link", name="Mailboxes", exact=True).click()
    page.get_by_label("Address begins with").fill(address)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("checkbox", name=f"Choose: {address}").check()
    page.get_by_label("Action").select_option("Pause")
    assert seen.accessibility_problems() == []
    page.get_by_role("button", name="For the chosen ones").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_text("1 of 1 mailboxes")).to_be_visible()
    assert running_app.parts().registry.get(mailbox).status == "paused"
    page.reload()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert seen.accessibility_problems() == []
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("link", name="Pause").first).to_be_visible()

    page.get_by_role("link", name="Mailboxes", exact=True).click()
    page.get_by_label("Address begins with").fill(address)
    page.get_by_label("Action").select_option("Start")
    page.get_by_role("button", name="For all that match").click()
    expect(page.get_by_text("This concerns 1 mailbox.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Address begins with")).to_have_value(address)
    page.get_by_label("Action").select_option("Erase the copies")
    page.get_by_role("button", name="For all that match").click()
    expect(page.get_by_text("This cannot be undone")).to_be_visible()
    page.get_by_role("button", name="Erase the copies").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download 1 receipt").click()
    assert address in downloading.value.path().read_text()
    page.goto(f"{running_app.url}/operator/mailboxes/{mailbox}")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert seen.violations() == []


def test_a_job_concerns_what_its_form_shows_and_never_all_by_accident(
    running_app: LocalStack, connected: tuple[str, str]
) -> None:
    (address, mailbox), operator = connected, Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    csrf = {"csrf": operator.csrf("/operator/mailboxes")}

    def post(**fields: str) -> str:
        return operator.ask("POST", "/operator/jobs", data=csrf | fields).text

    nothing = post(command="pause", status="suspended")
    assert "no mailbox was chosen" in nothing
    assert '<option value="suspended" selected>' in nothing
    assert "refused for all mailboxes" in post(command="erase", scope="all", confirmed="yes", number="1")
    assert "To confirm, type this number" in post(command="pause", scope="all", confirmed="yes")
    assert "this is not the number" in post(command="pause", scope="all", confirmed="yes", number="0")
    assert "This concerns 1 mailbox." in post(command="pause", scope="all", prefix=address)
    assert running_app.parts().registry.get(mailbox).status == "active"


def test_the_console_asks_an_operator_to_sign_in_in_words_of_its_own(running_app: LocalStack) -> None:
    answer = Person(running_app, OPERATOR).ask("GET", "/operator/mailboxes")
    assert (answer.status_code, title(answer)) == (401, "Please sign in")
    assert "to see the console" in answer.text
    assert "/sign-in?to=operator" in answer.text
    assert "Your mailbox" not in answer.text


def test_an_activation_in_a_wrong_tenant_says_so_and_keeps_what_was_typed(running_app: LocalStack) -> None:
    operator = Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=activate"))
    fields = {"csrf": operator.csrf("/operator/activate"), "names": "one@contoso.example", "tenant": "wrong-tenant"}
    answer = operator.ask("POST", "/operator/activate", data=fields).text
    assert "the tenant is wrong" in answer
    assert 'value="wrong-tenant"' in answer
    assert "one@contoso.example</textarea>" in answer


def test_a_filtered_list_is_a_link_without_an_address(running_app: LocalStack) -> None:
    operator = Person(running_app, OPERATOR)
    operator.come_back(operator.begin("/sign-in?to=operator"))
    csrf = {"csrf": operator.csrf("/operator/mailboxes")}
    shown = operator.ask("POST", "/operator/mailboxes", data=csrf | {"status": "paused", "sort": "address"})
    assert (shown.status_code, shown.headers["Location"]) == (303, "/operator/mailboxes?status=paused")
    assert '<option value="paused" selected>' in operator.ask("GET", "/operator/mailboxes?status=paused").text
    refused = operator.ask("GET", "/operator/mailboxes?prefix=ada")
    assert refused.status_code == 400
    assert "Type the address into the form." in refused.text
    assert "does not exist" in operator.ask("GET", "/operator/mailboxes?status=nonsense").text
