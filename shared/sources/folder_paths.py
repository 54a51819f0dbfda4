"""The paths of folders: display names from the top, joined by "/"."""

from collections.abc import Iterable
from dataclasses import replace

from shared.sources.port import Folder


def name_in_path(name: str) -> str:
    """A folder's name as a part of a path: a "/" within it is written "%2F"."""
    return name.replace("/", "%2F")


def with_paths(folders: Iterable[Folder], hidden: frozenset[str] = frozenset()) -> list[Folder]:
    """The visible folders with their paths, each given with its name for one.

    What lies in a hidden folder is hidden with it; a loop ends where it closes.
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
            # A copy costs more than all the rest, and a folder at the top has its path already.
            found.append(replace(folder, path="/".join(reversed(names))) if len(names) > 1 else folder)
    return found
