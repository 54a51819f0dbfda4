"""The main job, end to end: sign in, first sync, changes of every kind, recovery, the end. Each ends equal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from sandbox.local.local_stack import LocalStack
from sandbox.mailboxes.editor import KINDS
from shared.mailboxes.model import Status
from shared.replica.encoding.item_rows import FENCE
from shared.storage.storage_layout import TABLES
from tests.e2e.person import Person, title
from tests.e2e.watching import Watched
from tests.waiting import eventually

ENOUGH_TO_BE_PROTECTED = 150
"""Messages, some of which go with a folder: fewer than fifty items are not worth a safety stop."""

KEYS = {"PartitionKey", "RowKey"}


@pytest.fixture(scope="module")
def somebody(running_app: LocalStack) -> Watched:
    """Connected through the real pages, and synced once."""
    one = Watched(running_app, ENOUGH_TO_BE_PROTECTED)
    assert one.sign_in() == "My sync"
    one.synced(since=one.mailbox.created_at)
    return one


def test_the_first_sync_brings_everything(somebody: Watched) -> None:
    assert somebody.compared().is_equal, somebody.compared()
    mailbox = somebody.mailbox
    assert mailbox.first_sync_done
    assert mailbox.complete_as_of
    assert mailbox.items == somebody.compared().items


def test_changes_of_every_kind_arrive_with_each_tick(somebody: Watched) -> None:
    for seed in (1, 2):
        somebody.change(list(KINDS), seed)
        somebody.synced()
        assert somebody.compared().is_equal, somebody.compared()


def test_every_sync_state_forgotten_is_no_loss(somebody: Watched) -> None:
    somebody.control("invalidate-sync-states")
    somebody.change(["create", "hard_delete", "update"], 3)
    somebody.synced()
    assert somebody.compared().is_equal, somebody.compared()


def test_a_lost_cursor_is_no_loss(somebody: Watched) -> None:
    somebody.parts.blobs.get_blob_client("cursors", somebody.id).delete_blob()
    somebody.change(["create", "hard_delete", "update"], 4)
    somebody.synced()
    assert somebody.compared().is_equal, somebody.compared()


def test_a_mailbox_that_answers_empty_for_a_while_is_not_erased(somebody: Watched) -> None:
    held = somebody.mailbox.items
    somebody.control("answer-empty", how="items")
    somebody.synced("held")
    assert sum(1 for _ in somebody.parts.replica.items(somebody.id)) == held
    somebody.control("answer-empty", how="off")
    somebody.synced()
    assert somebody.compared().is_equal, somebody.compared()


def test_a_sign_in_name_that_is_no_address_of_the_mailbox(running_app: LocalStack) -> None:
    """M2: the mailbox opens as one's own, and is kept under the address that Exchange gives."""
    one = Watched(running_app, 6, sign_in_name="Quinn@corp.internal")
    assert one.sign_in() == "My sync"
    one.synced(since=one.mailbox.created_at)
    assert (one.mailbox.address, one.mailbox.sign_in_name) == (one.address, "Quinn@corp.internal")
    assert one.compared().is_equal, one.compared()


@pytest.fixture
def leaving(running_app: LocalStack) -> Iterator[tuple[Person, Watched]]:
    """Somebody who is about to leave, at their browser."""
    one = Watched(running_app, 6)
    person = Person(running_app, one.address).connect()
    one.synced(since=one.mailbox.created_at)
    yield person, one
    person.close()


def act(person: Person, name: str) -> str:
    """Do one of My sync's acts; gives the heading of the page that follows."""
    fields = {"csrf": person.csrf(), "mailbox": person.mailbox()}
    answer = person.ask("POST", f"/my-sync/{name}", data=fields, allow_redirects=True)
    assert answer.ok
    return title(answer)


def test_after_disconnecting_the_token_is_gone_and_the_replica_stays(leaving: tuple[Person, Watched]) -> None:
    person, one = leaving
    authorization = one.mailbox.authorization_id
    act(person, "disconnect")
    assert one.mailbox.status is Status.DISCONNECTED
    assert authorization not in names_in_the_vault(one)
    assert one.compared().is_equal, one.compared()


def test_after_erasing_nothing_is_left_anywhere(leaving: tuple[Person, Watched]) -> None:
    """But for the tombstone, the record of the erasure and the change log's entries, which name nobody.

    docs/decisions/0010-erasure.md and 0015-change-log.md.
    """
    person, one = leaving
    authorization, owner = one.mailbox.authorization_id, one.mailbox.owner_id
    act(person, "erase")
    assert blobs_of(one) == []
    words = one.id, authorization, owner, one.address
    one.stack.host.fire("dispatch")
    eventually("the shards' summaries to be written anew", lambda: not rows_of(one, *words, tables=["summaries"]))
    left = rows_of(one, *words)
    logged = [set(row) - KEYS for table, row in left if table == "changes"]
    assert all(columns == {"mailbox_id", "tenant_id", "known", "sequence"} for columns in logged)
    others = [(table, set(row) - KEYS, row.get("state")) for table, row in left if table != "changes"]
    waiting = {"outbox"}  # the event of the erasure, until it is handed on
    assert sorted((table, columns - waiting, state) for table, columns, state in others) == [
        ("erasures", {"finished_at"}, None),
        ("items", {"sequence", "state"}, "erased"),
    ]
    assert [row["RowKey"] for _, row in left if row.get("state")] == [FENCE]
    assert authorization not in names_in_the_vault(one)


def names_in_the_vault(one: Watched) -> str:
    """Every secret that can be read."""
    return str([secret.name for secret in one.parts.secrets.list_properties_of_secrets()])


def blobs_of(one: Watched) -> list[str]:
    """Every blob whose name has the mailbox's id."""
    found = []
    for container in one.parts.blobs.list_containers():
        names = one.parts.blobs.get_container_client(container.name).list_blob_names()
        found += [f"{container.name}/{name}" for name in names if one.id in name]
    return found


def rows_of(one: Watched, *words: str, tables: Sequence[str] = TABLES) -> list[tuple[str, Mapping[str, Any]]]:
    """Every entity with its table, but for the audit's, that has one of these words anywhere."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for table in tables:
        if table != "audit":
            rows = one.parts.tables.get_table_client(table).list_entities()
            found += [(table, row) for row in rows if any(word in str(row) for word in words if word)]
    return found
