"""Writes many files in a few threads: creating a file waits for the file system, which serves several at once.

Files are readable by their owner only, because they hold mail. A file that exists is never overwritten.
"""

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from shared.replica.maintenance.export_paths import FilePlace

THREADS = 4
PENDING_BYTES = 32 << 20
"""How much may wait to be written."""
TASK_FILES = 32
TASK_BYTES = 1 << 20
"""How many files, or how much of them, a thread is given at a time: handing over costs as much as a small file."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # Windows alone tells text from bytes

type _Files = list[tuple[FilePlace, bytes]]


class FileWriter:
    """Use as a context: leaving it waits for the files that are under way, and counts them.

    `written` files were created, `existing` ones were there.
    """

    def __init__(self) -> None:
        self.written = 0
        self.existing = 0
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="export")
        self._next: _Files = []
        self._next_bytes = 0
        self._pending: deque[tuple[Future[int], int, int]] = deque()
        self._bytes = 0
        self._made = set[Path]()
        self._names: dict[Path, set[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what was handed over, also after an interruption; not after an error of the file system."""
        try:
            if kind is None or not issubclass(kind, OSError):
                self._submit()
                self._settle(0)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def exists(self, place: FilePlace) -> bool:
        """Whether a file was there before this writer began. A directory is listed once."""
        directory, name = place
        if directory not in self._names:
            try:
                self._names[directory] = set(os.listdir(directory))
            except FileNotFoundError:
                self._names[directory] = set()
        return name in self._names[directory]

    def write(self, place: FilePlace, data: bytes) -> None:
        """Create a file, soon. Raises the OSError of an earlier one."""
        self.make_directory(place[0])
        self._next.append((place, data))
        self._next_bytes += len(data)
        if len(self._next) >= TASK_FILES or self._next_bytes >= TASK_BYTES:
            self._submit()
            self._settle(PENDING_BYTES)

    def make_directory(self, path: Path) -> None:
        """Create a directory and those above it, once."""
        if path not in self._made:
            make_directory(path)
            self._made.add(path)

    def _submit(self) -> None:
        self._pending.append((self._pool.submit(_create_all, self._next), len(self._next), self._next_bytes))
        self._bytes += self._next_bytes
        self._next, self._next_bytes = [], 0

    def _settle(self, most: int) -> None:
        """Wait for the oldest files until at most so many bytes are under way, and for all that are done."""
        while self._pending and (self._bytes > most or self._pending[0][0].done() or not most):
            future, files, size = self._pending.popleft()
            self._bytes -= size
            created = future.result()
            self.written += created
            self.existing += files - created


def _create_all(files: _Files) -> int:
    """Create files; returns how many did not exist."""
    return sum(create(f"{directory}/{name}", data) for (directory, name), data in files)


def create(path: str, data: bytes) -> bool:
    """Create a file; False if it already exists.

    It is not buffered: a buffered file takes three more system calls, which is a third of what a small one costs.
    """
    try:
        descriptor = os.open(path, _CREATE, 0o600)
    except FileExistsError:
        return False
    try:
        _write_whole(descriptor, data, path)
    finally:
        os.close(descriptor)
    return True


def _write_whole(descriptor: int, data: bytes, path: str) -> None:
    """Write all of the data or leave no file: the next export would take a partial file for a complete one."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except BaseException:
        os.unlink(path)
        raise


def make_directory(path: Path) -> None:
    """Create a directory and those above it, for the owner only."""
    for directory in (*reversed(path.parents), path):
        directory.mkdir(mode=0o700, exist_ok=True)
