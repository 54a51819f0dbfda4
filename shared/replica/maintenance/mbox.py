"""The mbox files of an export, one for each folder, in a form that an interrupted export continues.

While it is written, a box is two files beside its place: `.part` has the messages, `.index` a line for each of them,
with the offset of its end and its item's key. Lines are written after their messages. So the index names only whole
messages, whenever the process ends. What the part has beyond the last line is cut off before it is continued.
"""

import os
import re
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from shared.errors import MailboxSyncError
from shared.replica.maintenance.file_writer import make_directory

OPEN_BOXES = 64
"""How many files are open at a time: a mailbox may have more folders than a process may have files."""
UNNAMED = 256
"""Messages of a box that its index does not name yet. They are written again after an interruption."""

_QUOTED = re.compile(rb"^(>*From )", re.MULTILINE)
_LINE = re.compile(rb"(\d+) (\w+)\n")


class ExportInUse(MailboxSyncError):
    """Another export writes into the directory."""


def mboxrd(message: bytes, at: datetime | None) -> bytes:
    """One message in mboxrd format: an envelope line, lines that look like one quoted, and an empty line at the end."""
    date = (at or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC).ctime()
    lines = message.replace(b"\r\n", b"\n")
    if b"From " in lines:
        lines = _QUOTED.sub(rb">\1", lines)
    return b"From MAILER-DAEMON %s\n%s\n" % (date.encode("ascii"), lines if lines.endswith(b"\n") else lines + b"\n")


@dataclass(slots=True)
class _Box:
    """One box that is being written. `known` are the keys of the messages that it had before."""

    path: Path
    known: set[str] = field(default_factory=set)
    size: int = 0
    lines: list[bytes] = field(default_factory=list)
    """The lines of messages that the index does not name yet."""

    @property
    def part(self) -> Path:
        """The file of the messages."""
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def index(self) -> Path:
        """The file of their keys."""
        return self.path.with_name(f"{self.path.name}.index")

    @classmethod
    def at(cls, path: Path) -> "_Box":
        """The box with what an interrupted export has written of it."""
        box = cls(path)
        if not box.part.exists():
            box.index.unlink(missing_ok=True)
            return box
        with _opened(box.part) as part, _opened(box.index) as index:
            written, kept = part.seek(0, os.SEEK_END), 0
            index.seek(0)
            for line in index:
                found = _LINE.fullmatch(line)
                if found is None or int(found[1]) > written:
                    break
                box.known.add(found[2].decode())
                box.size, kept = int(found[1]), kept + len(line)
            part.truncate(box.size)
            index.truncate(kept)
        return box


class Boxes:
    """Use as a context: leaving it names the messages that were written. `complete` gives the boxes their names."""

    def __init__(self) -> None:
        self._whole: dict[Path, bool] = {}
        self._boxes: dict[Path, _Box] = {}
        self._open: OrderedDict[Path, BinaryIO] = OrderedDict()

    def __enter__(self) -> "Boxes":
        return self

    def __exit__(self, *_: object) -> None:
        self._close(0)

    def has(self, path: Path, key: str) -> bool:
        """Whether a message need not be written: its box was complete before, or an interrupted export wrote it."""
        if path not in self._whole:
            self._whole[path] = path.exists()
            if self._whole[path]:
                _Box(path).index.unlink(missing_ok=True)  # from an end between two steps of `complete`
        return self._whole[path] or key in self._box(path).known

    def append(self, path: Path, key: str, data: bytes) -> None:
        """Append one message, as `mboxrd` gives it."""
        box = self._box(path)
        if path not in self._open:
            self._close(OPEN_BOXES - 1)
            make_directory(path.parent)
            self._open[path] = _opened(box.part)
        self._open.move_to_end(path)
        self._open[path].write(data)
        box.size += len(data)
        box.lines.append(b"%d %s\n" % (box.size, key.encode()))
        if len(box.lines) >= UNNAMED:
            self._name_messages(box)

    def complete(self) -> None:
        """Give all boxes their names. One that cannot get it, because something else has it, is removed."""
        self._close(0)
        for path, box in list(self._boxes.items()):
            if not box.part.exists():
                continue
            try:
                box.part.rename(path)
            except OSError:
                box.part.unlink()
                raise
            finally:
                box.index.unlink(missing_ok=True)
            del self._boxes[path]

    def _box(self, path: Path) -> _Box:
        if path not in self._boxes:
            self._boxes[path] = _Box.at(path)
        return self._boxes[path]

    def _name_messages(self, box: _Box) -> None:
        """Write the messages, and then the lines that name them."""
        self._open[box.path].flush()
        with _opened(box.index) as index:
            index.writelines(box.lines)
        box.lines.clear()

    def _close(self, most: int) -> None:
        while len(self._open) > most:
            path = next(iter(self._open))
            if self._boxes[path].lines:
                self._name_messages(self._boxes[path])
            self._open.pop(path).close()


def _opened(path: Path) -> BinaryIO:
    """Open a file to append to; only its owner can read it.

    Raises:
        PermissionError: it is somebody else's, or others can read it: mail must not be written into it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    file = os.fdopen(os.open(path, flags, 0o600), "a+b")
    found = os.fstat(file.fileno())
    if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        file.close()
        raise PermissionError(f"{path.name} is not a file that only you can read")
    return file


@contextmanager
def only_export_of(directory: Path) -> Iterator[None]:
    """Keep other exports out of a directory, which is created. Raises ExportInUse."""
    import fcntl  # Windows does not have it; the other formats need no lock

    make_directory(directory)
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise ExportInUse("another export writes into this directory") from exc
    else:
        yield
    finally:
        os.close(held)
