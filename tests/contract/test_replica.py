"""Contract suite for the replica: the fake, the real adapter on in-memory storage, and on Azure Storage."""

import hashlib
import uuid
from collections.abc import Iterator
from copy import replace
from datetime import timedelta

import pytest

from shared.errors import Conflict, NotFound
from shared.replica.port import Cursor, FeedChange, FeedKind, Replica, ReplicaItem, item_key
from shared.replica.store import BlobTableReplica
from shared.sources.model import Content
from tests.fakes.replica import FakeReplica
from tests.fakes.storage import MemoryBlobs, MemoryRows, Plan
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with, folder, replayed, truth


@pytest.fixture(scope="module", params=["fake", "memory", "azure"])
def replica(request: pytest.FixtureRequest) -> Iterator[Replica]:
    if request.param == "fake":
        yield FakeReplica()
    elif request.param == "memory":
        plan = Plan()
        yield BlobTableReplica(MemoryBlobs(plan), MemoryRows(plan))
    else:
        storage, credential = request.getfixturevalue("storage"), request.getfixturevalue("credential")
        store = BlobTableReplica.at(storage.blob, storage.table, credential)
        yield store
        store.close()


@pytest.fixture
def mailbox() -> str:
    return uuid.uuid4().hex


def found(replica: Replica, mailbox: str, source_id: str) -> ReplicaItem:
    return replica.find(mailbox, [source_id])[source_id]


def test_a_new_mailbox_has_an_empty_cursor(replica: Replica, mailbox: str) -> None:
    assert replica.load(mailbox) == Cursor()
    assert list(replica.items(mailbox)) == []
    assert list(replica.feed(mailbox)) == []


def test_what_is_committed_comes_back_the_same(replica: Replica, mailbox: str) -> None:
    after = cursor_with(folder(state="s1", change_token="m", seeded=True, items=2, total=3), sweep={"at": [1, 2]})
    cursor = commit(replica, mailbox, created("A", b"Subject: hello\r\n\r\n"), created("B", b""), after=after)
    assert cursor.sequence == 1
    assert replica.load(mailbox) == cursor
    assert (cursor.folders, cursor.notes) == (after.folders, after.notes)
    item = found(replica, mailbox, "A")
    assert item.with_changes(located=None) == an_item("A")
    assert item.located is not None
    assert item.located.sha256 == hashlib.sha256(b"Subject: hello\r\n\r\n").hexdigest()
    assert replica.content(mailbox, item) == b"Subject: hello\r\n\r\n"
    assert replica.item(mailbox, item.key) == item
    assert found(replica, mailbox, "B").located is None


def test_what_is_not_there_is_not_found(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b""))
    assert replica.find(mailbox, ["B", "a"]) == {}
    with pytest.raises(NotFound):
        replica.item(mailbox, item_key("B"))
    with pytest.raises(NotFound):
        replica.item(mailbox, "no'such key")
    with pytest.raises(NotFound):
        replica.content(mailbox, found(replica, mailbox, "A"))


def test_pages_that_were_prepared_ahead_are_committed_in_order(replica: Replica, mailbox: str) -> None:
    start = replica.load(mailbox)
    pages = [replica.prepare(mailbox, number, [created(f"{number}", b"content %d" % number)]) for number in (1, 2)]
    with pytest.raises(Conflict):
        replica.commit_prepared(mailbox, start, pages[1], start)
    assert list(replica.feed(mailbox)) == []
    cursor = start
    for page in pages:
        cursor = replica.commit_prepared(mailbox, cursor, page, cursor)
    assert replica.load(mailbox) == cursor
    assert cursor.sequence == 2
    assert {item.source_id: replica.content(mailbox, item) for item in replica.items(mailbox)} == {
        "1": b"content 1",
        "2": b"content 2",
    }


def test_empty_content_is_content(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, FeedChange(FeedKind.CREATE, an_item("A"), Content("eml", b"")))
    assert replica.content(mailbox, found(replica, mailbox, "A")) == b""


