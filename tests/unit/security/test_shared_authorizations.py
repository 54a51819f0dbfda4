"""An authorization that several mailboxes are read with: no act on one of them may take the others' away."""

import pytest

from shared.errors import NotFound
from shared.mailboxes.model import Mailbox, Status
from shared.sources.model import AccessMode
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

DESK = "desk@contoso.example"
ALEX = an_identity("alex@contoso.example")
SERVICE = an_identity("service@contoso.example")
OPERATOR = an_identity("op@contoso.example", roles=("Operator",))


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def at(stack: AuthorizationStack, address: str) -> Mailbox:
    return next(mailbox for mailbox in stack.mailboxes if mailbox.address == address)


def service_account(stack: AuthorizationStack, *addresses: str) -> str:
    """A service account, signed in by an operator, with these mailboxes."""
    start = stack.sign_in.service(stack.session(OPERATOR))
    stack.entra.person = SERVICE
    authorization = stack.come_back(start).authorization_id
    stack.activation.with_service_account(authorization, list(addresses), "op")
    return authorization


@pytest.mark.parametrize("act", ["disconnect", "erase"])
def test_disconnecting_a_shared_mailbox_leaves_its_person_connected(stack: AuthorizationStack, act: str) -> None:
    stack.shared_addresses.append(DESK)
    alex = stack.connect(ALEX)
    getattr(stack.mailbox_commands, act)(at(stack, DESK).id, "op")
    assert stack.access_tokens.access(alex.authorization_id, alex.address).token
    assert alex.authorization_id in stack.tokens.stored


def test_a_service_account_does_not_renew_or_change_its_mailboxes(stack: AuthorizationStack) -> None:
    service_account(stack, "one@contoso.example")
    session, one = stack.session(SERVICE), at(stack, "one@contoso.example").id
    with pytest.raises(NotFound):
        stack.sign_in.renew(session, one)
    with pytest.raises(NotFound):
        stack.sign_in.change(session, one)


def test_a_service_accounts_own_mailbox_takes_nothing_from_the_others(stack: AuthorizationStack) -> None:
    service = service_account(stack, SERVICE.address, "one@contoso.example")
    own = stack.connect(SERVICE)
    assert service in stack.tokens.stored
    assert stack.access_tokens.access(service, "one@contoso.example").token
    assert (own.mode, own.authorization_id != service) == (AccessMode.DELEGATED, True)
    stack.mailbox_commands.disconnect(own.id, SERVICE.owner_id)
    assert list(stack.tokens.stored) == [service]
    assert at(stack, "one@contoso.example").status is Status.ACTIVE
