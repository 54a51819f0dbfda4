"""Contract suite for reading replicas: on in-memory storage and on Azure Storage."""

import uuid
from collections.abc import Iterator
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import ItemUnusable, NotFound
from shared.replica.port import Cursor, FeedChange, FeedKind, Replica, item_key
from shared.replica.reading.port import ItemRange, ReplicaReader, change_number
from shared.replica.reading.reader import BlobTableReader
from shared.replica.store import BlobTableReplica
from shared.sources.model import ItemKind
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with, folder

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A replica, and the reader of the same storage."""

    replica: Replica
    reader: ReplicaReader


@pytest.fixture(scope="module", params=["memory", "azure"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    if request.param == "memory":
        blobs, rows = MemoryBlobs(), MemoryRows()
        yield Stored(BlobTableReplica(blobs, rows), BlobTableReader(blobs, rows))
    else:
        storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
        replica = BlobTableReplica.at(storage.blob, storage.table, credential)
        yield Stored(replica, replica.reader())
        replica.close()


@pytest.fixture
def mailbox() -> str:
    return uuid.uuid4().hex


def keys(reader: ReplicaReader, mailbox: str, limit: int = 1_000, **wanted: Any) -> list[str]:
    """The keys of all pages."""
    found, after = list[str](), ""
    while True:
        page = reader.items(mailbox, after, limit, ItemRange(**wanted))
        found += [item.key for item in page.items]
        after = page.after
        if not after:
            return found


def test_mailbox_without_replica_is_empty(stored: Stored, mailbox: str) -> None:
    assert stored.reader.folders(mailbox).folders == {}
    assert keys(stored.reader, mailbox) == []
    assert stored.reader.changes(mailbox, 0, 10) == []
    with pytest.raises(NotFound):
        stored.reader.item(mailbox, item_key("A"))
    with pytest.raises(NotFound):
        stored.reader.item(mailbox, "no'such key")


def test_pages_hold_every_item_once_in_key_order(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, *(created(str(number), b"") for number in range(7)))
    moved = stored.replica.item(mailbox, item_key("3")).with_changes(source_id="moved", folder_id="other")
    commit(stored.replica, mailbox, FeedChange(FeedKind.MOVE, moved))
    everything = sorted(item_key(str(number)) for number in range(7))
    for limit in (1, 2, 3, 1_000):
        assert keys(stored.reader, mailbox, limit) == everything


def test_items_are_limited_by_folder_kind_and_time(stored: Stored, mailbox: str) -> None:
    commit(
        stored.replica,
        mailbox,
        created("early", at=NOW - HOUR),
        created("now", at=NOW),
        created("late", at=NOW + HOUR, kind=ItemKind.EVENT),
        created("undated", at=None),
        created("elsewhere", folder_id="it's + a/b=?&#%"),
    )

    def found(**wanted: Any) -> set[str]:
        return set(keys(stored.reader, mailbox, **wanted))

    assert found(folder_id="it's + a/b=?&#%") == {item_key("elsewhere")}
    assert found(kind=ItemKind.EVENT) == {item_key("late")}
    assert found(at_from=NOW) == {item_key("now"), item_key("late"), item_key("elsewhere")}
    assert found(at_until=NOW) == {item_key("early")}
    assert found(at_from=NOW - HOUR, at_until=NOW + HOUR, folder_id="inbox") == {item_key("early"), item_key("now")}


def test_items_that_left_are_pages_of_their_own(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A"), created("B"), created("C", folder_id="other"))
    for name in ("A", "C"):
        item = stored.reader.item(mailbox, item_key(name))
        left = item.with_changes(folder_id="", left_at=NOW, left_folder_id=item.folder_id)
        commit(stored.replica, mailbox, FeedChange(FeedKind.LEAVE, left))
    assert set(keys(stored.reader, mailbox)) == {item_key("B")}
    assert set(keys(stored.reader, mailbox, 1, left=True)) == {item_key("A"), item_key("C")}
    assert keys(stored.reader, mailbox, left=True, folder_id="other") == [item_key("C")]
    assert keys(stored.reader, mailbox, folder_id="other") == []
    assert keys(stored.reader, mailbox, left=True, kind=ItemKind.EVENT) == []
    change = stored.reader.changes(mailbox, 0, 10)[-1].change
    assert (change.kind, change.item.left_at, change.item.left_folder_id) == (FeedKind.LEAVE, NOW, "other")


def test_content_is_read_whole_or_in_part(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b"Subject: hello"), created("B", b"other"))
    located = stored.reader.item(mailbox, item_key("A")).located
    assert located is not None
    assert stored.reader.content(mailbox, located, 0, located.length) == b"Subject: hello"
    assert stored.reader.content(mailbox, located, 9, 3) == b"hel"
    assert stored.reader.content(mailbox, replace(located, pack=f"{mailbox}/none.zip"), 0, 3) is None
    with pytest.raises(NotFound):
        stored.reader.content("other", located, 0, 3)
    with pytest.raises(ItemUnusable):
        stored.reader.content(mailbox, replace(located, sha256="0" * 64), 0, located.length)


def test_folders_are_those_of_the_cursor(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b""), after=cursor_with(folder(items=1)))
    found = stored.reader.folders(mailbox)
    assert found.sequence == 1
    assert found.folders == {"inbox": folder(items=1)}


def test_every_change_comes_once_from_any_number(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b""), created("B", b""), created("C", b""))
    commit(stored.replica, mailbox, FeedChange(FeedKind.UPDATE, an_item("A", subject="new")))
    commit(stored.replica, mailbox, FeedChange(FeedKind.DELETE, an_item("B")), created("D", b""))
    numbers = [change_number(1, place) for place in (1, 2, 3)] + [change_number(2, 1)]
    numbers += [change_number(3, place) for place in (1, 2)]
    everything = stored.reader.changes(mailbox, 0, 100)
    assert [change.number for change in everything] == numbers
    assert [change.change.kind.value for change in everything] == ["create"] * 3 + ["update", "delete", "create"]
    for limit in (1, 2, 4):
        for after in (0, *numbers):
            expected = [number for number in numbers if number > after][:limit]
            assert [change.number for change in stored.reader.changes(mailbox, after, limit)] == expected


def test_every_item_change_and_content_can_be_iterated_over(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b"a"), created("B", b""), created("C", b"c"))
    commit(stored.replica, mailbox, FeedChange(FeedKind.DELETE, stored.reader.item(mailbox, item_key("C"))))
    items = list(stored.reader.every_item(mailbox))
    assert [item.key for item in items] == sorted([item_key("A"), item_key("B")])
    assert {item.key: data for item, data in stored.reader.contents(mailbox, items)} == {
        item_key("A"): b"a", item_key("B"): None,
    }  # fmt: skip
    everything = stored.reader.changes(mailbox, 0, 100)
    for after in (0, *(change.number for change in everything)):
        expected = [change for change in everything if change.number > after]
        assert list(stored.reader.every_change(mailbox, after)) == expected
    assert (list(stored.reader.every_item("other")), list(stored.reader.every_change("other"))) == ([], [])


def test_whole_content_is_found_where_compaction_has_moved_it(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b"a" * 100), created("B", b"b" * 100), created("N", b""))
    before = stored.reader.item(mailbox, item_key("A"))
    commit(stored.replica, mailbox, FeedChange(FeedKind.DELETE, stored.reader.item(mailbox, item_key("B"))))
    stored.replica.compact(mailbox, NOW + timedelta(days=400), 0)
    assert stored.reader.item(mailbox, item_key("A")).located != before.located
    assert stored.reader.whole_content(mailbox, before) == b"a" * 100
    for item in (stored.reader.item(mailbox, item_key("N")), stored.reader.item(mailbox, item_key("A"))):
        with pytest.raises(NotFound):
            stored.reader.whole_content(mailbox if item.located is None else "other", item)


def test_derived_document_is_read(stored: Stored, mailbox: str) -> None:
    with pytest.raises(NotFound):
        stored.reader.derived(mailbox, "parity")
    stored.replica.put_derived(mailbox, "parity", b"{}")
    assert stored.reader.derived(mailbox, "parity") == b"{}"


def test_changes_of_deleted_items_are_redacted_after_compaction(stored: Stored, mailbox: str) -> None:
    commit(stored.replica, mailbox, created("A", b"x"), created("B", b"y", subject='","redacted":true}'))
    commit(stored.replica, mailbox, FeedChange(FeedKind.DELETE, stored.replica.item(mailbox, item_key("A"))))
    for _ in range(3):
        commit(stored.replica, mailbox, created(uuid.uuid4().hex, b"z"), after=Cursor())
    stored.replica.compact(mailbox, NOW + timedelta(days=400), 0)
    changes = stored.reader.changes(mailbox, 0, 3)
    assert [change.redacted for change in changes] == [True, False, True]
    assert changes[0].change.item.subject == ""
