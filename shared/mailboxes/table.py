"""The registry in Table Storage: mailboxes by bucket, an index by owner, runs, issues, and the audit trail."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.errors import BeingErased, Conflict, MailboxSyncError, NotFound, OperatorMustAct
from shared.mailboxes import transitions
from shared.mailboxes.directory.table import TableDirectory
from shared.mailboxes.entities import (
    bucket_of,
    index_place,
    mailbox_row,
    newest_first,
    partition,
    row_digest,
    shard_bounds,
)
from shared.mailboxes.erasures.table import ErasureRecords
from shared.mailboxes.index.table import MailboxIndex
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.events import without_events
from shared.mailboxes.outbox.outbox import Outbox
from shared.mailboxes.port import AuditEntry, ErasureRecord, ItemIssue, Run
from shared.mailboxes.quiet_runs import with_quiet_run_of
from shared.storage.azure_errors import translate_errors
from shared.storage.row_mapping import from_row, readable, to_row
from shared.storage.table import change_row
from shared.storage.table_rest import ETAG, TableRest, quoted

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient

_log = logging.getLogger(__name__)


class TableRegistry:
    """Implements MailboxRegistry. The deployment has created the tables."""

    def __init__(
        self,
        tables: "TableServiceClient",
        shards: int,
        clock: Callable[[], datetime],
        outbox: Outbox | None = None,
    ) -> None:
        self._shards = shards
        self._clock = clock
        self._outbox = outbox or Outbox()
        self._rest = TableRest.beside(tables)
        self._mailboxes = tables.get_table_client("mailboxes")
        self._index = MailboxIndex(tables.get_table_client("owners"), self.get)
        self.directory = TableDirectory(tables.get_table_client("directory"), self.get)
        self._runs = tables.get_table_client("runs")
        self._issues = tables.get_table_client("issues")
        self._audit = tables.get_table_client("audit")
        self._erasures = ErasureRecords(tables.get_table_client("erasures"), clock)

    def add(self, mailbox: Mailbox, *, instead_of: str = "") -> Mailbox:
        """Claim the address, make the mailbox, and claim once more.

        So two ways in at once cannot make two mailboxes: while one is slow, its claim looks abandoned to the other.
        """
        mailbox = mailbox.with_changes(shard=bucket_of(mailbox.id))
        mailbox = self._outbox.with_events(None, mailbox, self._clock())
        etag = self._index.claim(mailbox, instead_of)
        self._index.enter(mailbox)
        with translate_errors():
            stored = self._mailboxes.create_entity(mailbox_row(mailbox))
            try:
                self._index.confirm(mailbox, etag)
            except Conflict:
                self._mailboxes.delete_entity(partition(mailbox.id), mailbox.id)
                self._index.withdraw(mailbox)
                raise
        added = mailbox.with_changes(version=stored["etag"])
        self.directory.follow(None, added)
        self.publish_events(added)
        return added

    def get(self, mailbox_id: str) -> Mailbox:
        """Return one mailbox by its id."""
        return _mailbox_from_row(self._rest.get("mailboxes", partition(mailbox_id), mailbox_id))

    def of_owner(self, tenant_id: str, owner_id: str, *, readable_only: bool = False) -> list[Mailbox]:
        """An owner's mailboxes, oldest first."""
        return self._index.owned(tenant_id, owner_id, readable_only=readable_only)

    def at_address(self, tenant_id: str, address: str) -> Mailbox | None:
        """The mailbox of an address, whoever owns it."""
        return self._index.at_address(tenant_id, address)

    def index_addresses(self) -> int:
        """Claim the addresses of mailboxes that version 0.1.0 connected, once; the oldest of an address has it."""
        if self._index.is_complete():
            return 0
        claimed = 0
        for mailbox in sorted(self.all(), key=lambda one: one.created_at):
            if mailbox.erasing_since is None and self._index.at_address(mailbox.tenant_id, mailbox.address) is None:
                claimed += self._index.adopt(mailbox)
        self._index.complete()
        return claimed

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        """Read, change, replace under the ETag; again while somebody else is faster."""
        before: list[Mailbox] = []

        def changed(found: Mailbox) -> Mailbox:
            before[:] = [found]
            after = self._outbox.with_events(found, change(_unmarked(found)), self._clock())
            if after.address.lower() != found.address.lower():
                self._index.adopt(after)
            return after

        after = self._changed(mailbox_id, changed, known)
        self._index.follow(before[0], after)
        self.directory.follow(before[0], after)
        if after.outbox != before[0].outbox:
            self.publish_events(after)
        return after

    def publish_events(self, mailbox: Mailbox) -> None:
        """Hand the events on, then remove them from the row; a mailbox that is erased takes them to its record."""
        if mailbox.outbox and (published := self._outbox.published(mailbox.outbox)):
            try:
                self._changed(mailbox.id, lambda found: without_events(_unmarked(found), published))
            except MailboxSyncError as error:
                _log.warning("published events not removed from mailbox row", exc_info=error)

    def publish_erasures(self) -> int:
        """Read the whole table of erasures, which is small."""
        left = [record for record in self._erasures.all() if record.outbox and record.finished_at is not None]
        for record in left:
            self._publish_erasure(record)
        return len(left)

    def _publish_erasure(self, record: ErasureRecord) -> None:
        if record.outbox and self._outbox.published(record.outbox):
            try:
                self._erasures.put_outbox(record.mailbox_id, "")
            except MailboxSyncError as error:
                _log.warning("published events not removed from erasure record", exc_info=error)

    def _changed(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox], known: Mailbox | None = None) -> Mailbox:
        found = [known] if known is not None and known.version else []

        def replace(before: Mailbox, after: Mailbox) -> Mailbox:
            return after.with_changes(version=self._rest.replace("mailboxes", mailbox_row(after), before.version))

        return change_row(lambda: found.pop() if found else self.get(mailbox_id), change, replace)

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """Run one range query over the shard's adjacent partitions."""
        for entity in self._rows(shard):
            if (mailbox := _mailbox_or_none(entity)) is not None:
                yield mailbox

    def _rows(self, shard: int) -> Iterator[Any]:
        first, past = map(quoted, shard_bounds(shard, self._shards))
        return self._rest.query("mailboxes", f"PartitionKey ge {first} and PartitionKey lt {past}")

    def all(self) -> Iterator[Mailbox]:
        """Iterate over all mailboxes."""
        for shard in range(self._shards):
            yield from self.in_shard(shard)

    def page(self, after: str, limit: int) -> list[Mailbox]:
        """Query in the order of the table: by bucket, then by id."""
        bucket, key = quoted(partition(after) if after else ""), quoted(after)
        rows = self._rest.query(
            "mailboxes", f"PartitionKey gt {bucket} or (PartitionKey eq {bucket} and RowKey gt {key})", most=limit
        )
        readable = (mailbox for row in rows if (mailbox := _mailbox_or_none(row)) is not None)
        return list(islice(readable, limit))

    def authorizations_in_use(self) -> Counter[str]:
        """Count all rows: even a row that this version cannot read has its authorization's id."""
        in_use = Counter[str]()
        for shard in range(self._shards):
            for entity in self._rows(shard):
                mailbox = _mailbox_or_none(entity)
                if mailbox is None or mailbox.status is not Status.DISCONNECTED:
                    in_use[str(entity.get("authorization_id", ""))] += 1
        return in_use

    def record_run(self, run: Run) -> None:
        """Store the run, newest first within the mailbox; a repeated record replaces itself."""
        self._rest.upsert(
            "runs", {"PartitionKey": run.mailbox_id, "RowKey": newest_first(run.started_at), **to_row(run)}
        )

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """Return the latest runs; the row of the mailbox has the last quiet one."""
        runs = list(readable(partial(from_row, Run), self._first(self._runs, mailbox_id, limit)))
        with suppress(NotFound):
            return with_quiet_run_of(self.get(mailbox_id), runs, limit)
        return runs

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Delete by row key: earlier runs have later row keys."""
        return self._clear(self._runs, mailbox_id, after=newest_first(before))

    def put_issue(self, issue: ItemIssue) -> None:
        """Store one entity per item."""
        keys = {"PartitionKey": issue.mailbox_id, "RowKey": row_digest(issue.item_id)}
        with translate_errors():
            self._issues.upsert_entity(keys | to_row(issue))

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """Delete the issue. The SDK does not fail if it does not exist."""
        with translate_errors():
            self._issues.delete_entity(mailbox_id, row_digest(item_id))

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """Return open issues in no particular order."""
        return list(readable(partial(from_row, ItemIssue), self._first(self._issues, mailbox_id, limit)))

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Append to the audit trail; a random suffix distinguishes two actions in one millisecond."""
        now = self._clock()
        keys = {"PartitionKey": mailbox_id, "RowKey": f"{newest_first(now)}-{secrets.token_hex(4)}"}
        with translate_errors():
            self._audit.create_entity(keys | {"actor": actor, "act": act, "at": now})

    def audit_trail(self, mailbox_id: str, after: str = "", limit: int = 100) -> list[AuditEntry]:
        """Return the rows in the order of their keys, which sort later times first."""
        rows = self._first(self._audit, mailbox_id, limit, after)
        return list(readable(lambda row: from_row(AuditEntry, row, key=str(row["RowKey"])), rows))

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Delete runs and issues first and the mailbox last, so that an interrupted erasure can be requested again.

        The owner finds the mailbox through the index, so the index entries are deleted after it. An entry without a
        mailbox does no harm. The events that the row holds move to the erasure's record before the row is deleted.
        """
        erased = {"runs": self._clear(self._runs, mailbox_id), "issues": self._clear(self._issues, mailbox_id)}
        recorded = place = self._erasures.place(mailbox_id)
        mailboxes = 0
        with suppress(NotFound):
            mailbox = self.get(mailbox_id)
            place = index_place(mailbox)
            if recorded is not None and (outbox := self._outbox.at_erasure(mailbox, self._clock())):
                self._erasures.put_outbox(mailbox_id, outbox)
            self.directory.remove(mailbox)
            with translate_errors():
                self._mailboxes.delete_entity(partition(mailbox_id), mailbox_id)
            self.directory.remove(mailbox)
            mailboxes = 1
        if place is not None:
            self._index.release(mailbox_id, place)
        if recorded is not None:
            self._publish_erasure(self._erasures.finish(mailbox_id))
        return erased | {"mailboxes": mailboxes}

    def begin_erasure(self, mailbox_id: str) -> Mailbox:
        """Record the erasure before marking the mailbox: nobody would find a mark without a record.

        A hold that is set between the two leaves a record without a mark. The daily work finds nothing to do for it.
        """
        mailbox = self.get(mailbox_id)
        transitions.require_no_hold(mailbox)
        self._erasures.begin(mailbox_id, index_place(mailbox))
        now = self._clock()
        marked = self._changed(mailbox_id, lambda before: transitions.marked_for_erasure(before, now))
        self.directory.follow(mailbox, marked)
        return marked

    def repair_directory(self) -> int:
        """Compare the directory with all mailboxes; return how many entries were wrong."""
        return self.directory.repair(self.all())

    def erasures(self) -> list[ErasureRecord]:
        """Read the whole table. It is small: a record is deleted some weeks after its mailbox."""
        return self._erasures.all()

    def forget_erasure(self, mailbox_id: str) -> None:
        """Delete the record."""
        self._erasures.forget(mailbox_id)

    def _first(self, table: "TableClient", mailbox_id: str, limit: int, after: str = "") -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        with translate_errors():
            for row in table.query_entities(
                "PartitionKey eq @mailbox and RowKey gt @after",
                parameters={"mailbox": mailbox_id, "after": after},
                results_per_page=min(limit, 1000),
            ):
                rows.append(row)
                if len(rows) >= limit:
                    break
        return rows

    def _clear(self, table: "TableClient", mailbox_id: str, after: str = "") -> int:
        """Delete a mailbox's rows from a table, 100 per transaction; with `after`, only those past that row key."""
        deleted = 0
        with translate_errors():
            while rows := self._first(table, mailbox_id, 100, after):
                table.submit_transaction([("delete", dict(row)) for row in rows])
                deleted += len(rows)
        return deleted


def _unmarked(mailbox: Mailbox) -> Mailbox:
    if mailbox.erasing_since is not None:
        raise BeingErased("the mailbox is being erased")
    return mailbox


def _mailbox_from_row(entity: Any) -> Mailbox:
    return from_row(Mailbox, entity, version=entity[ETAG])


def _mailbox_or_none(entity: Any) -> Mailbox | None:
    """Decode a mailbox; None if only a newer version can read it, so that the rest of its shard is still dispatched."""
    try:
        return _mailbox_from_row(entity)
    except OperatorMustAct as error:
        _log.error("mailbox row not readable", exc_info=error, extra={"mailbox_id": str(entity["RowKey"])})
        return None
