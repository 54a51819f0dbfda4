"""Cursors, feeds, packs and rows that commit 4decee5 wrote are read by this version, which syncs on from them."""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest

from shared.replica.port import Cursor
from shared.replica.storage_port import BlobInfo
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows, Plan
from tests.fakes.sync_harness import ID, SyncHarness
from tests.unit.sync.stored_lives import LIMITS, LIVES

STORED = Path(__file__).parent / "stored"


class Stored(BlobTableReplica):
    """The replica over stores that can be filled and let crash."""

    def __init__(self, world: SyncHarness) -> None:
        self.plan = Plan()
        self.blobs = MemoryBlobs(self.plan, world.clock)
        self.rows = MemoryRows(self.plan)
        super().__init__(self.blobs, self.rows)

    def crash_at(self, write: int) -> None:
        from tests.fakes.replica import Crash

        self.plan.at(write, Crash())

    def calm(self) -> None:
        self.plan.calm()

    def read_file(self, name: str) -> None:
        """Hold what a file says that an earlier version stored."""
        stored = json.loads((STORED / f"{name}.json").read_text())
        for container, blob, text, created_at, members in stored["blobs"]:
            data = base64.b64decode(text) if container == "packs" else text.encode()
            info = BlobInfo(blob, len(data), datetime.fromisoformat(created_at), members)
            self.blobs.blobs[container, blob] = (data, f'"{len(self.blobs.blobs)}"', info)
        self.rows.rows[ID] = {key: (values, f"W/{key}") for key, values in stored["rows"].items()}


def lived(name: str) -> SyncHarness:
    """The world after a life, with what this version stored of it."""
    world = SyncHarness(limits=LIMITS, page=5, batch=3)
    _replace(world, Stored(world))
    LIVES[name](world)
    return world


def _replace(world: SyncHarness, replica: Stored) -> None:
    world.replica = replica  # type: ignore[assignment]
    world.engine = world.new_engine()


@pytest.fixture(params=LIVES)
def world(request: pytest.FixtureRequest) -> SyncHarness:
    """A world after a life, with what the earlier version stored of it."""
    world = lived(request.param)
    replica = Stored(world)
    replica.read_file(request.param)
    _replace(world, replica)
    return world


@pytest.mark.parametrize("name", LIVES)
def test_this_version_stores_what_the_earlier_one_did(name: str) -> None:
    """The same notes, byte for byte, and folders that say the same: either version goes on where the other ended."""
    world = lived(name)
    stored = Stored(world)
    stored.read_file(name)
    before, now = (_cursor(replica) for replica in (stored, world.replica))  # type: ignore[arg-type]
    assert _comparable(now.notes) == _comparable(before.notes)
    assert now.folders == before.folders
    assert now.sequence == before.sequence


def _cursor(replica: Stored) -> Cursor:
    return replica.load(ID)


def _comparable(notes: object) -> object:
    """The notes without what differs on purpose: random parts of pack names, and the digest of the occurrences, whose
    metadata has gained the last-modified time.
    """
    text = json.dumps(notes)
    for word in text.split('"'):
        if word.endswith(".zip"):
            text = text.replace(word, "PACK")
    comparable = json.loads(text)
    comparable.pop("occurrences", None)
    return comparable


def test_it_syncs_on_from_what_the_earlier_version_stored(world: SyncHarness) -> None:
    keys = {item.source_id: item.key for item in world.replica.items(ID)}
    world.mailbox.blank = False
    world.sync()
    world.quiet()
    world.assert_equal()
    after = {item.source_id: item.key for item in world.replica.items(ID)}
    assert {id_: key for id_, key in keys.items() if id_ in after}.items() <= after.items()


def test_every_kind_of_change_reaches_a_store_of_the_earlier_version(world: SyncHarness) -> None:
    mailbox = world.mailbox
    mailbox.blank = False
    added, read, moved, deleted = (mailbox.add(mailbox.inbox) for _ in range(4))
    world.sync()
    mailbox.set_read(read)
    mailbox.delete(deleted)
    mailbox.move(moved, mailbox.archive)
    mailbox.update(added)
    world.sync()
    world.quiet()
    world.assert_equal()


def test_stored_contents_are_not_downloaded_again(world: SyncHarness) -> None:
    had = {mail.id for mail in world.expected().values()} & {item.source_id for item in world.replica.items(ID)}
    before = world.sources.downloads.copy()
    world.mailbox.blank = False
    world.sync()
    world.quiet()
    mails = [world.mailbox.mails[id_] for id_ in had]
    assert all(
        world.sources.downloads[mail.move_key, mail.content] == before[mail.move_key, mail.content] for mail in mails
    )
