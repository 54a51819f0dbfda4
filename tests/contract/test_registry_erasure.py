"""The registry's guarantees for erasures (docs/decisions/0010-erasure.md), on the fake and on Table Storage."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential

from shared.errors import BeingErased, Conflict, NotFound, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.entities import partition
from shared.mailboxes.errors import OnHold
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.port import ErasureRecord, MailboxRegistry, Run
from shared.mailboxes.table import TableRegistry
from tests.conftest import Azurite, Faults
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


def record_of(registry: MailboxRegistry, mailbox: Mailbox) -> ErasureRecord | None:
    return next((one for one in registry.erasures() if one.mailbox_id == mailbox.id), None)


def test_s1_marked_mailbox_is_changed_by_nobody(registry: MailboxRegistry) -> None:
    mailbox = registry.add(new_mailbox(failures=2))
    marked = registry.begin_erasure(mailbox.id)
    assert (marked.status, marked.erasing_since) == (Status.DISCONNECTED, NOW)
    assert marked.authorization_id == mailbox.authorization_id
    with pytest.raises(BeingErased):
        registry.change(mailbox.id, lambda found: transitions.after_sign_in(found, "another"))
    assert registry.get(mailbox.id) == marked
    assert registry.begin_erasure(mailbox.id) == marked


def test_s1_address_of_a_marked_mailbox_is_free(registry: MailboxRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    again = mailbox.with_changes(id=uuid.uuid4().hex)
    with pytest.raises(Conflict):
        registry.add(again)
    registry.begin_erasure(mailbox.id)
    assert [one.id for one in registry.of_owner("t", mailbox.owner_id)] == [mailbox.id]
    registry.add(again)
    assert [one.id for one in registry.of_owner("t", mailbox.owner_id)] == [again.id]
    assert registry.erase(mailbox.id)["mailboxes"] == 1
    assert [one.id for one in registry.of_owner("t", mailbox.owner_id)] == [again.id]


def test_s1_erasure_is_recorded_until_it_is_forgotten(registry: MailboxRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    assert record_of(registry, mailbox) is None
    registry.begin_erasure(mailbox.id)
    assert record_of(registry, mailbox) == ErasureRecord(mailbox.id)
    registry.erase(mailbox.id)
    assert record_of(registry, mailbox) == ErasureRecord(mailbox.id, NOW)
    registry.forget_erasure(mailbox.id)
    registry.forget_erasure(mailbox.id)
    assert record_of(registry, mailbox) is None


def test_erasing_what_is_gone_is_refused_and_not_recorded(registry: MailboxRegistry) -> None:
    mailbox = new_mailbox()
    with pytest.raises(NotFound):
        registry.begin_erasure(mailbox.id)
    assert record_of(registry, mailbox) is None


def test_s2_late_change_brings_no_erased_mailbox_back(registry: MailboxRegistry) -> None:
    """The mailbox is marked and erased after a change read it and before the change is written."""
    mailbox = registry.add(new_mailbox())

    def stands_still(found: Mailbox) -> Mailbox:
        registry.begin_erasure(mailbox.id)
        registry.erase(mailbox.id)
        return found.with_changes(items=7)

    with pytest.raises(NotFound):
        registry.change(mailbox.id, stands_still)
    with pytest.raises(NotFound):
        registry.get(mailbox.id)


def test_s2_repeated_erasure_deletes_what_a_late_pass_recorded(registry: MailboxRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    registry.begin_erasure(mailbox.id)
    registry.erase(mailbox.id)
    registry.record_run(Run(mailbox.id, NOW, NOW, "done"))
    assert registry.erase(mailbox.id) == {"runs": 1, "issues": 0, "mailboxes": 0}
    assert registry.runs(mailbox.id) == []


def test_s3_sign_in_and_mark_have_one_order(registry: MailboxRegistry) -> None:
    """The mark is set after the sign-in read the mailbox: the sign-in detects this and writes nothing."""
    mailbox = registry.add(new_mailbox())

    def overtaken(found: Mailbox) -> Mailbox:
        registry.begin_erasure(mailbox.id)
        return transitions.after_sign_in(found, "another")

    with pytest.raises(BeingErased):
        registry.change(mailbox.id, overtaken)
    assert registry.get(mailbox.id).authorization_id == mailbox.authorization_id


def held(mailbox: Mailbox) -> Mailbox:
    return transitions.on_hold(mailbox, "Matter 7", "op", NOW)


def test_mailbox_on_hold_is_not_marked_and_its_erasure_not_recorded(registry: MailboxRegistry) -> None:
    mailbox = registry.add(new_mailbox())
    before = registry.change(mailbox.id, held)
    with pytest.raises(OnHold):
        registry.begin_erasure(mailbox.id)
    assert registry.get(mailbox.id) == before
    assert (before.hold_since, before.hold_by, before.hold_reason) == (NOW, "op", "Matter 7")
    assert record_of(registry, mailbox) is None
    registry.change(mailbox.id, transitions.without_hold)
    assert registry.begin_erasure(mailbox.id).erasing_since == NOW


def test_hold_and_mark_have_one_order(registry: MailboxRegistry) -> None:
    """The mark is set after the hold read the mailbox: the hold detects this and writes nothing."""
    mailbox = registry.add(new_mailbox())

    def overtaken(found: Mailbox) -> Mailbox:
        registry.begin_erasure(mailbox.id)
        return held(found)

    with pytest.raises(BeingErased):
        registry.change(mailbox.id, overtaken)
    assert registry.get(mailbox.id).hold_since is None


def test_hold_between_an_erasures_record_and_its_mark_wins(
    storage: Azurite, credential: DefaultAzureCredential
) -> None:
    """The record stays without a mark; the erasure that is requested after the hold is lifted takes it over."""
    with TableServiceClient(storage.table, credential=credential) as tables:
        registry = TableRegistry(tables, 16, lambda: NOW)
        mailbox = registry.add(new_mailbox())
        meanwhile = Before(tables, "erasures", "create_entity", lambda: registry.change(mailbox.id, held))
        with pytest.raises(OnHold):
            TableRegistry(cast(TableServiceClient, meanwhile), 16, lambda: NOW).begin_erasure(mailbox.id)
        assert registry.get(mailbox.id).erasing_since is None
        assert record_of(registry, mailbox) == ErasureRecord(mailbox.id)
        registry.change(mailbox.id, transitions.without_hold)
        erase(registry, mailbox)
        assert record_of(registry, mailbox) == ErasureRecord(mailbox.id, NOW)


@pytest.mark.parametrize(("table", "call"), [("mailboxes", "update_entity"), ("mailboxes", "delete_entity"),
                                             ("owners", "delete_entity"), ("erasures", "upsert_entity")])  # fmt: skip
def test_s1_erasure_that_breaks_off_anywhere_is_finished_by_repeating_it(
    storage: Azurite, credential: DefaultAzureCredential, faults: Faults, table: str, call: str
) -> None:
    """The owner's index entry is deleted too, although only the erasure record still names the owner."""

    def breaks() -> None:
        raise ServiceResponseError("the line is broken")

    with TableServiceClient(storage.table, credential=credential) as tables:
        registry = TableRegistry(tables, 16, lambda: NOW)
        mailbox = registry.add(new_mailbox(owner_id=uuid.uuid4().hex))
        broken = TableRegistry(cast(TableServiceClient, Before(tables, table, call, breaks)), 16, lambda: NOW)
        if call == "update_entity":
            # The mark is not written through the SDK; every attempt to write it breaks off.
            faults.add("table", {"kind": "reset"}, match={"method": "PUT", "path": f"/{table}"}, times=None)
        with pytest.raises(RetryLater):
            erase(broken, mailbox)
        faults.clear()
        found = record_of(registry, mailbox)
        assert found is not None
        assert found.finished_at is None
        if call == "update_entity":
            registry.begin_erasure(mailbox.id)
        registry.erase(mailbox.id)
        assert record_of(registry, mailbox) == ErasureRecord(mailbox.id, NOW)
        assert list(tables.get_table_client("owners").query_entities(f"PartitionKey eq 't_{mailbox.owner_id}'")) == []
        assert list(tables.get_table_client("owners").query_entities(f"mailbox_id eq '{mailbox.id}'")) == []
        row = tables.get_table_client("erasures").get_entity(partition(mailbox.id), mailbox.id)
        assert mailbox.owner_id not in str(row), "a finished record names nobody"


def erase(registry: MailboxRegistry, mailbox: Mailbox) -> None:
    registry.begin_erasure(mailbox.id)
    registry.erase(mailbox.id)
