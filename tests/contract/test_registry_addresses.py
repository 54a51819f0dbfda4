"""U1: one mailbox per address in a tenant, whoever its owner is; on the fake and on Table Storage."""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.errors import Conflict, NotFound
from shared.mailboxes.entities import early_owner_keys, mailbox_row
from shared.mailboxes.model import Mailbox
from shared.mailboxes.port import MailboxRegistry
from shared.mailboxes.table import TableRegistry
from shared.sources.model import AccessMode
from tests.conftest import Azurite
from tests.contract.test_registry import Before, new_mailbox
from tests.fakes.registry import FakeRegistry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "azure"])
def registry(request: pytest.FixtureRequest) -> Iterator[MailboxRegistry]:
    if request.param == "fake":
        yield FakeRegistry(16, lambda: NOW)
        return
    storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
    with TableServiceClient(storage.table, credential=credential) as tables:
        yield TableRegistry(tables, 16, lambda: NOW)


def another(mailbox: Mailbox, **changes: object) -> Mailbox:
    """Another mailbox with the same address, as connected in another way."""
    told = {"id": uuid.uuid4().hex, "owner_id": "app", "mode": AccessMode.APP_ONLY} | changes
    return mailbox.with_changes(**told)


def found(registry: MailboxRegistry, address: str) -> str:
    mailbox = registry.at_address("t", address)
    return mailbox.id if mailbox is not None else ""


def test_an_address_has_one_mailbox_whoever_owns_it(registry: MailboxRegistry) -> None:
    first = registry.add(new_mailbox())
    with pytest.raises(Conflict):
        registry.add(another(first, address=first.address.upper()))
    assert registry.of_owner("t", first.owner_id) == [first]
    assert found(registry, first.address.upper()) == first.id
    assert registry.at_address("another-tenant", first.address) is None
    assert registry.add(another(first, tenant_id="another-tenant")).id == found_in_other(registry, first.address)


def found_in_other(registry: MailboxRegistry, address: str) -> str:
    mailbox = registry.at_address("another-tenant", address)
    return mailbox.id if mailbox is not None else ""


def test_an_erased_mailbox_gives_its_address_to_another_owner(registry: MailboxRegistry) -> None:
    first = registry.add(new_mailbox())
    registry.begin_erasure(first.id)
    assert found(registry, first.address) == ""
    second = registry.add(another(first))
    registry.erase(first.id)
    assert found(registry, first.address) == second.id


def test_a_renamed_mailbox_gives_its_old_address_up(registry: MailboxRegistry) -> None:
    first = registry.add(new_mailbox())
    old, new = first.address, f"new-{first.address}"
    registry.change(first.id, lambda before: before.with_changes(address=new))
    assert (found(registry, old), found(registry, new)) == ("", first.id)
    assert registry.add(another(first)).id == found(registry, old)
    with pytest.raises(Conflict):
        registry.add(another(first, address=new))


def test_a_renamed_mailbox_leaves_the_address_to_the_one_that_has_it(registry: MailboxRegistry) -> None:
    first, second = registry.add(new_mailbox()), registry.add(new_mailbox())
    registry.change(second.id, lambda before: before.with_changes(address=first.address))
    assert registry.get(second.id).address == first.address
    assert found(registry, first.address) == first.id


def test_an_address_that_was_given_to_another_person_is_theirs(registry: MailboxRegistry) -> None:
    first = registry.add(new_mailbox())
    second = registry.add(another(first, owner_id=uuid.uuid4().hex), instead_of=first.id)
    assert found(registry, first.address) == second.id
    assert [one.id for one in registry.of_owner("t", first.owner_id)] == [first.id]
    registry.erase(first.id)
    assert found(registry, first.address) == second.id


def test_of_two_ways_in_at_once_one_wins(
    storage: Azurite, credential: DefaultAzureCredential, request: pytest.FixtureRequest
) -> None:
    """For each write of the first: all writes of the second happen before it."""
    for table, call in (("owners", "create_entity"), ("mailboxes", "create_entity"), ("owners", "update_entity")):
        with TableServiceClient(storage.table, credential=credential) as tables:
            whole = TableRegistry(tables, 16, lambda: NOW)
            first = new_mailbox()
            second = another(first)
            made: list[str] = []

            def other(second: Mailbox = second, whole: TableRegistry = whole, made: list[str] = made) -> None:
                try:
                    made.append(whole.add(second).id)
                except Conflict:
                    return

            halted = TableRegistry(cast(TableServiceClient, Before(tables, table, call, other)), 16, lambda: NOW)
            with contextlib.suppress(Conflict):
                made.append(halted.add(first).id)
            assert len(made) == 1, (table, call)
            (winner,) = made
            assert found(whole, first.address) == winner
            assert [one.id for one in whole.of_owner("t", first.owner_id)] == [first.id] * (winner == first.id)


def test_mailboxes_of_the_first_version_are_known_by_address(
    storage: Azurite, credential: DefaultAzureCredential
) -> None:
    """Their rows stay unchanged; the daily function claims their addresses once."""
    with TableServiceClient(storage.table, credential=credential) as tables:
        registry = TableRegistry(tables, 16, lambda: NOW)
        owners = tables.get_table_client("owners")
        early = new_mailbox()
        tables.get_table_client("mailboxes").create_entity(mailbox_row(early))
        owners.create_entity(early_owner_keys(early) | {"mailbox_id": early.id})
        assert [one.id for one in registry.of_owner("t", early.owner_id)] == [early.id]
        with pytest.raises(Conflict):
            registry.add(early.with_changes(id=uuid.uuid4().hex))
        owners.delete_entity("index", "addresses")
        assert registry.index_addresses() >= 1
        assert registry.index_addresses() == 0
        assert found(registry, early.address) == early.id
        with pytest.raises(Conflict):
            registry.add(another(early))
        registry.erase(early.id)
        assert list(owners.query_entities(f"mailbox_id eq '{early.id}'")) == []
        with pytest.raises(NotFound):
            registry.get(early.id)
