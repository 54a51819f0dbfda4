"""The app's process is killed while it copies a mailbox for the first time over Microsoft Graph."""

from sandbox.local.local_stack import LocalStack
from shared.sources.model import SourceName
from tests.e2e.killing import SLOW, TRIES, Killer, assert_whole, slow
from tests.e2e.watching import Watched

SEED = 20261128
MANY = 300


def test_killing_the_app_in_a_first_sync_over_graph_loses_nothing(running_app: LocalStack) -> None:
    killer = Killer(running_app, SEED)
    everybody: list[Watched] = []
    with slow(running_app, SLOW | {"service": "graph"}):
        while not killer.hits and len(everybody) < TRIES:
            everybody.append(first_sync_killed(killer, running_app))
    assert_whole(everybody)
    assert killer.hits
    assert {one.mailbox.source for one in everybody} == {SourceName.GRAPH}


def first_sync_killed(killer: Killer, stack: LocalStack) -> Watched:
    """Somebody new whose tenant blocks EWS signs in, and the app dies while it copies their mailbox."""
    one = Watched(stack, MANY)
    one.control("block", variant="app_not_listed")
    one.sign_in()
    killer.strike(one, one.ask)
    return one
