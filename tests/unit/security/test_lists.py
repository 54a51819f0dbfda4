"""Lists of mailboxes: what an operator pastes or uploads, and what the API gives page by page."""

import pytest

from shared.api.operations.mailboxes import list_mailboxes
from shared.api.resources.mailboxes import MailboxPage
from shared.authorization.errors import ActivationRefused
from shared.authorization.onboarding.activation import MAX_NAMES, parse_names
from shared.mailboxes.entities import partition
from tests.fakes.api import ApiParts
from tests.fakes.authorization import TENANT
from tests.fakes.authorization_stack import AuthorizationStack


@pytest.mark.parametrize("newline", ["\r", "\n", "\r\n"])
def test_a_line_ends_as_any_system_ends_it(newline: str) -> None:
    assert parse_names(newline.join(["Name,Mail", "A,a@contoso.example", "B,b@contoso.example"])) == [
        "a@contoso.example",
        "b@contoso.example",
    ]


@pytest.mark.parametrize("text", ['"' + "x" * 200_000, "x" * 200_000, '"a\x00b', "\x00"])
def test_a_text_that_is_no_list_is_refused_and_is_no_failure_of_ours(text: str) -> None:
    stack = AuthorizationStack()
    with pytest.raises(ActivationRefused):
        stack.activation.app_only(TENANT, parse_names(text), "op")


def test_thousands_of_names_are_refused_before_any_is_tried() -> None:
    stack = AuthorizationStack()
    with pytest.raises(ActivationRefused):
        stack.activation.app_only(TENANT, [f"a{number}@contoso.example" for number in range(MAX_NAMES * 10)], "op")
    assert stack.sources.checked == []
    assert stack.mailboxes == []


@pytest.mark.parametrize("tenant", ["1b671a64-40d5-491e-99b0-da01ff1f3341", "organizations", "", "../evil"])
def test_no_mailbox_of_a_tenant_that_is_not_served_is_activated(tenant: str) -> None:
    stack = AuthorizationStack()
    with pytest.raises(ActivationRefused):
        stack.activation.app_only(tenant, ["a@contoso.example"], "op")
    assert stack.authorizations.stored == {}


def test_a_mailbox_that_is_erased_between_two_pages_ends_no_listing() -> None:
    parts = ApiParts()
    for number in range(2500):
        parts.add_mailbox(f"m{number}")
    order = [one.id for one in sorted(parts.registry.all(), key=lambda one: (partition(one.id), one.id))]
    first: MailboxPage = parts.call(list_mailboxes, limit="1000")
    assert len(first.mailboxes) == 1000
    parts.registry.erase(first.mailboxes[-1].id)
    second: MailboxPage = parts.call(list_mailboxes, limit="1000", cursor=first.next)
    third: MailboxPage = parts.call(list_mailboxes, limit="1000", cursor=second.next)
    assert [one.id for page in (first, second, third) for one in page.mailboxes] == order
    assert third.next == ""
