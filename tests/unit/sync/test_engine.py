"""One queue message: who is synced, what becomes of a pass's end, who acts next."""

from datetime import timedelta

import pytest

from shared.errors import (
    ActionNeeded,
    AdministratorMustAct,
    OperatorMustAct,
    PersonMustSignIn,
    Reason,
    RetryLater,
)
from shared.mailboxes.model import Status
from shared.sync.back_off.waits import ProcessBackOff
from tests.fakes.sync_harness import ADDRESS, ID, SyncHarness, a_mailbox


@pytest.fixture
def world() -> SyncHarness:
    """A mailbox with one item, never synced."""
    world = SyncHarness()
    world.mailbox.add(world.mailbox.inbox)
    return world


def test_an_unknown_mailbox_ends_at_once(world: SyncHarness) -> None:
    world.engine.sync("nobody")
    world.engine.sync("nobody", sweep=True)
    assert world.tokens.asked == 0
    assert not world.leases.held


@pytest.mark.parametrize(
    "status", [Status.PAUSED, Status.NEEDS_SIGN_IN, Status.SUSPENDED, Status.DISCONNECTED], ids=str
)
def test_a_stopped_mailbox_ends_at_once(world: SyncHarness, status: Status) -> None:
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=status))
    world.sync()
    assert world.tokens.asked == 0
    assert world.registry.runs(ID) == []


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("status", [Status.PAUSED, Status.DISCONNECTED], ids=str)
def test_running_pass_notices_within_seconds_that_mailbox_was_stopped(status: Status, first: bool) -> None:
    world = SyncHarness()
    if not first:
        world.sync()
    for _ in range(2000):
        world.mailbox.add(world.mailbox.inbox)

    def stop() -> None:
        world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=status))
        world.clock.pass_by(seconds=3)

    world.sources.at(20, stop)
    world.sync()
    assert 0 < len(world.items()) < 1000
    assert (world.stored.status, world.leases.held) == (status, {})
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=Status.ACTIVE))
    world.sync()
    world.assert_equal()


def test_a_blocked_mailbox_is_tried_and_a_success_unblocks_it(world: SyncHarness) -> None:
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(status=Status.NEEDS_ADMIN, reason="ews_blocked"))
    world.sync()
    assert world.stored.status is Status.ACTIVE
    assert world.stored.reason == ""


def test_a_second_message_while_one_is_under_way_ends_at_once(world: SyncHarness) -> None:
    second: list[int] = []

    def again() -> None:
        before = world.tokens.asked
        world.engine.sync(ID)
        second.append(world.tokens.asked - before)

    world.sources.at(2, again)
    world.sync()
    assert second == [0]
    world.assert_equal()


def test_a_stale_continuation_ends_at_once(world: SyncHarness) -> None:
    world.sync()
    asked = world.tokens.asked
    world.engine.sync(ID, continuation=world.replica.load(ID).sequence - 1)
    world.engine.sync(ID, continuation=world.replica.load(ID).sequence + 1)
    assert world.tokens.asked == asked


