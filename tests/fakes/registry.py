"""The registry in memory.

`crash_at(n)` and `fail_at(n, error)` let the n-th write from now never happen, as in the replica's fake.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from shared.errors import Conflict, NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import ItemIssue, Run


class FakeRegistry:
    """Fulfils MailboxRegistry."""

    def __init__(self, shards: int = 1) -> None:
        self.shards = shards
        self.writes = 0
        self.audit: list[tuple[str, str, str]] = []
        self._mailboxes: dict[str, Mailbox] = {}
        self._runs: dict[str, list[Run]] = {}
        self._issues: dict[str, dict[str, ItemIssue]] = {}
        self._plans: dict[int, BaseException] = {}

    def fail_at(self, write: int, error: BaseException) -> None:
        """Let the given write fail, counted from now, beginning with 1."""
        self._plans[self.writes + write] = error

    def calm(self) -> None:
        """Forget the failures still planned."""
        self._plans.clear()

    def _write(self) -> None:
        if error := self._plans.pop(self.writes + 1, None):
            self._plans.clear()
            raise error
        self.writes += 1

    def add(self, mailbox: Mailbox) -> Mailbox:
        """One mailbox an owner and address."""
        for other in self._mailboxes.values():
            same_owner = (other.tenant_id, other.owner_id) == (mailbox.tenant_id, mailbox.owner_id)
            if other.id == mailbox.id or (same_owner and other.address.lower() == mailbox.address.lower()):
                raise Conflict("this owner has that mailbox already")
        self._write()
        return self._put(mailbox)

    def get(self, mailbox_id: str) -> Mailbox:
        """One mailbox."""
        try:
            return self._mailboxes[mailbox_id]
        except KeyError:
            raise NotFound("no such mailbox") from None

    def of_owner(self, tenant_id: str, owner_id: str) -> list[Mailbox]:
        """An owner's mailboxes, oldest first."""
        owned = (one for one in self._mailboxes.values() if (one.tenant_id, one.owner_id) == (tenant_id, owner_id))
        return sorted(owned, key=lambda mailbox: mailbox.created_at)

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """Read, change and replace; nothing is written when nothing changed."""
        before = self.get(mailbox_id)
        after = change(before)
        if after == before:
            return before
        self._write()
        return self._put(after)

    def _put(self, mailbox: Mailbox) -> Mailbox:
        stored = mailbox.having(version=str(self.writes))
        self._mailboxes[mailbox.id] = stored
        return stored

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """Mailboxes whose number falls to this shard."""
        yield from [mailbox for mailbox in self._mailboxes.values() if mailbox.shard % self.shards == shard]

    def all(self) -> Iterator[Mailbox]:
        """Every mailbox."""
        yield from list(self._mailboxes.values())

    def record_run(self, run: Run) -> None:
        """Remember one pass."""
        self._write()
        self._runs.setdefault(run.mailbox_id, []).insert(0, run)

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """Newest first."""
        return self._runs.get(mailbox_id, [])[:limit]

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Keep the later ones."""
        known = self._runs.get(mailbox_id, [])
        self._runs[mailbox_id] = [run for run in known if run.started_at >= before]
        return len(known) - len(self._runs[mailbox_id])

    def put_issue(self, issue: ItemIssue) -> None:
        """Record or replace."""
        self._write()
        self._issues.setdefault(issue.mailbox_id, {})[issue.item_id] = issue

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """Harmless when there is none."""
        self._write()
        self._issues.get(mailbox_id, {}).pop(item_id, None)

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """Open issues."""
        return list(self._issues.get(mailbox_id, {}).values())[:limit]

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Append to the trail."""
        self.audit.append((mailbox_id, actor, act))

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Delete everything of a mailbox."""
        self._write()
        return {
            "runs": len(self._runs.pop(mailbox_id, [])),
            "issues": len(self._issues.pop(mailbox_id, {})),
            "mailboxes": int(self._mailboxes.pop(mailbox_id, None) is not None),
        }
