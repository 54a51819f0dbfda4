"""What the directory knows of a mailbox, and how it is asked. No vendor, no clock, no storage."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.mailboxes.groups.model import stored_name
from shared.mailboxes.model import SHARED_OWNER_PREFIX, Mailbox, Status
from shared.sources.model import AccessMode, SourceName

LARGEST_PAGE = 1000
"""The most entries of one page."""

ON_HOLD = "on"
"""What an entry and a query say of a legal hold; without one, or without this filter, they are empty."""


class WayIn(StrEnum):
    """How a mailbox was connected."""

    SIGN_IN = "sign_in"
    SHARED = "shared"
    SERVICE_ACCOUNT = "service_account"
    APP_ONLY = "app_only"


class Sort(StrEnum):
    """The order of a list."""

    ADDRESS = "address"
    NEWEST = "newest"
    """The latest connected first."""


class CursorInvalid(ValueError):
    """The cursor is not one that the same query has returned."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One mailbox in the directory. The address is personal: it is never logged."""

    id: str
    tenant_id: str
    address: str
    created_at: datetime
    status: Status
    reason: str
    source: SourceName
    way: WayIn
    hold: str = ""
    group: str = ""
    """The name of its group; empty: it has none."""


@dataclass(frozen=True, slots=True)
class DirectoryQuery:
    """Which mailboxes, and in which order; an empty filter holds for all. `prefix` is the start of the address.

    `group` is the name of a group, or `default` for the mailboxes that are in none.
    """

    prefix: str = ""
    status: str = ""
    reason: str = ""
    tenant: str = ""
    source: str = ""
    way: str = ""
    group: str = ""
    sort: Sort = Sort.ADDRESS
    hold: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are given: the name of the field that each compares, and the value that it wants."""
        asked = {
            "status": self.status,
            "reason": self.reason,
            "tenant_id": self.tenant,
            "source": self.source,
            "way": self.way,
            "hold": self.hold,
        }
        given = {name: wanted for name, wanted in asked.items() if wanted}
        return given | ({"group": stored_name(self.group)} if self.group else {})

    def matches(self, entry: DirectoryEntry) -> bool:
        """Whether the entry belongs in the list."""
        starts = entry.address.lower().startswith(self.prefix.lower())
        return starts and all(getattr(entry, name) == wanted for name, wanted in self.filters.items())


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """One page of a list. `cursor` continues it; empty: it is the last. A page may have fewer entries than asked for.

    A page may even be empty and have a cursor: a search for rare mailboxes ends after a bounded number of rows.
    """

    entries: tuple[DirectoryEntry, ...]
    cursor: str = ""


def way_in(mailbox: Mailbox) -> WayIn:
    """How a mailbox was connected."""
    if mailbox.owner_id.startswith(SHARED_OWNER_PREFIX):
        return WayIn.SHARED
    ways = {AccessMode.DELEGATED: WayIn.SIGN_IN, AccessMode.IMPERSONATION: WayIn.SERVICE_ACCOUNT}
    return ways.get(mailbox.mode, WayIn.APP_ONLY)


def entry_of(mailbox: Mailbox) -> DirectoryEntry:
    """The entry of a mailbox."""
    return DirectoryEntry(
        id=mailbox.id,
        tenant_id=mailbox.tenant_id,
        address=mailbox.address,
        created_at=mailbox.created_at,
        status=mailbox.status,
        reason=mailbox.reason,
        source=mailbox.source,
        way=way_in(mailbox),
        hold=ON_HOLD if mailbox.hold_since is not None else "",
        group=mailbox.group,
    )