def test_folders_are_told_apart(replica: Replica, mailbox: str) -> None:
    odd = "it's + a/b=?&#%"
    commit(replica, mailbox, created("A"), created("B", folder_id=odd), created("C", folder_id="INBOX"))
    assert [item.source_id for item in replica.items(mailbox, odd)] == ["B"]
    assert [item.source_id for item in replica.items(mailbox, "inbox")] == ["A"]
    assert {item.source_id for item in replica.items(mailbox)} == {"A", "B", "C"}
    assert {item.source_id for item in replica.items(mailbox, odd, "inbox")} == {"A", "B"}


def test_items_of_many_folders_are_told_from_all_others(replica: Replica, mailbox: str) -> None:
    names = [f"folder {number}'" for number in range(31)]
    commit(replica, mailbox, *(created(name, folder_id=name) for name in names))
    assert sorted(item.folder_id for item in replica.items(mailbox, *names[:-1])) == sorted(names[:-1])


def test_source_ids_are_those_of_the_items_as_they_are_now(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A"), created("B", b""), created("C"))
    moved = found(replica, mailbox, "A").with_changes(source_id="D")
    commit(replica, mailbox, FeedChange(FeedKind.MOVE, moved), FeedChange(FeedKind.DELETE, an_item("C")))
    assert sorted(replica.source_ids(mailbox)) == ["B", "D"]


def test_mailboxes_are_told_apart(replica: Replica, mailbox: str) -> None:
    other = uuid.uuid4().hex
    commit(replica, mailbox, created("A"))
    commit(replica, other, created("A", b"other"))
    assert replica.content(other, found(replica, other, "A")) == b"other"
    assert replica.content(mailbox, found(replica, mailbox, "A")) == b"AAA"


@pytest.mark.parametrize("kind", FeedKind)
def test_change_without_content_and_location(replica: Replica, mailbox: str, kind: FeedKind) -> None:
    """Only an update takes the content away: another change says nothing of it."""
    commit(replica, mailbox, created("A"))
    if kind in (FeedKind.CREATE, FeedKind.DELETE):
        return
    item = found(replica, mailbox, "A")
    commit(replica, mailbox, FeedChange(kind, item.with_changes(folder_id="another", located=None)))
    located = found(replica, mailbox, "A").located
    assert located == (None if kind is FeedKind.UPDATE else item.located)


def test_an_update_replaces_content_and_metadata(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", metadata={"old": True}))
    changed = found(replica, mailbox, "A").with_changes(subject="", is_read=None, at=None, metadata={"new": True})
    commit(replica, mailbox, FeedChange(FeedKind.UPDATE, changed, Content("ics", b"BEGIN:VCALENDAR")))
    item = found(replica, mailbox, "A")
    assert item.with_changes(located=None) == changed.with_changes(located=None)
    assert replica.content(mailbox, item) == b"BEGIN:VCALENDAR"


def test_a_read_flag_leaves_the_content_where_it_is(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"body"))
    before = found(replica, mailbox, "A")
    commit(replica, mailbox, FeedChange(FeedKind.READ_FLAG, before.with_changes(is_read=True, version="v2")))
    assert found(replica, mailbox, "A") == before.with_changes(is_read=True, version="v2")
    assert replica.content(mailbox, found(replica, mailbox, "A")) == b"body"


def test_a_moved_item_keeps_its_key_and_answers_to_every_id_it_had(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"body"))
    for target in ("B", "C"):
        item = found(replica, mailbox, "A").with_changes(source_id=target, folder_id=target)
        commit(replica, mailbox, FeedChange(FeedKind.MOVE, item))
    moved = replica.find(mailbox, ["A", "B", "C", "D"])
    assert set(moved) == {"A", "B", "C"}
    assert {(item.key, item.source_id, item.folder_id) for item in moved.values()} == {(item_key("A"), "C", "C")}
    assert replica.content(mailbox, moved["C"]) == b"body"
    assert len(list(replica.items(mailbox))) == 1


def test_a_restated_item_keeps_its_content_under_another_id(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"content"), FeedChange(FeedKind.CREATE, an_item("N")))
    for name in ("A", "N"):
        item = found(replica, mailbox, name).with_changes(source_id=f"graph {name}", version="v9")
        commit(replica, mailbox, FeedChange(FeedKind.RESTATE, item))

    restated = found(replica, mailbox, "graph A")
    assert (restated.key, restated.version) == (found(replica, mailbox, "A").key, "v9")
    assert replica.content(mailbox, restated) == b"content"
    assert found(replica, mailbox, "graph N").located is None
    assert FeedKind.RESTATE in {change.kind for page in replica.feed(mailbox) for change in page.changes}


