"""The registry in Table Storage: mailboxes by bucket, an index by owner, runs, issues and the audit trail."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.errors import BeingErased, Conflict, NotFound, OperatorMustAct
from shared.mailboxes import transitions
from shared.mailboxes.entities import (
    bucket_of,
    mailbox_row,
    newest_first,
    owner_keys,
    owner_partition,
    partition,
    row_digest,
    shard_bounds,
)
from shared.mailboxes.erasures.table import ErasureRecords
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import ErasureRecord, ItemIssue, Run
from shared.storage.azure_errors import already_exists, raise_conflict, raise_not_found, translate_errors
from shared.storage.row_mapping import from_row, to_row
from shared.storage.table import change_row, replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient

_log = logging.getLogger(__name__)


class TableRegistry:
    """Implements MailboxRegistry. The tables exist: the deployment made them."""

    def __init__(self, tables: "TableServiceClient", shards: int, clock: Callable[[], datetime]) -> None:
        self._shards = shards
        self._clock = clock
        self._mailboxes = tables.get_table_client("mailboxes")
        self._owners = tables.get_table_client("owners")
        self._runs = tables.get_table_client("runs")
        self._issues = tables.get_table_client("issues")
        self._audit = tables.get_table_client("audit")
        self._erasures = ErasureRecords(tables.get_table_client("erasures"), clock)

    def add(self, mailbox: Mailbox) -> Mailbox:
        """Claim the owner's index entry, make the mailbox, and claim once more.

        So two sign-ins at once cannot make two mailboxes: while one is slow, its claim looks abandoned to the other.
        """
        mailbox = mailbox.with_changes(shard=bucket_of(mailbox.id))
        claim = owner_keys(mailbox) | {"mailbox_id": mailbox.id}
        with translate_errors():
            etag = self._claimed(claim)
            stored = self._mailboxes.create_entity(mailbox_row(mailbox))
            self._confirm(claim, etag)
        return mailbox.with_changes(version=stored["etag"])

    def _claimed(self, claim: dict[str, Any]) -> str:
        """Make the index entry; gives its ETag.

        One is replaced whose mailbox never came to be (a crash), or is being erased.
        """
        made: list[Mapping[str, Any]] = []
        if not already_exists(lambda: made.append(self._owners.create_entity(claim))):
            return str(made[0]["etag"])
        held = self._owners.get_entity(claim["PartitionKey"], claim["RowKey"])
        if self._stands(held["mailbox_id"]):
            raise Conflict("this owner has that mailbox already")
        return str(replace_row(self._owners, claim, str(held.metadata["etag"]))["etag"])

    def _stands(self, mailbox_id: str) -> bool:
        try:
            return self.get(mailbox_id).erasing_since is None
        except NotFound:
            return False

    def _confirm(self, claim: dict[str, Any], etag: str) -> None:
        """From now on nobody who still takes it for abandoned can replace it; who has done so has the mailbox."""
        try:
            replace_row(self._owners, claim, etag)
        except Conflict:
            if self._holder(claim) == claim["mailbox_id"]:
                return
            self._mailboxes.delete_entity(partition(claim["mailbox_id"]), claim["mailbox_id"])
            raise

    def _holder(self, claim: Mapping[str, Any]) -> str:
        """The mailbox that the index entry names now; empty when there is none."""
        try:
            held = raise_not_found(lambda: self._owners.get_entity(claim["PartitionKey"], claim["RowKey"]))
        except NotFound:
            return ""
        return str(held["mailbox_id"])

    def get(self, mailbox_id: str) -> Mailbox:
        """One mailbox by its id."""
        with translate_errors():
            entity = raise_not_found(lambda: self._mailboxes.get_entity(partition(mailbox_id), mailbox_id))
        return _mailbox_from_row(entity)

    def of_owner(self, tenant_id: str, owner_id: str) -> list[Mailbox]:
        """An owner's mailboxes; an index entry without its mailbox is passed over."""
        with translate_errors():
            claims = list(
                self._owners.query_entities(
                    "PartitionKey eq @owner", parameters={"owner": owner_partition(tenant_id, owner_id)}
                )
            )
        found = []
        for claim in claims:
            try:
                found.append(self.get(claim["mailbox_id"]))
            except NotFound:
                continue
        return sorted(found, key=lambda mailbox: mailbox.created_at)

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """Read, change, replace under the ETag; again while somebody else is faster."""
        return self._changed(mailbox_id, lambda before: change(_unmarked(before)))

    def _changed(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        def replace(before: Mailbox, after: Mailbox) -> Mailbox:
            stored = replace_row(self._mailboxes, mailbox_row(after), before.version)
            return after.with_changes(version=stored["etag"])

        return change_row(lambda: self.get(mailbox_id), change, replace)

    def in_shard(self, shard: int) -> Iterator[Mailbox]:
        """One range query over the shard's neighboring partitions."""
        for entity in self._rows(shard):
            if (mailbox := _mailbox_or_none(entity)) is not None:
                yield mailbox

    def _rows(self, shard: int) -> Iterator[Any]:
        first, past = shard_bounds(shard, self._shards)
        with translate_errors():
            yield from self._mailboxes.query_entities(
                "PartitionKey ge @first and PartitionKey lt @past", parameters={"first": first, "past": past}
            )

    def all(self) -> Iterator[Mailbox]:
        """Every mailbox."""
        for shard in range(self._shards):
            yield from self.in_shard(shard)

    def authorizations_in_use(self) -> Counter[str]:
        """Every row: one that cannot be read says at least by which authorization its mailbox is read."""
        in_use = Counter[str]()
        for shard in range(self._shards):
            for entity in self._rows(shard):
                mailbox = _mailbox_or_none(entity)
                if mailbox is None or mailbox.status is not Status.DISCONNECTED:
                    in_use[str(entity.get("authorization_id", ""))] += 1
        return in_use

    def record_run(self, run: Run) -> None:
        """Newest first under the mailbox; a repeated record replaces itself."""
        keys = {"PartitionKey": run.mailbox_id, "RowKey": newest_first(run.started_at)}
        with translate_errors():
            self._runs.upsert_entity(keys | to_row(run))

    def runs(self, mailbox_id: str, limit: int = 20) -> list[Run]:
        """The last passes."""
        return [from_row(Run, entity) for entity in self._first(self._runs, mailbox_id, limit)]

    def forget_runs(self, mailbox_id: str, before: datetime) -> int:
        """Earlier passes have later row keys."""
        return self._clear(self._runs, mailbox_id, after=newest_first(before))

    def put_issue(self, issue: ItemIssue) -> None:
        """One entity an item."""
        keys = {"PartitionKey": issue.mailbox_id, "RowKey": row_digest(issue.item_id)}
        with translate_errors():
            self._issues.upsert_entity(keys | to_row(issue))

    def drop_issue(self, mailbox_id: str, item_id: str) -> None:
        """Deleting what is not there is fine with the SDK."""
        with translate_errors():
            self._issues.delete_entity(mailbox_id, row_digest(item_id))

    def issues(self, mailbox_id: str, limit: int = 1000) -> list[ItemIssue]:
        """Open issues in no particular order."""
        return [from_row(ItemIssue, entity) for entity in self._first(self._issues, mailbox_id, limit)]

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Append to the trail; the random end keeps two acts of one millisecond apart."""
        now = self._clock()
        keys = {"PartitionKey": mailbox_id, "RowKey": f"{newest_first(now)}-{secrets.token_hex(4)}"}
        with translate_errors():
            self._audit.create_entity(keys | {"actor": actor, "act": act, "at": now})

    def erase(self, mailbox_id: str) -> dict[str, int]:
        """Runs and issues first, the mailbox last, so that an interrupted erasure can be asked for again.

        Its owner asks by way of the index, so that goes after the mailbox: an entry without one is nobody's loss.
        """
        erased = {"runs": self._clear(self._runs, mailbox_id), "issues": self._clear(self._issues, mailbox_id)}
        recorded = owner = self._erasures.owner(mailbox_id)
        mailboxes = 0
        with suppress(NotFound):
            mailbox = self.get(mailbox_id)
            owner = owner_partition(mailbox.tenant_id, mailbox.owner_id)
            with translate_errors():
                self._mailboxes.delete_entity(partition(mailbox_id), mailbox_id)
            mailboxes = 1
        if owner:
            self._release_claims(mailbox_id, owner)
        if recorded:
            self._erasures.finish(mailbox_id)
        return erased | {"mailboxes": mailboxes}

    def begin_erasure(self, mailbox_id: str) -> Mailbox:
        """The record goes first: a mark that no record tells of would be found by nobody."""
        mailbox = self.get(mailbox_id)
        self._erasures.begin(mailbox_id, owner_partition(mailbox.tenant_id, mailbox.owner_id))
        now = self._clock()
        return self._changed(mailbox_id, lambda before: transitions.marked_for_erasure(before, now))

    def erasures(self) -> list[ErasureRecord]:
        """A small table: a record goes some weeks after its mailbox."""
        return self._erasures.all()

    def forget_erasure(self, mailbox_id: str) -> None:
        """Drop the record."""
        self._erasures.forget(mailbox_id)

    def _release_claims(self, mailbox_id: str, owner: str) -> None:
        """Of every address that the mailbox has had, for people are renamed; but no claim that is another's by now.

        Who signs in meanwhile, or after an interrupted erasure, claims the address for a new mailbox.
        """
        claims = self._owners.query_entities(
            "PartitionKey eq @owner and mailbox_id eq @mailbox", parameters={"owner": owner, "mailbox": mailbox_id}
        )
        with translate_errors():
            for claim in claims:
                with suppress(Conflict):
                    _delete(self._owners, claim)

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
        """Delete a mailbox's rows of a table, those past a row key if one is given, a hundred a transaction."""
        cleared = 0
        with translate_errors():
            while rows := self._first(table, mailbox_id, 100, after):
                table.submit_transaction([("delete", dict(row)) for row in rows])
                cleared += len(rows)
        return cleared


def _delete(table: "TableClient", entity: Any) -> None:
    from azure.core import MatchConditions

    condition = MatchConditions.IfNotModified
    raise_conflict(lambda: table.delete_entity(entity, etag=entity.metadata["etag"], match_condition=condition))


def _unmarked(mailbox: Mailbox) -> Mailbox:
    if mailbox.erasing_since is not None:
        raise BeingErased("the mailbox is being erased")
    return mailbox


def _mailbox_from_row(entity: Any) -> Mailbox:
    return from_row(Mailbox, entity, version=entity.metadata["etag"])


def _mailbox_or_none(entity: Any) -> Mailbox | None:
    """None for one that only a newer program can read: it must not keep its whole shard from its turn."""
    try:
        return _mailbox_from_row(entity)
    except OperatorMustAct as error:
        _log.error("mailbox not understood", exc_info=error, extra={"mailbox_id": str(entity["RowKey"])})
        return None
