"""Builds folder paths: display names from the top folder down, joined by "/"."""

from collections.abc import Iterable
from dataclasses import replace

from shared.sources.model import Folder


def name_in_path(name: str) -> str:
    """A folder's name as one segment of a path: a "/" within it becomes "%2F"."""
    return name.replace("/", "%2F")


def with_paths(folders: Iterable[Folder], hidden: frozenset[str] = frozenset()) -> list[Folder]:
    """The visible folders with their full paths; each comes with its own name as its path.

    All folders below a hidden folder are hidden too. A cycle of parents ends at the first repeated folder.
    """
    by_id = {folder.id: folder for folder in folders}
    found = []
    for folder in by_id.values():
        names: list[str] = []
        seen: set[str] = set()
        current: Folder | None = folder
        while current is not None and current.id not in seen and current.id not in hidden:
            seen.add(current.id)
            names.append(current.path)
            current = by_id.get(current.parent_id)
        if current is None or current.id not in hidden:
            # Copying costs more than everything else here, and a top folder has its path already.
            found.append(replace(folder, path="/".join(reversed(names))) if len(names) > 1 else folder)
    return found
