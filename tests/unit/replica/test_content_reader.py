"""U11: contents that lie close together in a pack are read at once."""

import io
from collections import Counter
from pathlib import Path

from shared.cli.terminal import ProgressLine
from shared.replica.content_reader import GAP_BYTES, STRETCH_BYTES
from shared.replica.maintenance import export
from shared.replica.maintenance.verify import verify
from shared.replica.port import ReplicaItem
from shared.replica.storage_port import PACKS
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import commit, created

MAILBOX = "mailbox-1"


class Counting(MemoryBlobs):
    """Storage that counts reads of packs, and their bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()
        self.read = 0

    def get_range(self, container: str, name: str, offset: int, length: int) -> bytes | None:
        if container == PACKS:
            self.reads[name] += 1
            self.read += length
        return super().get_range(container, name, offset, length)


def a_replica(pages: int, items: int, size: int) -> tuple[Counting, BlobTableReplica]:
    blobs = Counting()
    replica = BlobTableReplica(blobs, MemoryRows())
    for page in range(pages):
        commit(replica, MAILBOX, *(created(f"{page}-{number}", b"x" * size) for number in range(items)))
    return blobs, replica


def test_verifying_reads_each_pack_once() -> None:
    blobs, replica = a_replica(pages=3, items=40, size=1000)
    assert verify(replica.reader(), MAILBOX).wrong() == set()
    assert set(blobs.reads.values()) == {1}
    assert len(blobs.reads) == 3


def test_an_export_reads_each_pack_once(tmp_path: Path) -> None:
    blobs, replica = a_replica(pages=3, items=40, size=1000)
    told: list[int] = []
    done = export.to_files(replica.reader(), MAILBOX, replica.items(MAILBOX), tmp_path, told.append)
    assert (done.written, sum(told)) == (120, 120)
    assert set(blobs.reads.values()) == {1}


def test_one_read_is_no_larger_than_a_stretch() -> None:
    size = STRETCH_BYTES // 3
    blobs, replica = a_replica(pages=1, items=5, size=size)
    assert verify(replica.reader(), MAILBOX).wrong() == set()
    assert blobs.reads.total() == 3
    assert blobs.read < 5 * size + 10_000


def test_what_lies_far_apart_is_read_by_itself() -> None:
    blobs, replica = a_replica(pages=1, items=9, size=GAP_BYTES // 2)
    items = sorted(replica.items(MAILBOX), key=_offset)
    assert len(list(replica.contents(MAILBOX, [items[0], items[8]]))) == 2
    assert blobs.reads.total() == 2
    assert len(list(replica.contents(MAILBOX, [items[0], items[2]]))) == 2
    assert blobs.reads.total() == 3


def _offset(item: ReplicaItem) -> int:
    return item.located.offset if item.located else 0


def test_damage_within_a_pack_is_found() -> None:
    blobs, replica = a_replica(pages=1, items=5, size=10)
    (name,) = (blob.name for blob in blobs.list(PACKS, ""))
    stored = blobs.get(PACKS, name)
    assert stored is not None
    blobs.delete(PACKS, name)
    blobs.put(PACKS, name, stored.data.replace(b"x" * 10, b"y" * 10, 1))
    assert len(verify(replica.reader(), MAILBOX).damaged) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_alone() -> None:
    shown, silent = Terminal(), io.StringIO()
    for out in (shown, silent):
        line = ProgressLine(out, 2610, iter([0.0, 2.0, 4.0]).__next__, plain=True)
        line.add(1000)
        line.add(2000)
        line.end()
    assert silent.getvalue() == ""
    assert shown.getvalue().split("\r")[1:] == [
        "1,000 of about 2,610 items (38 %), 500 a second",
        "3,000 of about 3,000 items (100 %), 750 a second\n",
    ]
