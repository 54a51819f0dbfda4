"""No refresh token stays in the vault that no mailbox is read with."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from shared.authorization.acts import SignInFailed
from shared.authorization.connections import Connections
from shared.authorization.port import Authorization
from shared.errors import NotFound, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from shared.sources.port import AccessMode
from tests.fakes.authorization import TENANT, MemoryTokens, an_identity
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import FakeReplica
from tests.unit.authorization.stage import Stage

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
def stage() -> Stage:
    return Stage()


def test_a_sign_in_that_fails_after_the_token_was_stored_takes_it_back(stage: Stage) -> None:
    stage.registry.fail_at(1, DOWN)
    with pytest.raises(SignInFailed):
        stage.come_back(stage.sign_in.connect())
    assert stage.tokens.stored == {}
    assert stage.authorizations.stored == {}


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
def test_a_token_that_was_stored_when_something_went_wrong_is_found_and_given_back(error: BaseException) -> None:
    stage = Stage(HalfWritten(error))
    with pytest.raises((SignInFailed, Killed)):
        stage.come_back(stage.sign_in.connect())
    stage.clock.pass_by(days=8)
    stage.connections.release_unused()
    assert stage.tokens.stored == {}
    assert stage.authorizations.stored == {}


def test_a_token_that_could_not_be_deleted_when_its_mailbox_was_disconnected_is_deleted_by_the_daily_round(
    stage: Stage,
) -> None:
    mailbox = stage.connect(ALEX)
    stage.tokens.refuse = [DOWN]
    with pytest.raises(RetryLater):
        stage.connections.disconnect(mailbox.id, ALEX.owner_id)
    assert stage.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stage.connections.release_unused() == 1
    assert stage.tokens.stored == {}
    assert stage.connections.release_unused() == 0
    assert stage.connections.erase(mailbox.id, ALEX.owner_id).held_until is not None


def test_disconnect_that_dies_before_it_revokes_leaves_no_token_for_good(stage: Stage) -> None:
    """Between the mailbox's status and the authorization's: the daily round gives it back once it lies idle."""
    mailbox = stage.connect(ALEX)
    stage.registry.change(mailbox.id, lambda found: found.having(status=Status.DISCONNECTED))
    stage.clock.pass_by(days=8)
    assert stage.connections.release_unused() == 1
    assert stage.tokens.stored == {}


class AnswerLost(FakeRegistry):
    """A registry that has done what it was asked for by the time the line breaks; once."""

    lost = False

    def add(self, mailbox: Mailbox) -> Mailbox:
        return self._broken_off(super().add(mailbox))

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        return self._broken_off(super().change(mailbox_id, change))

    def _broken_off(self, done: Mailbox) -> Mailbox:
        if self.lost:
            self.lost = False
            raise DOWN
        return done


@pytest.mark.parametrize("connected", [False, True], ids=["connecting", "signing in again"])
def test_a_write_whose_answer_was_lost_leaves_no_mailbox_without_its_token(connected: bool) -> None:
    registry = AnswerLost()
    stage = Stage(registry=registry)
    if connected:
        stage.connect(ALEX)
    registry.lost = True
    with pytest.raises(SignInFailed):
        stage.come_back(stage.sign_in.connect())
    (mailbox,) = stage.mailboxes
    assert mailbox.authorization_id in stage.tokens.stored
    assert stage.access_tokens.access(mailbox.authorization_id, mailbox.address).token


def test_an_invitation_that_cannot_be_used_up_takes_the_token_back(stage: Stage) -> None:
    token = stage.invitations.create(ALEX.address).url.rpartition("/")[2]
    start = stage.sign_in.invited(token)
    stage.invited.refuse.append(DOWN)
    with pytest.raises(SignInFailed):
        stage.come_back(start)
    assert stage.tokens.stored == {}


def test_of_two_sign_ins_at_once_the_token_of_one_stays(stage: Stage) -> None:
    stage.connect(ALEX)
    one, other = stage.sign_in.connect(), stage.sign_in.connect()

    def faster() -> None:
        stage.sources.meanwhile = lambda: None
        stage.come_back(other)

    stage.sources.meanwhile = faster
    outcome = stage.come_back(one)
    assert list(stage.tokens.stored) == [outcome.authorization_id]
    assert list(stage.authorizations.stored) == [outcome.authorization_id]


def test_a_mailbox_erased_during_a_renewal_leaves_no_token(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.sources.meanwhile = lambda: stage.connections.erase(mailbox.id, ALEX.owner_id)
    with pytest.raises(NotFound):
        stage.come_back(start)
    assert stage.tokens.stored == {}


def test_s3_sign_in_during_an_erasure_gets_another_mailbox(stage: Stage) -> None:
    """S3: from the mark on the sign-in wins, with a mailbox and a token of its own, and the receipt says so."""
    mailbox = stage.connect(ALEX)
    connections = Connections(
        registry=stage.registry,
        replica=Interrupted(lambda: stage.connect(ALEX)),
        leases=stage.leases,
        queue=stage.queue,
        authorizations=stage.authorizations,
        token_store=stage.tokens,
        access_tokens=stage.access_tokens,
        clock=stage.clock,
        wait=lambda _: None,
    )
    assert connections.erase(mailbox.id, ALEX.owner_id).reconnected
    (another,) = stage.mailboxes
    assert another.id != mailbox.id
    assert list(stage.tokens.stored) == [another.authorization_id]
    assert list(stage.authorizations.stored) == [another.authorization_id]


def orphan(stage: Stage, days: int) -> Authorization:
    """What a process that was killed between the token and the mailbox leaves."""
    at = stage.clock() - timedelta(days=days)
    made = Authorization("orphan", AccessMode.DELEGATED, TENANT, ALEX.owner_id, at, refreshed_at=at, stored_at=at)
    stage.tokens.write("orphan", "left behind")
    return stage.authorizations.add(made)


def test_a_token_that_no_mailbox_points_to_is_given_back_after_a_week(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    orphan(stage, days=8)
    assert stage.connections.release_unused() == 1
    assert list(stage.tokens.stored) == [mailbox.authorization_id]


def test_a_sign_in_under_way_and_what_lies_idle_but_is_used_are_left(stage: Stage) -> None:
    mailbox = stage.connect(ALEX)
    stage.clock.pass_by(days=30)
    orphan(stage, days=1)
    assert stage.connections.release_unused() == 0
    assert sorted(stage.tokens.stored) == sorted([mailbox.authorization_id, "orphan"])


def test_a_mailbox_that_this_version_cannot_read_keeps_its_token(stage: Stage) -> None:
    """S6: a newer version wrote its row, and this one runs the daily work, as after a rollback."""
    mailbox = stage.connect(ALEX)
    stage.registry.unreadable.add(mailbox.id)
    stage.clock.pass_by(days=8)
    assert stage.connections.release_unused() == 0
    assert mailbox.authorization_id in stage.tokens.stored
    assert mailbox.authorization_id in stage.authorizations.stored


def test_an_unreadable_mailbox_is_left_out_of_the_daily_erasures_alone(stage: Stage) -> None:
    """S6: neither is anything of it erased, nor does it stop the erasures after it."""
    first, second = stage.connect(ALEX), stage.connect(an_identity("blake@contoso.example"))
    for mailbox in (first, second):
        stage.registry.begin_erasure(mailbox.id)
    stage.registry.unreadable.add(first.id)
    assert stage.connections.finish_erasures() == 1
    stage.registry.unreadable.clear()
    assert [mailbox.id for mailbox in stage.mailboxes] == [first.id]
