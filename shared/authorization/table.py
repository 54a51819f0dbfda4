"""The stores of authorization in Table Storage: authorizations (without secrets), flows, invitations, and approvals.

Flows, invitations, and approvals expire; a daily sweep deletes their rows.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.authorization.ended_rows.table import delete_ended
from shared.authorization.errors import FlowExpired, FlowReplayed, FlowUnknown, OtherBrowser
from shared.authorization.model import Approval, Authorization, Invitation, PendingFlow
from shared.errors import Conflict, NotFound, OperatorMustAct
from shared.sources.model import AccessMode
from shared.storage.azure_errors import raise_not_found, translate_errors
from shared.storage.row_mapping import from_row, readable, to_row
from shared.storage.table import change_row, replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

_log = logging.getLogger(__name__)

TOMBSTONE_AGE = timedelta(days=1)
"""How long a taken flow's row is kept, without its contents, to distinguish a replay from an unknown state."""
APPROVAL_LIFETIME = timedelta(days=30)
"""How long an approval that a person waits for is kept."""
SWEEP_TIME = timedelta(minutes=5)
"""How long a sweep may take; the rest is deleted the next day."""


class TableFlows:
    """Implements FlowStore. The key is the state's digest, so that reading the table reveals no usable state."""

    def __init__(self, tables: "TableServiceClient", clock: Callable[[], datetime]) -> None:
        self._table = tables.get_table_client("flows")
        self._also_ending = [tables.get_table_client(name) for name in ("invitations", "approvals", "revocations")]
        self._clock = clock

    def put(self, pending: PendingFlow) -> None:
        """Store a new flow."""
        entity = _keys(pending.state) | {
            "binding_digest": pending.binding_digest,
            "flow": json.dumps(dict(pending.flow)),
            "intent": json.dumps(dict(pending.intent)),
            "expires_at": pending.expires_at,
        }
        with translate_errors():
            self._table.create_entity(entity)

    def take(self, state: str, binding_digest: str) -> PendingFlow:
        """Replace the flow's row by one without contents, under the ETag: of two concurrent callers, one fails."""
        keys = _keys(state)
        with translate_errors():
            try:
                entity = raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
            except NotFound:
                raise FlowUnknown from None
        if "flow" not in entity:
            raise FlowReplayed
        if not hmac.compare_digest(str(entity["binding_digest"]), binding_digest):
            raise OtherBrowser
        expires_at = _utc(entity["expires_at"])
        if expires_at <= self._clock():
            raise FlowExpired
        try:
            with translate_errors():
                replace_row(self._table, keys | {"expires_at": expires_at}, str(entity.metadata["etag"]))
        except Conflict:
            raise FlowReplayed from None
        return PendingFlow(state, binding_digest, json.loads(entity["flow"]), json.loads(entity["intent"]), expires_at)

    def sweep(self, now: datetime) -> int:
        """Delete the flows, invitations, approvals, and ended sessions that expired more than a day ago."""
        began = self._clock()

        def is_over() -> bool:
            return self._clock() > began + SWEEP_TIME

        for table in self._also_ending:
            delete_ended(table, now - TOMBSTONE_AGE, is_over)
        return delete_ended(self._table, now - TOMBSTONE_AGE, is_over, counted="binding_digest")


class TableStartCounter:
    """Implements StartCounter. Its rows are in the table of flows, one partition per window, and are swept too."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("flows")

    def add(self, window: datetime, instance: str, starts: int) -> int:
        """Write this instance's row and sum up the window's small partition."""
        partition = f"starts-{window:%Y%m%d%H%M%S}"
        with translate_errors():
            row = {"PartitionKey": partition, "RowKey": instance, "starts": starts, "expires_at": window}
            self._table.upsert_entity(row)
            rows = self._table.query_entities("PartitionKey eq @window", parameters={"window": partition})
            return sum(int(row["starts"]) for row in rows)


class TableAuthorizations:
    """Implements AuthorizationStore."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("authorizations")

    def add(self, authorization: Authorization) -> Authorization:
        """Store a new authorization. An app-only one has its tenant's fixed id, so adding it again replaces it."""
        entity = _keys(authorization.id) | to_row(authorization, without=frozenset({"version"}))
        with translate_errors():
            self._table.upsert_entity(entity)
        return self.get(authorization.id)

    def get(self, authorization_id: str) -> Authorization:
        """Return an authorization. Raises NotFound."""
        keys = _keys(authorization_id)
        with translate_errors():
            entity = raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
        return _authorization(entity)

    def change(self, authorization_id: str, change: Callable[[Authorization], Authorization]) -> Authorization:
        """Read, change, and replace under the ETag; repeats when another writer was faster."""

        def replace(before: Authorization, after: Authorization) -> Authorization:
            row = _keys(after.id) | to_row(after, without=frozenset({"version"}))
            replace_row(self._table, row, before.version)
            return after

        return change_row(lambda: self.get(authorization_id), change, replace)

    def idle_since(self, before: datetime) -> list[Authorization]:
        """Scan the whole table, once a day."""
        return self._found("refreshed_at lt @before and revoked eq false", before=before)

    def revoked_with_token(self) -> list[Authorization]:
        """Filter by `stored_at` here, because a query cannot test whether a property exists."""
        return [found for found in self._found("revoked eq true") if found.stored_at is not None]

    def service_accounts(self) -> list[Authorization]:
        """Scan the whole table, at an operator's request."""
        return self._found("mode eq @mode and revoked eq false", mode=AccessMode.IMPERSONATION.value)

    def _found(self, query: str, **parameters: object) -> list[Authorization]:
        """Run a query. A row that only a newer version can read is skipped, and so keeps its token."""
        found = []
        with translate_errors():
            for entity in self._table.query_entities(query, parameters=parameters):
                try:
                    found.append(_authorization(entity))
                except OperatorMustAct as error:
                    _log.error("authorization row not readable", exc_info=error)
        return found

    def delete(self, authorization_id: str) -> None:
        """Delete the row; the SDK ignores a missing one."""
        keys = _keys(authorization_id)
        with translate_errors():
            self._table.delete_entity(keys["PartitionKey"], keys["RowKey"])


