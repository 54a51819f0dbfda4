"""Moves that are asked for many mailboxes at once: one that is being erased keeps no other from it."""

from collections.abc import Callable

import pytest

from shared.errors import BeingErased, NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.move_commands import MoveCommands
from shared.sources.model import SourceName
from tests.fakes.registry import FakeRegistry
from tests.unit.mailboxes.test_transitions import a_mailbox

GRAPH = SourceName.GRAPH


class ErasedMeanwhile(FakeRegistry):
    """A registry in which the erasure of a mailbox begins just before it is changed."""

    def __init__(self, mailbox_id: str) -> None:
        super().__init__()
        self._erased = mailbox_id

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        if mailbox_id == self._erased:
            self.begin_erasure(mailbox_id)
        return super().change(mailbox_id, change, known)


def filled(registry: FakeRegistry) -> MoveCommands:
    """Three mailboxes in the registry."""
    for name in ("a", "b", "c"):
        registry.add(a_mailbox(id=name, owner_id=name, address=f"{name}@contoso.example"))
    return MoveCommands(registry, lambda _: True)


def asked(registry: FakeRegistry) -> set[str]:
    return {mailbox.id for mailbox in registry.all() if mailbox.moving_to is GRAPH}


def test_mailbox_that_is_being_erased_is_not_among_all() -> None:
    registry = FakeRegistry()
    commands = filled(registry)
    registry.begin_erasure("b")

    commands.ask(commands.chosen(), GRAPH, "op")

    assert asked(registry) == {"a", "c"}
    assert [mailbox.id for mailbox in commands.cancel(commands.chosen(), "op")] == ["a", "c"]


def test_mailbox_whose_erasure_begins_meanwhile_is_passed_over() -> None:
    registry = ErasedMeanwhile("b")
    commands = filled(registry)

    assert [mailbox.id for mailbox in commands.ask(commands.chosen(), GRAPH, "op")] == ["a", "c"]
    assert asked(registry) == {"a", "c"}


@pytest.mark.parametrize(("named", "error"), [("b", BeingErased), ("none", NotFound)])
def test_named_mailbox_that_is_being_erased_or_unknown_changes_none(named: str, error: type[Exception]) -> None:
    registry = FakeRegistry()
    commands = filled(registry)
    registry.begin_erasure("b")

    with pytest.raises(error):
        commands.ask(["a", named], GRAPH, "op")
    assert asked(registry) == set()
