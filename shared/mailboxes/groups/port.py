"""The port of groups."""

from collections.abc import Callable
from typing import Protocol

from shared.mailboxes.groups.model import Group


class GroupStore(Protocol):
    """All groups. There are few: tens, not thousands."""

    def add(self, group: Group) -> Group:
        """Store a new group.

        Raises:
            Conflict: there is one with this name.
        """
        ...

    def get(self, name: str) -> Group:
        """Return one group. Raises NotFound."""
        ...

    def all(self) -> list[Group]:
        """Return all groups in the order of their names, except those that this version cannot read."""
        ...

    def change(self, name: str, change: Callable[[Group], Group]) -> Group:
        """Read, change and replace a group under its ETag; repeat after a conflict. Raises NotFound."""
        ...

    def delete(self, group: Group) -> None:
        """Delete a group as it was read; no error if it does not exist any more.

        Raises:
            Conflict: it has changed since.
        """
        ...
