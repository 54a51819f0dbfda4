"""No refresh token stays in the vault that no mailbox is read with."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from shared.authorization.model import Authorization
from shared.authorization.onboarding.sign_in_outcome import SignInFailed
from shared.errors import Conflict, NotFound, OperatorMustAct, Reason, RetryLater
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.model import Mailbox, Status
from shared.sources.model import AccessMode
from tests.fakes.authorization import TENANT, MemoryTokens, an_identity
from tests.fakes.authorization_stack import AuthorizationStack
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import FakeReplica

ALEX = an_identity("alex@contoso.example")
DOWN = RetryLater(Reason.UNAVAILABLE)


class Interrupted(FakeReplica):
    """A replica during whose erasure something else happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def erase(self, mailbox_id: str) -> Mapping[str, int]:
        self._meanwhile()
        return super().erase(mailbox_id)


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


def test_a_sign_in_that_fails_after_the_token_was_stored_takes_it_back(stack: AuthorizationStack) -> None:
    stack.registry.fail_at(1, DOWN)
    with pytest.raises(SignInFailed):
        stack.come_back(stack.sign_in.connect())
    assert stack.tokens.stored == {}
    assert stack.authorizations.stored == {}


class HalfWritten(MemoryTokens):
    """A vault that has stored the token by the time something goes wrong."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def write(self, authorization_id: str, refresh_token: str) -> None:
        super().write(authorization_id, refresh_token)
        raise self._error


class Killed(BaseException):
    """The process ended."""


@pytest.mark.parametrize("error", [DOWN, Killed()], ids=["a failure", "a crash"])
def test_a_token_stored_before_a_failure_is_found_and_deleted(error: BaseException) -> None:
    stack = AuthorizationStack(HalfWritten(error))
    with pytest.raises((SignInFailed, Killed)):
        stack.come_back(stack.sign_in.connect())
    stack.clock.pass_by(days=8)
    stack.token_revocation.delete_unused()
    assert stack.tokens.stored == {}
    assert stack.authorizations.stored == {}


def test_daily_work_deletes_a_token_that_a_disconnect_could_not(
    stack: AuthorizationStack,
) -> None:
    mailbox = stack.connect(ALEX)
    stack.tokens.refuse = [DOWN]
    with pytest.raises(RetryLater):
        stack.mailbox_commands.disconnect(mailbox.id, ALEX.owner_id)
    assert stack.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stack.token_revocation.delete_unused() == 1
    assert stack.tokens.stored == {}
    assert stack.token_revocation.delete_unused() == 0
    assert stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id).held_until is not None


def test_disconnect_that_dies_before_it_revokes_leaves_no_token_for_good(stack: AuthorizationStack) -> None:
    """Between the mailbox's status and the authorization's: the daily round gives it back once it lies idle."""
    mailbox = stack.connect(ALEX)
    stack.registry.change(mailbox.id, lambda found: found.with_changes(status=Status.DISCONNECTED))
    stack.clock.pass_by(days=8)
    assert stack.token_revocation.delete_unused() == 1
    assert stack.tokens.stored == {}


class AnswerLost(FakeRegistry):
    """A registry that has done what it was asked for by the time the line breaks; once."""

    lost = False

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        return self._broken_off(super().add(mailbox, instead_of=instead_of))

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        return self._broken_off(super().change(mailbox_id, change, known))

    def _broken_off(self, done: Mailbox) -> Mailbox:
        if self.lost:
            self.lost = False
            raise DOWN
        return done


@pytest.mark.parametrize("connected", [False, True], ids=["connecting", "signing in again"])
def test_a_write_whose_answer_was_lost_leaves_no_mailbox_without_its_token(connected: bool) -> None:
    registry = AnswerLost()
    stack = AuthorizationStack(registry=registry)
    if connected:
        stack.connect(ALEX)
    registry.lost = True
    with pytest.raises(SignInFailed):
        stack.come_back(stack.sign_in.connect())
    (mailbox,) = stack.mailboxes
    assert mailbox.authorization_id in stack.tokens.stored
    assert stack.access_tokens.access(mailbox.authorization_id, mailbox.address).token


def test_an_invitation_that_cannot_be_used_up_takes_the_token_back(stack: AuthorizationStack) -> None:
    token = stack.invitations.create(ALEX.address).url.rpartition("/")[2]
    start = stack.sign_in.invited(token)
    stack.invited.refuse.append(DOWN)
    with pytest.raises(SignInFailed):
        stack.come_back(start)
    assert stack.tokens.stored == {}


def test_of_two_sign_ins_at_once_the_token_of_one_stays(stack: AuthorizationStack) -> None:
    stack.connect(ALEX)
    one, other = stack.sign_in.connect(), stack.sign_in.connect()

    def faster() -> None:
        stack.sources.meanwhile = lambda: None
        stack.come_back(other)

    stack.sources.meanwhile = faster
    outcome = stack.come_back(one)
    assert list(stack.tokens.stored) == [outcome.authorization_id]
    assert list(stack.authorizations.stored) == [outcome.authorization_id]


def test_a_mailbox_erased_during_a_renewal_leaves_no_token(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    start = stack.sign_in.renew(stack.session(ALEX), mailbox.id)
    stack.sources.meanwhile = lambda: stack.mailbox_commands.erase(mailbox.id, ALEX.owner_id)
    with pytest.raises(NotFound):
        stack.come_back(start)
    assert stack.tokens.stored == {}


def test_s3_sign_in_during_an_erasure_gets_another_mailbox(stack: AuthorizationStack) -> None:
    """S3: from the mark on the sign-in wins, with a mailbox and a token of its own, and the receipt says so."""
    mailbox = stack.connect(ALEX)
    mailbox_commands = MailboxCommands(
        registry=stack.registry,
        replica=Interrupted(lambda: stack.connect(ALEX)),
        leases=stack.leases,
        queue=stack.queue,
        revocations=stack.token_revocation,
        clock=stack.clock,
        wait=lambda _: None,
    )
    assert mailbox_commands.erase(mailbox.id, ALEX.owner_id).reconnected
    (another,) = stack.mailboxes
    assert another.id != mailbox.id
    assert list(stack.tokens.stored) == [another.authorization_id]
    assert list(stack.authorizations.stored) == [another.authorization_id]


def orphan(stack: AuthorizationStack, days: int, name: str = "orphan") -> Authorization:
    """What a process that was killed between the token and the mailbox leaves."""
    at = stack.clock() - timedelta(days=days)
    made = Authorization(name, AccessMode.DELEGATED, TENANT, ALEX.owner_id, at, refreshed_at=at, stored_at=at)
    stack.tokens.write(name, "left behind")
    return stack.authorizations.add(made)


def test_a_token_that_no_mailbox_points_to_is_given_back_after_a_week(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    orphan(stack, days=8)
    assert stack.token_revocation.delete_unused() == 1
    assert list(stack.tokens.stored) == [mailbox.authorization_id]


def test_a_sign_in_under_way_and_what_lies_idle_but_is_used_are_left(stack: AuthorizationStack) -> None:
    mailbox = stack.connect(ALEX)
    stack.clock.pass_by(days=30)
    orphan(stack, days=1)
    assert stack.token_revocation.delete_unused() == 0
    assert sorted(stack.tokens.stored) == sorted([mailbox.authorization_id, "orphan"])


@pytest.mark.parametrize("fault", [Conflict("held"), DOWN, OperatorMustAct(Reason.OUR_STORAGE, of_one=True)], ids=repr)
def test_a_token_that_cannot_be_deleted_keeps_no_other_in_the_vault(
    stack: AuthorizationStack, fault: Exception
) -> None:
    for number in range(4):
        orphan(stack, days=8, name=f"orphan-{number}")
    stack.tokens.refuse = [fault]
    assert stack.token_revocation.delete_unused() == 3
    assert list(stack.tokens.stored) == ["orphan-0"]
    assert stack.token_revocation.delete_unused() == 1


@pytest.mark.parametrize(("fault", "tries"), [(DOWN, 3), (OperatorMustAct(Reason.OUR_STORAGE), 1)], ids=repr)
def test_a_vault_that_fails_is_not_asked_for_every_token(
    stack: AuthorizationStack, fault: Exception, tries: int
) -> None:
    for number in range(5):
        orphan(stack, days=8, name=f"orphan-{number}")
    stack.tokens.refuse = [fault] * 5
    with pytest.raises(type(fault)):
        stack.token_revocation.delete_unused()
    assert len(stack.tokens.refuse) == 5 - tries


def test_a_mailbox_that_this_version_cannot_read_keeps_its_token(stack: AuthorizationStack) -> None:
    """S6: a newer version wrote its row, and this one runs the daily work, as after a rollback."""
    mailbox = stack.connect(ALEX)
    stack.registry.unreadable.add(mailbox.id)
    stack.clock.pass_by(days=8)
    assert stack.token_revocation.delete_unused() == 0
    assert mailbox.authorization_id in stack.tokens.stored
    assert mailbox.authorization_id in stack.authorizations.stored


def test_an_unreadable_mailbox_is_left_out_of_the_daily_erasures_alone(stack: AuthorizationStack) -> None:
    """S6: neither is anything of it erased, nor does it stop the erasures after it."""
    first, second = stack.connect(ALEX), stack.connect(an_identity("blake@contoso.example"))
    for mailbox in (first, second):
        stack.registry.begin_erasure(mailbox.id)
    stack.registry.unreadable.add(first.id)
    assert stack.mailbox_commands.finish_erasures() == 1
    stack.registry.unreadable.clear()
    assert [mailbox.id for mailbox in stack.mailboxes] == [first.id]
