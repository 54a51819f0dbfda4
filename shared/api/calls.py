"""A call of an operation, what it returns, and the operations as a table that routes and documents are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from shared.api.access import EVERYBODY, Caller, Role

if TYPE_CHECKING:
    from datetime import datetime

    from shared.api.port import ReaderStore
    from shared.authorization.onboarding.activation import Activation
    from shared.authorization.onboarding.invitations import Invitations
    from shared.authorization.onboarding.service_accounts import ServiceAccounts
    from shared.mailboxes.bulk.jobs import Jobs
    from shared.mailboxes.commands import MailboxCommands
    from shared.mailboxes.directory.listing import MailboxListing
    from shared.mailboxes.groups.commands import GroupCommands
    from shared.mailboxes.holds import HoldCommands
    from shared.mailboxes.move_commands import MoveCommands
    from shared.mailboxes.port import MailboxRegistry
    from shared.replica.change_log.port import ChangeLog
    from shared.replica.reading.port import ReplicaReader
    from shared.webhooks.endpoints import WebhookEndpoints


class ApiComponents(Protocol):
    """The components of the program that operations use. The composition root has them."""

    @property
    def registry(self) -> "MailboxRegistry":
        """The registry of mailboxes."""
        ...

    @property
    def listing(self) -> "MailboxListing":
        """Lists of mailboxes by filters and order."""
        ...

    @property
    def replica_reader(self) -> "ReplicaReader":
        """The read side of the copies."""
        ...

    @property
    def change_log(self) -> "ChangeLog":
        """Which mailboxes have changed, in the order of time."""
        ...

    @property
    def readers(self) -> "ReaderStore":
        """The limits of readers."""
        ...

    @property
    def content_audit(self) -> Callable[[str, str], None]:
        """Records that a caller read contents of a mailbox."""
        ...

    @property
    def mailbox_commands(self) -> "MailboxCommands":
        """The commands on mailboxes."""
        ...

    @property
    def hold_commands(self) -> "HoldCommands":
        """Legal holds."""
        ...

    @property
    def group_commands(self) -> "GroupCommands":
        """Groups of mailboxes."""
        ...

    @property
    def move_commands(self) -> "MoveCommands":
        """Moves between sources."""
        ...

    @property
    def invitations(self) -> "Invitations":
        """Invitations."""
        ...

    @property
    def activation(self) -> "Activation":
        """Activations."""
        ...

    @property
    def service_accounts(self) -> "ServiceAccounts":
        """Service accounts."""
        ...

    @property
    def jobs(self) -> "Jobs":
        """Bulk jobs."""
        ...

    @property
    def webhooks(self) -> "WebhookEndpoints":
        """Webhook endpoints."""
        ...

    @property
    def clock(self) -> "Callable[[], datetime]":
        """The clock."""
        ...


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation without query parameters."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional headers of a request, as they were sent."""

    if_none_match: str = ""
    range: str = ""
    if_range: str = ""


@dataclass(frozen=True, slots=True)
class Call[Q, B]:
    """One call: who makes it, the parameters of the path, the query, the body, and the conditional headers."""

    caller: Caller
    path: Mapping[str, str]
    query: Q
    body: B
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer that is not a struct: bytes with their media type. `is_empty`: a feed has nothing new."""

    data: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_empty: bool = False


type Run = Callable[[ApiComponents, Call[Any, Any]], Struct | RawAnswer | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API. `path` is below /api/v1; `answer` is the struct of its answer, or its media types."""

    name: str
    method: str
    path: str
    summary: str
    tag: str
    run: Run
    roles: frozenset[Role] = EVERYBODY
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    answer: type[Struct] | tuple[str, ...] | None = None
    lines: tuple[type[Struct], ...] = ()
    """The types of the lines of an answer that is lines of JSON."""
    status: int = 200
    largest_body: int = 64 * 1024
    waits: bool = False
    """Whether the query has `wait`: the answer may be asked for again until it is not empty."""
    is_content: bool = False
    """Whether it returns bytes of a mailbox, with ETag and Range."""

    missing: str = ""
    """What a 404 did not find, if the path does not name it: the body does."""
    named: str = ""
    """What the id in the path must be, if the operation makes what it names."""
    holds_secret: bool = False
    """Whether its answer holds a secret, and so must not be stored."""

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.method not in ("GET", "HEAD")

    @property
    def takes_key(self) -> bool:
        """Whether it takes an idempotency key: the answer is stored for a repeated request."""
        return self.is_write and not self.holds_secret


def operation(method: str, path: str, *, tag: str, **more: Any) -> Callable[[Run], Operation]:
    """Make the operation of a function: its name is the function's, its summary the first line of the docstring."""

    def made(run: Run) -> Operation:
        summary = (run.__doc__ or "").strip().partition("\n")[0].removesuffix(".")
        return Operation(run.__name__, method, path, summary, tag, run, **more)

    return made
