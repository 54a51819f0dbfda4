"""An erasure that breaks off, is overtaken or stands still: nothing of the old mailbox comes back, no token stays.

Rows S1 and S3 of the field cases; docs/decisions/0010-erasure.md.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.authorization.acts import SignInFailed
from shared.authorization.erasing import RECORDED
from shared.authorization.errors import StillUnderWay
from shared.errors import BeingErased, NotFound, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import Run
from shared.replica.port import Cursor
from shared.sources.port import SourceName
from tests.fakes.authorization import TENANT, an_identity
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import Crash, _Stored
from tests.unit.authorization.stage import Stage
from tests.unit.replica.samples import commit, created

ALEX = an_identity("alex@contoso.example")
DOWN = RetryLater(Reason.UNAVAILABLE)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def mailbox(stage: Stage) -> Mailbox:
    """Connected and synced."""
    mailbox = stage.connect(ALEX)
    commit(stage.replica, mailbox.id, created("A"), created("B"))
    return mailbox


def erase(stage: Stage, mailbox: Mailbox) -> None:
    stage.connections.erase(mailbox.id, ALEX.owner_id)


def break_off(stage: Stage, mailbox: Mailbox) -> None:
    """An erasure ends by an error of Storage after its first deletion in the replica."""
    stage.replica.fail_at(2, DOWN)
    with pytest.raises(RetryLater):
        erase(stage, mailbox)
    stage.replica.calm()


def assert_erased(stage: Stage, mailbox: Mailbox) -> None:
    """Nothing of it is left, and nothing can be written under its id."""
    with pytest.raises(NotFound):
        stage.registry.get(mailbox.id)
    assert stage.replica.load(mailbox.id) == Cursor()
    assert list(stage.replica.items(mailbox.id)) == []
    assert mailbox.authorization_id not in stage.tokens.stored
    assert mailbox.authorization_id not in stage.authorizations.stored
    assert stage.registry.runs(mailbox.id) == []


def test_s1_sign_in_after_a_broken_erasure_gets_a_new_mailbox(stage: Stage, mailbox: Mailbox) -> None:
    """S1: the old id is never used again, so no old feed page can be replayed into the new copy."""
    break_off(stage, mailbox)
    another = stage.connect(ALEX)
    assert another.id != mailbox.id
    assert another.status is Status.ACTIVE
    assert stage.replica.load(another.id) == Cursor()
    assert stage.registry.get(mailbox.id).status is Status.DISCONNECTED
    assert stage.connections.finish_erasures() == 1
    assert_erased(stage, mailbox)
    assert stage.mailboxes == [another]
    assert list(stage.tokens.stored) == [another.authorization_id]


def test_s1_renewing_a_mailbox_that_is_being_erased_connects_a_new_one(stage: Stage, mailbox: Mailbox) -> None:
    break_off(stage, mailbox)
    outcome = stage.come_back(stage.sign_in.renew(stage.session(ALEX), mailbox.id))
    assert outcome.mailbox is not None
    assert outcome.mailbox.id != mailbox.id


def test_s1_marked_while_the_sign_in_looks_at_the_mailbox(stage: Stage, mailbox: Mailbox) -> None:
    """The sign-in has read the mailbox as standing; between that and its own write the mark comes."""
    stage.sources.meanwhile = lambda: break_off(stage, mailbox)
    another = stage.connect(ALEX)
    assert another.id != mailbox.id
    assert stage.registry.get(mailbox.id).authorization_id == mailbox.authorization_id


@pytest.mark.parametrize("write", range(1, 8))
def test_s1_crash_at_any_write_of_the_registry_is_finished_daily(stage: Stage, mailbox: Mailbox, write: int) -> None:
    """Whatever the daily round finds: the mailbox is erased, or stands untouched because no mark was set."""
    stage.registry.fail_at(write, Crash())
    try:
        erase(stage, mailbox)
    except Crash:
        stage.leases.expire(mailbox.id)
    stage.registry.calm()
    stage.connections.finish_erasures()
    if write <= 2:
        assert stage.registry.get(mailbox.id) == mailbox
        assert len(list(stage.replica.items(mailbox.id))) == 2
        erase(stage, mailbox)
    assert_erased(stage, mailbox)


@pytest.mark.parametrize("error", [DOWN, Crash()], ids=["failure", "crash"])
def test_s1_vault_that_fails_in_an_erasure_keeps_no_token(stage: Stage, mailbox: Mailbox, error: BaseException) -> None:
    stage.tokens.refuse = [error]  # type: ignore[list-item]
    with pytest.raises((RetryLater, Crash)):
        erase(stage, mailbox)
    stage.connect(ALEX)
    assert stage.connections.finish_erasures() == 1
    assert_erased(stage, mailbox)


def test_s1_broken_erasure_can_be_asked_for_again(stage: Stage, mailbox: Mailbox) -> None:
    break_off(stage, mailbox)
    assert stage.registry.of_owner(TENANT, ALEX.owner_id) == [stage.registry.get(mailbox.id)]
    assert stage.connections.erase(mailbox.id, ALEX.owner_id).held_until is not None
    assert_erased(stage, mailbox)


def test_s1_nothing_but_the_erasure_touches_a_marked_mailbox(stage: Stage, mailbox: Mailbox) -> None:
    break_off(stage, mailbox)
    acts: list[Callable[[str, str], object]] = [
        stage.connections.pause,
        stage.connections.start,
        stage.connections.disconnect,
    ]
    for act in acts:
        with pytest.raises(BeingErased):
            act(mailbox.id, ALEX.owner_id)
    assert stage.registry.get(mailbox.id).status is Status.DISCONNECTED


def test_s1_activation_of_a_marked_mailbox_makes_a_new_one(stage: Stage) -> None:
    (one,) = stage.activation.app_only(TENANT, ["room@contoso.example"], "op")
    commit(stage.replica, one.mailbox_id, created("A"))
    break_off(stage, stage.registry.get(one.mailbox_id))
    (again,) = stage.activation.app_only(TENANT, ["room@contoso.example"], "op")
    assert again.result == "active"
    assert again.mailbox_id != one.mailbox_id


def test_s1_shared_mailbox_that_is_marked_is_connected_anew(stage: Stage) -> None:
    stage.shared_addresses.append("info@contoso.example")
    stage.connect(ALEX)
    (shared,) = (one for one in stage.mailboxes if one.owner_id.startswith("shared-"))
    break_off(stage, shared)
    stage.connect(ALEX)
    standing = [one for one in stage.mailboxes if one.erasing_since is None and one.address == shared.address]
    assert [one.id != shared.id for one in standing] == [True]


def test_erasure_that_waits_for_a_pass_is_finished_daily(stage: Stage, mailbox: Mailbox) -> None:
    """S1: whoever asked for it need not come back."""
    lease = stage.leases.acquire(mailbox.id)
    assert lease is not None
    with pytest.raises(StillUnderWay):
        erase(stage, mailbox)
    assert stage.connections.finish_erasures() == 0
    lease.release()
    assert stage.connections.finish_erasures() == 1
    assert_erased(stage, mailbox)


def test_erasure_is_taken_over_from_a_worker_that_stands_still(stage: Stage, mailbox: Mailbox) -> None:
    """S2: it stands before its deletions in the replica until another has erased everything; then it goes on."""
    plain = stage.replica.erase

    def stands_still(mailbox_id: str) -> object:
        stage.replica.erase = plain  # type: ignore[method-assign]
        stage.leases.expire(mailbox.id)
        assert stage.connections.finish_erasures() == 1
        stage.connect(ALEX)
        return plain(mailbox_id)

    stage.replica.erase = stands_still  # type: ignore[method-assign, assignment]
    erase(stage, mailbox)
    assert_erased(stage, mailbox)
    (another,) = stage.mailboxes
    assert list(stage.tokens.stored) == [another.authorization_id]


def test_s2_late_records_of_a_pass_are_deleted_by_the_daily_round(stage: Stage, mailbox: Mailbox) -> None:
    erase(stage, mailbox)
    stage.registry.record_run(Run(mailbox.id, stage.clock(), stage.clock(), "done"))
    assert stage.connections.finish_erasures() == 0
    assert stage.registry.runs(mailbox.id) == []


def test_s2_daily_round_erases_the_copy_of_an_erased_mailbox_once_more(stage: Stage, mailbox: Mailbox) -> None:
    """What a worker left there that died before it had cleaned up: see the replica's own tests."""
    erase(stage, mailbox)
    stage.replica._stored[mailbox.id] = _Stored(derived={"occurrences": b"late"})
    stage.connections.finish_erasures()
    assert mailbox.id not in stage.replica._stored


