"""The port that every mail source implements: Exchange Web Services and Microsoft Graph behind the same calls.

Ids, states, and versions are opaque strings. Errors are those of shared.errors: a RetryLater, PersonMustSignIn,
AdministratorMustAct or OperatorMustAct ends the pass. A problem with one item is returned as an ItemFailure. A problem
with one folder is raised as StateInvalid, FolderGone, or FolderUnreadable.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.errors import ItemUnusable, MailboxSyncError
from shared.sources.model import (
    NO_ITEMS,
    Access,
    ChangePage,
    ContentLevel,
    Folder,
    Item,
    ItemFailure,
    ItemRef,
    RequestFigures,
    SourceName,
)


class StateInvalid(MailboxSyncError):
    """The source does not know this folder state any more. Read the folder from the beginning (state None)."""


class FolderGone(MailboxSyncError):
    """The folder no longer exists."""


class FolderUnreadable(ItemUnusable):
    """The mailbox can be read but this folder cannot: it is corrupt, or not readable by the account we use."""


class MailSource(Protocol):
    """One mailbox, opened with one access token. One pass uses it, from several threads."""

    @property
    def figures(self) -> RequestFigures:
        """The requests and bytes since the mailbox was opened."""
        ...

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Announce the stored state of every folder that will be read, by folder id. Called once, before folders().

        A source without folder change tokens requests the folders and the first change page of each of these states
        together, and answers the later calls from the responses. Other sources do nothing. Never raises: an error is
        raised by the later call that it belongs to.
        """
        ...

    def folders(self) -> list[Folder]:
        """Every folder that can hold items, including archives if configured. Takes one request where possible."""
        ...

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page of changes since `state`; None starts from the beginning.

        Raises: StateInvalid, FolderGone, FolderUnreadable.
        """
        ...

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """Fetch the given items: each comes once, in any order, as an Item or an ItemFailure. The source makes batches.

        `known` are items whose metadata came with a ChangePage: the source need not request it again, and only adds the
        content. Items above the configured largest size come without content at every level.
        """
        ...

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item in the folder, for the sweep. Holds one page in memory at most.

        Raises: FolderGone, FolderUnreadable.
        """
        ...

    def list_together(self, folders: Sequence[Folder]) -> Iterator[tuple[str, Sequence[ItemRef]]]:
        """The items of small folders, by folder id, in as few requests as possible; a response in memory at most.

        Only folders that were listed to their end are returned. A folder that is too large for this, gone, or
        unreadable is left out: `list_items` tells more about it. What concerns the whole mailbox is raised.
        """
        ...

    def not_provided(self, folder: Folder) -> int:
        """The number of items that the folder's count includes but this source cannot return.

        Over Graph these are contact groups, as of the last listing of the folder. 0 if the source returns all items.
        """
        ...

    def translated(self, ids: Sequence[str], to: SourceName) -> dict[str, str]:
        """Return the ids that items and folders of the other source have at `to`.

        Called only for ids that the two sources spell differently. Ids that cannot be translated are left out; EWS
        translates none.
        """
        ...

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """The events of a calendar between two times, with recurring ones expanded; metadata only.

        Raises: FolderGone, FolderUnreadable.
        """
        ...

    def primary_address(self) -> str:
        """The mailbox's primary address; empty if not provided. Raises as `MailSources.check` does."""
        ...

    def close(self) -> None:
        """Release the connections and forget the token. Never raises."""
        ...


class MailSources(Protocol):
    """Opens mailboxes."""

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet.

        Set `isolate_failures` after repeated failed passes, or when failed items are retried. A request for a single
        item or folder that fails while the mailbox otherwise responds then gives an ItemFailure or raises
        FolderUnreadable. Without this, one item that the server cannot handle would stop a mailbox forever.
        """
        ...

    def check(self, access: Access) -> None:
        """Make one cheap request to find out whether the mailbox can be read. Raises what a pass would raise."""
        ...

    def resolve(self, access: Access, query: str) -> list[str]:
        """The primary addresses that match a name or address (ResolveNames); empty if it is unknown."""
        ...

    def primary_address(self, access: Access) -> str:
        """The mailbox's primary address according to the server; empty if not provided. Raises as `check` does."""
        ...
