"""The port that every mail source fulfills: Exchange Web Services and Microsoft Graph behind the same calls.

Ids, states and versions are opaque strings. Errors are those of shared.errors: a RetryLater, PersonMustSignIn,
AdministratorMustAct or OperatorMustAct ends the pass. What is wrong with one item comes back as an ItemFailure, what is
wrong with one folder's state is raised as StateInvalid or FolderGone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from shared.errors import ItemUnusable, MailboxSyncError, Reason


class StateInvalid(MailboxSyncError):
    """The source no longer knows this folder state: ask again from the beginning (state None)."""


class FolderGone(MailboxSyncError):
    """The folder does not exist any more."""


class FolderUnreadable(ItemUnusable):
    """The mailbox can be read, and this folder of it cannot: it is corrupt, or closed to whom we read as."""


class SourceName(StrEnum):
    """Which source reads a mailbox."""

    EWS = "ews"
    GRAPH = "graph"


class AccessMode(StrEnum):
    """How we may read a mailbox."""

    DELEGATED = "delegated"
    IMPERSONATION = "impersonation"
    APP_ONLY = "app_only"


@dataclass(frozen=True, slots=True)
class Access:
    """What opening a mailbox takes: which mailbox, in which mode, and the access token (never logged, never stored).

    `renew` gives a fresh token when the server has rejected this one in mid-pass; it raises as tokens do. `source` is
    the one that the token is for.
    """

    address: str
    mode: AccessMode
    token: str = field(repr=False)
    renew: Callable[[], str] | None = field(default=None, repr=False)
    source: SourceName = SourceName.EWS
    own: bool = False
    """Whether the mailbox is that of the person whose token it is. Requests then name no address: the one that is known
    may be a sign-in name that no mailbox has. False for a shared mailbox, which the same mode serves."""


class ItemKind(StrEnum):
    """What an item is to its reader; the item class says it exactly."""

    MESSAGE = "message"
    EVENT = "event"
    CONTACT = "contact"
    LIST = "list"
    TASK = "task"
    OTHER = "other"


class ContentLevel(StrEnum):
    """How much of an item is asked for. Each level contains those before it."""

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
    """What a folder is for its mailbox, the same word from every source."""

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

    `mark` changes whenever anything in the folder did; None where the source cannot tell.
    `marked_at` is the time in the mark, UTC: a change within the mark's resolution of a look may hide behind it.
    """

    id: str
    parent_id: str
    name: str
    path: str
    """Display names from the top, joined by "/" (a "/" within a name is written "%2F")."""
    kind: FolderKind
    role: FolderRole
    """In an online archive the role that its counterpart in the mailbox has."""
    total: int | None
    """How many items it counts; None where the source cannot tell."""
    archive: bool = False
    mark: str | None = None
    marked_at: datetime | None = None


class ChangeKind(StrEnum):
    """What happened to an item since a state."""

    UPSERT = "upsert"
    DELETE = "delete"
    READ_FLAG = "read_flag"


@dataclass(frozen=True, slots=True)
class SourceChange:
    """One line of a page of changes. `version` is empty on deletes."""

    kind: ChangeKind
    item_id: str
    version: str = ""
    is_read: bool | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """An item's own bytes, and what they are: eml, ics, vcf or json (also the member's ending in a pack).

    An .ics or .vcf file of an item that has no UID of its own has shared.formats.uids.UNIDENTIFIED in its place.
    """

    form: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Item:
    """One item as the source gave it.

    `move_key` survives a move and copies may share it; it is empty where the source has none. With another
    `content_key` the content must be downloaded; an equal one is no proof (docs/decisions/0011-same-content.md). Times
    are aware UTC. `metadata` holds `modified` (last-modified time, whole seconds) and what the kind has besides
    (recipients, event times, recurrence, categories...), JSON-serializable, personal: never logged.
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
    """What the item is ordered by: received (mail), start (event), modified (others)."""
    addresses: tuple[str, ...] = ()
    """Everybody named in it, lower case: what an exclusion is tested against."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    content: Content | None = None
    lacking: "ItemFailure | None" = None
    """Why the content that was asked for could not be had, when the item came all the same, with less of it: its body
    where MIME was asked for, its file without one of its attachments. Then `metadata` says `original` False."""


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One item that could not be had; `reason` ITEM_GONE: it is not found, for it was deleted or is not there yet."""

    item_id: str
    reason: Reason
    support: str = ""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """What a comparison needs of an item: its id and version, and `at`, when it was received (mail only, else None)."""

    id: str
    version: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in order, the state that follows them, and whether that state is the present one."""

    changes: tuple[SourceChange, ...]
    state: str
    complete: bool
    items: Mapping[str, Item] = field(default_factory=dict)
    """Items, by id, whose metadata the page already carried; empty where the source gives ids only.

    The planner uses them instead of a METADATA fetch. A source that cannot tell a change of the read flag from others
    reports an UPSERT with the item; comparing it with the replica tells which it was.
    """


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """What a source has cost so far: requests sent, bytes of answers received."""

    requests: int = 0
    bytes_received: int = 0


