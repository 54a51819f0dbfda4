"""The write that results from one action of a plan."""

from dataclasses import dataclass
from enum import Enum

from shared.replica.port import FeedChange
from shared.sync.scope import LeftOut
from shared.sync.state.checkpoint import StateCheckpoint


class WriteOrigin(Enum):
    """The kind of action that a write results from."""

    READY = "ready"
    ARRIVAL = "arrival"
    """An item that arrived or was updated."""
    CONFIRMATION = "confirmation"
    """An item whose stored content was confirmed."""
    REMOVAL = "removal"
    """An item that was deleted."""
    LEFT_OUT = "left_out"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Write:
    """The write of one action, for the page being filled."""

    origin: WriteOrigin
    change: FeedChange | None = None
    before: str = ""
    """The folder that the item was in."""
    resolved: tuple[str, ...] = ()
    """The ids of the items whose issues to delete once the page is committed."""
    checkpoints: tuple[StateCheckpoint, ...] = ()
    """The checkpoints of the folders whose state advances with this page."""
    is_unconfirmed: bool = False
    """Whether the folder's state may not cover the item yet."""
    left_out: LeftOut | None = None
