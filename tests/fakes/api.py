"""The components that the API's operations use, in memory, and calls of operations."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from shared.api.access import Caller, Role
from shared.api.calls import ApiComponents, Call, Conditions, NoQuery, Operation, RawAnswer
from shared.api.content_audit import ContentAudit
from shared.api.decoding import decode_query
from shared.api.errors import Refused
from shared.api.port import ReaderLimits, StoredAnswer
from shared.api.stores.table import TAKEN_OVER_AFTER
from shared.mailboxes.directory.listing import MailboxListing
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.model import ScopeSettings
from shared.mailboxes.model import Mailbox
from shared.replica.reading.reader import BlobTableReader
from shared.replica.store import BlobTableReplica
from shared.sources.model import AccessMode
from shared.webhooks.endpoints import WebhookEndpoints
from tests.fakes.change_log import FakeChangeLog
from tests.fakes.clock import FakeClock
from tests.fakes.groups import MemoryGroups
from tests.fakes.registry import FakeDirectory, FakeRegistry
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.fakes.webhooks import WebhookHarness

TENANT = "11111111-1111-1111-1111-111111111111"
OPERATOR = Caller("operator-1", frozenset({Role.OPERATOR}))
STATE_READER = Caller("operator-2", frozenset({Role.OPERATOR_READ}))
READER = Caller("reader-1", frozenset({Role.REPLICA_READ}))


def limited(*mailboxes: str, tenants: tuple[str, ...] = ()) -> Caller:
    """A reader that is limited to these mailboxes and tenants."""
    limits = ReaderLimits("reader-2", frozenset(tenants), frozenset(mailboxes))
    return Caller("reader-2", frozenset({Role.REPLICA_READ}), limits)


class FakeReaders:
    """Implements ReaderStore in memory."""

    def __init__(self) -> None:
        self._limits: dict[str, ReaderLimits] = {}

    def get(self, object_id: str) -> ReaderLimits | None:
        """The limits, or None."""
        return self._limits.get(object_id)

    def all(self) -> list[ReaderLimits]:
        """All limits."""
        return [self._limits[object_id] for object_id in sorted(self._limits)]

    def put(self, limits: ReaderLimits) -> None:
        """Store limits."""
        self._limits[limits.object_id] = limits

    def delete(self, object_id: str) -> None:
        """Remove limits."""
        self._limits.pop(object_id, None)


@dataclass
class ApiParts:
    """Implements as much of ApiComponents as operations on copies and the registry use."""

    clock: FakeClock = field(default_factory=FakeClock)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    readers: FakeReaders = field(default_factory=FakeReaders)
    webhooks: WebhookEndpoints = field(default_factory=lambda: WebhookHarness().commands)

    def __post_init__(self) -> None:
        self.blobs, self.rows = MemoryBlobs(clock=self.clock), MemoryRows()
        self.replica = BlobTableReplica(self.blobs, self.rows)
        self.replica_reader = BlobTableReader(self.blobs, self.rows)
        directory = FakeDirectory(self.registry)
        self.listing = MailboxListing(directory, self.registry.get)
        self.group_commands = GroupCommands(
            MemoryGroups(), self.registry, directory, ScopeSettings(mail_days=365), self.clock
        )
        self.change_log = FakeChangeLog(self.clock)
        self.content_audit = ContentAudit(self.registry, self.clock)

    def add_mailbox(self, mailbox_id: str, tenant: str = TENANT, **changes: Any) -> Mailbox:
        """Connect a mailbox."""
        created: datetime = self.clock()
        mailbox = Mailbox(
            mailbox_id, 0, tenant, f"owner-{mailbox_id}", f"{mailbox_id}@contoso.example", "", "a",
            AccessMode.DELEGATED, created,
        )  # fmt: skip
        return self.registry.add(mailbox.with_changes(**changes))

    def call(self, operation: Operation, caller: Caller = OPERATOR, body: object = None, **given: str) -> Any:
        """Run an operation. `given` are path and query parameters as texts; `from_` is the parameter `from`."""
        names = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
        query = {name.rstrip("_"): value for name, value in given.items() if name not in names}
        path = {name: value for name, value in given.items() if name in names}
        caller.require(operation.roles)
        call: Call[Any, Any] = Call(caller, path, decode_query(operation.query, query), body)
        return operation.run(cast("ApiComponents", self), call)

    def content(self, operation: Operation, conditions: Conditions, **path: str) -> RawAnswer:
        """Run an operation that returns content, with conditional headers."""
        call: Call[Any, Any] = Call(OPERATOR, path, NoQuery(), None, conditions)
        answer = operation.run(cast("ApiComponents", self), call)
        assert isinstance(answer, RawAnswer)
        return answer


class FakeIdempotency:
    """Implements IdempotencyStore in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._stored: dict[tuple[str, str], tuple[str, datetime, StoredAnswer | None]] = {}

    def begin(self, caller: str, key: str, request: str) -> StoredAnswer | None:
        """Claim a key."""
        found = self._stored.get((caller, key))
        if found is not None:
            claimed, at, answer = found
            if claimed != request:
                raise Refused("idempotency_key_reused")
            if answer is not None:
                return answer
            if self._clock() - at < TAKEN_OVER_AFTER:
                raise Refused("idempotency_key_in_use")
        self._stored[caller, key] = (request, self._clock(), None)
        return None

    def finish(self, caller: str, key: str, answer: StoredAnswer) -> None:
        """Store the answer."""
        request, at, _ = self._stored[caller, key]
        self._stored[caller, key] = (request, at, answer)

    def abandon(self, caller: str, key: str) -> None:
        """Release the key."""
        self._stored.pop((caller, key), None)

    def forget(self, before: datetime) -> int:
        """Delete old answers."""
        old = [name for name, (_, at, _) in self._stored.items() if at < before]
        for name in old:
            del self._stored[name]
        return len(old)