NO_ITEMS: Mapping[str, Item] = MappingProxyType({})


class MailSource(Protocol):
    """One mailbox, opened with one access token; used by one pass, from that pass's threads."""

    @property
    def figures(self) -> RequestFigures:
        """What it has cost since it was opened."""
        ...

    def prefetch(self, stored: Mapping[str, str]) -> None:
        """Told once, before folders(), the stored state of every folder that is read, by folder id.

        A source without marks asks for folders() and for the first page of changes() after these states together, and
        answers those calls from what came; others do nothing. Never raises: what went wrong is raised by the call that
        it belongs to.
        """
        ...

    def folders(self) -> list[Folder]:
        """Every folder that can hold items, archives included where asked for; costs one request where it can."""
        ...

    def changes(self, folder: Folder, state: str | None) -> ChangePage:
        """The next page of changes since `state`; None begins at the beginning.

        Raises: StateInvalid, FolderGone, FolderUnreadable.
        """
        ...

    def fetch(
        self, folder: Folder, ids: Sequence[str], level: ContentLevel, known: Mapping[str, Item] = NO_ITEMS
    ) -> Iterator[Item | ItemFailure]:
        """The named items, in any order, each once, as an Item or an ItemFailure; batches are the source's affair.

        `known` are items whose metadata a ChangePage carried: the source need not ask for that again and completes them
        with content.
        Items above the largest size given on opening come without content, whatever the level.
        """
        ...

    def list_items(self, folder: Folder) -> Iterable[ItemRef]:
        """Every item in the folder, for the sweep; not more than a page in memory.

        Raises: FolderGone, FolderUnreadable.
        """
        ...

    def not_provided(self, folder: Folder) -> int:
        """How many items the folder counted, when it was last listed here, that this source cannot give: contact groups
        over Graph. 0 for a source that gives everything.
        """
        ...

    def occurrences(self, folder: Folder, start: datetime, end: datetime) -> Iterable[Item]:
        """A calendar's events between two times with recurring ones expanded, metadata only.

        Raises: FolderGone, FolderUnreadable.
        """
        ...

    def close(self) -> None:
        """Give connections back and forget the token. Never raises."""
        ...


class MailSources(Protocol):
    """Opens mailboxes."""

    def open(self, access: Access, *, isolate_failures: bool = False) -> MailSource:
        """Open one mailbox; makes no request yet.

        `isolate_failures` when passes have failed again and again, or what failed once is tried again. Then an outage
        that comes over a single item or folder, while the mailbox answers otherwise, is an ItemFailure, or raised as
        FolderUnreadable: else one item that the server chokes on would stop a mailbox for ever.
        """
        ...

    def check(self, access: Access) -> None:
        """One cheap request that tells whether the mailbox can be read; raises as a pass would."""
        ...

    def resolve(self, access: Access, query: str) -> list[str]:
        """Primary addresses that a name or address stands for (ResolveNames); empty when unknown."""
        ...

    def primary_address(self, access: Access) -> str:
        """The mailbox's primary address, as the server has it; empty when it does not say. Raises as `check` does."""
        ...
