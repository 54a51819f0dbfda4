"""The stored state of a folder: opaque text for all other code.

It holds the delta link (path and query only, to be requested from the configured host). The inbox's state also holds
the mailbox's well-known folders, so that a process that has never read the mailbox need not request them.
"""

from collections.abc import Mapping

import msgspec

from shared.sources.graph.transport.answers import decoder
from shared.sources.model import FolderKind, FolderRole
from shared.sources.port import StateInvalid


class Memory(msgspec.Struct, array_like=True, frozen=True):
    """A mailbox's well-known folders: requested once, and again when none of them exists any more."""

    roles: Mapping[str, FolderRole] = {}
    """Role by folder id."""
    root: str = ""
    """The id of the folder at the top, which is listed by some services and holds no items."""
    contacts: tuple[str, str] | None = None
    """Id and name of the default contacts folder, which listings leave out."""


class State(msgspec.Struct, array_like=True, frozen=True):
    """How far a folder has been read."""

    kind: FolderKind
    link: str = ""
    """The next page, or the next round; empty: from the beginning."""
    complete: bool = False
    """Whether the link is a delta link, which returns later changes."""
    is_listing: bool = False
    """Whether delta is refused, so that the folder is listed, latest changes first, and compared."""
    known_until: str = ""
    """The time of modification (ISO 8601) up to which a listed folder is known; empty: not at all."""
    newest: str = ""
    """The latest modification that the current listing has seen."""
    memory: Memory | None = None
    day: int = 0
    """The day on which the link was returned, in days since 1970."""


def written(state: State) -> str:
    """Encode a state."""
    return msgspec.json.encode(state).decode()


def read(text: str) -> State:
    """Decode a stored state. Raises StateInvalid if it is another source's, or damaged."""
    try:
        return decoder(State).decode(text)
    except (msgspec.MsgspecError, ValueError) as exc:
        raise StateInvalid("not a state of Microsoft Graph") from exc
