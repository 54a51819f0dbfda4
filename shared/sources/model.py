"""What mail sources exchange with the sync: folders, changes, items, and their contents.

Ids, states, and versions are opaque strings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from shared.errors import Reason


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
