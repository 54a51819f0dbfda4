"""The names of exported files and directories.

Folder names and subjects are untrusted input. Only characters that cannot leave the directory, hide a file, look like
an option or mean something to a file system are used in paths.
"""

import hashlib
import ntpath
import os
import unicodedata
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

from shared.replica.port import FolderState, ReplicaItem

_UNSAFE = frozenset('<>:"/\\|?*')
"""Path separators, and characters that Windows refuses."""
_MAX_PATH_BYTES = 600
"""Most bytes of a folder's path below the export directory. macOS allows 1,024 for the whole path, including that
directory, the file's name and the directories above."""


def safe_name(text: str, longest: int = 80) -> str:
    """The text as one harmless path component of at most `longest` bytes.

    Invisible characters are replaced: control sequences, and the marks that change the writing direction.
    """
    seen = unicodedata.normalize("NFC", text)
    if not seen.isprintable() or not _UNSAFE.isdisjoint(seen):
        seen = "".join("_" if one in _UNSAFE or not one.isprintable() else one for one in seen)
    name = seen.strip(" .").encode("utf-8", "replace")[:longest].decode("utf-8", "ignore").strip(" .")
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
    """A folder's component of a path. It never equals a file name of a sibling folder's mbox."""
    name = safe_name(text)
    return f"{name}_" if name.casefold().endswith((".mbox", ".mbox.part", ".mbox.index")) else name


def file_name(item: ReplicaItem, form: str) -> str:
    """A file name that sorts by date, shows the subject, and is unique to the item."""
    day = item.at.astimezone(UTC).date().isoformat() if item.at else "undated"
    return f"{day} {safe_name(item.subject or item.kind, 60)} {item.key[:12]}.{form}"


type FilePlace = tuple[Path, str]
"""A file's directory and its name."""


class FolderPaths:
    """The directories of the folders, below the directory that the operator chose."""

    def __init__(self, folders: Mapping[str, FolderState], target: Path) -> None:
        self._folders = folders
        self._paths = folder_paths(folders)
        self._target = target
        self._known: dict[str, Path] = {}

    def of(self, item: ReplicaItem) -> Path:
        """The directory of an item's folder; the same object for each item of a folder."""
        id_ = item.last_folder_id
        if id_ not in self._known:
            self._known[id_] = self._target / self._paths.get(id_, Path(f"unknown-{_short(id_)}"))
        return self._known[id_]

    def name(self, item: ReplicaItem) -> str:
        """The path of an item's folder in the mailbox; empty if it is unknown."""
        folder = self._folders.get(item.last_folder_id)
        return folder.path if folder else ""

    def file(self, item: ReplicaItem) -> FilePlace:
        """The file of an item: its content, or without one the JSON of its metadata."""
        return self.of(item), file_name(item, item.located.form if item.located else "metadata.json")


def _short(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()[:8]
