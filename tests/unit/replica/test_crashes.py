"""A crash, a lost answer or another writer at every single write: afterward the replica is as if nothing had been."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Conflict, Reason, RetryLater
from shared.replica.port import Cursor, FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.storage_port import CURSORS, FEED, PACKS
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import Crash, MemoryBlobs, MemoryRows, Plan
from tests.unit.replica.samples import (
    NOW,
    an_item,
    commit,
    created,
    cursor_with,
    folder,
    only_tombstone,
    replayed,
    truth,
)

MAILBOX = "mailbox-1"
LATER = NOW + timedelta(days=400)


class Bench:
    """A replica over storage in memory with four items, one of them moved and one deleted."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.blobs = MemoryBlobs(self.plan, lambda: NOW)
        self.rows = MemoryRows(self.plan)
        self.replica = self.another_process()
        after = cursor_with(folder(state="s1"), folder("sent", state="t1"))
        self.commit(
            created("A", b"a" * 300), created("B", b"b" * 300), created("gone", b"g" * 300), created("D"), after=after
        )
        self.commit(FeedChange(FeedKind.MOVE, self.found("B").with_changes(source_id="B2", folder_id="sent")))
        self.commit(FeedChange(FeedKind.DELETE, self.found("gone")))

    def another_process(self) -> BlobTableReplica:
        return BlobTableReplica(self.blobs, self.rows)

    def commit(self, *changes: FeedChange, after: Cursor | None = None) -> Cursor:
        return commit(self.replica, MAILBOX, *changes, after=after)

    def found(self, source_id: str) -> ReplicaItem:
        return self.replica.find(MAILBOX, [source_id])[source_id]

    def page(self) -> list[FeedChange]:
        """A page of every kind of change, large enough for three transactions."""
        new = [created(f"new{number}") for number in range(210)]
        flagged = FeedChange(FeedKind.READ_FLAG, self.found("A").with_changes(is_read=True))
        moved = FeedChange(FeedKind.MOVE, self.found("B2").with_changes(source_id="B3"))
        return [*new[:60], flagged, *new[60:150], moved, *new[150:], FeedChange(FeedKind.DELETE, an_item("D"))]

    def run(self, *, again: bool = False) -> None:
        """What a pass does: load, and commit the page unless the feed has it already."""
        cursor = self.replica.load(MAILBOX)
        if cursor.sequence == 3:
            moved_on = cursor_with(folder(state="s2"), folder("sent", state="t1"), n=again)
            self.replica.commit(MAILBOX, cursor, self.page(), moved_on)

    def check(self) -> None:
        """Complete, nothing doubled, the feed telling the same, the cursor at its end."""
        held = truth(self.replica, MAILBOX)
        expected = {item_key(f"new{number}") for number in range(210)}
        assert held.keys() == expected | {item_key("A"), item_key("B")}
        assert replayed(self.replica, MAILBOX) == {key: item for key, (item, _) in held.items()}
        assert self.found("A").is_read is True
        assert self.found("B").source_id == "B3"
        assert held[item_key("B")][1] == b"b" * 300
        cursor = self.replica.load(MAILBOX)
        assert (cursor.sequence, cursor.folders["inbox"].state) == (4, "s2")
        assert [page.sequence for page in self.replica.feed(MAILBOX)] == [1, 2, 3, 4]


def writes_of(act: Callable[[Bench], object]) -> int:
    bench = Bench()
    before = bench.plan.writes
    act(bench)
    return bench.plan.writes - before


COMMIT = writes_of(Bench.run)
COMPACT = writes_of(lambda bench: bench.replica.compact(MAILBOX, LATER, 7))
ERASE = writes_of(lambda bench: bench.replica.erase(MAILBOX))


