"""An erasure that breaks off, is overtaken or stands still: nothing of the old mailbox comes back, no token stays.

Rows S1 and S3 of the field cases; docs/decisions/0010-erasure.md.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.errors import BeingErased, Conflict, NotFound, Reason, RetryLater
from shared.mailboxes.erasures.erasing import RECORD_LIFETIME
from shared.mailboxes.errors import PassStillRunning
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import Run
from shared.replica.port import Cursor
from shared.sources.model import SourceName
from tests.fakes.authorization import TENANT, an_identity
from tests.fakes.authorization_stack import AuthorizationStack
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import Crash, _Stored
from tests.unit.replica.samples import commit, created

ALEX = an_identity("alex@contoso.example")
DOWN = RetryLater(Reason.UNAVAILABLE)


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.fixture
def mailbox(stack: AuthorizationStack) -> Mailbox:
    """Connected and synced."""
    mailbox = stack.connect(ALEX)
    commit(stack.replica, mailbox.id, created("A"), created("B"))
    return mailbox


def erase(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)


def break_off(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """An erasure ends by an error of Storage after its first deletion in the replica."""
    stack.replica.fail_at(2, DOWN)
    with pytest.raises(RetryLater):
        erase(stack, mailbox)
    stack.replica.calm()


def assert_erased(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """Nothing of it is left, and nothing can be written under its id."""
    with pytest.raises(NotFound):
        stack.registry.get(mailbox.id)
    assert stack.replica.load(mailbox.id) == Cursor()
    assert list(stack.replica.items(mailbox.id)) == []
    assert mailbox.authorization_id not in stack.tokens.stored
    assert mailbox.authorization_id not in stack.authorizations.stored
    assert stack.registry.runs(mailbox.id) == []


def test_s1_sign_in_after_a_broken_erasure_gets_a_new_mailbox(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """S1: the old id is never used again, so no old feed page can be replayed into the new copy."""
    break_off(stack, mailbox)
    another = stack.connect(ALEX)
    assert another.id != mailbox.id
    assert another.status is Status.ACTIVE
    assert stack.replica.load(another.id) == Cursor()
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stack.mailbox_commands.finish_erasures() == 1
    assert_erased(stack, mailbox)
    assert stack.mailboxes == [another]
    assert list(stack.tokens.stored) == [another.authorization_id]


def test_s1_renewing_a_mailbox_that_is_being_erased_connects_a_new_one(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    break_off(stack, mailbox)
    outcome = stack.come_back(stack.sign_in.renew(stack.session(ALEX), mailbox.id))
    assert outcome.mailbox is not None
    assert outcome.mailbox.id != mailbox.id


def test_s1_marked_while_the_sign_in_looks_at_the_mailbox(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """The sign-in has read the mailbox as standing; between that and its own write the mark comes."""
    stack.sources.meanwhile = lambda: break_off(stack, mailbox)
    another = stack.connect(ALEX)
    assert another.id != mailbox.id
    assert stack.registry.get(mailbox.id).authorization_id == mailbox.authorization_id


@pytest.mark.parametrize("write", range(1, 8))
def test_s1_crash_at_any_write_of_the_registry_is_finished_daily(
    stack: AuthorizationStack, mailbox: Mailbox, write: int
) -> None:
    """Whatever the daily round finds: the mailbox is erased, or stands untouched because no mark was set."""
    stack.registry.fail_at(write, Crash())
    try:
        erase(stack, mailbox)
    except Crash:
        stack.leases.expire(mailbox.id)
    stack.registry.calm()
    stack.mailbox_commands.finish_erasures()
    if write <= 2:
        assert stack.registry.get(mailbox.id) == mailbox
        assert len(list(stack.replica.items(mailbox.id))) == 2
        erase(stack, mailbox)
    assert_erased(stack, mailbox)


@pytest.mark.parametrize("error", [DOWN, Crash()], ids=["failure", "crash"])
def test_s1_vault_that_fails_in_an_erasure_keeps_no_token(
    stack: AuthorizationStack, mailbox: Mailbox, error: BaseException
) -> None:
    stack.tokens.refuse = [error]  # type: ignore[list-item]
    with pytest.raises((RetryLater, Crash)):
        erase(stack, mailbox)
    stack.connect(ALEX)
    assert stack.mailbox_commands.finish_erasures() == 1
    assert_erased(stack, mailbox)


def test_s1_broken_erasure_can_be_asked_for_again(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    break_off(stack, mailbox)
    assert stack.registry.of_owner(TENANT, ALEX.owner_id) == [stack.registry.get(mailbox.id)]
    assert stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id).held_until is not None
    assert_erased(stack, mailbox)


def test_s1_nothing_but_the_erasure_touches_a_marked_mailbox(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    break_off(stack, mailbox)
    acts: list[Callable[[str, str], object]] = [
        stack.mailbox_commands.pause,
        stack.mailbox_commands.start,
        stack.mailbox_commands.disconnect,
    ]
    for act in acts:
        with pytest.raises(BeingErased):
            act(mailbox.id, ALEX.owner_id)
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED


def test_s1_activation_of_a_marked_mailbox_makes_a_new_one(stack: AuthorizationStack) -> None:
    (one,) = stack.activation.app_only(TENANT, ["room@contoso.example"], "op")
    commit(stack.replica, one.mailbox_id, created("A"))
    break_off(stack, stack.registry.get(one.mailbox_id))
    (again,) = stack.activation.app_only(TENANT, ["room@contoso.example"], "op")
    assert again.result == "active"
    assert again.mailbox_id != one.mailbox_id


def test_s1_shared_mailbox_that_is_marked_is_connected_anew(stack: AuthorizationStack) -> None:
    stack.shared_addresses.append("info@contoso.example")
    stack.connect(ALEX)
    (shared,) = (one for one in stack.mailboxes if one.owner_id.startswith("shared-"))
    break_off(stack, shared)
    stack.connect(ALEX)
    standing = [one for one in stack.mailboxes if one.erasing_since is None and one.address == shared.address]
    assert [one.id != shared.id for one in standing] == [True]


def test_erasure_that_waits_for_a_pass_is_finished_daily(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """S1: whoever asked for it need not come back."""
    lease = stack.leases.acquire(mailbox.id)
    assert lease is not None
    with pytest.raises(PassStillRunning):
        erase(stack, mailbox)
    assert stack.mailbox_commands.finish_erasures() == 0
    lease.release()
    assert stack.mailbox_commands.finish_erasures() == 1
    assert_erased(stack, mailbox)


def test_erasure_is_taken_over_from_a_worker_that_stands_still(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """S2: it stands before its deletions in the replica until another has erased everything; then it goes on."""
    plain = stack.replica.erase

    def stands_still(mailbox_id: str) -> object:
        stack.replica.erase = plain  # type: ignore[method-assign]
        stack.leases.expire(mailbox.id)
        assert stack.mailbox_commands.finish_erasures() == 1
        stack.connect(ALEX)
        return plain(mailbox_id)

    stack.replica.erase = stands_still  # type: ignore[method-assign, assignment]
    erase(stack, mailbox)
    assert_erased(stack, mailbox)
    (another,) = stack.mailboxes
    assert list(stack.tokens.stored) == [another.authorization_id]


def test_s2_late_records_of_a_pass_are_deleted_by_the_daily_round(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    erase(stack, mailbox)
    stack.registry.record_run(Run(mailbox.id, stack.clock(), stack.clock(), "done"))
    assert stack.mailbox_commands.finish_erasures() == 0
    assert stack.registry.runs(mailbox.id) == []


def test_s2_daily_round_erases_the_copy_of_an_erased_mailbox_once_more(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    """What a worker left there that died before it had cleaned up: see the replica's own tests."""
    erase(stack, mailbox)
    stack.replica._stored[mailbox.id] = _Stored(derived={"occurrences": b"late"})
    stack.mailbox_commands.finish_erasures()
    assert mailbox.id not in stack.replica._stored


