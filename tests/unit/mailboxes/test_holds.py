"""Legal holds: setting and lifting, what they forbid, and the audit trail (docs/decisions/0019-legal-hold.md)."""

import pytest

from shared.errors import BeingErased, NotFound
from shared.mailboxes.errors import ErasureBegun, HoldReasonInvalid, OnHold
from shared.mailboxes.holds import MAX_REASON, HoldCommands
from shared.mailboxes.model import Mailbox, Status
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack

ME = an_identity().owner_id


@pytest.fixture
def stack() -> AuthorizationStack:
    return AuthorizationStack()


@pytest.fixture
def holds(stack: AuthorizationStack) -> HoldCommands:
    return HoldCommands(stack.registry, stack.clock)


@pytest.fixture
def mailbox(stack: AuthorizationStack) -> Mailbox:
    return stack.connect()


def acts(stack: AuthorizationStack) -> list[tuple[str, str]]:
    return [(actor, act) for _, actor, act in stack.registry.audit][1:]


def test_hold_names_its_time_reason_and_operator(
    stack: AuthorizationStack, holds: HoldCommands, mailbox: Mailbox
) -> None:
    begun = stack.clock()
    held = holds.hold(mailbox.id, "  Matter 7 ", "op-1")
    assert (held.hold_since, held.hold_by, held.hold_reason) == (begun, "op-1", "Matter 7")
    assert held.status is Status.ACTIVE
    stack.clock.pass_by(hours=1)
    again = holds.hold(mailbox.id, "Matter 8", "op-2")
    assert (again.hold_since, again.hold_by, again.hold_reason) == (begun, "op-2", "Matter 8")
    lifted = holds.lift(mailbox.id, "op-3")
    assert (lifted.hold_since, lifted.hold_by, lifted.hold_reason) == (None, "", "")
    assert acts(stack) == [("op-1", "hold"), ("op-2", "hold"), ("op-3", "lift_hold")]


@pytest.mark.parametrize("reason", ["", "   ", "x" * (MAX_REASON + 1), "two\nlines", "\x1b[31mred"])
def test_hold_needs_one_line_of_text(
    stack: AuthorizationStack, holds: HoldCommands, mailbox: Mailbox, reason: str
) -> None:
    with pytest.raises(HoldReasonInvalid):
        holds.hold(mailbox.id, reason, "op")
    assert stack.registry.get(mailbox.id).hold_since is None
    assert acts(stack) == []


def test_mailbox_on_hold_is_not_erased_until_the_hold_is_lifted(
    stack: AuthorizationStack, holds: HoldCommands, mailbox: Mailbox
) -> None:
    holds.hold(mailbox.id, "Matter 7", "op")
    for _ in range(2):
        with pytest.raises(OnHold):
            stack.mailbox_commands.erase(mailbox.id, ME)
    assert stack.registry.get(mailbox.id).erasing_since is None
    assert stack.registry.erasures() == []
    assert stack.mailbox_commands.finish_erasures() == 0
    assert mailbox.authorization_id in stack.tokens.stored
    assert acts(stack)[1:] == [(ME, "erase_refused")] * 2
    holds.lift(mailbox.id, "op")
    assert stack.mailbox_commands.erase(mailbox.id, ME).erased["mailboxes"] == 1


def test_hold_survives_everything_else_that_people_do(
    stack: AuthorizationStack, holds: HoldCommands, mailbox: Mailbox
) -> None:
    holds.hold(mailbox.id, "Matter 7", "op")
    stack.mailbox_commands.pause(mailbox.id, ME)
    stack.mailbox_commands.start(mailbox.id, ME)
    assert stack.mailbox_commands.disconnect(mailbox.id, ME).hold_reason == "Matter 7"
    assert stack.connect().id == mailbox.id
    assert stack.registry.get(mailbox.id).hold_reason == "Matter 7"


def test_erasure_that_has_begun_is_not_undone_by_a_hold(
    stack: AuthorizationStack, holds: HoldCommands, mailbox: Mailbox
) -> None:
    stack.registry.begin_erasure(mailbox.id)
    with pytest.raises(ErasureBegun):
        holds.hold(mailbox.id, "Matter 7", "op")
    with pytest.raises(BeingErased):
        holds.lift(mailbox.id, "op")
    assert stack.registry.get(mailbox.id).hold_since is None
    stack.mailbox_commands.finish_erasures()
    with pytest.raises(NotFound):
        holds.hold(mailbox.id, "Matter 7", "op")
    assert ("op", "hold") not in acts(stack)