def test_every_ending_gives_the_lease_and_the_source_back(world: SyncHarness) -> None:
    world.sources.fail_at(1, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID)
    world.sources.fail_at(1, ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        world.engine.sync(ID)
    world.engine.sync(ID)
    assert not world.leases.held
    assert world.sources.opened == world.sources.closed == 3


def test_a_defect_is_recorded_and_left_to_the_queue(world: SyncHarness) -> None:
    world.sources.fail_at(1, ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        world.engine.sync(ID)
    assert world.registry.runs(ID)[0].outcome == "internal"
    assert world.stored.failures == 0
    assert not world.queue.mailboxes


WHO_ACTS: list[tuple[ActionNeeded, Status, int]] = [
    (PersonMustSignIn(Reason.GRANT_REVOKED), Status.NEEDS_SIGN_IN, 1),
    (PersonMustSignIn(Reason.TOKEN_REJECTED, definite=False), Status.ACTIVE, 1),
    (AdministratorMustAct(Reason.EWS_BLOCKED), Status.NEEDS_ADMIN, 1),
    (RetryLater(Reason.UNAVAILABLE), Status.ACTIVE, 0),
    (RetryLater(Reason.BAD_ANSWER), Status.ACTIVE, 1),
]


@pytest.mark.parametrize(("error", "status", "failures"), WHO_ACTS, ids=str)
@pytest.mark.parametrize("where", ["token", "request"])
def test_the_type_of_an_error_says_who_acts(
    world: SyncHarness, error: ActionNeeded, status: Status, failures: int, where: str
) -> None:
    if where == "token":
        world.tokens.error = error
    else:
        world.sources.fail_at(2, error)
    world.engine.sync(ID)
    assert (world.stored.status, world.stored.failures) == (status, failures)
    assert world.stored.reason == error.reason
    assert world.registry.runs(ID)[0].outcome == error.reason
    assert bool(world.queue.mailboxes) is isinstance(error, RetryLater)


def test_our_own_fault_changes_no_mailbox_and_is_raised(world: SyncHarness) -> None:
    world.tokens.error = OperatorMustAct(Reason.OUR_CREDENTIAL)
    for _ in range(20):
        with pytest.raises(OperatorMustAct):
            world.engine.sync(ID)
    assert (world.stored.status, world.stored.failures, world.stored.reason) == (Status.ACTIVE, 0, "")
    assert not world.queue.mailboxes


def test_refusal_of_a_token_that_was_replaced_during_the_pass_asks_nobody(world: SyncHarness) -> None:
    """A service account has signed in again, and its other mailboxes were renewed, before this pass is recorded."""
    world.sync()
    world.tokens.error = PersonMustSignIn(Reason.GRANT_REVOKED)
    world.tokens.stored_at = world.clock() + timedelta(seconds=1)

    world.engine.sync(ID)

    assert (world.stored.status, world.stored.failures) == (Status.ACTIVE, 0)
    world.tokens.error = None
    world.pump()
    assert (world.stored.status, world.stored.reason) == (Status.ACTIVE, "")


def test_six_rejections_in_a_row_ask_for_sign_in_and_success_resets(world: SyncHarness) -> None:
    rejected = PersonMustSignIn(Reason.TOKEN_REJECTED, definite=False)
    for _ in range(5):
        world.sources.fail_at(1, rejected)
        world.sync()
    world.sync()
    assert world.stored.rejections == 0
    for _ in range(6):
        assert world.stored.status is Status.ACTIVE
        world.sources.fail_at(1, rejected)
        world.sync()
    assert world.stored.status is Status.NEEDS_SIGN_IN


def waits(world: SyncHarness, times: int, retry_after: float | None) -> list[int]:
    """The delays of that many failures in a row."""
    delays = []
    for _ in range(times):
        world.sources.fail_at(1, RetryLater(Reason.UNAVAILABLE, retry_after=retry_after))
        world.engine.sync(ID)
        (message,) = world.queue.mailboxes
        world.queue.mailboxes.clear()
        delays.append(message.delay_seconds)
        world.clock.pass_by(seconds=message.delay_seconds)
    return delays


def test_waits_grow_to_an_interval_when_the_server_names_none(world: SyncHarness) -> None:
    delays = waits(world, 9, None)
    assert delays == sorted(delays)
    assert delays[0] < 60
    assert 1800 <= delays[-1] <= 1800 * 1.25


@pytest.mark.parametrize(("named", "least", "most"), [(0.5, 30, 40), (600, 600, 750), (90_000, 7200, 9000)])
def test_the_wait_a_server_names_is_kept_within_bounds(world: SyncHarness, named: float, least: int, most: int) -> None:
    (delay,) = waits(world, 1, named)
    assert least <= delay <= most


def test_a_mailbox_that_waits_is_not_dispatched_before(world: SyncHarness) -> None:
    (delay,) = waits(world, 1, 600)
    assert world.stored.due_at == world.clock()
    world.sync()
    assert world.stored.due_at is None
    assert delay >= 600


def test_a_tenant_wide_back_off_keeps_its_other_mailboxes_waiting() -> None:
    world = SyncHarness()
    address = "other@contoso.example"
    other = a_mailbox(world.clock, id="mailbox-2", address=address, owner_id="o2", authorization_id="a2")
    world.sources.mailboxes[address] = world.mailbox
    world.registry.add(other)
    world.sources.fail_at(1, RetryLater(Reason.THROTTLED, retry_after=300, tenant_wide=True))
    world.engine.sync(ID)
    requests = world.sources.requests.total()
    world.engine.sync("mailbox-2")
    assert world.sources.requests.total() == requests
    delays = [message.delay_seconds for message in world.queue.mailboxes]
    assert all(delay >= 300 for delay in delays)
    due_at = world.registry.get("mailbox-2").due_at
    assert due_at is not None
    assert due_at > world.clock() + timedelta(seconds=300)
    world.pump()
    assert world.registry.get("mailbox-2").first_sync_done


def test_an_agreed_back_off_is_never_shortened(world: SyncHarness) -> None:
    back_off, now = ProcessBackOff(), world.clock()
    back_off.extend("t1", now + timedelta(minutes=5))
    back_off.extend("t1", now + timedelta(minutes=1))
    assert back_off.until("t1") == now + timedelta(minutes=5)
    assert back_off.until("t2") is None


def test_a_sweep_that_finds_a_pass_under_way_comes_again(world: SyncHarness) -> None:
    world.sync()
    world.leases.acquire(ID)
    world.engine.sync(ID, sweep=True)
    (message,) = world.queue.mailboxes
    assert message.sweep
    assert message.delay_seconds > 0


def test_a_failed_sweep_comes_again_as_a_sweep(world: SyncHarness) -> None:
    world.sync()
    world.sources.fail_at(1, RetryLater(Reason.UNAVAILABLE))
    world.engine.sync(ID, sweep=True)
    (message,) = world.queue.mailboxes
    assert message.sweep


def test_a_mailbox_erased_during_its_pass_ends_quietly(world: SyncHarness) -> None:
    world.sources.at(3, lambda: world.registry.erase(ID))
    world.engine.sync(ID)
    assert not world.leases.held


def test_the_run_says_what_was_done(world: SyncHarness) -> None:
    world.sync()
    (run,) = world.registry.runs(ID)
    assert (run.outcome, run.created, run.updated, run.kind) == ("done", 1, 0, "pass")
    assert run.bytes > 0
    assert run.requests == world.sources.requests.total()


def test_no_log_line_names_anybody(world: SyncHarness, caplog: pytest.LogCaptureFixture) -> None:
    world.mailbox.add(world.mailbox.inbox, "Your biopsy results", addresses=("doctor@clinic.example",))
    with caplog.at_level("DEBUG"):
        world.sync()
        world.sweep()
    told = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "pass ended" in told
    assert not [secret for secret in (ADDRESS, "biopsy", "clinic", "token-") if secret in told]


def test_a_wait_of_less_than_a_second_is_waited_for() -> None:
    """Sent without a delay, the message would come at once and be sent again, as fast as the queue can."""
    world = SyncHarness()
    world.engine._back_off.extend("t1", world.clock() + timedelta(milliseconds=300))
    world.engine.sync(ID)
    assert [message.delay_seconds for message in world.queue.mailboxes] == [1]
    assert world.sources.requests.total() == 0
    world.pump()
    assert world.stored.first_sync_done