@pytest.mark.parametrize("in_one_page", [True, False])
def test_the_key_of_an_item_can_be_given_to_another_one(replica: Replica, mailbox: str, *, in_one_page: bool) -> None:
    """The item gets the key of its present id, and both keep their contents."""
    commit(replica, mailbox, created("A", b"of the copy"))
    commit(replica, mailbox, FeedChange(FeedKind.MOVE, found(replica, mailbox, "A").with_changes(source_id="B")))
    copy = found(replica, mailbox, "B")
    apart = FeedChange(FeedKind.CREATE, copy.with_changes(key=item_key("B"), aliases=()))
    changes = [FeedChange(FeedKind.DELETE, copy), apart, created("A", b"of the item")]

    for some in [changes] if in_one_page else [[change] for change in changes]:
        commit(replica, mailbox, *some)

    assert contents_of(replica, mailbox, "A", "B") == {"A": b"of the item", "B": b"of the copy"}
    assert_replays(replica, mailbox)
    replica.compact(mailbox, NOW, 30)
    assert contents_of(replica, mailbox, "A", "B") == {"A": b"of the item", "B": b"of the copy"}
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, found(replica, mailbox, "A")))
    assert contents_of(replica, mailbox, "A", "B") == {"B": b"of the copy"}


@pytest.mark.parametrize("in_one_page", [True, False])
def test_an_earlier_id_of_an_item_can_become_another_one(replica: Replica, mailbox: str, *, in_one_page: bool) -> None:
    commit(replica, mailbox, created("A", b"of the copy"))
    for target in ("B", "C"):
        item = found(replica, mailbox, "A").with_changes(source_id=target)
        commit(replica, mailbox, FeedChange(FeedKind.MOVE, item))
    copy = found(replica, mailbox, "C")
    apart = copy.with_changes(aliases=tuple(alias for alias in copy.aliases if alias != item_key("B")))
    changes = [FeedChange(FeedKind.RESTATE, apart), created("B", b"of the item")]

    for some in [changes] if in_one_page else [[change] for change in changes]:
        commit(replica, mailbox, *some)

    assert contents_of(replica, mailbox, "B", "C") == {"B": b"of the item", "C": b"of the copy"}
    assert_replays(replica, mailbox)
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, found(replica, mailbox, "C")))
    assert contents_of(replica, mailbox, "A", "B", "C") == {"B": b"of the item"}


def assert_replays(replica: Replica, mailbox: str) -> None:
    """Assert that the feed gives the items, as far as it tells: not where a content lies that it moved."""
    told = {key: item.with_changes(located=None) for key, item in replayed(replica, mailbox).items()}
    assert {item.key: item.with_changes(located=None) for item in replica.items(mailbox)} == told


def contents_of(replica: Replica, mailbox: str, *source_ids: str) -> dict[str, bytes]:
    return {id_: replica.content(mailbox, item) for id_, item in replica.find(mailbox, source_ids).items()}


def test_an_item_that_is_moved_without_end_always_fits(replica: Replica, mailbox: str) -> None:
    """A thousand digests of its earlier ids are more than a table property can hold."""
    commit(replica, mailbox, created("A", b"body"))
    had = tuple(item_key(f"earlier {number}") for number in range(1_000))
    for target in ("B", "C"):
        moved = found(replica, mailbox, "A").with_changes(source_id=target, aliases=had)
        commit(replica, mailbox, FeedChange(FeedKind.MOVE, moved))
        had = found(replica, mailbox, target).aliases
    assert {item.source_id for item in replica.find(mailbox, ["A", "B", "C"]).values()} == {"C"}
    assert replica.content(mailbox, found(replica, mailbox, "B")) == b"body"
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, found(replica, mailbox, "C")))
    assert replica.find(mailbox, ["A", "B", "C"]) == {}


def test_a_deleted_item_is_gone_under_every_id_it_had(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A"), created("Z"))
    for target in ("B", "C"):
        commit(replica, mailbox, FeedChange(FeedKind.MOVE, found(replica, mailbox, "A").with_changes(source_id=target)))
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, found(replica, mailbox, "C")))
    assert replica.find(mailbox, ["A", "B", "C"]) == {}
    assert [item.source_id for item in replica.items(mailbox)] == ["Z"]