def test_a_commit_is_pack_page_three_transactions_and_cursor() -> None:
    assert COMMIT == 6


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
def test_a_crash_at_any_write_of_a_commit_loses_and_doubles_nothing(write: int) -> None:
    bench = Bench()
    bench.plan.at(write, Crash())
    with pytest.raises(Crash):
        bench.run()
    bench.replica = bench.another_process()
    bench.run(again=True)
    bench.check()


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
@pytest.mark.parametrize("error", [Crash(), RetryLater(Reason.TIMED_OUT), Conflict()], ids=["crash", "lost", "refused"])
def test_a_write_that_happened_without_our_knowing_is_harmless(write: int, error: BaseException) -> None:
    """A retried request may find its own first try in the way: that reads as a conflict."""
    bench = Bench()
    bench.plan.after(write, error)
    try:
        bench.run()
    except (Crash, RetryLater, Conflict):
        bench.replica = bench.another_process()
    bench.run(again=True)
    bench.check()


@pytest.mark.parametrize("write", range(2, COMMIT + 1))
def test_a_commit_that_finds_its_own_first_try_goes_on(write: int) -> None:
    bench = Bench()
    bench.plan.after(write, Conflict())
    bench.run()
    bench.check()


def test_a_cursor_that_finds_its_own_first_try_goes_on() -> None:
    bench = Bench()
    cursor = bench.replica.load(MAILBOX)
    bench.plan.after(1, Conflict())
    after = bench.replica.commit(MAILBOX, cursor, [], replace(cursor, notes={"looked": True}))
    assert after == bench.replica.load(MAILBOX)
    bench.run()
    bench.check()


@pytest.mark.parametrize("second", range(1, COMMIT + 1))
@pytest.mark.parametrize("first", range(2, COMMIT + 1))
def test_a_crash_while_redoing_after_a_crash_is_harmless(first: int, second: int) -> None:
    bench = Bench()
    bench.plan.at(first, Crash())
    with pytest.raises(Crash):
        bench.run()
    bench.plan.at(second, Crash())
    try:
        bench.run(again=True)
    except Crash:
        bench.run(again=True)
    bench.check()


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
def test_another_writer_between_any_two_writes_fences_the_slower_one(write: int) -> None:
    """The faster one redoes the page if it is committed, and goes on to write pages of its own."""
    bench = Bench()

    def other() -> None:
        faster = bench.another_process()
        faster.load(MAILBOX)
        commit(
            faster,
            MAILBOX,
            FeedChange(FeedKind.READ_FLAG, faster.item(MAILBOX, item_key("A")).with_changes(version="x")),
        )
        commit(faster, MAILBOX, created("other", b"other"))

    bench.plan.before(write, other)
    with pytest.raises(Conflict):
        bench.run()
    held = truth(bench.replica, MAILBOX)
    assert replayed(bench.replica, MAILBOX) == {key: item for key, (item, _) in held.items()}
    assert held[item_key("other")][1] == b"other"
    assert bench.found("A").version == "x"
    assert bench.found("A").is_read is (write > 2)


@pytest.mark.parametrize("write", range(3, COMMIT + 1))
def test_a_page_that_another_writer_finished_counts_as_ours(write: int) -> None:
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().load(MAILBOX))
    bench.run()
    bench.check()


def test_a_cursor_moved_by_another_writer_does_not_lose_our_page() -> None:
    bench = Bench()

    def other() -> None:
        cursor = bench.another_process().load(MAILBOX)
        bench.replica.commit(MAILBOX, cursor, [], replace(cursor, notes={"other": True}))

    bench.plan.before(2, other)
    bench.run()
    bench.check()


def test_a_lost_cursor_is_rebuilt_from_the_feed() -> None:
    bench = Bench()
    for number in range(40):
        bench.commit(created(f"n{number}"), after=cursor_with(folder(state=f"s{number}"), folder(f"f{number}")))
    before, held = bench.replica.load(MAILBOX), truth(bench.replica, MAILBOX)
    del bench.blobs.blobs[CURSORS, MAILBOX]
    after = bench.replica.load(MAILBOX)
    assert (after.sequence, after.folders, after.notes) == (before.sequence, before.folders, before.notes)
    assert truth(bench.replica, MAILBOX) == held
    bench.commit(created("on"))


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"null", b"[]", b"{}", b'{"sequence":3,"folders":[],"notes":{}}'])
def test_a_cursor_that_cannot_be_read_is_rebuilt_like_one_that_is_lost(data: bytes) -> None:
    bench = Bench()
    before, held = bench.replica.load(MAILBOX), truth(bench.replica, MAILBOX)
    bench.blobs.put(CURSORS, MAILBOX, data)
    after = bench.replica.load(MAILBOX)
    assert (after.sequence, after.folders, after.notes) == (before.sequence, before.folders, before.notes)
    assert truth(bench.replica, MAILBOX) == held
    bench.run()
    bench.check()


