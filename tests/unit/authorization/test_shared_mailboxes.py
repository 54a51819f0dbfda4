"""Shared mailboxes: connected once, read through whoever can read them and signed in last."""

import pytest

from shared.authorization.shared_mailboxes import owner_of
from shared.errors import AdministratorMustAct, Reason
from shared.mailboxes import life
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

DESK = "desk@contoso.example"
ALEX = an_identity("alex@contoso.example")
BLAKE = an_identity("blake@contoso.example", owner_id="blake-oid")


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.shared_addresses.append(DESK)
    return stage


def the_desk(stage: Stage) -> list[Mailbox]:
    return [mailbox for mailbox in stage.mailboxes if mailbox.address == DESK]


def test_a_listed_mailbox_is_connected_with_the_first_person_who_can_read_it(stage: Stage) -> None:
    alex = stage.connect(ALEX)
    (desk,) = the_desk(stage)
    assert desk.authorization_id == alex.authorization_id
    assert desk.owner_id == owner_of(DESK.upper())
    assert desk.id in stage.queued


def test_a_second_person_makes_no_second_copy_and_takes_over_the_reading(stage: Stage) -> None:
    stage.connect(ALEX)
    blake = stage.connect(BLAKE)
    (desk,) = the_desk(stage)
    assert desk.authorization_id == blake.authorization_id


def test_signing_in_again_hands_the_new_authorization_on_before_the_old_one_is_forgotten(stage: Stage) -> None:
    stage.connect(ALEX)
    again = stage.connect(ALEX)
    (desk,) = the_desk(stage)
    assert desk.authorization_id == again.authorization_id


def test_whoever_cannot_read_it_changes_nothing_and_connects_their_own_all_the_same(stage: Stage) -> None:
    stage.sources.trouble[DESK] = AdministratorMustAct(Reason.ACCESS_DENIED)
    assert stage.connect(ALEX).address == ALEX.address
    assert the_desk(stage) == []


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (Status.NEEDS_SIGN_IN, Status.ACTIVE),
        (Status.SUSPENDED, Status.ACTIVE),
        (Status.PAUSED, Status.PAUSED),
        (Status.DISCONNECTED, Status.DISCONNECTED),
    ],
)
def test_a_sign_in_revives_what_had_lost_access_and_leaves_what_was_stopped(
    stage: Stage, status: Status, after: Status
) -> None:
    stage.connect(ALEX)
    stage.registry.change(the_desk(stage)[0].id, lambda desk: desk.having(status=status))
    stage.connect(BLAKE)
    assert the_desk(stage)[0].status is after


def test_a_disconnected_one_stays_without_an_authorization(stage: Stage) -> None:
    stage.connect(ALEX)
    stage.registry.change(the_desk(stage)[0].id, life.disconnected)
    stage.connect(BLAKE)
    assert the_desk(stage)[0].authorization_id == ""
