"""Invitation links, and where they may lead back to."""

import pytest

from shared.authorization.errors import InvitationMalformed, InvitationRefused
from shared.authorization.invitations import is_address
from tests.unit.authorization.stage import APP, Stage

ADDRESS = "alex@contoso.example"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def token_of(url: str) -> str:
    assert url.startswith(f"{APP}/invitation/")
    return url.removeprefix(f"{APP}/invitation/")


def test_a_link_carries_no_address_and_no_reference(stage: Stage) -> None:
    url = stage.invitations.create(ADDRESS, "case 7").url
    invited = stage.invitations.open(token_of(url))
    assert (invited.address, invited.reference) == (ADDRESS, "case 7")
    assert len(url) < 300
    assert set(token_of(url)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_link_expires(stage: Stage) -> None:
    token = token_of(stage.invitations.create(ADDRESS).url)
    stage.clock.pass_by(days=7)
    with pytest.raises(InvitationRefused, match="invitation_expired"):
        stage.invitations.open(token)


def test_guessing_costs_no_look_into_storage(stage: Stage) -> None:
    token = token_of(stage.invitations.create(ADDRESS).url)
    header, body, signature = token.split(".")
    for guess in ("", "x", "a.b.c", f"{header}.{body}.", f"{header}.{body[:-2]}AA.{signature}", token[:-2] + "AA"):
        with pytest.raises(InvitationRefused, match="invitation_invalid"):
            stage.invitations.open(guess)
    assert stage.invited.reads == 0


def test_a_link_whose_invitation_was_erased_is_invalid(stage: Stage) -> None:
    token = token_of(stage.invitations.create(ADDRESS).url)
    stage.invited.stored.clear()
    with pytest.raises(InvitationRefused, match="invitation_invalid"):
        stage.invitations.open(token)


@pytest.mark.parametrize(
    "url",
    ["https://crm.example/back", "https://crm.example/back/", "https://crm.example/back?case=7&x="],
)
def test_a_listed_return_url_is_allowed_with_a_query_of_its_own(stage: Stage, url: str) -> None:
    assert stage.invitations.create(ADDRESS, "", url).url


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
def test_no_other_return_url_is(stage: Stage, url: str) -> None:
    with pytest.raises(InvitationMalformed, match="return_url_not_allowed"):
        stage.invitations.create(ADDRESS, "", url)


def test_a_return_url_that_is_not_listed_any_more_is_not_used(stage: Stage) -> None:
    invited = stage.invitations.create(ADDRESS, "", "https://crm.example/back")
    stage.invitations._return_urls = ()
    assert stage.invitations.way_back(invited.id, "connected") == ""


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
def test_what_is_no_address_is_refused(stage: Stage, text: str) -> None:
    assert not is_address(text)
    with pytest.raises(InvitationMalformed, match="malformed"):
        stage.invitations.create(text)


@pytest.mark.parametrize("reference", ["x" * 201, "a\nb", "\x00"])
def test_a_reference_is_short_and_printable(stage: Stage, reference: str) -> None:
    with pytest.raises(InvitationMalformed):
        stage.invitations.create(ADDRESS, reference)
