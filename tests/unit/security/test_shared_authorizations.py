"""An authorization that several mailboxes are read with: no act on one of them may take the others' away."""

import pytest

from shared.errors import NotFound
from shared.mailboxes.model import Mailbox, Status
from shared.sources.port import AccessMode
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

DESK = "desk@contoso.example"
ALEX = an_identity("alex@contoso.example")
SERVICE = an_identity("service@contoso.example")
OPERATOR = an_identity("op@contoso.example", roles=("Operator",))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def at(stage: Stage, address: str) -> Mailbox:
    return next(mailbox for mailbox in stage.mailboxes if mailbox.address == address)


def service_account(stage: Stage, *addresses: str) -> str:
    """A service account, signed in by an operator, with these mailboxes."""
    start = stage.sign_in.service(stage.session(OPERATOR))
    stage.entra.person = SERVICE
    authorization = stage.come_back(start).authorization_id
    stage.activation.with_service_account(authorization, list(addresses), "op")
    return authorization


@pytest.mark.parametrize("act", ["disconnect", "erase"])
def test_giving_up_a_shared_mailbox_leaves_the_person_connected_through_whom_it_was_read(
    stage: Stage, act: str
) -> None:
    stage.shared_addresses.append(DESK)
    alex = stage.connect(ALEX)
    getattr(stage.connections, act)(at(stage, DESK).id, "op")
    assert stage.access_tokens.access(alex.authorization_id, alex.address).token
    assert alex.authorization_id in stage.tokens.stored


def test_a_service_account_does_not_renew_or_change_the_mailboxes_read_with_it(stage: Stage) -> None:
    service_account(stage, "one@contoso.example")
    session, one = stage.session(SERVICE), at(stage, "one@contoso.example").id
    with pytest.raises(NotFound):
        stage.sign_in.renew(session, one)
    with pytest.raises(NotFound):
        stage.sign_in.change(session, one)


def test_a_service_account_that_connects_its_own_mailbox_too_takes_nothing_from_the_others(stage: Stage) -> None:
    service = service_account(stage, SERVICE.address, "one@contoso.example")
    own = stage.connect(SERVICE)
    assert service in stage.tokens.stored
    assert stage.access_tokens.access(service, "one@contoso.example").token
    assert (own.mode, own.authorization_id != service) == (AccessMode.DELEGATED, True)
    stage.connections.disconnect(own.id, SERVICE.owner_id)
    assert list(stage.tokens.stored) == [service]
    assert at(stage, "one@contoso.example").status is Status.ACTIVE
