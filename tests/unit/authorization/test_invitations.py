"""Invitation links, and where they may lead back to."""

import pytest

from shared.authorization.errors import InvitationMalformed, InvitationRefused
from shared.authorization.onboarding.invitations import is_address
from shared.mailboxes.groups.model import GroupSettings
from tests.fakes.authorization_stack import APP, AuthorizationStack

ADDRESS = "alex@contoso.example"


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def token_of(url: str) -> str:
    assert url.startswith(f"{APP}/invitation/")
    return url.removeprefix(f"{APP}/invitation/")


def test_a_link_carries_no_address_and_no_reference(stack: AuthorizationStack) -> None:
    url = stack.invitations.create(ADDRESS, "case 7").url
    invited = stack.invitations.open(token_of(url))
    assert (invited.address, invited.reference) == (ADDRESS, "case 7")
    assert len(url) < 300
    assert set(token_of(url)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_link_expires(stack: AuthorizationStack) -> None:
    token = token_of(stack.invitations.create(ADDRESS).url)
    stack.clock.pass_by(days=7)
    with pytest.raises(InvitationRefused, match="invitation_expired"):
        stack.invitations.open(token)


def test_guessing_costs_no_look_into_storage(stack: AuthorizationStack) -> None:
    token = token_of(stack.invitations.create(ADDRESS).url)
    header, body, signature = token.split(".")
    for guess in ("", "x", "a.b.c", f"{header}.{body}.", f"{header}.{body[:-2]}AA.{signature}", token[:-2] + "AA"):
        with pytest.raises(InvitationRefused, match="invitation_invalid"):
            stack.invitations.open(guess)
    assert stack.invited.reads == 0


def test_a_link_whose_invitation_was_erased_is_invalid(stack: AuthorizationStack) -> None:
    token = token_of(stack.invitations.create(ADDRESS).url)
    stack.invited.stored.clear()
    with pytest.raises(InvitationRefused, match="invitation_invalid"):
        stack.invitations.open(token)


@pytest.mark.parametrize(
    "url",
    ["https://crm.example/back", "https://crm.example/back/", "https://crm.example/back?case=7&x="],
)
def test_a_listed_return_url_is_allowed_with_a_query_of_its_own(stack: AuthorizationStack, url: str) -> None:
    assert stack.invitations.create(ADDRESS, "", url).url


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example/",
        "https://crm.example/backdoor",
        "https://crm.example/back/further",
        "https://crm.example/back/../elsewhere",
        "https://crm.example@evil.example/back",
        "https://crm.example.evil.example/back",
        "https://evil.example/https://crm.example/back",
        "http://crm.example/back",
        "//crm.example/back",
        "https:crm.example/back",
        "javascript:alert(1)",
        "https://crm.example/back#fragment",
        "https://crm.example\\back",
        "https://crm.example/back\r\nSet-Cookie: x",
        " https://crm.example/back",
        "https://crm.example:444/back",
        "HTTPS://CRM.EXAMPLE/BACK",
        "https://crm.ex\u0430mple/back",
    ],
)
def test_no_other_return_url_is(stack: AuthorizationStack, url: str) -> None:
    with pytest.raises(InvitationMalformed, match="return_url_not_allowed"):
        stack.invitations.create(ADDRESS, "", url)


def test_a_return_url_that_is_not_listed_any_more_is_not_used(stack: AuthorizationStack) -> None:
    invited = stack.invitations.create(ADDRESS, "", "https://crm.example/back")
    stack.invitations._return_urls = ()
    assert stack.invitations.return_url(invited.id, "connected") == ""


@pytest.mark.parametrize(
    "text",
    [
        "alex@contoso.example",
        "a.b+c_d-e@x-y.example",
        "o'brien@contoso.example".replace("'", ""),
        "\u00fc@b\u00fccher.example",
    ],
)
def test_addresses_are_known(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "alex", "@contoso.example", "alex@", "alex@contoso", "a b@c.example", "a@b@c.example", "a@c.example\r\nx",
     "<a@c.example>", "a@c.example,b@c.example", "a/../b@c.example", "a@" + "c" * 400 + ".example", "a?@c.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(stack: AuthorizationStack, text: str) -> None:
    assert not is_address(text)
    with pytest.raises(InvitationMalformed, match="malformed"):
        stack.invitations.create(text)


@pytest.mark.parametrize("reference", ["x" * 201, "a\nb", "\x00"])
def test_a_reference_is_short_and_printable(stack: AuthorizationStack, reference: str) -> None:
    with pytest.raises(InvitationMalformed):
        stack.invitations.create(ADDRESS, reference)


def test_invitation_names_only_a_group_that_exists(stack: AuthorizationStack) -> None:
    with pytest.raises(InvitationMalformed) as refused:
        stack.invitations.create(ADDRESS, group="legal")
    assert refused.value.parameter == "group"
    assert stack.invited.stored == {}
    stack.groups.put("legal", "", GroupSettings(), "op")
    assert stack.invitations.open(token_of(stack.invitations.create(ADDRESS, group="legal").url)).group == "legal"
