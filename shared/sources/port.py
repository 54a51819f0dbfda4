"""The port that every mail source implements: Exchange Web Services and Microsoft Graph behind the same calls.

Ids, states, and versions are opaque strings. Errors are those of shared.errors: a RetryLater, PersonMustSignIn,
AdministratorMustAct or OperatorMustAct ends the pass. A problem with one item is returned as an ItemFailure. A problem
with one folder is raised as StateInvalid, FolderGone, or FolderUnreadable.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from shared.errors import ItemUnusable, MailboxSyncError, Reason


class StateInvalid(MailboxSyncError):
    """The source does not know this folder state any more. Read the folder from the beginning (state None)."""


class FolderGone(MailboxSyncError):
    """The folder no longer exists."""


class FolderUnreadable(ItemUnusable):
    """The mailbox can be read but this folder cannot: it is corrupt, or not readable by the account we use."""


class SourceName(StrEnum):
    """Which source reads a mailbox."""

    EWS = "ews"
    GRAPH = "graph"


class AccessMode(StrEnum):
    """The kind of access with which a mailbox is read."""

    DELEGATED = "delegated"
    IMPERSONATION = "impersonation"
    APP_ONLY = "app_only"


@dataclass(frozen=True, slots=True)
class Access:
    """What is needed to open a mailbox: its address, the access mode, and the access token (never logged or stored).

    `renew` returns a fresh token if the server rejects this one during a pass; it raises what obtaining a token raises.
    `source` is the source that the token is valid for.
    """

    address: str
    mode: AccessMode
    token: str = field(repr=False)
    renew: Callable[[], str] | None = field(default=None, repr=False)
    source: SourceName = SourceName.EWS
    own: bool = False
    """Whether the mailbox belongs to the person who signed in. Requests then name no address, since the known one may
    be a sign-in name that no mailbox has. False for a shared mailbox, which is read in the same mode."""


class ItemKind(StrEnum):
    """What an item is to its reader. The item class is more exact."""

    MESSAGE = "message"
    EVENT = "event"
    CONTACT = "contact"
    LIST = "list"
    TASK = "task"
    OTHER = "other"


class ContentLevel(StrEnum):
    """How much of an item is requested. Each level includes those before it."""

    METADATA = "metadata"
    BODY = "body"
    MIME = "mime"


class FolderKind(StrEnum):
    """What a folder is made to hold."""

    MAIL = "mail"
    CALENDAR = "calendar"
    CONTACTS = "contacts"
    TASKS = "tasks"
    OTHER = "other"


class FolderRole(StrEnum):
    """What a folder is for its mailbox. All sources use the same values."""

    NONE = ""
    INBOX = "inbox"
    DRAFTS = "drafts"
    SENT = "sent"
    DELETED = "deleted"
    JUNK = "junk"
    OUTBOX = "outbox"
    ARCHIVE = "archive"
    CALENDAR = "calendar"
    CONTACTS = "contacts"
    TASKS = "tasks"
    NOTES = "notes"
    JOURNAL = "journal"
    CONVERSATION_HISTORY = "conversation_history"
    SYNC_ISSUES = "sync_issues"
    CONFLICTS = "conflicts"
    LOCAL_FAILURES = "local_failures"
    SERVER_FAILURES = "server_failures"
    VOICEMAIL = "voicemail"
    RECIPIENT_CACHE = "recipient_cache"
    QUICK_CONTACTS = "quick_contacts"
    IM_CONTACT_LIST = "im_contact_list"
    PEOPLE_CONNECT = "people_connect"


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as the source lists it.

    `change_token` changes whenever anything in the folder does; None if the source has none.
    `change_token_at` is the time (UTC) in that token. The token may miss a change that happens at almost the same time
    as the listing, within the token's resolution.
    """

    id: str
    parent_id: str
    name: str
    path: str
    """Display names from the top folder down, joined by "/" (a "/" within a name is written "%2F")."""
    kind: FolderKind
    role: FolderRole
    """A folder of an online archive has the role of its counterpart in the mailbox."""
    total: int | None
    """The folder's own count of its items; None if the source has none."""
    archive: bool = False
    change_token: str | None = None
    change_token_at: datetime | None = None


class ChangeKind(StrEnum):
    """What happened to an item since a state."""

    UPSERT = "upsert"
    DELETE = "delete"
    READ_FLAG = "read_flag"


@dataclass(slots=True)
class SourceChange:
    """One change in a change page. `version` is empty for a delete."""

    kind: ChangeKind
    item_id: str
    version: str = ""
    is_read: bool | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """An item's bytes and their format: eml, ics, vcf or json, which is also the file extension in a pack.

    If an item has no UID of its own, its .ics or .vcf file contains shared.formats.uids.UNIDENTIFIED instead.
    """

    form: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Item:
    """One item as the source returned it.

    `move_key` survives a move, and copies may share it; it is empty if the source has none. If `content_key` differs,
    the content must be downloaded; an equal key is no proof of equal content (docs/decisions/0011-same-content.md).
    Times are aware UTC. `metadata` holds `modified` (last-modified time, whole seconds) and the properties of the kind
    (recipients, event times, recurrence, categories...). It is JSON-serializable and personal: it is never logged.
    """

    id: str
    version: str
    folder_id: str
    kind: ItemKind
    item_class: str
    move_key: str = ""
    content_key: str = ""
    subject: str = ""
    size: int = 0
    is_read: bool | None = None
    private: bool = False
    at: datetime | None = None
    """The time that items are ordered by: received (mail), start (events), last modified (all others)."""
    addresses: tuple[str, ...] = ()
    """The addresses of everybody named in the item, in lower case. Exclusions are tested against them."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    content: Content | None = None
    lacking: "ItemFailure | None" = None
    """Why the requested content is incomplete: the body instead of the MIME content, or a file that lacks one of its
    attachments. `metadata` then has `original` False. None if the content is complete."""


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One item that could not be fetched. With `reason` ITEM_GONE it was not found: deleted, or not yet visible."""

    item_id: str
    reason: Reason
    support: str = ""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """What the comparison needs of an item: its id, its version, and `at`, the time received (mail only, else None)."""

    id: str
    version: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in order, the state after them, and whether that state is current (`complete`)."""

    changes: tuple[SourceChange, ...]
    state: str
    complete: bool
    items: Mapping[str, Item] = field(default_factory=dict)
    """Items, by id, whose metadata came with the page; empty if the source returns ids only.

    The planner uses them instead of a METADATA fetch. A source that cannot distinguish a change of the read flag from
    other changes reports an UPSERT with the item; a comparison with the replica shows which it is.
    """


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """The cost of a source so far: requests sent and bytes of responses received."""

    requests: int = 0
    bytes_received: int = 0


NO_ITEMS: Mapping[str, Item] = MappingProxyType({})


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
