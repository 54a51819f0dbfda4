"""Where a folder's state moves on to, and when."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.sources.port import Folder


@dataclass(eq=False, slots=True)
class StateCheckpoint:
    """A folder's next state. It is due with the page that holds the last action on the changes before it.

    Earlier would lose the others in a crash; later would only repeat them.
    """

    folder: Folder
    state: str
    complete: bool
    """Whether that is the folder's present state."""
    changes: int
    """How many items changed in it."""
    upserts: int
    """How many of them arrived or were changed."""
    scanned_at: datetime
    """When the scan was taken that found the folder to be read."""
    confirmed: list[str] = field(default_factory=list)
    """Keys of the items that arrived with it, or were found to be there."""
    _open: int = 0

    def add_action(self) -> None:
        """One more action has to be on a page first."""
        self._open += 1

    def finish_action(self) -> bool:
        """One action is on a page; gives whether it was the last."""
        self._open -= 1
        return self._open == 0

    @property
    def is_due(self) -> bool:
        """Whether no action is left."""
        return self._open == 0


def reached(*checkpoints: StateCheckpoint | None) -> tuple[StateCheckpoint, ...]:
    """Those of which an action that is being written was the last."""
    return tuple([each for each in checkpoints if each is not None and each.finish_action()])
