"""Shared mailboxes: connected once, read through whoever can read them and signed in last."""

import pytest

from shared.authorization.shared_mailboxes import owner_of
from shared.errors import AdministratorMustAct, Reason, RetryLater
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


@pytest.mark.parametrize(
    "trouble", [RetryLater(Reason.THROTTLED), AdministratorMustAct(Reason.ACCESS_DENIED)], ids=["busy", "denied"]
)
def test_signing_in_again_costs_no_shared_mailbox_its_access_though_it_cannot_be_tried_just_then(
    stage: Stage, trouble: Exception
) -> None:
    stage.connect(ALEX)
    stage.sources.trouble[DESK] = trouble
    again = stage.connect(ALEX)
    (desk,) = the_desk(stage)
    assert desk.authorization_id == again.authorization_id
    assert stage.access_tokens.access(desk.authorization_id, DESK).token


def test_a_busy_server_does_not_keep_a_sign_in_from_reviving_what_was_read_with_the_one_before(stage: Stage) -> None:
    stage.connect(ALEX)
    stage.registry.change(the_desk(stage)[0].id, lambda desk: desk.having(status=Status.NEEDS_SIGN_IN))
    stage.sources.trouble[DESK] = RetryLater(Reason.THROTTLED)
    stage.connect(ALEX)
    assert the_desk(stage)[0].status is Status.ACTIVE


def test_a_person_who_cannot_read_it_leaves_it_with_whom_it_is_read(stage: Stage) -> None:
    alex = stage.connect(ALEX)
    stage.connect(BLAKE)
    stage.connect(ALEX)
    stage.sources.trouble[DESK] = AdministratorMustAct(Reason.ACCESS_DENIED)
    stage.connect(BLAKE)
    (desk,) = the_desk(stage)
    assert desk.authorization_id == stage.registry.get(alex.id).authorization_id


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
