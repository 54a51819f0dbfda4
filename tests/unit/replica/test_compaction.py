"""When compaction is due, what it frees, and what it must leave alone."""

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from shared.errors import ItemUnusable
from shared.replica.encoding import pack
from shared.replica.encoding.item_rows import location_properties
from shared.replica.maintenance.compaction import (
    PACKS_AT_ONCE,
    PAGES_PER_LISTING,
    compaction_state_name,
    is_compaction_due,
)
from shared.replica.port import FeedChange, FeedKind, item_key
from shared.replica.storage_port import CURSORS, FEED, PACKS, Blob, Row
from shared.replica.store import BlobTableReplica
from shared.sources.model import Content
from tests.fakes.storage import Crash, MemoryBlobs, MemoryRows, Plan
from tests.unit.replica.samples import NOW, commit, created

MAILBOX = "mailbox-1"


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs(clock=lambda: NOW)


@pytest.fixture
def replica(blobs: MemoryBlobs) -> BlobTableReplica:
    return BlobTableReplica(blobs, MemoryRows())


def delete(replica: BlobTableReplica, *source_ids: str) -> None:
    found = replica.find(MAILBOX, source_ids)
    commit(replica, MAILBOX, *(FeedChange(FeedKind.DELETE, item) for item in found.values()))


def everything(blobs: MemoryBlobs) -> bytes:
    return b"".join(data for data, _, _ in blobs.blobs.values())


@pytest.mark.parametrize("days", [0, 1, 2, 7, 90])
def test_a_daily_sweep_keeps_the_promise(days: int) -> None:
    """Whenever something is deleted, the first compaction after it is at most the promised days away."""
    ran: list[datetime] = []
    for day in range(200):
        if is_compaction_due(ran[-1] if ran else None, NOW + timedelta(days=day), days):
            ran.append(NOW + timedelta(days=day))
    gaps = {later - earlier for earlier, later in pairwise(ran)}
    assert gaps == {timedelta(days=max(days - 1, 1))}


def test_compaction_waits_for_its_day(replica: BlobTableReplica) -> None:
    commit(replica, MAILBOX, created("A", b"x" * 1000), created("B"))
    replica.compact(MAILBOX, NOW, 7)
    delete(replica, "A")
    assert replica.compact(MAILBOX, NOW + timedelta(days=5), 7) == 0
    assert replica.compact(MAILBOX, NOW + timedelta(days=6), 7) > 1000


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"at": "today", "sequence": 1}', b'{"at": 7}', b"\xff"])
def test_record_that_cannot_be_read_stops_no_compaction(
    replica: BlobTableReplica, blobs: MemoryBlobs, record: bytes
) -> None:
    commit(replica, MAILBOX, created("A", b"x" * 1000), created("B"))
    replica.compact(MAILBOX, NOW, 7)
    delete(replica, "A")
    blobs.put(CURSORS, compaction_state_name(MAILBOX), record)
    assert replica.compact(MAILBOX, NOW, 7) > 1000
    assert replica.compact(MAILBOX, NOW, 7) == 0


