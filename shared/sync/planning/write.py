"""What one action of a plan comes to on the page being written."""

from dataclasses import dataclass
from enum import Enum

from shared.replica.port import FeedChange
from shared.sync.scope import LeftOut
from shared.sync.state.checkpoint import StateCheckpoint


class Origin(Enum):
    """What a write came of."""

    READY = "ready"
    ARRIVAL = "arrival"
    """An item that arrived or was brought up to date."""
    CONFIRMATION = "confirmation"
    """An item of which the replica turned out to be right."""
    REMOVAL = "removal"
    """An item that was gone for good."""
    LEFT_OUT = "left_out"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Write:
    """What one action comes to on the page being written."""

    origin: Origin
    change: FeedChange | None = None
    before: str = ""
    """The folder that the item was in."""
    resolved: tuple[str, ...] = ()
    """Whose issues to drop once the page is committed."""
    checkpoints: tuple[StateCheckpoint, ...] = ()
    """The folders whose state moves on with this page."""
    is_unconfirmed: bool = False
    """Whether the folder's state may not know the item yet."""
    left_out: LeftOut | None = None
