"""Table Storage: authorizations without their secrets, and everything under way toward one.

Sign-ins, invitations and approvals end by themselves; one sweep a day keeps their tables small.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.authorization.ended_rows.table import delete_ended
from shared.authorization.errors import FlowExpired, FlowReplayed, FlowUnknown, OtherBrowser
from shared.authorization.port import Approval, Authorization, Invitation, PendingFlow
from shared.errors import Conflict, NotFound, OperatorMustAct
from shared.sources.port import AccessMode
from shared.storage.azure_errors import raise_not_found, translate_errors
from shared.storage.row_mapping import from_row, to_row
from shared.storage.table import change_row, replace_row

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

_log = logging.getLogger(__name__)

TOMBSTONE_AGE = timedelta(days=1)
"""How long a finished flow is remembered, without its contents, so that a replay can be told from a stranger."""
APPROVAL_LIFETIME = timedelta(days=30)
"""How long somebody's place in the queue for their administrator is kept."""
SWEEP_TIME = timedelta(minutes=5)
"""How long a sweep may last; the rest is swept tomorrow."""


class TableFlows:
    """Implements FlowStore. A flow is found by its state's digest, so that reading the table gives no usable state."""

    def __init__(self, tables: "TableServiceClient", clock: Callable[[], datetime]) -> None:
        self._table = tables.get_table_client("flows")
        self._also_ending = [tables.get_table_client(name) for name in ("invitations", "approvals", "revocations")]
        self._clock = clock

    def put(self, pending: PendingFlow) -> None:
        """A new flow."""
        entity = _keys(pending.state) | {
            "binding_digest": pending.binding_digest,
            "flow": json.dumps(dict(pending.flow)),
            "intent": json.dumps(dict(pending.intent)),
            "expires_at": pending.expires_at,
        }
        with translate_errors():
            self._table.create_entity(entity)

    def take(self, state: str, binding_digest: str) -> PendingFlow:
        """Replace the flow by its tombstone under the ETag: of two takers at once, one finds it changed."""
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
        """Delete what ended more than a day ago: flows, and with them invitations, approvals, and ended sessions."""
        began = self._clock()

        def is_over() -> bool:
            return self._clock() > began + SWEEP_TIME

        for table in self._also_ending:
            delete_ended(table, now - TOMBSTONE_AGE, is_over)
        return delete_ended(self._table, now - TOMBSTONE_AGE, is_over, counted="binding_digest")


class TableStartCounter:
    """Implements StartCounter. Rows beside the flows, so that they are swept with them: a partition a window."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("flows")

    def add(self, window: datetime, instance: str, starts: int) -> int:
        """One write and one read of a small partition."""
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
        """A new one; app-only ones have a tenant's fixed id, so adding it again replaces it."""
        entity = _keys(authorization.id) | to_row(authorization, without=frozenset({"version"}))
        with translate_errors():
            self._table.upsert_entity(entity)
        return self.get(authorization.id)

    def get(self, authorization_id: str) -> Authorization:
        """One of them."""
        keys = _keys(authorization_id)
        with translate_errors():
            entity = raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
        return _authorization(entity)

    def change(self, authorization_id: str, change: Callable[[Authorization], Authorization]) -> Authorization:
        """Read, change, replace under the ETag; again while somebody else is faster."""

        def replace(before: Authorization, after: Authorization) -> Authorization:
            row = _keys(after.id) | to_row(after, without=frozenset({"version"}))
            replace_row(self._table, row, before.version)
            return after

        return change_row(lambda: self.get(authorization_id), change, replace)

    def idle_since(self, before: datetime) -> list[Authorization]:
        """A look through the whole table, once a day."""
        return self._found("refreshed_at lt @before and revoked eq false", before=before)

    def revoked_with_token(self) -> list[Authorization]:
        """A property that is not there cannot be asked for, so the tokens are looked at here."""
        return [found for found in self._found("revoked eq true") if found.stored_at is not None]

    def service_accounts(self) -> list[Authorization]:
        """A look through the whole table, when an operator asks."""
        return self._found("mode eq @mode and revoked eq false", mode=AccessMode.IMPERSONATION.value)

    def _found(self, query: str, **parameters: object) -> list[Authorization]:
        """Those that a query finds; one that only a newer version can read is passed over, and so keeps its token."""
        found = []
        with translate_errors():
            for entity in self._table.query_entities(query, parameters=parameters):
                try:
                    found.append(_authorization(entity))
                except OperatorMustAct as error:
                    _log.error("authorization not understood", exc_info=error)
        return found

    def delete(self, authorization_id: str) -> None:
        """Deleting what is not there is fine with the SDK."""
        keys = _keys(authorization_id)
        with translate_errors():
            self._table.delete_entity(keys["PartitionKey"], keys["RowKey"])


class TableInvitations:
    """Implements InvitationStore."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("invitations")

    def put(self, invitation: Invitation) -> None:
        """A new one."""
        with translate_errors():
            self._table.create_entity(_keys(invitation.id) | to_row(invitation))

    def get(self, invitation_id: str) -> Invitation:
        """One of them."""
        return from_row(Invitation, self._entity(invitation_id))

    def use(self, invitation_id: str, at: datetime) -> bool:
        """Under the ETag, so that of two users at once one comes too late. The address has served then, and goes."""
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
    """Implements ApprovalStore. Found by the id's digest: the id itself is the secret of a link."""

    def __init__(self, tables: "TableServiceClient") -> None:
        self._table = tables.get_table_client("approvals")

    def put(self, approval: Approval) -> None:
        """A new one, or a newer state of it."""
        entity = to_row(approval, without=frozenset({"id", "resume"})) | {
            "resume": json.dumps(dict(approval.resume)),
            "expires_at": approval.created_at + APPROVAL_LIFETIME,
        }
        with translate_errors():
            self._table.upsert_entity(_keys(approval.id) | entity)

    def get(self, approval_id: str) -> Approval:
        """One of them."""
        keys = _keys(approval_id)
        with translate_errors():
            entity = raise_not_found(lambda: self._table.get_entity(keys["PartitionKey"], keys["RowKey"]))
        return from_row(Approval, entity, id=approval_id, resume=json.loads(entity["resume"]))


def _keys(secret_or_id: str) -> dict[str, Any]:
    """Keys by digest: safe whatever the characters, spread over 256 partitions."""
    digest = hashlib.sha256(secret_or_id.encode()).hexdigest()
    return {"PartitionKey": digest[:2], "RowKey": digest[2:42]}


def _authorization(entity: Any) -> Authorization:
    return from_row(Authorization, entity, version=str(entity.metadata["etag"]))


def _utc(moment: Any) -> datetime:
    return datetime.fromtimestamp(moment.timestamp(), UTC)