def test_s1_renewal_whose_mailbox_is_marked_meanwhile_connects_a_new_one(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.sources.meanwhile = lambda: break_off(stack, mailbox)
    outcome = stack.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.mailbox.id != mailbox.id
    assert list(stack.tokens.stored) == [outcome.authorization_id]


def test_erasure_is_forgotten_when_no_worker_of_before_can_be_left(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    erase(stack, mailbox)
    stack.clock.pass_by(seconds=RECORD_LIFETIME.total_seconds())
    stack.mailbox_commands.finish_erasures()
    assert [one.mailbox_id for one in stack.registry.erasures()] == [mailbox.id]
    stack.clock.pass_by(seconds=timedelta(days=1).total_seconds())
    stack.mailbox_commands.finish_erasures()
    assert stack.registry.erasures() == []


@pytest.mark.parametrize("fault", [DOWN, Conflict("overtaken"), ValueError()], ids=["outage", "conflict", "defect"])
def test_one_erasure_that_fails_keeps_no_other_from_being_finished(stack: AuthorizationStack, fault: Exception) -> None:
    people = [an_identity(f"{name}@contoso.example") for name in ("alex", "kim", "sam")]
    for person in people:
        break_off(stack, stack.connect(person))
    stack.replica.fail_at(1, fault)
    assert stack.mailbox_commands.finish_erasures() == 2
    assert stack.mailbox_commands.finish_erasures() == 1
    assert stack.mailboxes == []


class Paused(FakeRegistry):
    """A registry whose next entry in the audit trail, once armed, takes long enough for something else to happen."""

    meanwhile: Callable[[], object] | None = None

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        if act in ("erase", "erased") and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        super().record_audit(mailbox_id, actor, act)

    def erase(self, mailbox_id: str) -> dict[str, int]:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return super().erase(mailbox_id)


@pytest.mark.parametrize("late", [False, True], ids=["at the audit write", "at the last deletion"])
def test_s3_sign_in_in_the_last_steps_leaves_no_token_without_its_mailbox(late: bool) -> None:
    """S3: the sign-in wins, with a mailbox and a token of its own; no other token is left."""
    registry = Paused()
    stack = AuthorizationStack(registry=registry)
    mailbox = stack.connect(ALEX)

    def sign_in() -> None:
        stack.connect(ALEX)

    def armed() -> None:
        registry.meanwhile = sign_in

    registry.meanwhile = armed if late else sign_in
    receipt = stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    (another,) = stack.mailboxes
    assert receipt.reconnected
    assert another.id != mailbox.id
    assert list(stack.tokens.stored) == [another.authorization_id]
    assert stack.access_tokens.access(another.authorization_id, another.address).token


def test_s3_sign_in_that_was_faster_than_the_mark_is_erased_with_it(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    """S3: the mark sees the sign-in's authorization, so its token goes too."""
    one = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    plain = stack.registry.begin_erasure

    def slow(mailbox_id: str) -> Mailbox:
        stack.come_back(one)
        return plain(mailbox_id)

    stack.registry.begin_erasure = slow  # type: ignore[method-assign]
    assert not stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id).reconnected
    assert stack.mailboxes == []
    assert stack.tokens.stored == {}
    assert stack.authorizations.stored == {}


def test_s3_renewal_of_a_mailbox_that_is_erased_meanwhile_leaves_no_token(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.sources.meanwhile = lambda: erase(stack, mailbox)
    with pytest.raises((NotFound, SignInFailed)):
        stack.come_back(start)
    assert stack.tokens.stored == {}


def test_s3_plain_sign_in_while_the_mailbox_is_erased_connects_anew(
    stack: AuthorizationStack, mailbox: Mailbox
) -> None:
    stack.sources.meanwhile = lambda: erase(stack, stack.mailboxes[0]) if stack.mailboxes else None
    another = stack.connect(ALEX)
    assert another.id != mailbox.id
    assert list(stack.tokens.stored) == [another.authorization_id]


def test_s3_token_refreshed_while_it_is_given_back_does_not_stay(stack: AuthorizationStack, mailbox: Mailbox) -> None:
    """A vault without the name's hold, as after a purge: the write succeeds, and is taken back."""
    stack.clock.pass_by(days=5)
    plain = stack.entra.refresh

    def slow(tenant_id: str, refresh_token: str, source: SourceName) -> object:
        erase(stack, mailbox)
        stack.tokens.deleted.clear()
        return plain(tenant_id, refresh_token, source)

    stack.entra.refresh = slow  # type: ignore[method-assign, assignment]
    stack.access_tokens.access(mailbox.authorization_id, mailbox.address)
    assert stack.tokens.stored == {}