def test_an_item_that_left_is_kept_apart_until_it_is_deleted(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"aaa"), created("B", b"bbb"), after=cursor_with(folder()))
    moved = found(replica, mailbox, "A").with_changes(source_id="A2", folder_id="other")
    commit(replica, mailbox, FeedChange(FeedKind.MOVE, moved))
    present = found(replica, mailbox, "A2")
    left = present.with_changes(folder_id="", left_at=NOW, left_folder_id="other")
    commit(replica, mailbox, FeedChange(FeedKind.LEAVE, left))
    assert found(replica, mailbox, "A") == found(replica, mailbox, "A2") == left
    assert replica.item(mailbox, left.key) == left
    assert [item.source_id for item in replica.items(mailbox)] == ["B"]
    assert list(replica.items(mailbox, "other")) == []
    assert list(replica.left_items(mailbox)) == [left]
    assert {"A2", "B"} <= set(replica.source_ids(mailbox))
    assert replica.compact(mailbox, NOW + timedelta(days=9), 1) == 0
    assert replica.content(mailbox, left) == b"aaa"
    assert replayed(replica, mailbox)[left.key].left_at == NOW
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, left))
    assert replica.find(mailbox, ["A", "A2"]) == {}
    assert list(replica.left_items(mailbox)) == []
    assert replica.compact(mailbox, NOW + timedelta(days=19), 1) > 0


@pytest.mark.parametrize("keeps_content", [True, False])
def test_an_item_that_left_comes_back_whole(replica: Replica, mailbox: str, *, keeps_content: bool) -> None:
    commit(replica, mailbox, created("A", b"aaa"), after=cursor_with(folder()))
    before = found(replica, mailbox, "A")
    left = before.with_changes(folder_id="", left_at=NOW, left_folder_id="inbox")
    commit(replica, mailbox, FeedChange(FeedKind.LEAVE, left))
    content = None if keeps_content else Content("eml", b"new")
    commit(replica, mailbox, FeedChange(FeedKind.CREATE, before.with_changes(subject="back"), content))
    item = found(replica, mailbox, "A")
    assert item.with_changes(located=None) == before.with_changes(subject="back", located=None)
    assert replica.content(mailbox, item) == (b"aaa" if keeps_content else b"new")
    assert list(replica.items(mailbox, "inbox")) == [item]
    assert list(replica.left_items(mailbox)) == []
    assert replayed(replica, mailbox) == {item.key: item.with_changes(located=None)}


def test_leaving_and_coming_back_in_one_page(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"aaa"), after=cursor_with(folder()))
    before = found(replica, mailbox, "A")
    left = before.with_changes(folder_id="", left_at=NOW, left_folder_id="inbox")
    commit(replica, mailbox, FeedChange(FeedKind.LEAVE, left), FeedChange(FeedKind.CREATE, before))
    assert list(replica.items(mailbox)) == [before]
    commit(replica, mailbox, created("B", b"bbb"))
    gone = an_item("C", folder_id="", left_at=NOW, left_folder_id="inbox")
    commit(replica, mailbox, created("C", b"ccc"), FeedChange(FeedKind.LEAVE, gone))
    (kept,) = replica.left_items(mailbox)
    assert (kept.source_id, kept.left_folder_id) == ("C", "inbox")


