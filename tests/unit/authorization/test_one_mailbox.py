"""U1: one mailbox an address in a tenant, whatever the way in; what each side is told of the other."""

import pytest

from shared.authorization.errors import AccountRefused
from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.mailboxes.model import Status
from shared.sources.model import AccessMode
from tests.fakes.authorization import TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ALEX = an_identity("alex@contoso.example")


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def activated(stack: AuthorizationStack, name: str = ALEX.address) -> tuple[str, str, str]:
    (result,) = stack.activation.app_only(TENANT, [name], "operator")
    return result.result, result.mailbox_id, result.reason


def test_a_connected_mailbox_is_not_activated_once_more(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    assert activated(stack) == ("already", mailbox.id, "")
    receipt = stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    assert (receipt.address, receipt.reconnected, receipt.organization_copy) == (ALEX.address, False, False)
    assert stack.mailboxes == []


def test_a_secondary_address_is_the_same_mailbox(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    stack.sources.aliases["alexander@contoso.example"] = ALEX.address
    assert activated(stack, "alexander@contoso.example") == ("already", mailbox.id, "")


def test_two_service_accounts_do_not_make_two_copies(stack: AuthorizationStack) -> None:
    assert activated(stack)[0] == "active"
    operator = stack.session(an_identity("robin@contoso.example", roles=("Operator",)))
    stack.entra.person = an_identity("service@contoso.example")
    service = stack.come_back(stack.sign_in.service(operator)).authorization_id
    (result,) = stack.activation.with_service_account(service, [ALEX.address], "operator")
    (mailbox,) = stack.mailboxes
    assert (result.result, result.mailbox_id) == ("already", mailbox.id)


def test_what_its_person_disconnected_has_to_be_erased_first(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    stack.mailbox_commands.disconnect(mailbox.id, ALEX.owner_id)
    assert activated(stack) == ("already", mailbox.id, "disconnected_copy")
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED
    stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    assert activated(stack)[0] == "active"


@pytest.mark.parametrize("way", ["link", "invitation"])
def test_a_person_is_told_of_the_organizations_copy(stack: AuthorizationStack, way: str) -> None:
    assert activated(stack)[0] == "active"
    stack.entra.person = ALEX
    token = stack.invitations.create(ALEX.address).url.rpartition("/")[2]
    start = stack.sign_in.connect() if way == "link" else stack.sign_in.invited(token)
    with pytest.raises(SignInFailed) as caught:
        stack.come_back(start)
    assert isinstance(caught.value.cause, AccountRefused)
    assert caught.value.cause.code == "synced_by_organization"
    assert stack.tokens.stored == {}
    assert [mailbox.mode for mailbox in stack.mailboxes] == [AccessMode.APP_ONLY]
    assert stack.invitations.open(token).address == ALEX.address, "it is not used up"


def test_a_receipt_tells_of_a_copy_that_an_operator_began_meanwhile(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    stack.registry.begin_erasure(mailbox.id)
    assert activated(stack)[0] == "active"
    receipt = stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    assert (receipt.reconnected, receipt.organization_copy) == (False, True)


def test_a_receipt_tells_of_a_sign_in_meanwhile(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    stack.registry.begin_erasure(mailbox.id)
    stack.connect(ALEX)
    receipt = stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    assert (receipt.reconnected, receipt.organization_copy) == (True, False)
