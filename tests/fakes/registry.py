"""An in-memory fake of the registry. `fail_at(n, error)` makes the n-th write from now fail, as in the fake replica."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from shared.errors import BeingErased, Conflict, NotFound, OperatorMustAct, Reason
from shared.mailboxes import transitions
from shared.mailboxes.directory.model import CursorInvalid, DirectoryPage, DirectoryQuery, Sort, entry_of
from shared.mailboxes.entities import partition
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.events import without_events
from shared.mailboxes.outbox.outbox import Outbox
from shared.mailboxes.port import AuditEntry, ErasureRecord, ItemIssue, Run
from shared.mailboxes.quiet_runs import with_quiet_run_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class FakeRegistry:
    """Implements MailboxRegistry."""

    def __init__(
        self, shards: int = 1, clock: Callable[[], datetime] = lambda: NOW, outbox: Outbox | None = None
    ) -> None:
        self._clock = clock
        self._outbox = outbox or Outbox()
        self._erasures: dict[str, ErasureRecord] = {}
        self.shards = shards
        self.writes = 0
        self.unreadable: set[str] = set()
        """The ids of mailboxes whose rows only a newer version can read."""
        self.audit: list[tuple[str, str, str]] = []
        self._mailboxes: dict[str, Mailbox] = {}
        self._claims: dict[tuple[str, str], str] = {}
        """By tenant and address in lower case: the id of the mailbox with this address."""
        self._runs: dict[str, list[Run]] = {}
        self._issues: dict[str, dict[str, ItemIssue]] = {}
        self._plans: dict[int, BaseException] = {}

    def fail_at(self, write: int, error: BaseException) -> None:
        """Make the given write fail; 1 is the next write."""
        self._plans[self.writes + write] = error

    def calm(self) -> None:
        """Cancel the failures that are still planned."""
        self._plans.clear()

    def _write(self) -> None:
        if error := self._plans.pop(self.writes + 1, None):
            self._plans.clear()
            raise error
        self.writes += 1

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        """Add a mailbox. Raises Conflict if its tenant has one with this address, other than `instead_of`."""
        standing = self.at_address(mailbox.tenant_id, mailbox.address)
        if mailbox.id in self._mailboxes or (standing is not None and standing.id != instead_of):
            raise Conflict("that address has a mailbox already")
        self._write()
        self._claims[mailbox.tenant_id, mailbox.address.lower()] = mailbox.id
        added = self._put(self._outbox.with_events(None, mailbox, self._clock()))
        self.publish_events(added)
        return added

    def get(self, mailbox_id: str) -> Mailbox:
        """One mailbox."""
        if mailbox_id in self.unreadable:
            raise OperatorMustAct(Reason.OUR_STORAGE, support="RowNotReadable", of_one=True)
        try:
            return self._mailboxes[mailbox_id]
        except KeyError:
            raise NotFound("no such mailbox") from None

    def of_owner(self, tenant_id: str, owner_id: str, *, readable_only: bool = False) -> list[Mailbox]:
        """An owner's mailboxes, oldest first. One that is being erased is hidden by a newer one with its address."""
        owned = [one for one in self._mailboxes.values() if (one.tenant_id, one.owner_id) == (tenant_id, owner_id)]
        standing = {one.address.lower() for one in owned if one.erasing_since is None}
        named = (one for one in owned if one.erasing_since is None or one.address.lower() not in standing)
        wanted = (one.id for one in named if not (readable_only and one.id in self.unreadable))
        return sorted(map(self.get, wanted), key=lambda mailbox: mailbox.created_at)

    def at_address(self, tenant_id: str, address: str) -> Mailbox | None:
        """The mailbox with this address in a tenant, unless it is being erased."""
        mailbox = self._mailboxes.get(self._claims.get((tenant_id, address.lower()), ""))
        if mailbox is None or mailbox.erasing_since is not None or mailbox.address.lower() != address.lower():
            return None
        return mailbox

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        """Read, change and replace a mailbox. Repeats after a concurrent change; writes only if something changed."""
        before = self.get(mailbox_id)
        if before.erasing_since is not None:
            raise BeingErased("the mailbox is being erased")
        after = self._outbox.with_events(before, change(before), self._clock())
        if self._mailboxes.get(mailbox_id) is not before:
            return self.change(mailbox_id, change)
        if after == before:
            return before
        self._write()
        if self.at_address(after.tenant_id, after.address) is None:
            self._claims[after.tenant_id, after.address.lower()] = mailbox_id
        stored = self._put(after)
        if after.outbox != before.outbox:
            self.publish_events(stored)
        return stored

    def publish_events(self, mailbox: Mailbox) -> None:
        """Hand the events on and remove them, unless the mailbox is being erased."""
        if mailbox.outbox and (published := self._outbox.published(mailbox.outbox)):
            found = self._mailboxes.get(mailbox.id)
            if found is not None and found.erasing_since is None:
                self._put(without_events(found, published))

    def publish_erasures(self) -> int:
        """Hand on the events of finished erasures."""
        left = [record for record in self._erasures.values() if record.outbox and record.finished_at is not None]
        for record in left:
            self._publish_erasure(record)
        return len(left)

    def _publish_erasure(self, record: ErasureRecord) -> None:
        if record.outbox and self._outbox.published(record.outbox):
            self._erasures[record.mailbox_id] = replace(record, outbox="")

    def _put(self, mailbox: Mailbox) -> Mailbox:
        stored = mailbox.with_changes(version=str(self.writes))
        self._mailboxes[mailbox.id] = stored
        return stored

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """The mailboxes of this shard."""
        yield from [mailbox for mailbox in self.all() if mailbox.shard % self.shards == shard]

    def all(self) -> Iterator[Mailbox]:
        """All readable mailboxes."""
        yield from [mailbox for mailbox in self._mailboxes.values() if mailbox.id not in self.unreadable]

    def page(self, after: str, limit: int) -> list[Mailbox]:
        """A page in the order of buckets and ids."""
        order = sorted((partition(one.id), one.id) for one in self.all())
        start = (partition(after), after) if after else ("", "")
        return [self._mailboxes[key] for bucket, key in order if (bucket, key) > start][:limit]

    def authorizations_in_use(self) -> Counter[str]:
        """The number of mailboxes per authorization. Unreadable mailboxes count too."""
        return Counter(
            one.authorization_id
            for one in self._mailboxes.values()
            if one.id in self.unreadable or one.status is not Status.DISCONNECTED
        )

    def record_run(self, run: Run) -> None:
        """Store the record of one pass."""
        self._write()
        self._runs.setdefault(run.mailbox_id, []).insert(0, run)

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """The runs, newest first, with the quiet one."""
        runs = self._runs.get(mailbox_id, [])[:limit]
        mailbox = self._mailboxes.get(mailbox_id)
        return runs if mailbox is None else with_quiet_run_of(mailbox, runs, limit)

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Delete the runs before this time and return their number."""
        known = self._runs.get(mailbox_id, [])
        self._runs[mailbox_id] = [run for run in known if run.started_at >= before]
        return len(known) - len(self._runs[mailbox_id])

    def put_issue(self, issue: ItemIssue) -> None:
        """Insert or replace an issue."""
        self._write()
        self._issues.setdefault(issue.mailbox_id, {})[issue.item_id] = issue

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """Delete an issue if it exists."""
        self._write()
        self._issues.get(mailbox_id, {}).pop(item_id, None)

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """Open issues."""
        return list(self._issues.get(mailbox_id, {}).values())[:limit]

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Append to the audit trail."""
        self.audit.append((mailbox_id, actor, act))

    def audit_trail(self, mailbox_id: str, after: str = "", limit: int = 100) -> list[AuditEntry]:
        """The actions, newest first."""
        acts = [(actor, act) for where, actor, act in self.audit if where == mailbox_id]
        entries = [AuditEntry(f"{len(acts) - n:06}", NOW, actor, act) for n, (actor, act) in enumerate(acts, 1)]
        return [entry for entry in reversed(entries) if entry.key > after][:limit]

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Delete everything of a mailbox, with one write for each kind of record."""
        self._write()
        runs = len(self._runs.pop(mailbox_id, []))
        self._write()
        issues = len(self._issues.pop(mailbox_id, {}))
        record, mailbox = self._erasures.get(mailbox_id), self._mailboxes.get(mailbox_id)
        if record is not None and record.finished_at is None and mailbox is not None:
            record = self._erasures[mailbox_id] = replace(
                record, outbox=self._outbox.at_erasure(mailbox, self._clock())
            )
        self._write()
        mailboxes = int(self._mailboxes.pop(mailbox_id, None) is not None)
        if record is not None and record.finished_at is None:
            self._write()
            self._erasures[mailbox_id] = replace(record, finished_at=self._clock())
            self._publish_erasure(self._erasures[mailbox_id])
        return {"runs": runs, "issues": issues, "mailboxes": mailboxes}

    def begin_erasure(self, mailbox_id: str) -> Mailbox:
        """Write the erasure record, then the mark."""
        mailbox = self.get(mailbox_id)
        transitions.require_no_hold(mailbox)
        if mailbox_id not in self._erasures:
            self._write()
            self._erasures[mailbox_id] = ErasureRecord(mailbox_id)
        if mailbox.erasing_since is not None:
            return mailbox
        self._write()
        return self._put(transitions.marked_for_erasure(self.get(mailbox_id), self._clock()))

    def erasures(self) -> list[ErasureRecord]:
        """All erasure records."""
        return list(self._erasures.values())

    def forget_erasure(self, mailbox_id: str) -> None:
        """Delete the erasure record."""
        self._erasures.pop(mailbox_id, None)


class FakeDirectory:
    """Implements MailboxDirectory on a fake registry's mailboxes. Its cursor is the number of entries returned."""

    def __init__(self, registry: FakeRegistry) -> None:
        self._registry = registry

    def page(self, query: DirectoryQuery, *, size: int = 50, cursor: str = "") -> DirectoryPage:
        """Filter, sort and cut."""
        if cursor and not cursor.isdecimal():
            raise CursorInvalid("not a cursor")
        found = [entry for entry in map(entry_of, self._registry.all()) if query.matches(entry)]
        found.sort(key=lambda entry: (entry.address.lower(), entry.id))
        if query.sort is Sort.NEWEST:
            found.sort(key=lambda entry: entry.created_at, reverse=True)
        first = int(cursor or 0)
        past = first + size
        return DirectoryPage(tuple(found[first:past]), str(past) if past < len(found) else "")

    def repair(self, mailboxes: Iterable[Mailbox]) -> int:
        """There is nothing to repair."""
        return 0
