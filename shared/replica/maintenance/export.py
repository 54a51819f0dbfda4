"""Exports a mailbox as files on disk: one directory per folder and one file per item, or one mbox per folder.

Folder names and subjects are untrusted input. Only characters that cannot leave the directory, hide a file, look like
an option or mean something to a file system are used in paths. Existing files are never overwritten.
"""

import hashlib
import json
import ntpath
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import FolderState, Replica, ReplicaItem

_UNSAFE = frozenset('<>:"/\\|?*')
"""Path separators, and characters that Windows refuses."""
_MAX_PATH_BYTES = 600
"""Most bytes of a folder's path below the export directory. macOS allows 1,024 for the whole path, including that
directory, the file's name and the directories above."""
_QUOTED = re.compile(rb"^(>*From )", re.MULTILINE)


AT_ONCE = 2000
"""Items whose contents are read together: more of them lie side by side in a pack."""

type Progress = Callable[[int], None]
"""Told of so many more items that are done."""


def silent(count: int) -> None:
    """No progress is shown."""


@dataclass(slots=True)
class ExportResult:
    """The counts of an export."""

    written: int = 0
    existing: int = 0
    without_content: int = 0
    damaged: int = 0


def safe_name(text: str, longest: int = 80) -> str:
    """The text as one harmless path component of at most `longest` bytes.

    Invisible characters are replaced: control sequences, and the marks that change the writing direction.
    """
    seen = unicodedata.normalize("NFC", text)
    name = "".join(
        "_" if character in _UNSAFE or not character.isprintable() else character for character in seen
    ).strip(" .")
    name = name.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore").strip(" .")
    return f"_{name}" if not name or name[0] in "-~" or ntpath.isreserved(name) else name


ARCHIVE = "Online Archive"
"""Parent of the online archive's folders, which has its own inbox."""


def shown_path(folder: FolderState) -> str:
    """A folder's path, where the online archive's folders are below `ARCHIVE`."""
    return f"{ARCHIVE}/{folder.path}" if folder.archive else folder.path


def folder_paths(folders: Mapping[str, FolderState]) -> dict[str, Path]:
    """A relative path for every folder, below the path of its parent.

    Two folders whose paths differ only in case get different paths, and so do all folders and files below them.
    """
    paths: dict[str, Path] = {}
    taken: set[str] = set()
    for id_, folder in sorted(folders.items(), key=_parents_first):
        *above, name = shown_path(folder).split("/")
        parent = paths.get(folder.parent_id) or Path(*map(_directory_name, above))
        path = parent / _directory_name(name)
        if len(os.fsencode(path)) > _MAX_PATH_BYTES:
            path = Path(path.parts[0], f"{path.name}-{_short(id_)}")
        if str(path).casefold() in taken:
            path = path.with_name(f"{path.name}-{_short(id_)}")
        taken.add(str(path).casefold())
        paths[id_] = path
    return paths


def _parents_first(entry: tuple[str, FolderState]) -> tuple[bool, int, str, str]:
    id_, folder = entry
    return folder.archive, folder.path.count("/"), folder.path, id_


def _directory_name(text: str) -> str:
    """A folder's component of a path. It never equals the mbox file name of a sibling folder."""
    name = safe_name(text)
    return f"{name}_" if name.casefold().endswith(".mbox") else name


def file_name(item: ReplicaItem, form: str) -> str:
    """A file name that sorts by date, shows the subject, and is unique to the item."""
    day = item.at.astimezone(UTC).strftime("%Y-%m-%d") if item.at else "undated"
    return f"{day} {safe_name(item.subject or item.kind, 60)} {item.key[:12]}.{form}"


def to_files(
    replica: Replica, mailbox_id: str, items: Iterable[ReplicaItem], target: Path, progress: Progress = silent
) -> ExportResult:
    """Each item as a file of its own; what has no content as the JSON of its metadata."""
    places, done = _FolderPaths(replica, mailbox_id, target), ExportResult()
    for batch in batched(items, AT_ONCE, strict=False):
        missing = [item for item in batch if not _is_written(item, places, done)]
        for item, data in _contents(replica, mailbox_id, missing, done):
            _write_file(item, data, places, done)
        progress(len(batch))
    return done


def to_mbox(
    replica: Replica, mailbox_id: str, items: Iterable[ReplicaItem], target: Path, progress: Progress = silent
) -> ExportResult:
    """Each folder's messages as one mbox (mboxrd); the other kinds as files, as `to_files` does."""
    places, done = _FolderPaths(replica, mailbox_id, target), ExportResult()
    with _mboxes() as box_of:
        for batch in batched(items, AT_ONCE, strict=False):
            boxes = {item.key: _box(item, places, box_of) for item in batch if _is_message(item)}
            done.existing += sum(box is None for box in boxes.values())
            missing = [item for item in batch if boxes.get(item.key) or not _is_message(item)]
            missing = [item for item in missing if _is_message(item) or not _is_written(item, places, done)]
            for item, data in _contents(replica, mailbox_id, missing, done):
                box = boxes.get(item.key)
                if box is None:
                    _write_file(item, data, places, done)
                elif data is not None:
                    _append_message(data, item, box, done)
            progress(len(batch))
    return done


def _is_message(item: ReplicaItem) -> bool:
    return item.located is not None and item.located.form == "eml"


def _box(item: ReplicaItem, places: "_FolderPaths", box_of: Callable[[Path], Path | None]) -> Path | None:
    folder = places.of(item)
    return box_of(folder.with_name(f"{folder.name}.mbox"))


