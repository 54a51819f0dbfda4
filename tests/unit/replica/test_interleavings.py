"""Two writers and two compactions take turns at every single request, in any order: nothing is lost or doubled."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Conflict, RetryLater
from shared.replica.encoding.item_rows import FENCE
from shared.replica.port import FeedChange, FeedKind, item_key
from shared.replica.storage_port import CURSORS, PACKS
from shared.replica.store import BlobTableReplica
from tests.fakes.stepped_storage import SteppedBlobs, SteppedRows
from tests.unit.replica.samples import NOW, commit, created, only_tombstone, replayed, truth

MAILBOX = "mailbox-1"
PAGES = {name: [created(f"{name}{number}") for number in range(99)] for name in ("one", "two")}
"""With one change more, each is too large for one transaction."""
PATIENCE_SECONDS = 30
"""Only a mistake in the test waits so long."""


class Turns:
    """Lets each participant do one request at a time, in the order that a schedule says."""

    def __init__(self) -> None:
        self._mine: dict[int, Participant] = {}

    def step(self) -> None:
        """Wait for one's turn; who is no participant need not."""
        if participant := self._mine.get(threading.get_ident()):
            participant.arrived.release()
            assert participant.go.acquire(timeout=PATIENCE_SECONDS)

    def play(self, acts: Sequence[Callable[[], object]], schedule: Sequence[int]) -> None:
        """Run all acts to their ends; when the schedule is over, one after the other."""
        playing = {number: Participant(act, self._mine) for number, act in enumerate(acts)}
        for participant in playing.values():
            participant.start()
        for number in schedule:
            if number in playing and playing[number].takes_a_step():
                del playing[number]
        for participant in playing.values():
            while not participant.takes_a_step():
                pass


class Participant(threading.Thread):
    """One act in a thread of its own, stopped before each of its requests."""

    def __init__(self, act: Callable[[], object], register: dict[int, "Participant"]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self._register = register
        self.arrived, self.go, self.over = threading.Semaphore(0), threading.Semaphore(0), False

    def run(self) -> None:
        """The act, from its first turn on."""
        self._register[threading.get_ident()] = self
        try:
            self.arrived.release()
            assert self.go.acquire(timeout=PATIENCE_SECONDS)
            self._act()
        finally:
            del self._register[threading.get_ident()]
            self.over = True
            self.arrived.release()

    def takes_a_step(self) -> bool:
        """Do what comes before the next request; whether that was the end."""
        assert self.arrived.acquire(timeout=PATIENCE_SECONDS)
        if self.over:
            self.join()
            return True
        self.go.release()
        return False


runs = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 16)), max_size=9)
"""Who does how many requests in a row: races need few changes of turn, but at the right places."""


@given(runs)
@settings(max_examples=100, deadline=None)
def test_any_order_of_requests_ends_whole(runs: list[tuple[int, int]]) -> None:
    schedule = [who for who, steps in runs for _ in range(steps)]
    turns = Turns()
    blobs, rows = SteppedBlobs(turns.step, clock=lambda: NOW), SteppedRows(turns.step)
    replica = BlobTableReplica(blobs, rows)
    commit(replica, MAILBOX, created("keep", b"kept bytes"), created("gone", b"dead bytes"))
    commit(replica, MAILBOX, FeedChange(FeedKind.DELETE, replica.find(MAILBOX, ["gone"])["gone"]))
    told: set[str] = set()

    def write(name: str) -> None:
        mine = BlobTableReplica(blobs, rows)
        try:
            cursor = mine.load(MAILBOX)
            flagged = mine.find(MAILBOX, ["keep"])["keep"].with_changes(version=name)
            mine.commit(MAILBOX, cursor, [FeedChange(FeedKind.READ_FLAG, flagged), *PAGES[name]], cursor)
            told.add(name)
        except (Conflict, RetryLater):
            pass

    def compact() -> None:
        with suppress(RetryLater):
            BlobTableReplica(blobs, rows).compact(MAILBOX, NOW + timedelta(hours=1), 0)

    turns.play([lambda: write("one"), lambda: write("two"), compact, compact], schedule)
    held = truth(replica, MAILBOX)
    assert held[item_key("keep")][1] == b"kept bytes"
    assert {change.item.key for name in told for change in PAGES[name]} <= held.keys()
    assert replayed(replica, MAILBOX) == {key: item for key, (item, _) in held.items()}
    assert replica.load(MAILBOX).sequence == len(list(replica.feed(MAILBOX)))
    replica.compact(MAILBOX, NOW + timedelta(hours=2), 0)
    assert truth(replica, MAILBOX) == held
    assert not [name for (where, name), (data, _, _) in blobs.blobs.items() if where == PACKS and b"dead bytes" in data]


@pytest.mark.parametrize("requests", range(12))
def test_finishing_a_page_during_an_erasure_restores_nothing(requests: int) -> None:
    turns = Turns()
    blobs, rows = SteppedBlobs(turns.step, clock=lambda: NOW), SteppedRows(turns.step)
    replica = BlobTableReplica(blobs, rows)
    commit(replica, MAILBOX, created("A"))
    commit(replica, MAILBOX, created("B"))
    # As if whoever wrote the third page had died before it wrote a row.
    before = blobs.blobs[CURSORS, MAILBOX]
    commit(replica, MAILBOX, created("C"))
    blobs.blobs[CURSORS, MAILBOX] = before
    rows.rows[MAILBOX][FENCE] = ({"sequence": 2, "state": "applied"}, rows.rows[MAILBOX][FENCE][1])

    def read() -> None:
        BlobTableReplica(blobs, rows).load(MAILBOX)

    turns.play([read, lambda: BlobTableReplica(blobs, rows).erase(MAILBOX)], [0] * requests + [1] * 100)
    assert blobs.blobs == {}
    assert only_tombstone(rows, MAILBOX)


@pytest.mark.parametrize("requests", range(16))
def test_compacting_a_mailbox_under_erasure_leaves_nothing_behind(requests: int) -> None:
    """It carries over what is alive, and notes its day; its lease may have been lost long ago."""
    turns = Turns()
    blobs, rows = SteppedBlobs(turns.step, clock=lambda: NOW), SteppedRows(turns.step)
    replica = BlobTableReplica(blobs, rows)
    commit(replica, MAILBOX, created("keep"), created("gone"))
    commit(replica, MAILBOX, FeedChange(FeedKind.DELETE, replica.find(MAILBOX, ["gone"])["gone"]))

    def compact() -> None:
        BlobTableReplica(blobs, rows).compact(MAILBOX, NOW, 7)

    turns.play([compact, lambda: BlobTableReplica(blobs, rows).erase(MAILBOX)], [0] * requests + [1] * 100)
    assert blobs.blobs == {}
    assert only_tombstone(rows, MAILBOX)