def test_a_first_cursor_that_cannot_be_read_is_begun_anew() -> None:
    bench = Bench()
    bench.blobs.put(CURSORS, "mailbox-2", b"{")
    commit(bench.replica, "mailbox-2", created("A"))
    assert bench.replica.load("mailbox-2").sequence == 1


@pytest.mark.parametrize("write", range(3, COMMIT + 1))
def test_a_lost_cursor_and_a_half_applied_page_are_both_mended(write: int) -> None:
    bench = Bench()
    bench.plan.at(write, Crash())
    with pytest.raises(Crash):
        bench.run()
    del bench.blobs.blobs[CURSORS, MAILBOX]
    bench.run(again=True)
    bench.check()


def test_losing_the_cursor_after_compaction_does_not_bring_old_places_back() -> None:
    bench = Bench()
    bench.replica.compact(MAILBOX, LATER, 7)
    held = truth(bench.replica, MAILBOX)
    del bench.blobs.blobs[CURSORS, MAILBOX]
    bench.replica.load(MAILBOX)
    assert truth(bench.replica, MAILBOX) == held


def dead_bytes(bench: Bench) -> list[str]:
    return [
        name
        for (container, name), (data, _, _) in bench.blobs.blobs.items()
        if container == PACKS and b"g" * 300 in data
    ]


@pytest.mark.parametrize("write", range(1, COMPACT + 1))
def test_a_crash_at_any_write_of_a_compaction_loses_nothing(write: int) -> None:
    bench = Bench()
    held = truth(bench.replica, MAILBOX)
    bench.plan.at(write, Crash())
    with pytest.raises(Crash):
        bench.replica.compact(MAILBOX, LATER, 7)
    bench.replica = bench.another_process()
    assert truth(bench.replica, MAILBOX) == held
    bench.replica.compact(MAILBOX, LATER, 7)
    assert truth(bench.replica, MAILBOX) == held
    assert dead_bytes(bench) == []
    assert len([name for container, name in bench.blobs.blobs if container == PACKS]) == 1
    bench.run()
    bench.check()


@pytest.mark.parametrize("write", range(1, COMPACT + 1))
def test_a_pass_in_the_middle_of_a_compaction_loses_nothing(write: int) -> None:
    bench = Bench()
    bench.plan.before(write, bench.run)
    bench.replica.compact(MAILBOX, LATER, 7)
    bench.check()
    bench.replica.compact(MAILBOX, LATER + timedelta(days=400), 7)
    bench.check()
    assert dead_bytes(bench) == []


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
def test_a_compaction_in_the_middle_of_a_commit_loses_nothing(write: int) -> None:
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().compact(MAILBOX, NOW, 7))
    bench.run()
    bench.check()
    assert dead_bytes(bench) == []


@pytest.mark.parametrize("write", range(1, COMPACT + 1))
def test_two_compactions_at_once_lose_nothing(write: int) -> None:
    bench = Bench()
    held = truth(bench.replica, MAILBOX)
    bench.plan.before(write, lambda: bench.another_process().compact(MAILBOX, LATER, 7))
    bench.replica.compact(MAILBOX, LATER, 7)
    assert truth(bench.replica, MAILBOX) == held
    assert dead_bytes(bench) == []


@pytest.mark.parametrize("write", range(1, ERASE + 1))
def test_a_crash_while_erasing_is_mended_by_erasing_again(write: int) -> None:
    bench = Bench()
    bench.plan.at(write, Crash())
    with pytest.raises(Crash):
        bench.replica.erase(MAILBOX)
    bench.replica.erase(MAILBOX)
    assert bench.blobs.blobs == {}
    assert only_tombstone(bench.rows, MAILBOX)


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
def test_a_pass_under_way_leaves_nothing_behind_when_the_mailbox_is_erased(write: int) -> None:
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().erase(MAILBOX))
    with pytest.raises(Conflict):
        bench.run()
    bench.replica.erase(MAILBOX)
    assert [key for key in bench.blobs.blobs if key[0] in (FEED, CURSORS)] == []
    assert only_tombstone(bench.rows, MAILBOX)


