"""Verifying a replica: what is wrong is found, and what a pass writes meanwhile is nothing wrong."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared.replica.maintenance.feed_state import FeedState
from shared.replica.maintenance.verify import VerifyResult, verify
from shared.replica.port import FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.reading.port import PAGE_NUMBERS, NumberedChange, change_number
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import CURSORS, PACKS
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import NOW, an_item, commit, created

MAILBOX = "mailbox-1"


class Busy(BlobTableReader):
    """Somebody else acts when the first item has been read; the others are listed as they were before that."""

    def __init__(self, blobs: MemoryBlobs, rows: MemoryRows) -> None:
        super().__init__(blobs, rows)
        self.meanwhile: Callable[[], object] | None = None

    def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
        for item in list(super().every_item(mailbox_id, left=left)):
            yield item
            if self.meanwhile is not None:
                act, self.meanwhile = self.meanwhile, None
                act()


class Bench:
    """Items of every history: moved, flagged, updated, stripped of content, deleted and come back."""

    def __init__(self) -> None:
        self.blobs, self.rows = MemoryBlobs(clock=lambda: NOW), MemoryRows()
        self.replica, self.reader = BlobTableReplica(self.blobs, self.rows), Busy(self.blobs, self.rows)
        commit(self.replica, MAILBOX, *(created(each) for each in ("moved", "flagged", "updated", "bare", "back", "x")))
        back = self.found("back")
        commit(
            self.replica,
            MAILBOX,
            FeedChange(FeedKind.MOVE, self.found("moved").with_changes(source_id="moved on", located=None)),
            created("updated", b"new content"),
            FeedChange(FeedKind.READ_FLAG, self.found("updated").with_changes(is_read=True)),
            FeedChange(FeedKind.UPDATE, self.found("bare").with_changes(located=None)),
            FeedChange(FeedKind.DELETE, back),
        )
        commit(
            self.replica,
            MAILBOX,
            FeedChange(FeedKind.CREATE, back),
            FeedChange(FeedKind.UPDATE, self.found("flagged").with_changes(subject="another")),
        )

    def found(self, source_id: str) -> ReplicaItem:
        return self.replica.find(MAILBOX, [source_id])[source_id]

    def change(self, source_id: str, **values: str) -> None:
        """Change a row behind everybody's back."""
        row, etag = self.rows.rows[MAILBOX][item_key(source_id)]
        self.rows.rows[MAILBOX][item_key(source_id)] = ({**row, **values}, etag)

    def wrong(self) -> VerifyResult:
        return verify(self.reader, MAILBOX)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_whole_replica_is_found_whole_before_and_after_compaction(bench: Bench) -> None:
    assert bench.wrong() == VerifyResult(items=6, contents=5)
    bench.replica.compact(MAILBOX, NOW, 7)
    assert bench.wrong() == VerifyResult(items=6, contents=5)


def test_an_item_that_has_lost_its_content_is_found(bench: Bench) -> None:
    bench.change("x", pack="")
    assert bench.wrong() == VerifyResult(items=6, contents=4, different={item_key("x")})


def test_an_item_that_has_the_content_of_another_is_found(bench: Bench) -> None:
    row, _ = bench.rows.rows[MAILBOX][item_key("flagged")]
    bench.change("x", **{name: row[name] for name in ("pack", "offset", "length", "form", "sha256")})  # type: ignore[arg-type]
    assert bench.wrong() == VerifyResult(items=6, contents=5, different={item_key("x")})


def test_items_that_are_gone_damaged_or_of_nobody_are_found(bench: Bench) -> None:
    rows = bench.rows.rows[MAILBOX]
    del rows[item_key("x")]
    rows[item_key("nobody")] = rows[item_key("bare")]
    (key, (data, etag, info)) = next(entry for entry in bench.blobs.blobs.items() if entry[0][0] == PACKS)
    bench.blobs.blobs[key] = (data.replace(b"moved", b"other"), etag, info)
    found = bench.wrong()
    assert (found.only_in_feed, found.different) == ({item_key("x")}, {item_key("nobody")})
    assert found.damaged == {item_key("moved")}


def deleted_and_compacted(bench: Bench) -> None:
    everything = list(bench.replica.items(MAILBOX))
    commit(bench.replica, MAILBOX, *(FeedChange(FeedKind.DELETE, item) for item in everything))
    bench.replica.compact(MAILBOX, NOW + timedelta(days=9), 7)


def written_anew(bench: Bench) -> None:
    commit(bench.replica, MAILBOX, created("new"), *(created(each, b"anew") for each in ("x", "flagged", "moved")))


@pytest.mark.parametrize("meanwhile", [deleted_and_compacted, written_anew])
def test_what_a_pass_writes_meanwhile_is_nothing_wrong(bench: Bench, meanwhile: Callable[[Bench], None]) -> None:
    bench.reader.meanwhile = lambda: meanwhile(bench)
    assert bench.wrong().wrong() == set()


def test_what_is_wrong_is_found_though_a_pass_writes_meanwhile(bench: Bench) -> None:
    bench.change("x", subject="forged")
    bench.reader.meanwhile = lambda: commit(bench.replica, MAILBOX, created("flagged", b"anew"), created("new"))
    assert bench.wrong().different == {item_key("x")}


@pytest.mark.parametrize("lost", [False, True], ids=["cursor behind", "cursor lost"])
def test_page_that_a_crash_left_unapplied_is_nothing_wrong(bench: Bench, *, lost: bool) -> None:
    """Nothing is written, and what else is wrong is found all the same."""
    rows, cursor = dict(bench.rows.rows[MAILBOX]), bench.blobs.blobs[CURSORS, MAILBOX]
    commit(
        bench.replica,
        MAILBOX,
        created("new"),
        FeedChange(FeedKind.DELETE, bench.found("moved on")),
        FeedChange(FeedKind.UPDATE, bench.found("flagged").with_changes(subject="third")),
    )
    bench.rows.rows[MAILBOX], bench.blobs.blobs[CURSORS, MAILBOX] = rows, cursor
    if lost:
        del bench.blobs.blobs[CURSORS, MAILBOX]
    before = (dict(rows), dict(bench.blobs.blobs))
    assert bench.wrong().wrong() == set()
    assert (bench.rows.rows[MAILBOX], bench.blobs.blobs) == before
    bench.change("x", subject="forged")
    assert bench.wrong().wrong() == {item_key("x")}


@pytest.mark.memory
def test_feed_state_needs_little_memory_whatever_the_items() -> None:
    """Twenty thousand items of two kilobytes each: what is kept of them takes less than one megabyte."""
    told = FeedState(Endless(MemoryBlobs(), MemoryRows()), MAILBOX)
    tracemalloc.start()
    try:
        told.read_new_pages()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 1_000_000
    assert item_key("199-99") in told
    assert told.matches(a_page(199)[99].item)
    assert not told.matches(a_page(199)[99].item.with_changes(subject="another"))
    assert len(told.missing_keys()) == 19_999


def a_page(number: int) -> list[FeedChange]:
    return [
        FeedChange(FeedKind.CREATE, an_item(f"{number}-{one}", metadata={"to": f"{one}" * 1000})) for one in range(100)
    ]


class Endless(BlobTableReader):
    """A feed of two hundred pages, each made when it is asked for."""

    def every_change(self, mailbox_id: str, after: int = 0) -> Iterator[NumberedChange]:
        for number in range(max(0, after // PAGE_NUMBERS - 1), 200):
            for place, change in enumerate(a_page(number), 1):
                yield NumberedChange(change_number(number + 1, place), change)
