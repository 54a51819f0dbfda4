"""An in-memory fake of the store of groups. It passes the same contract suite as the adapter."""

from collections.abc import Callable

from shared.errors import Conflict, NotFound
from shared.mailboxes.groups.model import Group


class MemoryGroups:
    """Implements GroupStore. `reads` counts; `after_change` is called after each change."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._writes = 0
        self.reads = 0
        self.after_change: Callable[[], object] = lambda: None

    def add(self, group: Group) -> Group:
        """Store a new group."""
        if group.name in self._groups:
            raise Conflict("there is one with this name")
        return self._put(group)

    def get(self, name: str) -> Group:
        """One group."""
        self.reads += 1
        if name not in self._groups:
            raise NotFound("no such group")
        return self._groups[name]

    def all(self) -> list[Group]:
        """All groups by name."""
        self.reads += 1
        return [self._groups[name] for name in sorted(self._groups)]

    def change(self, name: str, change: Callable[[Group], Group]) -> Group:
        """Read, change, replace."""
        before = self.get(name)
        after = change(before)
        stored = before if after == before else self._put(after)
        self.after_change()
        return stored

    def delete(self, group: Group) -> None:
        """Delete a group as it was read."""
        found = self._groups.get(group.name)
        if found is not None and found.version != group.version:
            raise Conflict("changed since it was read")
        self._groups.pop(group.name, None)

    def _put(self, group: Group) -> Group:
        self._writes += 1
        stored = group.with_changes(version=str(self._writes))
        self._groups[group.name] = stored
        return stored
