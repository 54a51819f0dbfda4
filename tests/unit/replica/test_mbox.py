"""An interrupted mbox export is continued: after SIGKILL at any message, and with whatever it left behind."""

import mailbox
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest

from shared.replica.maintenance.export import ExportResult, to_mbox
from shared.replica.maintenance.mbox import UNNAMED, Boxes, ExportInUse, mboxrd, only_export_of
from shared.replica.port import ReplicaItem
from shared.replica.reading.port import ReplicaReader
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import Blobs, Rows
from shared.replica.store import BlobTableReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import NOW, commit, created, cursor_with, folder

ID = "mailbox-1"
COUNT = 600
ROOT = Path(__file__).parents[3]


class Killed(BlobTableReader):
    """The process is killed when `after` contents were read."""

    after = 0

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        for number, found in enumerate(super().contents(mailbox_id, items)):
            if number == self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            yield found


def filled[R: BlobTableReader](kind: Callable[[Blobs, Rows], R]) -> R:
    """A reader of six hundred messages in two folders."""
    blobs, rows = MemoryBlobs(), MemoryRows()
    messages = (
        created(f"{number}", f"Subject: {number}\r\n\r\nFrom {number}\r\n".encode(), folder_id=f"f{number % 2}")
        for number in range(COUNT)
    )
    commit(BlobTableReplica(blobs, rows), ID, *messages, after=cursor_with(folder("f0"), folder("f1")))
    return kind(blobs, rows)


def export(reader: ReplicaReader, target: Path) -> ExportResult:
    return to_mbox(reader, ID, reader.every_item(ID), target)


def export_until_killed(after: str, target: str) -> None:
    """Run an export in this process, which does not end it."""
    reader = filled(Killed)
    reader.after = int(after)
    export(reader, Path(target))


def subjects(target: Path) -> list[int]:
    """The subjects of all messages in all boxes; nothing else may be there."""
    assert {path.name for path in target.iterdir()} == {"F0.mbox", "F1.mbox"}
    found = []
    for path in target.iterdir():
        box = mailbox.mbox(path, create=False)
        found += [int(message["Subject"]) for message in box]
        box.close()
    return sorted(found)


@pytest.mark.parametrize("after", [1, 2 * UNNAMED + 40, COUNT - 1])
def test_export_that_was_killed_is_continued_with_each_message_once(tmp_path: Path, after: int) -> None:
    code = "import sys; from tests.unit.replica.test_mbox import export_until_killed as run; run(*sys.argv[1:])"
    killed = subprocess.run([sys.executable, "-c", code, str(after), str(tmp_path)], cwd=ROOT, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    assert all(path.suffix in (".part", ".index") for path in tmp_path.iterdir())
    reader = filled(BlobTableReader)
    read = Counter(item.folder_id for item, _ in islice(reader.contents(ID, list(reader.every_item(ID))), after))
    named = sum(count - count % UNNAMED for count in read.values())
    done = export(reader, tmp_path)
    assert (done.written, done.existing) == (COUNT - named, named)
    assert subjects(tmp_path) == list(range(COUNT))
    again = export(filled(BlobTableReader), tmp_path)
    assert (again.written, again.existing) == (0, COUNT)


def written(target: Path, *keys: str) -> Path:
    """A box with these messages that is not complete."""
    path = target / "Inbox.mbox"
    with Boxes() as boxes:
        for key in keys:
            assert not boxes.has(path, key)
            boxes.append(path, key, mboxrd(b"Subject: " + key.encode(), NOW))
    return path


def continued(path: Path, *keys: str) -> list[str]:
    """Write those of these messages that are missing, and complete the box; gives the subjects in it."""
    with Boxes() as boxes:
        for key in keys:
            if not boxes.has(path, key):
                boxes.append(path, key, mboxrd(b"Subject: " + key.encode(), NOW))
        boxes.complete()
    box = mailbox.mbox(path, create=False)
    found = [str(message["Subject"]) for message in box]
    box.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return found


def test_what_the_index_does_not_name_is_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path, "a", "b")
    with (tmp_path / "Inbox.mbox.part").open("ab") as part:
        part.write(b"From MAILER-DAEMON half a mess")
    assert continued(path, "a", "b", "c") == ["a", "b", "c"]


@pytest.mark.parametrize("left", [1, 5], ids=["no line", "half a line"])
def test_index_that_ends_early_repeats_messages_and_doubles_none(tmp_path: Path, left: int) -> None:
    path, index = written(tmp_path, "a", "b"), tmp_path / "Inbox.mbox.index"
    first, second = index.read_bytes().splitlines(keepends=True)
    index.write_bytes({1: b"", 5: first + second[:-1]}[left])
    assert continued(path, "a", "b", "c") == ["a", "b", "c"]


def test_index_that_names_more_than_is_there_is_cut_off(tmp_path: Path) -> None:
    path, part = written(tmp_path, "a", "b"), tmp_path / "Inbox.mbox.part"
    part.write_bytes(part.read_bytes()[:-1])
    assert continued(path, "a", "b") == ["a", "b"]


def test_index_of_a_complete_box_is_removed(tmp_path: Path) -> None:
    path = written(tmp_path, "a")
    (tmp_path / "Inbox.mbox.part").rename(path)
    assert continued(path, "a", "b") == ["a"]


def test_part_that_others_can_read_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "Inbox.mbox.part").touch()
    (tmp_path / "Inbox.mbox.part").chmod(0o644)
    with pytest.raises(PermissionError):
        written(tmp_path, "a")
    (tmp_path / "Inbox.mbox.part").unlink()
    (tmp_path / "elsewhere").touch(mode=0o600)
    (tmp_path / "Inbox.mbox.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic links|Too many levels"):
        written(tmp_path, "a")
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_second_export_into_a_directory_is_refused(tmp_path: Path) -> None:
    with only_export_of(tmp_path):
        with pytest.raises(ExportInUse):
            export(filled(BlobTableReader), tmp_path)
        assert list(tmp_path.iterdir()) == []
    assert export(filled(BlobTableReader), tmp_path).written == COUNT
