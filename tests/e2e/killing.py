"""Killing the app's process outright in the middle of passes, at moments that a seed chooses, and starting it again."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from random import Random

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient

from sandbox.local.local_stack import LocalStack
from shared.replica.encoding.feed import replay
from tests.e2e.watching import Watched, insist, wait_for
from tests.waiting import SHORTEST_PAUSE, eventually

SLOW = {"service": "exchange", "times": None, "fault": {"kind": "delay", "seconds": 0.15}}
"""Exchange takes its time, so that a pass is long enough to be hit anywhere."""

SLOW_PACKS = {
    "service": "blob",
    "match": {"operation": "(GET|PUT|DELETE) packs"},
    "times": None,
    "fault": {"kind": "delay", "seconds": 0.5},
}
"""Storage takes its time over packs, so that a compaction of a few of them is long enough; needs the storage proxy."""

LONGEST_SECONDS = 2.0
"""Until how long after a pass has been seen to run the kill may come."""

TRIES = 4
"""How often a kill is repeated that came too late."""

LEASE_AND_MORE = 1_200
"""Seconds in which everybody must have been synced: a lease's term of 60, and a pass for each on a busy machine."""


@contextmanager
def slow(stack: LocalStack, what: object = SLOW) -> Iterator[None]:
    """Exchange, or whatever is named, answers late within this block."""
    rule = stack.sandbox.control.post("/faults", what)["id"]
    try:
        yield
    finally:
        stack.sandbox.control.delete(f"/faults/{rule}")


class Killer:
    """Kills the app of a stage; counts how often a pass was under way."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self._stack = stack
        self._chance = Random(seed)  # noqa: S311 -- repeatable on purpose
        self.hits = 0

    def strike(self, victim: Watched, ask: Callable[[], None], when: Callable[[], bool] | None = None) -> bool:
        """Ask for a pass of the victim, kill the app at some moment of it, and start it again.

        The moment comes within two seconds of `when`; without it, of the pass's beginning. Gives whether the pass was
        still under way: on a busy machine it may have ended by then, and whoever wants a hit strikes again.
        """
        insist("what is to be interrupted", ask, when or self._is_syncing, longest_pause=SHORTEST_PAUSE)
        time.sleep(self._chance.uniform(0, LONGEST_SECONDS))
        self._stack.host.kill()
        hit = is_held(victim)
        self.hits += hit
        if hit:
            end_lease(victim)
        self._stack.restart()
        return hit

    def _is_syncing(self) -> bool:
        return "sync_mailbox" in self._stack.host.status()["in_flight"]


def end_lease(one: Watched) -> None:
    """End the lease of a process that is dead, as its term of a minute would: nobody has to wait for that."""
    with suppress(ResourceNotFoundError, ResourceExistsError):
        BlobLeaseClient(one.parts.blobs.get_blob_client("leases", one.id)).break_lease(lease_break_period=0)


def is_free(one: Watched) -> bool:
    """Whether no pass holds the mailbox's lease."""
    return not is_held(one)


def is_held(one: Watched) -> bool:
    """Whether a pass, be it a dead one's, holds the mailbox's lease."""
    try:
        found = one.parts.blobs.get_blob_client("leases", one.id).get_blob_properties()
    except ResourceNotFoundError:
        return False
    return bool(found.lease.state == "leased")


def first_sync_killed(killer: Killer, stack: LocalStack, messages: int) -> Watched:
    """Somebody new signs in, and the app dies while it copies their mailbox for the first time."""
    one = Watched(stack, messages)
    one.sign_in()
    killer.strike(one, one.ask)
    return one


def pass_killed(killer: Killer, one: Watched, seed: int) -> None:
    """The app dies while it brings somebody's changes: once more if it was too late."""
    for number in range(TRIES):
        one.change(["create", "update", "move", "hard_delete", "create", "read_flag", "copy"] * 5, seed + 1000 * number)
        if killer.strike(one, one.ask):
            return


def compaction_killed(killer: Killer, one: Watched, seed: int) -> None:
    """The app dies while a sweep takes the bytes of deleted items out of somebody's packs: once more if too late."""
    for number in range(TRIES):
        one.change(["hard_delete"] * 25, seed + 1000 * number)
        one.synced()
        before = packs_of(one)
        if killer.strike(one, partial(one.ask, sweep=True), partial(have_changed, one, before)):
            return


def have_changed(one: Watched, packs: set[str]) -> bool:
    """Whether a mailbox has other packs by now."""
    return packs_of(one) != packs


def packs_of(one: Watched) -> set[str]:
    """The names of a mailbox's packs."""
    return {blob.name for blob in one.parts.blobs.get_container_client("packs").list_blobs(f"{one.id}/")}


def dead_bytes(one: Watched) -> set[str]:
    """Members of packs that belong to no item of the replica any more, once a sweep has compacted them."""
    one.swept()
    container, found = one.parts.blobs.get_container_client("packs"), set[str]()
    for name in packs_of(one):
        data = io.BytesIO(container.download_blob(name).readall())
        found |= {f"{name} {member}" for member in zipfile.ZipFile(data).namelist()}
    places = ((item.key, item.located) for item in one.parts.replica.items(one.id))
    return found - {f"{located.pack} {key}.{located.form}" for key, located in places if located}


def assert_whole(everybody: Sequence[Watched]) -> None:
    """Let the timer tick until everybody is synced: nothing is missing, doubled or different, and no lease is stuck."""
    wait_for(everybody, datetime.now(UTC), seconds=LEASE_AND_MORE)
    for one in everybody:
        assert one.compared().is_equal, one.compared()
        items = {item.key: item.with_changes(located=None) for item in one.parts.replica.items(one.id)}
        assert replay(one.parts.replica.feed(one.id)) == items
        assert one.mailbox.first_sync_done
        assert (one.mailbox.failures, one.mailbox.rejections) == (0, 0)
        eventually("the lease to be free", partial(is_free, one))
