"""The next state of a folder, and when it becomes valid."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.sources.model import Folder


@dataclass(eq=False, slots=True)
class StateCheckpoint:
    """A folder's next state. It becomes due with the page that holds the last action on the changes before it.

    If it were committed earlier, a crash would lose the remaining changes; later would only repeat them.
    """

    folder: Folder
    state: str
    complete: bool
    """Whether the folder has no further changes after this state."""
    changes: int
    """How many items changed before this state."""
    upserts: int
    """How many of them arrived or were changed."""
    scanned_at: datetime
    """When the scan was made that found that the folder has to be read."""
    confirmed: list[str] = field(default_factory=list)
    """The keys of the items that arrived with it, or that were already in the replica."""
    _open: int = 0

    def add_action(self) -> None:
        """Count one more action that has to be on a page first."""
        self._open += 1

    def finish_action(self) -> bool:
        """Count one action as written; returns whether it was the last."""
        self._open -= 1
        return self._open == 0

    @property
    def is_due(self) -> bool:
        """Whether no action is left."""
        return self._open == 0


def reached(*checkpoints: StateCheckpoint | None) -> tuple[StateCheckpoint, ...]:
    """Count one action of each checkpoint as written; returns the checkpoints for which it was the last."""
    return tuple([each for each in checkpoints if each is not None and each.finish_action()])