@pytest.mark.parametrize("write", range(1, ERASE + 1))
def test_a_reader_in_the_middle_of_an_erasure_brings_nothing_back(write: int) -> None:
    """It may find no cursor any more; what is left of the feed is not there to make another one from."""
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().load(MAILBOX))
    bench.replica.erase(MAILBOX)
    assert bench.blobs.blobs == {}
    assert only_tombstone(bench.rows, MAILBOX)


def first_page(bench: Bench, mailbox: str) -> None:
    """What a first pass does."""
    replica = bench.another_process()
    replica.commit(mailbox, replica.load(mailbox), [created("A"), created("B")], cursor_with(folder(state="s1")))


FIRST = writes_of(lambda bench: first_page(bench, "mailbox-2"))
ERASE_EMPTY = writes_of(lambda bench: bench.replica.erase("mailbox-2"))


@pytest.mark.parametrize("write", range(1, FIRST + 1))
def test_s2_first_page_of_an_erased_mailbox_leaves_nothing(write: int) -> None:
    """S2b: the worker stands still before any write of its first page, and wakes up after the erasure."""
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().erase("mailbox-2"))
    with pytest.raises(Conflict):
        first_page(bench, "mailbox-2")
    assert left_of(bench, "mailbox-2") == []
    assert only_tombstone(bench.rows, "mailbox-2")


@pytest.mark.parametrize("write", range(1, COMMIT + 1))
def test_s2_late_page_of_an_erased_mailbox_leaves_nothing(write: int) -> None:
    """S2b: the same for a later page, without another erasure to clean up."""
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().erase(MAILBOX))
    with pytest.raises(Conflict):
        bench.run()
    assert left_of(bench, MAILBOX) == []
    assert only_tombstone(bench.rows, MAILBOX)


@pytest.mark.parametrize("write", range(1, FIRST + 1))
@pytest.mark.parametrize("dies", range(1, FIRST + 5))
def test_s2_what_a_late_writer_leaves_by_dying_goes_with_the_next_erasure(write: int, dies: int) -> None:
    """S2b: it wakes up after the erasure and dies before it has cleaned up; the daily round erases once more."""
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().erase("mailbox-2"))
    bench.plan.at(dies + ERASE_EMPTY, Crash())
    with suppress(Conflict, Crash):
        first_page(bench, "mailbox-2")
    bench.plan.calm()
    bench.another_process().load("mailbox-2")
    bench.replica.erase("mailbox-2")
    assert left_of(bench, "mailbox-2") == []
    assert only_tombstone(bench.rows, "mailbox-2")


def test_s2_derived_document_of_an_erased_mailbox_is_not_kept() -> None:
    bench = Bench()
    bench.plan.before(1, lambda: bench.another_process().erase(MAILBOX))
    with pytest.raises(Conflict):
        bench.replica.put_derived(MAILBOX, "occurrences", b"{}")
    assert left_of(bench, MAILBOX) == []


@pytest.mark.parametrize("write", range(1, COMPACT + 1))
def test_s2_late_compaction_of_an_erased_mailbox_leaves_nothing(write: int) -> None:
    bench = Bench()
    bench.plan.before(write, lambda: bench.another_process().erase(MAILBOX))
    with suppress(Conflict):
        bench.replica.compact(MAILBOX, LATER, 7)
    assert left_of(bench, MAILBOX) == []
    assert only_tombstone(bench.rows, MAILBOX)


def test_a_forgotten_erasure_leaves_nothing_at_all() -> None:
    bench = Bench()
    bench.replica.erase(MAILBOX)
    bench.replica.forget_erased(MAILBOX)
    assert left_of(bench, MAILBOX) == []
    assert bench.rows.rows[MAILBOX] == {}


def left_of(bench: Bench, mailbox: str) -> list[tuple[str, str]]:
    """The blobs there are of a mailbox."""
    return [key for key in bench.blobs.blobs if key[1].startswith(mailbox)]
