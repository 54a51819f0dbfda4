"""The app's process is killed six times in the middle of passes; tests/soak kills it thirty times.

No event of a webhook is lost either: decision 16.
"""

from datetime import UTC, datetime
from functools import partial

from sandbox.local.local_stack import LocalStack
from tests.e2e.killing import Killer, assert_whole, first_sync_killed, pass_killed, slow
from tests.e2e.watching import Watched, insist, tick, wait_for
from tests.e2e.webhook_receiver import Hook

SEED = 20261123
EACH = 3
MANY, FEW = 600, 60


def test_killing_the_app_leaves_nothing_missing_doubled_or_different(running_app: LocalStack, hook: Hook) -> None:
    hook.register(events=["mailbox.connected", "mailbox.synced"])
    killer = Killer(running_app, SEED)
    settled = [Watched(running_app, FEW) for _ in range(EACH)]
    began = datetime.now(UTC)
    for one in settled:
        one.sign_in()
    wait_for(settled, began)
    everybody = list(settled)
    with slow(running_app):
        for number, one in enumerate(settled):
            pass_killed(killer, one, number)
            everybody.append(first_sync_killed(killer, running_app, MANY))
    assert_whole(everybody)
    insist("events of every page", partial(tick, running_app), lambda: all(hook.tells_all(one) for one in everybody))
    assert killer.hits >= EACH
