"""What is done with a mailbox that stands, down to its erasure."""

from datetime import datetime, timedelta

import pytest

from shared.errors import Conflict, NotFound, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.errors import MailboxStopped, PassStillRunning, SyncedTooRecently
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ME = an_identity().owner_id


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.fixture
def mailbox(stack: AuthorizationStack) -> Mailbox:
    mailbox = stack.connect()
    stack.queue.mailboxes.clear()
    return mailbox


def test_a_sync_can_be_asked_for_once_a_minute(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.mailbox_commands.sync_now(mailbox.id, ME)
    stack.clock.pass_by(seconds=59)
    with pytest.raises(SyncedTooRecently) as caught:
        stack.mailbox_commands.sync_now(mailbox.id, ME)
    assert caught.value.wait in (1, 2)
    stack.clock.pass_by(seconds=1)
    stack.mailbox_commands.sync_now(mailbox.id, ME)
    assert stack.queued == [mailbox.id, mailbox.id]


def test_when_a_sync_can_be_asked_for_again_is_known(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """U4: after a request, and after a pass."""
    commands, now = stack.mailbox_commands, stack.clock()
    assert commands.sync_possible_at(mailbox) is None
    commands.sync_now(mailbox.id, ME)
    assert commands.sync_possible_at(mailbox) == now + timedelta(minutes=1)
    synced = mailbox.with_changes(last_pass_at=now + timedelta(seconds=30))
    assert commands.sync_possible_at(synced) == now + timedelta(seconds=90)
    stack.clock.pass_by(seconds=90)
    assert commands.sync_possible_at(synced) is None


def test_a_first_sync_on_demand_is_not_delayed_by_the_clock_itself(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """The clock goes on between two readings."""

    def ticking() -> datetime:
        stack.clock.pass_by(seconds=0.001)
        return stack.clock()

    stack.mailbox_commands._clock = ticking
    assert stack.mailbox_commands.sync_possible_at(mailbox) is None
    stack.mailbox_commands.sync_now(mailbox.id, ME)
    assert stack.queued == [mailbox.id]


def test_not_sooner_than_a_minute_after_the_last_pass(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.registry.change(mailbox.id, lambda it: it.with_changes(last_pass_at=stack.clock()))
    with pytest.raises(SyncedTooRecently):
        stack.mailbox_commands.sync_now(mailbox.id, ME)
    assert stack.queued == []


@pytest.mark.parametrize("status", [Status.PAUSED, Status.SUSPENDED, Status.NEEDS_SIGN_IN, Status.DISCONNECTED])
def test_a_stopped_mailbox_is_not_synced_on_demand(stack: AuthorizationStack, mailbox: Mailbox, status: Status) -> None:
    stack.registry.change(mailbox.id, lambda it: it.with_changes(status=status))
    with pytest.raises(MailboxStopped):
        stack.mailbox_commands.sync_now(mailbox.id, ME)


def test_pausing_and_starting(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    assert stack.mailbox_commands.pause(mailbox.id, ME).status is Status.PAUSED
    assert stack.mailbox_commands.start(mailbox.id, ME).status is Status.ACTIVE
    assert stack.queued == [mailbox.id]
    assert [act for _, _, act in stack.registry.audit] == ["connect", "pause", "start"]


def test_reset_is_noted_audited_and_queues_a_pass(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    assert stack.mailbox_commands.reset(mailbox.id, "op").reset_at == stack.clock()
    assert stack.queued == [mailbox.id]
    assert stack.registry.audit[-1] == (mailbox.id, "op", "reset")


@pytest.mark.parametrize("status", [Status.PAUSED, Status.DISCONNECTED])
def test_mailbox_stopped_on_purpose_is_not_reset(stack: AuthorizationStack, mailbox: Mailbox, status: Status) -> None:
    stack.registry.change(mailbox.id, lambda it: it.with_changes(status=status))
    with pytest.raises(MailboxStopped):
        stack.mailbox_commands.reset(mailbox.id, "op")
    assert (stack.queued, stack.registry.get(mailbox.id).reset_at) == ([], None)
    assert stack.registry.audit[-1][2] != "reset"


def test_reset_of_a_mailbox_that_needs_a_sign_in_waits_for_it(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.registry.change(mailbox.id, lambda it: it.with_changes(status=Status.NEEDS_SIGN_IN, rejections=6))
    after = stack.mailbox_commands.reset(mailbox.id, "op")
    assert (after.status, after.rejections, after.reset_at) == (Status.NEEDS_SIGN_IN, 6, stack.clock())
    assert stack.queued == []


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.NEEDS_ADMIN])
def test_reset_starts_a_mailbox_that_errors_have_stopped(
    stack: AuthorizationStack, mailbox: Mailbox, status: Status
) -> None:
    due_at = stack.clock() + timedelta(hours=9)
    stack.registry.change(mailbox.id, lambda it: it.with_changes(status=status, failures=10, due_at=due_at))
    after = stack.mailbox_commands.reset(mailbox.id, "op")
    assert (after.status, after.failures, after.due_at) == (Status.ACTIVE, 0, None)
    assert stack.queued == [mailbox.id]


def test_mailbox_that_is_being_erased_is_not_reset(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.registry.begin_erasure(mailbox.id)
    with pytest.raises(NotFound):
        stack.mailbox_commands.reset(mailbox.id, "op")
    assert stack.queued == []


def test_disconnecting_deletes_the_token_at_once_and_keeps_the_replica(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    stack.access_tokens.access(mailbox.authorization_id, mailbox.address)
    gone = stack.mailbox_commands.disconnect(mailbox.id, ME)
    assert gone.status is Status.DISCONNECTED
    assert stack.tokens.stored == {}
    with pytest.raises(PersonMustSignIn):
        stack.access_tokens.access(mailbox.authorization_id, mailbox.address)
    assert stack.mailbox_commands.disconnect(mailbox.id, ME).status is Status.DISCONNECTED


def test_a_running_pass_stores_no_token_for_a_disconnected_mailbox(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.mailbox_commands.disconnect(mailbox.id, ME)
    with pytest.raises(Conflict):
        stack.tokens.write(mailbox.authorization_id, "late")


def test_reconnecting_meets_no_name_that_the_vault_still_holds(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.mailbox_commands.disconnect(mailbox.id, ME)
    again = stack.connect()
    assert (again.id, again.status) == (mailbox.id, Status.ACTIVE)
    assert list(stack.tokens.stored) == [again.authorization_id]


def test_erasing_leaves_nothing_and_says_what_the_vault_still_holds(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    receipt = stack.mailbox_commands.erase(mailbox.id, ME)
    assert receipt.mailbox_id == mailbox.id
    assert receipt.erased["mailboxes"] == 1
    assert receipt.held_until == stack.tokens.deleted[mailbox.authorization_id]
    assert stack.mailboxes == []
    assert stack.tokens.stored == {}
    assert stack.authorizations.stored == {}
    assert stack.leases.held == {}
    with pytest.raises(NotFound):
        stack.mailbox_commands.erase(mailbox.id, ME)


def test_a_lease_that_cannot_be_removed_costs_nobody_their_receipt(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.leases.refuse = [RetryLater(Reason.UNAVAILABLE)]
    assert stack.mailbox_commands.erase(mailbox.id, ME).erased["mailboxes"] == 1
    assert stack.authorizations.stored == {}


def test_erasing_after_disconnecting_reports_the_vaults_purge_date(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.mailbox_commands.disconnect(mailbox.id, ME)
    held_until = stack.tokens.deleted[mailbox.authorization_id]
    stack.clock.pass_by(days=3)
    assert stack.mailbox_commands.erase(mailbox.id, ME).held_until == held_until


def test_erasing_waits_for_a_pass_and_gives_up_in_time(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    lease = stack.leases.acquire(mailbox.id)
    assert lease is not None
    with pytest.raises(PassStillRunning):
        stack.mailbox_commands.erase(mailbox.id, ME)
    assert stack.waited == 30
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED
    lease.release()
    assert stack.mailbox_commands.erase(mailbox.id, ME).erased["mailboxes"] == 1


def test_a_service_accounts_token_outlives_one_of_its_mailboxes(stack: AuthorizationStack) -> None:
    operator = stack.session(an_identity("op@contoso.example", roles=("Operator",)))
    service = stack.come_back(stack.sign_in.service(operator)).authorization_id
    one, two = stack.activation.with_service_account(service, ["a@contoso.example", "b@contoso.example"], "op")
    receipt = stack.mailbox_commands.erase(one.mailbox_id, ME)
    assert receipt.held_until is None
    assert service in stack.tokens.stored
    assert stack.access_tokens.access(service, two.address).token