def test_s1_renewal_whose_mailbox_is_marked_meanwhile_connects_a_new_one(stage: Stage, mailbox: Mailbox) -> None:
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.sources.meanwhile = lambda: break_off(stage, mailbox)
    outcome = stage.come_back(start)
    assert outcome.mailbox is not None
    assert outcome.mailbox.id != mailbox.id
    assert list(stage.tokens.stored) == [outcome.authorization_id]


def test_erasure_is_forgotten_when_no_worker_of_before_can_be_left(stage: Stage, mailbox: Mailbox) -> None:
    erase(stage, mailbox)
    stage.clock.pass_by(seconds=RECORDED.total_seconds())
    stage.connections.finish_erasures()
    assert [one.mailbox_id for one in stage.registry.erasures()] == [mailbox.id]
    stage.clock.pass_by(seconds=timedelta(days=1).total_seconds())
    stage.connections.finish_erasures()
    assert stage.registry.erasures() == []


def test_one_erasure_that_fails_keeps_no_other_from_being_finished(stage: Stage) -> None:
    people = [an_identity(f"{name}@contoso.example") for name in ("alex", "kim", "sam")]
    for person in people:
        break_off(stage, stage.connect(person))
    stage.replica.fail_at(1, DOWN)
    assert stage.connections.finish_erasures() == 2
    assert stage.connections.finish_erasures() == 1
    assert stage.mailboxes == []


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
    stage = Stage(registry=registry)
    mailbox = stage.connect(ALEX)

    def sign_in() -> None:
        stage.connect(ALEX)

    def armed() -> None:
        registry.meanwhile = sign_in

    registry.meanwhile = armed if late else sign_in
    receipt = stage.connections.erase(mailbox.id, ALEX.owner_id)
    (another,) = stage.mailboxes
    assert receipt.reconnected
    assert another.id != mailbox.id
    assert list(stage.tokens.stored) == [another.authorization_id]
    assert stage.access_tokens.access(another.authorization_id, another.address).token