def test_deleting_twice_and_creating_again_are_harmless(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A"), created("B"))
    gone = FeedChange(FeedKind.DELETE, found(replica, mailbox, "A"))
    commit(replica, mailbox, gone)
    commit(replica, mailbox, gone, created("B", b"again"), created("C"))
    assert truth(replica, mailbox).keys() == {item_key("B"), item_key("C")}
    assert replica.content(mailbox, found(replica, mailbox, "B")) == b"again"


def test_one_item_may_change_several_times_in_a_page(replica: Replica, mailbox: str) -> None:
    item = an_item("A")
    commit(
        replica,
        mailbox,
        created("A", b"body"),
        FeedChange(FeedKind.MOVE, item.with_changes(source_id="B", folder_id="sent")),
        FeedChange(FeedKind.READ_FLAG, item.with_changes(source_id="B", folder_id="sent", is_read=True)),
        created("X"),
        FeedChange(FeedKind.DELETE, an_item("X")),
    )
    assert found(replica, mailbox, "B").is_read is True
    assert found(replica, mailbox, "A").folder_id == "sent"
    assert replica.content(mailbox, found(replica, mailbox, "B")) == b"body"
    assert replica.find(mailbox, ["X"]) == {}


def test_a_page_larger_than_a_transaction_is_applied_whole(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, *(created(f"id{number}") for number in range(230)))
    ids = [f"id{number}" for number in range(0, 230, 7)]
    assert list(replica.find(mailbox, ids)) == ids
    assert sum(1 for _ in replica.items(mailbox)) == 230
    commit(replica, mailbox, *(FeedChange(FeedKind.DELETE, item) for item in replica.items(mailbox)))
    assert list(replica.items(mailbox)) == []


def test_the_cursor_alone_is_replaced_without_a_page(replica: Replica, mailbox: str) -> None:
    first = commit(replica, mailbox, created("A"), after=cursor_with(folder(state="s1")))
    second = replica.commit(mailbox, first, [], replace(first, notes={"looked": True}))
    assert (second.sequence, second.notes) == (1, {"looked": True})
    assert replica.load(mailbox) == second
    with pytest.raises(Conflict):
        replica.commit(mailbox, first, [], first)
    assert replica.load(mailbox) == second


def test_a_second_writer_conflicts_and_loses_nothing(replica: Replica, mailbox: str) -> None:
    start = replica.load(mailbox)
    replica.commit(mailbox, start, [created("A")], start)
    with pytest.raises(Conflict):
        replica.commit(mailbox, start, [created("B")], start)
    commit(replica, mailbox, created("B"))
    assert truth(replica, mailbox).keys() == {item_key("A"), item_key("B")}
    assert replayed(replica, mailbox).keys() == truth(replica, mailbox).keys()


def test_the_feed_tells_every_change_in_order_with_the_cursor_that_follows(replica: Replica, mailbox: str) -> None:
    for number in range(20):
        after = cursor_with(*(folder(f"f{each}", state=f"s{number}") for each in range(number % 5, 5)), n=number)
        commit(replica, mailbox, created(f"id{number}"), after=after)
    pages = list(replica.feed(mailbox))
    assert [page.sequence for page in pages] == list(range(1, 21))
    assert [page.changes[0].item.source_id for page in pages] == [f"id{number}" for number in range(20)]
    for number, page in enumerate(pages):
        assert set(page.cursor.folders) == {f"f{each}" for each in range(number % 5, 5)}
        assert {state.state for state in page.cursor.folders.values()} == {f"s{number}"}
        assert (page.cursor.sequence, page.cursor.notes) == (number + 1, {"n": number})
    later = list(replica.feed(mailbox, after=18))
    assert [(page.sequence, page.changes, page.cursor.folders) for page in later] == [
        (page.sequence, page.changes, page.cursor.folders) for page in pages[18:]
    ]


def test_replaying_the_feed_gives_the_item_table(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, *(created(source_id) for source_id in "ABCDE"))
    commit(replica, mailbox, FeedChange(FeedKind.DELETE, found(replica, mailbox, "A")))
    commit(replica, mailbox, FeedChange(FeedKind.MOVE, found(replica, mailbox, "B").with_changes(source_id="B2")))
    commit(replica, mailbox, FeedChange(FeedKind.READ_FLAG, found(replica, mailbox, "C").with_changes(is_read=True)))
    assert replayed(replica, mailbox) == {key: item for key, (item, _) in truth(replica, mailbox).items()}


def test_compaction_frees_deleted_content_and_keeps_the_rest(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A", b"a" * 5000), created("B", b"b" * 5000))
    commit(replica, mailbox, created("C", b"c" * 5000))
    commit(replica, mailbox, *(FeedChange(FeedKind.DELETE, found(replica, mailbox, gone)) for gone in "AC"))
    stale = found(replica, mailbox, "B")
    before = truth(replica, mailbox)
    assert replica.compact(mailbox, NOW + timedelta(days=100), 7) >= 10_000
    assert truth(replica, mailbox) == before
    assert replica.content(mailbox, stale) == b"b" * 5000
    assert replayed(replica, mailbox) == {key: item for key, (item, _) in before.items()}
    commit(replica, mailbox, FeedChange(FeedKind.READ_FLAG, stale.with_changes(is_read=True)))
    assert replica.content(mailbox, found(replica, mailbox, "B")) == b"b" * 5000


def test_a_derived_document_is_replaced_whole_and_erased_with_its_mailbox(replica: Replica, mailbox: str) -> None:
    with pytest.raises(NotFound):
        replica.derived(mailbox, "occurrences")
    replica.put_derived(mailbox, "occurrences", b"a long first document")
    replica.put_derived(mailbox, "occurrences", b"second")
    assert replica.derived(mailbox, "occurrences") == b"second"
    assert replica.load(mailbox) == Cursor()
    replica.erase(mailbox)
    with pytest.raises(NotFound):
        replica.derived(mailbox, "occurrences")


def test_an_erased_mailbox_is_gone_and_erasing_it_again_is_harmless(replica: Replica, mailbox: str) -> None:
    cursor = commit(replica, mailbox, *(created(f"id{number}") for number in range(150)))
    commit(replica, mailbox, FeedChange(FeedKind.MOVE, found(replica, mailbox, "id7").with_changes(source_id="moved")))
    assert replica.erase(mailbox) == {"items": 150, "packs": 1, "pages": 2}
    assert replica.load(mailbox) == Cursor()
    assert truth(replica, mailbox) == {}
    assert set(replica.erase(mailbox).values()) == {0}
    with pytest.raises(Conflict):
        replica.commit(mailbox, cursor, [created("late")], cursor)
    assert (list(replica.feed(mailbox)), truth(replica, mailbox)) == ([], {})


def test_s2_nothing_is_written_under_an_erased_id(replica: Replica, mailbox: str) -> None:
    """S2b: no first page, no cursor, no derived document, and nothing by a compaction."""
    replica.erase(mailbox)
    for changes in ([created("late")], []):
        with pytest.raises(Conflict):
            replica.commit(mailbox, Cursor(), changes, cursor_with(folder(state="s1")))
    with pytest.raises(Conflict):
        replica.put_derived(mailbox, "occurrences", b"late")
    assert replica.compact(mailbox, NOW + timedelta(days=100), 7) == 0
    assert replica.load(mailbox) == Cursor()
    assert (list(replica.feed(mailbox)), truth(replica, mailbox)) == ([], {})
    with pytest.raises(NotFound):
        replica.derived(mailbox, "occurrences")


def test_an_erasure_is_forgotten_without_a_trace(replica: Replica, mailbox: str) -> None:
    commit(replica, mailbox, created("A"))
    replica.erase(mailbox)
    replica.forget_erased(mailbox)
    replica.forget_erased(mailbox)
    assert replica.load(mailbox) == Cursor()
    assert set(replica.erase(mailbox).values()) == {0}


def test_many_contents_come_together_each_once(replica: Replica, mailbox: str) -> None:
    """U11: a content is None if the item has none, or if it is not at its location."""
    commit(replica, mailbox, *(created(each, each.encode() * 50) for each in "ABC"))
    commit(replica, mailbox, created("D", b"other pack"), created("E", b""))
    items = list(replica.items(mailbox))
    given = list(replica.contents(mailbox, items))
    assert len(given) == len(items) == 5
    assert {item.source_id: data for item, data in given} == {
        "A": b"A" * 50, "B": b"B" * 50, "C": b"C" * 50, "D": b"other pack", "E": None
    }  # fmt: skip
    (gone,) = (item for item in items if item.source_id == "D")
    assert gone.located is not None
    moved = gone.with_changes(located=replace(gone.located, pack=f"{mailbox}/0000000009-x.zip"))
    assert list(replica.contents(mailbox, [moved])) == [(moved, None)]


def test_no_page_is_looked_for_after_a_cursor_that_is_known_to_be_settled(replica: Replica) -> None:
    mailbox = uuid.uuid4().hex
    cursor = commit(replica, mailbox, created("A", b"first"))
    assert replica.load(mailbox, cursor.etag) == cursor
    assert replica.load(mailbox, "another").sequence == cursor.sequence
    assert replica.load(uuid.uuid4().hex, cursor.etag).sequence == 0
