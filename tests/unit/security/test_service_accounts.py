"""A service account's token: it outlives each of its mailboxes, and goes when an operator gives it up."""

import pytest

from shared.authorization.errors import ServiceAccountInUse
from shared.errors import NotFound, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Status
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

SERVICE = an_identity("service@contoso.example")
OPERATOR = an_identity("op@contoso.example", roles=("Operator",))
ONE = "one@contoso.example"


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def signed_in(stack: AuthorizationStack) -> str:
    """The service account signs in; gives the id of its authorization."""
    stack.entra.person = SERVICE
    return stack.come_back(stack.sign_in.service(stack.session(OPERATOR))).authorization_id


def activated(stack: AuthorizationStack, service: str) -> str:
    """One mailbox read with it; gives its id."""
    return stack.activation.with_service_account(service, [ONE], "op")[0].mailbox_id


def told(stack: AuthorizationStack) -> list[tuple[str, int]]:
    return [(account.address, account.mailboxes) for account in stack.service_accounts.all()]


def test_the_accounts_are_listed_with_what_is_read_with_them(stack: AuthorizationStack) -> None:
    stack.connect(an_identity("alex@contoso.example"))
    assert told(stack) == []
    service = signed_in(stack)
    assert told(stack) == [(SERVICE.address, 0)]
    mailbox = activated(stack, service)
    assert told(stack) == [(SERVICE.address, 1)]
    stack.mailbox_commands.disconnect(mailbox, "op")
    assert told(stack) == [(SERVICE.address, 0)]


def test_giving_one_up_leaves_nothing_of_it_but_what_the_vault_holds(stack: AuthorizationStack) -> None:
    service = signed_in(stack)
    stack.mailbox_commands.erase(activated(stack, service), "op")
    assert stack.service_accounts.revoke(service, "op") == stack.tokens.deleted[service]
    assert stack.tokens.stored == {}
    assert stack.authorizations.stored == {}
    assert stack.registry.audit[-1] == (service, "op", "give_up")
    with pytest.raises(PersonMustSignIn):
        stack.access_tokens.access(service, ONE)
    with pytest.raises(NotFound):
        stack.service_accounts.revoke(service, "op")


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.PAUSED, Status.NEEDS_SIGN_IN, Status.SUSPENDED])
def test_one_that_mailboxes_are_read_with_is_not_given_up(stack: AuthorizationStack, status: Status) -> None:
    service = signed_in(stack)
    mailbox = activated(stack, service)
    stack.registry.change(mailbox, lambda found: found.with_changes(status=status))
    with pytest.raises(ServiceAccountInUse):
        stack.service_accounts.revoke(service, "op")
    assert service in stack.tokens.stored


def test_a_persons_own_authorization_is_not_given_up_here(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(an_identity("alex@contoso.example"))
    with pytest.raises(NotFound):
        stack.service_accounts.revoke(mailbox.authorization_id, "op")
    assert mailbox.authorization_id in stack.tokens.stored


def test_it_can_sign_in_again_though_the_vault_holds_on_to_its_former_name(stack: AuthorizationStack) -> None:
    before = signed_in(stack)
    mailbox = activated(stack, before)
    stack.mailbox_commands.disconnect(mailbox, "op")
    stack.service_accounts.revoke(before, "op")
    after = signed_in(stack)
    assert list(stack.tokens.stored) == [after]
    assert activated(stack, after) == mailbox
    assert stack.registry.get(mailbox).authorization_id == after
    assert stack.access_tokens.access(after, ONE).token


def test_a_mailbox_activated_during_a_revocation_needs_the_next_sign_in(stack: AuthorizationStack) -> None:
    before = signed_in(stack)
    stack.service_accounts.revoke(before, "op")
    after = signed_in(stack)
    late = activated(stack, after)
    stack.registry.change(late, lambda found: found.with_changes(authorization_id=before, status=Status.NEEDS_SIGN_IN))
    signed_in(stack)
    found = stack.registry.get(late)
    assert (found.status, found.authorization_id) == (Status.ACTIVE, after)


def test_giving_up_that_breaks_off_is_finished_by_the_daily_round(stack: AuthorizationStack) -> None:
    service = signed_in(stack)
    stack.tokens.refuse = [RetryLater(Reason.UNAVAILABLE)]
    with pytest.raises(RetryLater):
        stack.service_accounts.revoke(service, "op")
    assert service in stack.tokens.stored
    assert told(stack) == []
    stack.token_revocation.delete_unused()
    assert stack.tokens.stored == {}
    assert SERVICE.address not in str(stack.authorizations.stored)
    assert signed_in(stack) != service


def test_one_that_an_unreadable_mailbox_is_read_with_is_not_given_up(stack: AuthorizationStack) -> None:
    """S6."""
    service = signed_in(stack)
    stack.registry.unreadable.add(activated(stack, service))
    assert told(stack) == [(SERVICE.address, 1)]
    with pytest.raises(ServiceAccountInUse):
        stack.service_accounts.revoke(service, "op")


def test_a_mailbox_that_cannot_be_renewed_keeps_no_other_from_it(stack: AuthorizationStack) -> None:
    """S6: its row is of a newer version. The sign-in of the service account renews all the others."""
    service = signed_in(stack)
    names = [f"{number}@contoso.example" for number in range(3)]
    ids = [result.mailbox_id for result in stack.activation.with_service_account(service, names, "op")]
    for mailbox_id in ids:
        stack.registry.change(mailbox_id, lambda found: found.with_changes(status=Status.NEEDS_SIGN_IN))
    stack.registry.unreadable.add(ids[0])

    signed_in(stack)

    assert [stack.registry.get(mailbox_id).status for mailbox_id in ids[1:]] == [Status.ACTIVE, Status.ACTIVE]
