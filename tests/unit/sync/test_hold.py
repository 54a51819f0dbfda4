"""A mailbox on legal hold: syncing goes on, and what leaves the mailbox stays in packs and feed until it is lifted."""

from collections.abc import Callable

import pytest

from shared.mailboxes import transitions
from shared.replica.storage_port import FEED, PACKS
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.fakes.sync_harness import ID, SyncHarness


def stored(blobs: MemoryBlobs, container: str) -> bytes:
    return b"".join(data for (where, _), (data, *_) in blobs.blobs.items() if where == container)


def hold(world: SyncHarness) -> None:
    world.registry.change(ID, lambda before: transitions.on_hold(before, "Matter 7", "op", world.clock()))


def lift(world: SyncHarness) -> None:
    world.registry.change(ID, transitions.without_hold)


@pytest.fixture
def world() -> SyncHarness:
    return SyncHarness()


@pytest.fixture
def blobs(world: SyncHarness) -> MemoryBlobs:
    blobs = MemoryBlobs(clock=world.clock)
    world.replica = BlobTableReplica(blobs, MemoryRows())  # type: ignore[assignment]
    world.engine = world.new_engine()
    return blobs


def test_sync_goes_on_and_deleted_content_stays_until_the_hold_is_lifted(
    world: SyncHarness, blobs: MemoryBlobs
) -> None:
    gone, kept = (world.mailbox.add(world.mailbox.inbox, subject=each) for each in ("a secret", "kept"))
    body = world.mailbox.mails[gone].body
    world.sync()
    hold(world)
    world.mailbox.delete(gone)
    new = world.mailbox.add(world.mailbox.inbox)
    for _ in range(3):
        world.clock.pass_by(hours=24 * 10)
        world.sweep()
    assert set(world.items()) == {kept, new}
    assert body in stored(blobs, PACKS)
    assert b"a secret" in stored(blobs, FEED)
    lift(world)
    world.sweep()
    assert body not in stored(blobs, PACKS)
    assert b"a secret" not in stored(blobs, FEED)


@pytest.mark.parametrize("status", [transitions.paused, transitions.disconnected])
def test_stopped_mailbox_on_hold_is_not_compacted(
    world: SyncHarness, blobs: MemoryBlobs, status: Callable[..., object]
) -> None:
    gone = world.mailbox.add(world.mailbox.inbox)
    body = world.mailbox.mails[gone].body
    world.sync()
    world.mailbox.delete(gone)
    world.sync()
    world.registry.change(ID, status)  # type: ignore[arg-type]
    hold(world)
    world.clock.pass_by(hours=24 * 30)
    world.engine.sync(ID, sweep=True)
    assert body in stored(blobs, PACKS)
    lift(world)
    world.engine.sync(ID, sweep=True)
    assert body not in stored(blobs, PACKS)
