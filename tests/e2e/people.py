"""People at a browser: what they click, from the first page to the one they wanted."""

import secrets
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from sandbox.local.sandbox_process import Sandbox

TRIES = 15
WAIT_FOR_OUR_TURN = 4_000  # milliseconds: anonymous routes admit one caller every three seconds


def new_person(sandbox: Sandbox, **more: object) -> str:
    """Somebody nobody has met yet, with an empty mailbox; gives the address."""
    name = f"p{secrets.token_hex(4)}"
    person = {"address": f"{name}@contoso.example", "password": name, "display_name": name.title()}
    sandbox.control.post("/people", person | more)
    return person["address"]


def password_of(sandbox: Sandbox, address: str) -> str:
    """Their password."""
    return str(sandbox.control.get(f"/people/{address}")["password"])


def begin(page: Page, url: str) -> None:
    """Open an address that begins a sign-in; when there were too many from here, wait for our turn."""
    for _ in range(TRIES):
        page.goto(url)
        if "Too many requests" not in page.title():
            return
        page.wait_for_timeout(WAIT_FOR_OUR_TURN)


def give_password(page: Page, sandbox: Sandbox, address: str) -> None:
    """Fill in Microsoft's sign-in page, past the account picker if it comes first."""
    another, account = page.get_by_role("button", name="Use another account"), page.get_by_label("Account")
    expect(another.or_(account)).to_be_visible()
    if another.count():
        another.click()
    account.fill(address)
    page.get_by_label("Password").fill(password_of(sandbox, address))
    page.get_by_role("button", name="Sign in", exact=True).click()


def connect(page: Page, url: str, sandbox: Sandbox, address: str) -> None:
    """Set up sync: sign in, accept, and be on My sync."""
    begin(page, f"{url}/sign-in")
    give_password(page, sandbox, address)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="My sync", level=1)).to_be_visible()


def mailbox_id(page: Page) -> str:
    """The mailbox that My sync shows, by its address."""
    source = page.locator("#live").get_attribute("data-source") or ""
    return urlsplit(source).query.removeprefix("mailbox=")
