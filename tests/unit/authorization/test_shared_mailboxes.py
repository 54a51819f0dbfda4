"""Shared mailboxes: connected once, read through whoever can read them and signed in last."""

import pytest

from shared.authorization.onboarding.shared_mailboxes import owner_of
from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack

DESK = "desk@contoso.example"
ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example", owner_id="blake-oid")


@pytest.fixture
def stack() -> AuthorizationStack:
    stack = AuthorizationStack()
    stack.shared_addresses.append(DESK)
    return stack


def the_desk(stack: AuthorizationStack) -> list[Mailbox]:
    return [mailbox for mailbox in stack.mailboxes if mailbox.address == DESK]


def test_a_listed_mailbox_is_connected_by_the_first_person_with_access(stack: AuthorizationStack) -> None:
    alex = stack.connect(ALEX)
    (desk,) = the_desk(stack)
    assert desk.authorization_id == alex.authorization_id
    assert desk.owner_id == owner_of(DESK.upper())
    assert desk.id in stack.queued


def test_a_second_person_makes_no_second_copy_and_takes_over_the_reading(stack: AuthorizationStack) -> None:
    stack.connect(ALEX)
    blake = stack.connect(BLAKE)
    (desk,) = the_desk(stack)
    assert desk.authorization_id == blake.authorization_id


def test_shared_mailboxes_get_the_new_authorization_before_the_old_goes(stack: AuthorizationStack) -> None:
    stack.connect(ALEX)
    again = stack.connect(ALEX)
    (desk,) = the_desk(stack)
    assert desk.authorization_id == again.authorization_id


@pytest.mark.parametrize(
    "trouble", [RetryLater(Reason.THROTTLED), AdministratorMustAct(Reason.ACCESS_DENIED)], ids=["busy", "denied"]
)
def test_signing_in_again_keeps_shared_access_that_cannot_be_checked(
    stack: AuthorizationStack, trouble: Exception
) -> None:
    stack.connect(ALEX)
    stack.sources.trouble[DESK] = trouble
    again = stack.connect(ALEX)
    (desk,) = the_desk(stack)
    assert desk.authorization_id == again.authorization_id
    assert stack.access_tokens.access(desk.authorization_id, DESK).token


def test_a_busy_server_does_not_block_reviving_shared_mailboxes(stack: AuthorizationStack) -> None:
    stack.connect(ALEX)
    stack.registry.change(the_desk(stack)[0].id, lambda desk: desk.with_changes(status=Status.NEEDS_SIGN_IN))
    stack.sources.trouble[DESK] = RetryLater(Reason.THROTTLED)
    stack.connect(ALEX)
    assert the_desk(stack)[0].status is Status.ACTIVE


def test_a_person_who_cannot_read_it_leaves_it_with_whom_it_is_read(stack: AuthorizationStack) -> None:
    alex = stack.connect(ALEX)
    stack.connect(BLAKE)
    stack.connect(ALEX)
    stack.sources.trouble[DESK] = AdministratorMustAct(Reason.ACCESS_DENIED)
    stack.connect(BLAKE)
    (desk,) = the_desk(stack)
    assert desk.authorization_id == stack.registry.get(alex.id).authorization_id


def test_a_person_without_shared_access_still_connects_their_own(stack: AuthorizationStack) -> None:
    stack.sources.trouble[DESK] = AdministratorMustAct(Reason.ACCESS_DENIED)
    assert stack.connect(ALEX).address == ALEX.address
    assert the_desk(stack) == []


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (Status.NEEDS_SIGN_IN, Status.ACTIVE),
        (Status.SUSPENDED, Status.ACTIVE),
        (Status.PAUSED, Status.PAUSED),
        (Status.DISCONNECTED, Status.DISCONNECTED),
    ],
)
def test_a_sign_in_revives_lost_access_and_leaves_what_was_stopped(
    stack: AuthorizationStack, status: Status, after: Status
) -> None:
    stack.connect(ALEX)
    stack.registry.change(the_desk(stack)[0].id, lambda desk: desk.with_changes(status=status))
    stack.connect(BLAKE)
    assert the_desk(stack)[0].status is after


def test_a_disconnected_one_stays_without_an_authorization(stack: AuthorizationStack) -> None:
    stack.connect(ALEX)
    stack.registry.change(the_desk(stack)[0].id, transitions.disconnected)
    stack.connect(BLAKE)
    assert the_desk(stack)[0].authorization_id == ""


def test_a_listed_secondary_address_is_the_mailbox_of_its_primary_one(stack: AuthorizationStack) -> None:
    """M2, U1: connected under the primary address, and not once more beside a copy that an operator began."""
    stack.sources.aliases["front-desk@contoso.example"] = "reception@contoso.example"
    stack.shared_addresses[:] = ["front-desk@contoso.example"]
    for _ in range(2):
        stack.connect(ALEX)
        assert [box.address for box in stack.mailboxes] == [ALEX.address, "reception@contoso.example"]
    (result,) = stack.activation.app_only(TENANT, ["front-desk@contoso.example"], "op")
    assert result.result == "already"


def test_a_listed_mailbox_that_an_operator_activated_is_not_connected_twice(stack: AuthorizationStack) -> None:
    """U1."""
    stack.sources.aliases["front-desk@contoso.example"] = "reception@contoso.example"
    stack.shared_addresses[:] = ["front-desk@contoso.example"]
    stack.activation.app_only(TENANT, ["reception@contoso.example"], "op")
    stack.connect(ALEX)
    assert sorted(box.address for box in stack.mailboxes) == [ALEX.address, "reception@contoso.example"]


def test_a_listed_mailbox_whose_primary_address_is_not_told_has_the_listed_one(stack: AuthorizationStack) -> None:
    """M2: its first sync asks again."""
    stack.sources.aliases[DESK] = RetryLater(Reason.THROTTLED)
    stack.connect(ALEX)
    assert len(the_desk(stack)) == 1