def test_s3_sign_in_that_was_faster_than_the_mark_is_erased_with_it(stage: Stage, mailbox: Mailbox) -> None:
    """S3: the mark sees the sign-in's authorization, so its token goes too."""
    one = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    plain = stage.registry.begin_erasure

    def slow(mailbox_id: str) -> Mailbox:
        stage.come_back(one)
        return plain(mailbox_id)

    stage.registry.begin_erasure = slow  # type: ignore[method-assign]
    assert not stage.connections.erase(mailbox.id, ALEX.owner_id).reconnected
    assert stage.mailboxes == []
    assert stage.tokens.stored == {}
    assert stage.authorizations.stored == {}


def test_s3_renewal_of_a_mailbox_that_is_erased_meanwhile_leaves_no_token(stage: Stage, mailbox: Mailbox) -> None:
    start = stage.sign_in.renew(stage.session(ALEX), mailbox.id)
    stage.sources.meanwhile = lambda: erase(stage, mailbox)
    with pytest.raises((NotFound, SignInFailed)):
        stage.come_back(start)
    assert stage.tokens.stored == {}


def test_s3_plain_sign_in_while_the_mailbox_is_erased_connects_anew(stage: Stage, mailbox: Mailbox) -> None:
    stage.sources.meanwhile = lambda: erase(stage, stage.mailboxes[0]) if stage.mailboxes else None
    another = stage.connect(ALEX)
    assert another.id != mailbox.id
    assert list(stage.tokens.stored) == [another.authorization_id]


def test_s3_token_refreshed_while_it_is_given_back_does_not_stay(stage: Stage, mailbox: Mailbox) -> None:
    """A vault without the name's hold, as after a purge: the write succeeds, and is taken back."""
    stage.clock.pass_by(days=5)
    plain = stage.entra.refresh

    def slow(tenant_id: str, refresh_token: str, source: SourceName) -> object:
        erase(stage, mailbox)
        stage.tokens.deleted.clear()
        return plain(tenant_id, refresh_token, source)

    stage.entra.refresh = slow  # type: ignore[method-assign, assignment]
    stage.access_tokens.access(mailbox.authorization_id, mailbox.address)
    assert stage.tokens.stored == {}
