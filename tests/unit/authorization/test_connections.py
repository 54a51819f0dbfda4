"""What is done with a mailbox that stands, down to its erasure."""

import pytest

from shared.authorization.errors import NotWhileStopped, StillUnderWay, TooSoon
from shared.errors import Conflict, NotFound, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import an_identity
from tests.unit.authorization.stage import Stage

ME = an_identity().owner_id


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def mailbox(stage: Stage) -> Mailbox:
    mailbox = stage.connect()
    stage.queue.mailboxes.clear()
    return mailbox


def test_a_sync_can_be_asked_for_once_a_minute(stage: Stage, mailbox: Mailbox) -> None:
    stage.connections.sync_now(mailbox.id, ME)
    stage.clock.pass_by(seconds=59)
    with pytest.raises(TooSoon) as caught:
        stage.connections.sync_now(mailbox.id, ME)
    assert 1 <= caught.value.wait <= 2
    stage.clock.pass_by(seconds=1)
    stage.connections.sync_now(mailbox.id, ME)
    assert stage.queued == [mailbox.id, mailbox.id]


def test_not_sooner_than_a_minute_after_the_last_pass(stage: Stage, mailbox: Mailbox) -> None:
    stage.registry.change(mailbox.id, lambda it: it.having(last_pass_at=stage.clock()))
    with pytest.raises(TooSoon):
        stage.connections.sync_now(mailbox.id, ME)
    assert stage.queued == []


@pytest.mark.parametrize("status", [Status.PAUSED, Status.SUSPENDED, Status.NEEDS_SIGN_IN, Status.DISCONNECTED])
def test_a_stopped_mailbox_is_not_synced_on_demand(stage: Stage, mailbox: Mailbox, status: Status) -> None:
    stage.registry.change(mailbox.id, lambda it: it.having(status=status))
    with pytest.raises(NotWhileStopped):
        stage.connections.sync_now(mailbox.id, ME)


def test_pausing_and_starting(stage: Stage, mailbox: Mailbox) -> None:
    assert stage.connections.pause(mailbox.id, ME).status is Status.PAUSED
    assert stage.connections.start(mailbox.id, ME).status is Status.ACTIVE
    assert stage.queued == [mailbox.id]
    assert [act for _, _, act in stage.registry.audit] == ["connect", "pause", "start"]


def test_disconnecting_deletes_the_token_at_once_and_keeps_the_replica(stage: Stage, mailbox: Mailbox) -> None:
    stage.access_tokens.access(mailbox.authorization_id, mailbox.address)
    gone = stage.connections.disconnect(mailbox.id, ME)
    assert gone.status is Status.DISCONNECTED
    assert stage.tokens.stored == {}
    with pytest.raises(PersonMustSignIn):
        stage.access_tokens.access(mailbox.authorization_id, mailbox.address)
    assert stage.connections.disconnect(mailbox.id, ME).status is Status.DISCONNECTED


def test_a_pass_that_still_runs_cannot_store_a_token_for_a_disconnected_mailbox(stage: Stage, mailbox: Mailbox) -> None:
    stage.connections.disconnect(mailbox.id, ME)
    with pytest.raises(Conflict):
        stage.tokens.write(mailbox.authorization_id, "late")


def test_reconnecting_meets_no_name_that_the_vault_still_holds(stage: Stage, mailbox: Mailbox) -> None:
    stage.connections.disconnect(mailbox.id, ME)
    again = stage.connect()
    assert (again.id, again.status) == (mailbox.id, Status.ACTIVE)
    assert list(stage.tokens.stored) == [again.authorization_id]


def test_erasing_leaves_nothing_and_says_what_the_vault_still_holds(stage: Stage, mailbox: Mailbox) -> None:
    receipt = stage.connections.erase(mailbox.id, ME)
    assert receipt.mailbox_id == mailbox.id
    assert receipt.erased["mailboxes"] == 1
    assert receipt.held_until == stage.tokens.deleted[mailbox.authorization_id]
    assert stage.mailboxes == []
    assert stage.tokens.stored == {}
    assert stage.authorizations.stored == {}
    assert stage.leases.held == {}
    with pytest.raises(NotFound):
        stage.connections.erase(mailbox.id, ME)


def test_a_lease_that_cannot_be_removed_costs_nobody_their_receipt(stage: Stage, mailbox: Mailbox) -> None:
    stage.leases.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stage.connections.erase(mailbox.id, ME).erased["mailboxes"] == 1
    assert stage.authorizations.stored == {}


def test_erasing_after_disconnecting_still_knows_until_when_the_vault_holds_it(stage: Stage, mailbox: Mailbox) -> None:
    stage.connections.disconnect(mailbox.id, ME)
    held_until = stage.tokens.deleted[mailbox.authorization_id]
    stage.clock.pass_by(days=3)
    assert stage.connections.erase(mailbox.id, ME).held_until == held_until


def test_erasing_waits_for_a_pass_and_gives_up_in_time(stage: Stage, mailbox: Mailbox) -> None:
    lease = stage.leases.acquire(mailbox.id)
    assert lease is not None
    with pytest.raises(StillUnderWay):
        stage.connections.erase(mailbox.id, ME)
    assert stage.waited == 30
    assert stage.registry.get(mailbox.id).status is Status.DISCONNECTED
    lease.release()
    assert stage.connections.erase(mailbox.id, ME).erased["mailboxes"] == 1


def test_a_service_accounts_token_outlives_one_of_its_mailboxes(stage: Stage) -> None:
    operator = stage.session(an_identity("op@contoso.example", roles=("Operator",)))
    service = stage.come_back(stage.sign_in.service(operator)).authorization_id
    one, two = stage.activation.with_service_account(service, ["a@contoso.example", "b@contoso.example"], "op")
    receipt = stage.connections.erase(one.mailbox_id, ME)
    assert receipt.held_until is None
    assert service in stage.tokens.stored
    assert stage.access_tokens.access(service, two.address).token
