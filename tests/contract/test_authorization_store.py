"""Contract suite for the stores of authorizations, invitations and approvals, in memory and in Table Storage."""

import hashlib
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.authorization.model import Approval, Authorization, Invitation
from shared.authorization.port import ApprovalStore, AuthorizationStore, InvitationStore
from shared.authorization.table import TableApprovals, TableAuthorizations, TableFlows, TableInvitations
from shared.errors import NotFound, OperatorMustAct
from shared.sources.model import AccessMode
from tests.conftest import Azurite
from tests.contract.test_registry import Before
from tests.fakes.authorization import (
    NOW,
    TENANT,
    MemoryApprovals,
    MemoryAuthorizations,
    MemoryInvitations,
)
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def tables(storage: Azurite, credential: DefaultAzureCredential) -> Iterator[TableServiceClient]:
    with TableServiceClient(storage.table, credential=credential) as client:
        yield client


@pytest.fixture(params=["memory", "table"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def authorizations(kind: str, request: pytest.FixtureRequest) -> AuthorizationStore:
    return MemoryAuthorizations() if kind == "memory" else TableAuthorizations(request.getfixturevalue("tables"))


@pytest.fixture
def invitations(kind: str, request: pytest.FixtureRequest) -> InvitationStore:
    return MemoryInvitations() if kind == "memory" else TableInvitations(request.getfixturevalue("tables"))


@pytest.fixture
def approvals(kind: str, request: pytest.FixtureRequest) -> ApprovalStore:
    return MemoryApprovals() if kind == "memory" else TableApprovals(request.getfixturevalue("tables"))


def an_authorization(**changes: object) -> Authorization:
    new = Authorization(uuid.uuid4().hex, AccessMode.DELEGATED, TENANT, "owner", NOW, "", NOW, NOW)
    return replace(new, **changes)  # type: ignore[arg-type]


def test_an_authorization_comes_back_the_same(authorizations: AuthorizationStore) -> None:
    for mode in AccessMode:
        added = authorizations.add(an_authorization(mode=mode, address="s@contoso.example"))
        assert authorizations.get(added.id) == added


def test_a_change_is_kept(authorizations: AuthorizationStore) -> None:
    added = authorizations.add(an_authorization())
    later = NOW + timedelta(days=1)
    changed = authorizations.change(added.id, lambda found: replace(found, refreshed_at=later, revoked=True))
    assert authorizations.get(added.id) == changed == replace(added, refreshed_at=later, revoked=True)


def test_changes_at_once_all_take_effect(authorizations: AuthorizationStore) -> None:
    added = authorizations.add(an_authorization())
    lock = threading.Lock()

    def later(found: Authorization) -> Authorization:
        assert found.refreshed_at is not None
        return replace(found, refreshed_at=found.refreshed_at + timedelta(seconds=1))

    def change(_: int) -> None:
        if isinstance(authorizations, MemoryAuthorizations):
            with lock:
                authorizations.change(added.id, later)
        else:
            authorizations.change(added.id, later)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    assert authorizations.get(added.id).refreshed_at == NOW + timedelta(seconds=4)


def test_idle_ones_are_found_and_revoked_ones_are_not(authorizations: AuthorizationStore) -> None:
    old = NOW - timedelta(days=8)
    idle = authorizations.add(an_authorization(refreshed_at=old))
    authorizations.add(an_authorization(refreshed_at=old, revoked=True))
    authorizations.add(an_authorization())
    found = authorizations.idle_since(NOW - timedelta(days=7))
    assert idle in found
    assert all(one.refreshed_at == old and not one.revoked for one in found)


def test_revoked_ones_whose_token_may_still_be_stored_are_found(authorizations: AuthorizationStore) -> None:
    half = authorizations.add(an_authorization(revoked=True))
    authorizations.add(an_authorization(revoked=True, stored_at=None))
    authorizations.add(an_authorization())
    found = authorizations.revoked_with_token()
    assert half in found
    assert all(one.revoked and one.stored_at is not None for one in found)
    authorizations.change(half.id, lambda one: replace(one, stored_at=None))
    assert half.id not in [one.id for one in authorizations.revoked_with_token()]


def test_service_accounts_are_found_until_they_are_revoked(authorizations: AuthorizationStore) -> None:
    service = authorizations.add(an_authorization(mode=AccessMode.IMPERSONATION))
    authorizations.add(an_authorization(mode=AccessMode.APP_ONLY))
    authorizations.add(an_authorization())
    found = authorizations.service_accounts()
    assert service in found
    assert {one.mode for one in found} == {AccessMode.IMPERSONATION}
    authorizations.change(service.id, lambda one: replace(one, revoked=True))
    assert service.id not in [one.id for one in authorizations.service_accounts()]


def test_a_forgotten_authorization_is_not_found(authorizations: AuthorizationStore) -> None:
    added = authorizations.add(an_authorization())
    for _ in range(2):
        authorizations.delete(added.id)
    with pytest.raises(NotFound):
        authorizations.get(added.id)
    with pytest.raises(NotFound):
        authorizations.change(added.id, lambda found: found)


def an_invitation() -> Invitation:
    return Invitation(uuid.uuid4().hex, "o'brien@contoso.example", "case 7", "", NOW + timedelta(days=7), group="legal")


def test_an_invitation_comes_back_and_is_used_once(invitations: InvitationStore) -> None:
    put = an_invitation()
    invitations.put(put)
    assert invitations.get(put.id) == put
    assert invitations.use(put.id, NOW)
    assert not invitations.use(put.id, NOW + timedelta(minutes=1))
    assert invitations.get(put.id) == replace(put, used_at=NOW, address="")
    with pytest.raises(NotFound):
        invitations.get("invented")


def test_exactly_one_of_many_uses_an_invitation(tables: TableServiceClient) -> None:
    invitations, put = TableInvitations(tables), an_invitation()
    invitations.put(put)
    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(lambda _: invitations.use(put.id, NOW), range(5))) == [False] * 4 + [True]


def test_an_invitation_that_is_used_at_that_very_moment_is_used_once(tables: TableServiceClient) -> None:
    """S15: a deterministic race, unlike one between threads."""
    invitations, put = TableInvitations(tables), an_invitation()
    invitations.put(put)
    used: list[bool] = []
    halted = Before(tables, "invitations", "update_entity", lambda: used.append(invitations.use(put.id, NOW)))
    assert not TableInvitations(cast(TableServiceClient, halted)).use(put.id, NOW)
    assert used == [True]


def test_a_change_that_another_one_overtakes_is_made_again(tables: TableServiceClient) -> None:
    """S15: a change is repeated if another one was written in between."""
    store = TableAuthorizations(tables)
    added = store.add(an_authorization())

    def revoke() -> None:
        store.change(added.id, lambda found: replace(found, revoked=True))

    halted = Before(tables, "authorizations", "update_entity", revoke)
    later = NOW + timedelta(days=1)
    slow = TableAuthorizations(cast(TableServiceClient, halted))
    changed = slow.change(added.id, lambda found: replace(found, refreshed_at=later))
    assert (changed.revoked, changed.refreshed_at) == (True, later)
    assert store.get(added.id) == changed


def test_an_approval_comes_back_and_can_be_granted(approvals: ApprovalStore) -> None:
    waiting = Approval(uuid.uuid4().hex, {"act": "connect"}, "", NOW)
    approvals.put(waiting)
    assert approvals.get(waiting.id) == waiting
    approvals.put(replace(waiting, granted_at=NOW))
    assert approvals.get(waiting.id).granted_at == NOW
    with pytest.raises(NotFound):
        approvals.get("invented")


def test_the_secret_of_an_approvals_link_is_not_in_the_table(tables: TableServiceClient) -> None:
    waiting = Approval(uuid.uuid4().hex, {}, "", NOW)
    TableApprovals(tables).put(waiting)
    rows = [str(dict(row)) for row in tables.get_table_client("approvals").list_entities()]
    assert not any(waiting.id in row for row in rows)


def test_what_has_ended_is_swept(tables: TableServiceClient) -> None:
    invitations, approvals = TableInvitations(tables), TableApprovals(tables)
    invitation, waiting = an_invitation(), Approval(uuid.uuid4().hex, {}, "", NOW)
    invitations.put(invitation)
    approvals.put(waiting)
    flows = TableFlows(tables, FakeClock())
    flows.sweep(NOW + timedelta(days=7))
    assert invitations.get(invitation.id)
    flows.sweep(NOW + timedelta(days=9))
    with pytest.raises(NotFound):
        invitations.get(invitation.id)
    assert approvals.get(waiting.id)
    flows.sweep(NOW + timedelta(days=32))
    with pytest.raises(NotFound):
        approvals.get(waiting.id)


def test_an_authorization_that_cannot_be_read_hides_no_others(tables: TableServiceClient) -> None:
    """S6: the daily function refreshes the other authorizations and deletes nothing of the unreadable one."""
    store = TableAuthorizations(tables)
    strange, known = (store.add(an_authorization(refreshed_at=NOW)) for _ in range(2))
    digest = hashlib.sha256(strange.id.encode()).hexdigest()
    row = {"PartitionKey": digest[:2], "RowKey": digest[2:42]}
    tables.get_table_client("authorizations").update_entity(row | {"mode": "delegated_again"})
    try:
        found = {one.id for one in store.idle_since(NOW + timedelta(days=1))}
        with pytest.raises(OperatorMustAct) as caught:
            store.get(strange.id)
    finally:
        store.delete(strange.id)
    assert known.id in found
    assert strange.id not in found
    assert caught.value.of_one