@contextmanager
def _mboxes() -> Iterator[Callable[[Path], Path | None]]:
    """Yield a function that returns the temporary file for an mbox path, or None if the mbox already exists.

    The files are renamed when all of them are complete, so that the remains of an interrupted export never look like an
    mbox.
    """
    temporary: dict[Path, Path | None] = {}

    def mbox_for(path: Path) -> Path | None:
        if path not in temporary:
            temporary[path] = None if path.exists() else _create_temporary(path)
        return temporary[path]

    try:
        yield mbox_for
        for path, mbox in temporary.items():
            if mbox is not None:
                mbox.rename(path)
    except BaseException:
        for part in filter(None, temporary.values()):
            part.unlink(missing_ok=True)
        raise


def _create_temporary(path: Path) -> Path:
    """Create an empty temporary file next to the mbox path, readable only by its owner."""
    _make_directory(path.parent)
    file, name = mkstemp(suffix=".part", dir=path.parent)
    os.close(file)
    return Path(name)


def _append_message(data: bytes, item: ReplicaItem, box: Path, done: ExportResult) -> None:
    """Opened for each message: a mailbox may have more folders than a process may have files."""
    with box.open("ab") as file:
        file.write(mboxrd(data, item.at))
    done.written += 1


def mboxrd(message: bytes, at: datetime | None) -> bytes:
    """One message in mboxrd format: an envelope line, lines that look like one quoted, and an empty line at the end."""
    date = (at or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC).ctime()
    lines = _QUOTED.sub(rb">\1", message.replace(b"\r\n", b"\n"))
    return b"From MAILER-DAEMON %s\n%s\n" % (date.encode("ascii"), lines if lines.endswith(b"\n") else lines + b"\n")


def as_json(item: ReplicaItem, folder: str = "") -> dict[str, object]:
    """An item's JSON for readers."""
    located = item.located
    return {
        "key": item.key,
        "folder": folder,
        "kind": item.kind.value,
        "item_class": item.item_class,
        "subject": item.subject,
        "at": item.at.isoformat() if item.at else None,
        "is_read": item.is_read,
        "size": item.size,
        "metadata": dict(item.metadata),
        "content": {"form": located.form, "bytes": located.length, "sha256": located.sha256} if located else None,
    }


class _FolderPaths:
    """The directories of the folders, below the directory that the operator chose."""

    def __init__(self, replica: Replica, mailbox_id: str, target: Path) -> None:
        self._folders = replica.load(mailbox_id).folders
        self._paths = folder_paths(self._folders)
        self._target = target

    def of(self, item: ReplicaItem) -> Path:
        return self._target / self._paths.get(item.folder_id, Path(f"unknown-{_short(item.folder_id)}"))

    def name(self, item: ReplicaItem) -> str:
        folder = self._folders.get(item.folder_id)
        return folder.path if folder else ""


def _path_of(item: ReplicaItem, places: _FolderPaths) -> Path:
    return places.of(item) / file_name(item, item.located.form if item.located else "metadata.json")


def _is_written(item: ReplicaItem, places: _FolderPaths, done: ExportResult) -> bool:
    """Looked for before anything is read: an export of days that was broken off goes on where it was."""
    done.without_content += item.located is None
    is_there = _path_of(item, places).exists()
    done.existing += is_there
    return is_there


def _write_file(item: ReplicaItem, data: bytes | None, places: _FolderPaths, done: ExportResult) -> None:
    if item.located is None:
        data = json.dumps(as_json(item, places.name(item)), indent=2).encode()
    if data is None:
        return
    if _create(_path_of(item, places), data):
        done.written += 1
    else:
        done.existing += 1


def _contents(
    replica: Replica, mailbox_id: str, items: Sequence[ReplicaItem], done: ExportResult
) -> Iterator[tuple[ReplicaItem, bytes | None]]:
    """The items with their contents, read together; None for what has none, or is damaged or gone."""
    yield from ((item, None) for item in items if item.located is None)
    for item, data in replica.contents(mailbox_id, [item for item in items if item.located is not None]):
        yield item, data if data is not None else _content(replica, mailbox_id, item, done)


def _content(replica: Replica, mailbox_id: str, item: ReplicaItem, done: ExportResult) -> bytes | None:
    try:
        return replica.content(mailbox_id, item)
    except (NotFound, ItemUnusable):
        done.damaged += _exists(replica, mailbox_id, item)
        return None


def _exists(replica: Replica, mailbox_id: str, item: ReplicaItem) -> bool:
    """Whether the item still exists: a pass may have deleted it and its content since it was listed."""
    try:
        replica.item(mailbox_id, item.key)
    except NotFound:
        return False
    return True


def _create(path: Path, data: bytes) -> bool:
    """Create a file that only its owner may read, because it is mail; False if it already exists."""
    _make_directory(path.parent)
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            _write_whole(file, data, path)
    except FileExistsError:
        return False
    return True


def _write_whole(file: BinaryIO, data: bytes, path: Path) -> None:
    """Write all of the data or leave no file: the next export would take a partial file for a complete one."""
    try:
        file.write(data)
        file.flush()
    except BaseException:
        path.unlink()
        raise


def _make_directory(path: Path) -> None:
    for directory in (*reversed(path.parents), path):
        directory.mkdir(mode=0o700, exist_ok=True)


def _short(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()[:8]
