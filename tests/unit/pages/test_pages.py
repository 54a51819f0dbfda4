"""Every page renders, escapes what it is given, and brings nothing along that its security policy forbids."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from shared.pages.pages import Pages, command_argument, contact_url, static_file, time_element
from tests.unit.pages.samples import MAILBOX, all_pages, my_sync, on_hold, problem

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
PAGES = Pages("Contoso Ltd", "help@contoso.example")


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def elements(name: str) -> list[tuple[str, dict[str, str]]]:
    template, values = all_pages()[name]
    return Elements(PAGES.render(template, **values)).found


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_a_page_has_a_language_a_title_one_heading_and_one_main(name: str) -> None:
    tags = elements(name)
    assert ("html", {"lang": "en"}) in tags
    assert [tag for tag, _ in tags].count("title") == 1
    assert [tag for tag, _ in tags].count("h1") == 1
    assert [tag for tag, _ in tags].count("main") == 1


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_a_page_has_no_inline_script_or_style(name: str) -> None:
    for tag, attributes in elements(name):
        assert tag != "style"
        assert tag != "script" or attributes.get("src", "").startswith("/static/")
        assert not any(attribute == "style" or attribute.startswith("on") for attribute in attributes)


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_a_page_loads_nothing_from_another_origin(name: str) -> None:
    for tag, attributes in elements(name):
        if tag in {"link", "script", "img"}:
            assert (attributes.get("href") or attributes.get("src", "")).startswith("/static/")
        if tag == "form":
            assert attributes["action"].startswith("/")


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_every_form_posts_with_a_csrf_token(name: str) -> None:
    template, values = all_pages()[name]
    for form in re.findall(r"<form.*?</form>", PAGES.render(template, **values), re.DOTALL):
        assert 'method="post"' in form
        assert 'name="csrf"' in form


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_no_address_is_part_of_a_link_of_ours(name: str) -> None:
    for _, attributes in elements(name):
        href = attributes.get("href", "")
        assert href.startswith("mailto:") or "@" not in href


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_ids_on_a_page_are_unique(name: str) -> None:
    ids = [attributes["id"] for _, attributes in elements(name) if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_names_addresses_and_support_numbers_are_escaped() -> None:
    template, values = my_sync("needs-sign-in")
    values["mailbox"] = MAILBOX.with_changes(display_name=HOSTILE, address=HOSTILE, support=HOSTILE)
    assert "<script>alert" not in PAGES.render(template, **values)
    assert "<img src=x" not in PAGES.render(template, **values)


def test_what_the_identity_provider_says_is_escaped() -> None:
    template, values = problem("wrong_account", wanted=HOSTILE, actual=HOSTILE, support=HOSTILE, target=HOSTILE)
    assert "<script>alert" not in PAGES.render(template, **values)


def test_the_organization_s_own_name_is_escaped() -> None:
    html = Pages(HOSTILE, HOSTILE).render(*["signed_out"])
    assert "<script>alert" not in html


def test_a_sentence_s_placeholders_are_not_read_from_what_is_put_into_them() -> None:
    assert "{count}" in Pages("{count}").text("landing.lead", count=30)


def test_a_value_that_is_missing_is_an_error_rather_than_an_empty_space() -> None:
    with pytest.raises(UndefinedError):
        PAGES.render("interstitial")


def test_a_time_is_utc_without_script_and_machine_readable() -> None:
    shown = time_element(datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC))
    assert shown == '<time datetime="2026-11-03T04:05:06Z">3 November 2026, 04:05 UTC</time>'


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("help@contoso.example", "mailto:help@contoso.example"),
        ("https://help.contoso.example/sync", "https://help.contoso.example/sync"),
        ("http://help.contoso.example", ""),
        ("javascript:alert(1)", ""),
        ("a@b.c?bcc=evil@x.example", ""),
        ("Room 12, extension 34", ""),
        ("", ""),
    ],
)
def test_a_support_contact_is_a_link_only_when_it_safely_can_be(contact: str, url: str) -> None:
    assert contact_url(contact) == url


@pytest.mark.parametrize("name", ["../catalog.toml", "..", "", "site.css/", "%2e%2e/pages.py", "/etc/passwd"])
def test_only_files_that_are_in_the_static_folder_can_be_asked_for(name: str) -> None:
    assert static_file(name) is None


def test_the_style_sheet_refers_to_nothing_outside() -> None:
    sheet = (static_file("site.css") or b"").decode()
    assert sheet
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_a_first_sync_is_looked_at_again_without_script() -> None:
    template, values = my_sync("first")
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in PAGES.render(template, **values)


def test_a_mailbox_at_rest_is_not_looked_at_again_without_script() -> None:
    template, values = my_sync("up-to-date")
    assert 'http-equiv="refresh"' not in PAGES.render(template, **values)


def test_sync_now_says_when_it_is_possible_again() -> None:
    """U4: in place of a button that leads to an error page."""
    soon, now = (ids(f"my-sync-{state}") for state in ("just-synced", "up-to-date"))
    assert "sync-later" in soon - now
    assert "do-sync" in now - soon


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("unstated", "If Contoso Ltd keeps another copy, such as an export, it is not included: ask Contoso Ltd."),
        ("none", "Contoso Ltd keeps no other copy of this mailbox outside this service."),
        ("kept", "Contoso Ltd also keeps a copy of its own outside this service, such as an export."),
    ],
)
def test_a_receipt_names_the_mailbox_and_says_what_it_does_not_cover(setting: str, sentence: str) -> None:
    """U13."""
    template, values = all_pages()["receipt"]
    html = PAGES.render(template, **values | {"other_copies": setting})
    assert MAILBOX.address in html
    assert sentence in html


def ids(name: str) -> set[str]:
    return {attributes["id"] for _, attributes in elements(name) if "id" in attributes}


@pytest.mark.parametrize("name", ["ask-administrator", "problem-ews_blocked-steps"])
def test_commands_for_an_administrator_can_be_copied_and_sent(name: str) -> None:
    """U8: a block of commands with a button and a message, as the approval page has a link with both."""
    template, values = all_pages()[name]
    html = PAGES.render(template, **values)
    commands = re.search(r'<pre class="commands" id="commands"[^>]*><code>(.*?)</code></pre>', html, re.DOTALL)
    assert commands
    assert "Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs" in commands[1]
    assert ("button", "commands") in [(tag, found.get("data-copy")) for tag, found in elements(name)]
    (mail,) = [found["href"] for _, found in elements(name) if found.get("href", "").startswith("mailto:?")]
    assert "Set-OrganizationConfig" in mail
    assert "unsaid" not in html
    assert "gives no reason" in html


@pytest.mark.parametrize(
    ("address", "argument"),
    [
        ("ada.lovelace+x@contoso.example", "ada.lovelace+x@contoso.example"),
        ("a$(Remove-Item x)@contoso.example", "<mailbox>"),
        ("-Force@contoso.example", "<mailbox>"),
        ("o'hara@contoso.example", "<mailbox>"),
        ("a@b\n.example", "<mailbox>"),
    ],
)
def test_an_address_in_a_command_cannot_be_a_command(address: str, argument: str) -> None:
    """U8: an administrator pastes it into a shell."""
    assert command_argument(address) == argument


@pytest.mark.parametrize("name", ["operator", "activate-results"])
def test_an_operators_page_has_no_sentences_for_the_owner(name: str) -> None:
    """U13: "Please sign in again" is not for the operator."""
    template, values = all_pages()[name]
    html = PAGES.render(template, **values)
    for told in ("Please sign in again", "Your administrator", "your administrator", "Your permission"):
        assert told not in html


def test_every_mailbox_of_an_operator_shows_its_state() -> None:
    """U13: with words for an operator, also for the reason that keeps a mailbox from being moved."""
    template, values = all_pages()["operator"]
    html = PAGES.render(template, **values)
    for told in (
        "Waits for its owner to sign in",
        "Waits for its administrator",
        "EWS is blocked for this application",
    ):
        assert told in html
    assert "not moved: An administrator’s consent is missing" in html


@pytest.mark.parametrize("state", ["up-to-date", "disconnected"])
def test_person_learns_of_a_hold_but_not_of_its_reason(state: str) -> None:
    template, values = on_hold(state)
    html = PAGES.render(template, **values)
    assert "Contoso Ltd has to keep this copy" in html
    assert "Erasing is not possible" in html
    assert "/my-sync/erase" not in html
    assert "Matter 7" not in html
    assert "operator-oid" not in html
    template, values = my_sync(state)
    assert "/my-sync/erase" in PAGES.render(template, **values)
