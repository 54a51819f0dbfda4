"""The operator's pages of webhooks in a real browser, with a receiver of the sandbox as the endpoint."""

import pytest
from playwright.sync_api import expect

from sandbox.local.local_stack import LocalStack
from tests.e2e.browser import CHROMIUM, chromium, watched
from tests.e2e.people import begin, give_password, new_person
from tests.e2e.person import Person, title

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

OPERATOR = "robin@contoso.example"


def test_operator_registers_tests_rotates_and_deletes_an_endpoint(running_app: LocalStack) -> None:
    url = f"{running_app.sandbox.endpoints['webhooks']}/console"
    with chromium() as browser, watched(browser) as seen:
        page = seen.page
        begin(page, f"{running_app.url}/sign-in?to=operator")
        give_password(page, running_app.sandbox, OPERATOR)
        page.get_by_role("link", name="Webhooks", exact=True).click()
        page.get_by_label("URL", exact=True).fill("http://crm.example/")
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_role("alert")).to_contain_text("has to begin with https://")
        assert seen.accessibility_problems() == []

        page.get_by_label("URL", exact=True).fill(url)
        page.get_by_label("Description").fill("Console test")
        page.get_by_label("mailbox.erased").check()
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_role("heading", name="Gets events")).to_be_visible()
        secret = page.locator("#signing-secret").input_value()
        running_app.sandbox.control.patch("/webhooks/console", {"secrets": [secret], "forget": True})
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("#signing-secret")).to_have_count(0)

        page.get_by_role("button", name="Send a test event").click()
        expect(page.get_by_text("Below is what the endpoint answered.")).to_be_visible()
        expect(page.get_by_role("row", name="webhook.test")).to_contain_text("204")
        page.get_by_role("link", name="New secret").click()
        assert seen.accessibility_problems() == []
        page.get_by_role("button", name="New secret").click()
        assert page.locator("#signing-secret").input_value() != secret
        expect(page.get_by_text("from before the rotation until")).to_be_visible()
        page.get_by_role("button", name="Send a test event").click()
        expect(page.get_by_role("row", name="webhook.test").first).to_contain_text("204")

        page.get_by_role("button", name="Disable").click()
        expect(page.get_by_role("heading", name="Disabled")).to_be_visible()
        page.get_by_text("Change", exact=True).click()
        page.get_by_label("Description").fill("Changed")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The endpoint is changed.")).to_be_visible()
        page.get_by_role("button", name="Enable").click()
        expect(page.get_by_role("heading", name="Gets events")).to_be_visible()
        assert seen.accessibility_problems() == []
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
        expect(page.get_by_role("link", name=url)).to_have_count(0)
        assert seen.violations() == []
        assert seen.origins == {running_app.url, running_app.sandbox.endpoints["entra"]}


def test_reader_sees_webhooks_and_changes_none(running_app: LocalStack) -> None:
    reader = Person(running_app, new_person(running_app.sandbox, roles=["Operator.Read"]))
    reader.come_back(reader.begin("/sign-in?to=operator"))
    page = reader.ask("GET", "/operator/webhooks")
    assert (page.status_code, title(page)) == (200, "Webhooks")
    assert "Register" not in page.text
    csrf = {"csrf": reader.csrf("/operator/webhooks")}
    for path in ("/operator/webhooks", "/operator/webhooks/0a1b", "/operator/webhooks/0a1b/delete"):
        answer = reader.ask("POST", path, data=csrf | {"url": "https://crm.example/"})
        assert (answer.status_code, title(answer)) == (403, "This page is for operators"), path
    assert reader.ask("GET", "/operator/webhooks/0a1b").status_code == 404
    reader.close()
