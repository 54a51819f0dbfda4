"""The comparison of a replica with its mailbox's truth sees every way in which they can differ."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.compare import compare
from shared.replica.port import Cursor, FeedChange, FeedKind, ReplicaItem
from shared.sources.model import Content, ItemKind
from tests.fakes.replica import FakeReplica

BOX = "box"
FOLDERS = [
    {"id": "in", "parent_id": "top", "distinguished": "inbox"},
    {"id": "junk", "parent_id": "top", "distinguished": "junkemail"},
    {"id": "deep", "parent_id": "junk", "distinguished": ""},
]


def truth_of(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"folders": FOLDERS, "items": list(items)}


def true_item(name: str, **more: Any) -> dict[str, Any]:
    usual = {"id": name, "change_key": "1", "folder_id": "in", "is_read": True, "private": False}
    return usual | {"sha256": hashlib.sha256(name.encode()).hexdigest()} | more


def replica_of(*names: str, **more: Any) -> FakeReplica:
    replica = FakeReplica()
    changes = [FeedChange(FeedKind.CREATE, held_item(name, **more), Content("eml", name.encode())) for name in names]
    replica.commit(BOX, Cursor(), changes, Cursor())
    return replica


def held_item(name: str, **more: Any) -> ReplicaItem:
    usual: dict[str, Any] = {"source_id": name, "version": "1", "folder_id": "in", "is_read": True}
    return ReplicaItem(key=more.pop("key", f"key{name}"), kind=ItemKind.MESSAGE, item_class="IPM.Note", **usual | more)


def test_a_replica_that_holds_everything_is_equal() -> None:
    found = compare(truth_of(true_item("a"), true_item("b")), replica_of("a", "b"), BOX)
    assert found.is_equal
    assert str(found) == "2 items; all equal"


def test_private_items_and_folders_that_are_left_out_are_not_expected() -> None:
    truth = truth_of(
        true_item("a"),
        true_item("b", private=True),
        true_item("c", folder_id="junk"),
        true_item("d", folder_id="deep"),
    )
    assert compare(truth, replica_of("a"), BOX).is_equal
    assert compare(truth, replica_of("a", "b", "d"), BOX).extra == ("b", "d")


def test_over_graph_ids_are_in_other_letters_and_some_items_missing() -> None:
    truth = {
        "folders": [
            {"id": "i/n", "parent_id": "top", "distinguished": "inbox", "class": "IPF.Note"},
            {"id": "t/s", "parent_id": "top", "distinguished": "tasks", "class": "IPF.Task"},
        ],
        "items": [
            true_item("a+b/c", folder_id="i/n", kind="message", sha256=None),
            true_item("d", folder_id="i/n", kind="message", item_class="IPM.Post"),
            true_item("e", folder_id="t/s", kind="task", private=True, change_key="other"),
            true_item("f", folder_id="i/n", kind="event"),
        ],
    }
    replica = replica_of("a_b-c", folder_id="i-n")
    task = FeedChange(FeedKind.CREATE, held_item("e", folder_id="t-s"), Content("eml", b"e"))
    replica.commit(BOX, replica.load(BOX), [task], Cursor())

    assert compare(truth, replica, BOX, over_graph=True).is_equal
    assert not compare(truth, replica, BOX).is_equal


def test_an_item_that_is_not_held_is_missing_and_one_held_twice_is_extra() -> None:
    replica = replica_of("a")
    replica.commit(
        BOX,
        replica.load(BOX),
        [FeedChange(FeedKind.CREATE, held_item("a", key="again"), Content("eml", b"a"))],
        Cursor(),
    )
    found = compare(truth_of(true_item("a"), true_item("b")), replica, BOX)
    assert (found.missing, found.extra) == (("b",), ("a",))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"folder_id": "other"}, "folder"),
        ({"change_key": "2"}, "version"),
        ({"is_read": False}, "read flag"),
        ({"sha256": hashlib.sha256(b"else").hexdigest()}, "content"),
    ],
)
def test_what_differs_is_named(more: dict[str, Any], what: str) -> None:
    assert compare(truth_of(true_item("a", **more)), replica_of("a"), BOX).different == (f"a: {what}",)


def test_content_that_storage_has_lost_differs() -> None:
    replica = replica_of("a")
    held = next(iter(replica.items(BOX)))
    assert held.located is not None
    replica.remove_pack(BOX, held.located.pack)
    assert compare(truth_of(true_item("a")), replica, BOX).different == ("a: content",)
