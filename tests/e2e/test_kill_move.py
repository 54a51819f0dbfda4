"""The app's process is killed while mailboxes move from EWS to Graph and back."""

from datetime import UTC, datetime
from functools import partial

from sandbox.local.local_stack import LocalStack
from shared.mailboxes.moves import asked_to_move
from shared.replica.port import FeedKind
from shared.sources.model import SourceName
from tests.e2e.killing import Killer, assert_whole, slow
from tests.e2e.watching import Watched, insist, wait_for

SEED = 20261128
MESSAGES = 120
SLOW_GRAPH = {"service": "graph", "times": None, "fault": {"kind": "delay", "seconds": 0.3}}
"""Graph takes its time, so that a survey is long enough to be hit anywhere."""


def test_killing_the_app_in_the_middle_of_moves_leaves_everything_as_it_was(running_app: LocalStack) -> None:
    killer, began = Killer(running_app, SEED), datetime.now(UTC)
    one = Watched(running_app, MESSAGES)
    one.sign_in()
    wait_for([one], began)
    keys = {item.key for item in one.parts.replica.items(one.id)}
    before = one.parts.replica.load(one.id).sequence
    for target in (SourceName.GRAPH, SourceName.EWS, SourceName.GRAPH):
        one.parts.registry.change(one.id, partial(asked_to_move, target=target, by="operator"))
        with slow(running_app), slow(running_app, SLOW_GRAPH):
            killer.strike(one, one.ask)
        insist("the move", one.ask, partial(_has_moved, one, target))

    assert_whole([one])
    assert {item.key for item in one.parts.replica.items(one.id)} == keys
    changes = [change for page in one.parts.replica.feed(one.id, before) for change in page.changes]
    assert {change.kind for change in changes} <= {FeedKind.RESTATE}


def _has_moved(one: Watched, target: SourceName) -> bool:
    return one.mailbox.source is target and one.mailbox.moving_to is None