_LISTED = "listed"
"""The partition of the rows that list invitations, the one that expires last first."""
_LAST_MS = 10**14


class TableInvitations:
    """Implements InvitationStore."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("invitations")

    def put(self, invitation: Invitation) -> None:
        """Store a new invitation."""
        with translate_errors():
            self._table.create_entity(_keys(invitation.id) | to_row(invitation))
            key = f"{_LAST_MS - int(invitation.expires_at.timestamp() * 1000):015d}-{invitation.id}"
            self._table.create_entity({"PartitionKey": _LISTED, "RowKey": key, "invitation_id": invitation.id})

    def recent(self, limit: int, after: str = "") -> tuple[list[Invitation], str]:
        """Read the list's rows, then the invitations that they name; one that this version cannot read is left out."""
        rows: list[Any] = []
        with translate_errors():
            condition = "PartitionKey eq @listed and RowKey gt @after"
            given = {"listed": _LISTED, "after": after}
            for row in self._table.query_entities(condition, parameters=given, results_per_page=limit):
                rows.append(row)
                if len(rows) == limit:
                    break
        found: list[Invitation] = []
        for row in rows:
            with suppress(NotFound):
                found += readable(self.get, [str(row["invitation_id"])])
        return found, str(rows[-1]["RowKey"]) if len(rows) == limit else ""

    def get(self, invitation_id: str) -> Invitation:
        """Return an invitation. Raises NotFound."""
        return from_row(Invitation, self._entity(invitation_id))

    def use(self, invitation_id: str, at: datetime) -> bool:
        """Mark it as used under the ETag: of two concurrent callers, one fails. The address is no longer needed."""
        entity = self._entity(invitation_id)
        if "used_at" in entity:
            return False
        try:
            with translate_errors():
                replace_row(self._table, {**entity, "used_at": at, "address": ""}, str(entity.metadata["etag"]))
        except Conflict:
            return False
        return True

    def _entity(self, invitation_id: str) -> Any:
        keys = _keys(invitation_id)
        with translate_errors():
            return raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))


class TableApprovals:
    """Implements ApprovalStore. The key is the id's digest, because the id itself is the secret of a link."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("approvals")

    def put(self, approval: Approval) -> None:
        """Store or replace an approval."""
        entity = to_row(approval, without=frozenset({"id", "resume"})) | {
            "resume": json.dumps(dict(approval.resume)),
            "expires_at": approval.created_at + APPROVAL_LIFETIME,
        }
        with translate_errors():
            self._table.upsert_entity(_keys(approval.id) | entity)

    def get(self, approval_id: str) -> Approval:
        """Return an approval. Raises NotFound."""
        keys = _keys(approval_id)
        with translate_errors():
            entity = raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
        return from_row(Approval, entity, id=approval_id, resume=json.loads(entity["resume"]))


def _keys(secret_or_id: str) -> dict[str, Any]:
    """Return keys made of the digest: they are valid whatever the characters, and spread over 256 partitions."""
    digest = hashlib.sha256(secret_or_id.encode()).hexdigest()
    return {"PartitionKey": digest[:2], "RowKey": digest[2:42]}


def _authorization(entity: Any) -> Authorization:
    return from_row(Authorization, entity, version=str(entity.metadata["etag"]))


def _utc(moment: Any) -> datetime:
    return datetime.fromtimestamp(moment.timestamp(), UTC)