def test_nothing_of_a_deleted_item_stays_in_storage(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    commit(replica, MAILBOX, created("A", b"secret bytes", subject="secret subject"), created("B", b"other"))
    delete(replica, "A")
    assert b"secret" in everything(blobs)
    replica.compact(MAILBOX, NOW, 7)
    assert b"secret" not in everything(blobs)
    assert b"other" in everything(blobs)
    assert replica.compact(MAILBOX, NOW + timedelta(days=30), 7) == 0


def test_an_unchanged_mailbox_is_left_as_it_is(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    commit(replica, MAILBOX, created("A"), created("B"))
    before = {key: etag for key, (_, etag, _) in blobs.blobs.items() if key[0] in (PACKS, FEED)}
    assert replica.compact(MAILBOX, NOW, 7) == 0
    assert {key: etag for key, (_, etag, _) in blobs.blobs.items() if key[0] in (PACKS, FEED)} == before


def test_replaced_content_goes_too(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    commit(replica, MAILBOX, created("A", b"first draft"))
    commit(replica, MAILBOX, created("A", b"second draft"))
    replica.compact(MAILBOX, NOW, 7)
    assert b"first draft" not in everything(blobs)
    assert replica.content(MAILBOX, replica.item(MAILBOX, item_key("A"))) == b"second draft"


class CountingBlobs(MemoryBlobs):
    """Blobs that count how many feed pages are read."""

    read = 0

    def get(self, container: str, name: str) -> Blob | None:
        self.read += container == FEED
        return super().get(container, name)


@pytest.mark.parametrize("recorded", [True, False])
def test_pages_that_delete_nothing_are_not_read(recorded: bool) -> None:
    """Pages of earlier versions do not record whether they delete anything: these are read."""
    blobs = CountingBlobs(clock=lambda: NOW)
    replica = BlobTableReplica(blobs, MemoryRows())
    pages = PAGES_PER_LISTING + 5
    for number in range(pages):
        commit(replica, MAILBOX, created(f"{number}"))
    if not recorded:
        for key, (data, etag, info) in blobs.blobs.items():
            blobs.blobs[key] = (data, etag, replace(info, deletes=None))
    blobs.read = 0
    replica.compact(MAILBOX, NOW, 7)
    looked_for = 1
    assert blobs.read == looked_for + (0 if recorded else pages)


@pytest.mark.parametrize("recorded", [True, False])
def test_one_page_of_many_that_deletes_is_enough(recorded: bool) -> None:
    blobs = MemoryBlobs(clock=lambda: NOW)
    replica = BlobTableReplica(blobs, MemoryRows())
    for number in range(PAGES_PER_LISTING + 5):
        commit(replica, MAILBOX, created(f"{number}", subject=f"secret {number}."))
    delete(replica, "3")
    if not recorded:
        for key, (data, etag, info) in blobs.blobs.items():
            blobs.blobs[key] = (data, etag, replace(info, deletes=None))
    replica.compact(MAILBOX, NOW, 7)
    assert b"secret 3." not in everything(blobs)
    assert b"secret 4." in everything(blobs)


def test_a_pack_of_a_pass_under_way_is_spared_until_it_is_old(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    commit(replica, MAILBOX, created("A"))
    blobs.put(PACKS, f"{MAILBOX}/0000000002-feedfeedfeedfeed.zip", b"under way", members=1)
    assert replica.compact(MAILBOX, NOW + timedelta(hours=1), 0) == 0
    assert b"under way" in everything(blobs)
    assert replica.compact(MAILBOX, NOW + timedelta(hours=26), 0) == len(b"under way")


def test_a_pack_of_an_attempt_that_never_committed_is_swept(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    blobs.put(PACKS, f"{MAILBOX}/0000000001-feedfeedfeedfeed.zip", b"stray", members=1)
    commit(replica, MAILBOX, created("A"))
    assert replica.compact(MAILBOX, NOW, 7) == len(b"stray")


def test_damage_is_noticed_and_not_laundered(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    commit(replica, MAILBOX, created("A", b"whole content"), created("B"))
    (key, (data, etag, info)) = next(entry for entry in blobs.blobs.items() if entry[0][0] == PACKS)
    blobs.blobs[key] = (data.replace(b"whole content", b"other content"), etag, info)
    for days in (0, 30):
        with pytest.raises(ItemUnusable):
            replica.content(MAILBOX, replica.item(MAILBOX, item_key("A")))
        delete(replica, "B")
        replica.compact(MAILBOX, NOW + timedelta(days=days), 7)


class WireRows(MemoryRows):
    """Every answer is read anew: none of it is shared with what is stored."""

    def query(
        self, mailbox_id: str, *, folders: Sequence[str] = (), only: Sequence[str] = (), left: bool = False
    ) -> Iterator[Row]:
        for row in super().query(mailbox_id, folders=folders, only=only, left=left):
            yield json.loads(json.dumps(row))


@pytest.mark.memory
def test_compaction_holds_the_rows_of_few_packs_in_memory() -> None:
    """Something was deleted from each of two thousand packs: what is held of the rows is less than all of them."""
    plan = Plan()
    blobs, rows = MemoryBlobs(plan, clock=lambda: NOW), WireRows()
    replica = BlobTableReplica(blobs, rows)
    commit(replica, MAILBOX, created("A", b""))
    for number in range(2_000):
        packed = pack.build(MAILBOX, 1, [(item_key(f"{number}-{one}"), Content("eml", b"x")) for one in range(11)])
        blobs.put(PACKS, packed.name, packed.data, members=11)
        rows.rows[MAILBOX] |= {key: (location_properties(packed.located[key]), "") for key in list(packed.located)[:10]}
    held: list[int] = []

    def measure() -> None:
        held.append(tracemalloc.get_traced_memory()[0])
        raise Crash

    plan.before(1, measure)
    tracemalloc.start()
    try:
        with pytest.raises(Crash):
            replica.compact(MAILBOX, NOW, 7)
    finally:
        tracemalloc.stop()
    assert held[0] < 5_000_000


def test_more_packs_than_are_rewritten_at_once_are_all_rewritten(replica: BlobTableReplica, blobs: MemoryBlobs) -> None:
    pages = range(PACKS_AT_ONCE + 3)
    for number in pages:
        commit(replica, MAILBOX, created(f"dead {number}", b"dead"), created(f"{number}", b"alive"))
    delete(replica, *(f"dead {number}" for number in pages))
    replica.compact(MAILBOX, NOW, 7)
    assert not [key for key, (data, _, _) in blobs.blobs.items() if key[0] == PACKS and b"dead" in data]
    assert [replica.content(MAILBOX, item) for item in replica.items(MAILBOX)] == [b"alive"] * len(pages)


class RecordingBlobs(MemoryBlobs):
    """Blobs that count what is destroyed: deletions, and pages replaced by others."""

    destroyed = 0

    def delete(self, container: str, name: str) -> None:
        self.destroyed += 1
        super().delete(container, name)

    def put(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        absent: bool = False,
        etag: str = "",
        members: int = 0,
        deletes: bool | None = None,
    ) -> str:
        self.destroyed += container == FEED and bool(etag)
        return super().put(container, name, data, absent=absent, etag=etag, members=members, deletes=deletes)


@pytest.mark.parametrize("write", range(20))
def test_hold_stops_a_compaction_before_anything_more_is_deleted(write: int) -> None:
    """The hold begins before any write, 0: before the compaction. Only that write may still delete something.

    After the hold is lifted, a compaction is due at once and completes the work.
    """
    plan, held = Plan(), write == 0
    blobs, rows = RecordingBlobs(plan, clock=lambda: NOW), MemoryRows(plan)
    replica = BlobTableReplica(blobs, rows)
    for number in range(3):
        commit(replica, MAILBOX, created(f"gone {number}", b"secret", subject="secret"), created(f"{number}", b"alive"))
    for number in range(3):
        commit(replica, MAILBOX, created(f"alone {number}", b"secret", subject="secret"))
    delete(replica, *(f"gone {number}" for number in range(3)), *(f"alone {number}" for number in range(3)))
    destroyed, begun = 0, plan.writes

    def begin() -> None:
        nonlocal held, destroyed
        held, destroyed = True, blobs.destroyed

    if write:
        plan.before(write, begin)
    freed = replica.compact(MAILBOX, NOW, 7, lambda: held)
    assert held, "more writes than a compaction has"
    assert blobs.destroyed - destroyed <= 1
    if blobs.destroyed == destroyed:
        assert (freed, b"secret" in everything(blobs)) == (0, True)
    assert write or plan.writes == begun
    assert [replica.content(MAILBOX, item) for item in replica.items(MAILBOX)] == [b"alive"] * 3
    replica.compact(MAILBOX, NOW + timedelta(hours=25), 7)
    assert b"secret" not in everything(blobs)
    assert [replica.content(MAILBOX, item) for item in replica.items(MAILBOX)] == [b"alive"] * 3
