"""What is synced and what is not, and what happens when the settings change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import Reason
from shared.replica.encoding.item_rows import fit_to_limits
from shared.replica.port import FeedChange, FeedKind, ReplicaItem
from shared.sources.exchange_names import role_of
from shared.sources.model import Content, ContentLevel, Folder, FolderKind, FolderRole, Item, ItemKind
from shared.sync.limits import Limits
from shared.sync.planning.item_changes import change_for
from shared.sync.scope import Kept, LeftOut, Scope, kept_note
from shared.sync.state.sync_state import from_notes
from tests.fakes.sync_harness import ID, OUT, SyncHarness
from tests.unit.replica.samples import commit

BASE = Scope(folders_out=OUT)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_folder(id_: str, path: str, parent: str = "", distinguished: str = "") -> Folder:
    return Folder(
        id_,
        parent,
        path.rpartition("/")[2],
        path,
        FolderKind.MAIL,
        role_of(distinguished),
        0,
        distinguished.startswith("archive"),
    )


LISTED = [
    a_folder("1", "Inbox", distinguished="inbox"),
    a_folder("2", "Inbox/Orders", "1"),
    a_folder("3", "Inbox/Orders/2026", "2"),
    a_folder("4", "Ordered"),
    a_folder("5", "Gelöschte Elemente", distinguished="deleteditems"),
    a_folder("6", "Gelöschte Elemente/Old", "5"),
    a_folder("7", "Archive/Deleted", distinguished="archivedeleteditems"),
]


@pytest.mark.parametrize(
    ("folders_in", "folders_out", "wanted"),
    [
        ((), (), "1234567"),
        ((), ("deleteditems",), "1234"),
        (("inbox",), (), "123"),
        (("INBOX/orders",), (), "23"),
        (("Inbox/Orders/",), ("inbox/orders/2026",), "2"),
        (("inbox", "ordered"), ("Inbox/Orders",), "14"),
        (("nowhere",), (), ""),
    ],
)
def test_folders_are_named_by_distinguished_name_or_path_with_all_below(
    folders_in: tuple[str, ...], folders_out: tuple[str, ...], wanted: str
) -> None:
    scope = Scope(folders_in=folders_in, folders_out=folders_out)
    assert "".join(sorted(scope.folders(LISTED))) == wanted


def test_folders_that_are_each_others_parents_do_not_hang_the_program() -> None:
    ring = [a_folder("1", "a", "2"), a_folder("2", "b", "1")]
    assert set(Scope(folders_out=("junkemail",)).folders(ring)) == {"1", "2"}


def a_mixed_world(scope: Scope) -> SyncHarness:
    """Items of every sort that a setting can leave out."""
    world = SyncHarness(scope)
    inbox, now = world.mailbox.inbox, world.clock()
    world.mailbox.add(inbox, "plain")
    world.mailbox.add(inbox, "private", private=True)
    world.mailbox.add(inbox, "from the bank", addresses=("Statements@Bank.example",))
    world.mailbox.add(inbox, "old", at=now - timedelta(days=400))
    world.mailbox.add(world.mailbox.calendar, "old event", at=now - timedelta(days=400))
    world.mailbox.add(inbox, "large", b"x" * 5000)
    world.mailbox.add(world.mailbox.archive, "filed")
    return world


EVERYTHING = Scope(folders_out=OUT, private_items=True)
NARROWER = {
    "without private items": BASE,
    "without a domain": replace(EVERYTHING, exclude=("@bank.example",)),
    "without an address": replace(EVERYTHING, exclude=("statements@bank.example",)),
    "of the last 30 days": replace(EVERYTHING, mail_days=30),
    "metadata alone": replace(EVERYTHING, content=ContentLevel.METADATA),
    "bodies alone": replace(EVERYTHING, content=ContentLevel.BODY),
    "without large contents": replace(EVERYTHING, largest_item_bytes=1000),
    "one folder alone": replace(EVERYTHING, folders_in=("inbox",)),
    "all at once": Scope(("inbox",), OUT, 30, ContentLevel.BODY, 1000, False, ("@bank.example",)),
}


@pytest.mark.parametrize("narrower", NARROWER.values(), ids=NARROWER.keys())
def test_a_setting_leaves_out_what_it_says(narrower: Scope) -> None:
    world = a_mixed_world(narrower)
    world.sync()
    world.assert_equal()


@pytest.mark.parametrize("narrower", NARROWER.values(), ids=NARROWER.keys())
def test_narrowed_setting_removes_and_widened_one_fetches_the_missing(narrower: Scope) -> None:
    world = a_mixed_world(EVERYTHING)
    world.sync()
    world.rescope(narrower)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
    world.rescope(EVERYTHING)
    world.clock.pass_by(days=2)
    before = world.sources.downloads.copy()
    kept = {id_ for id_, item in world.items().items() if not EVERYTHING.is_outdated(item)}
    world.sync()
    world.assert_equal()
    again = {key for key, _ in world.sources.downloads - before}
    assert not again & {world.mailbox.mails[id_].move_key for id_ in kept}
    assert {world.mailbox.mails[id_].move_key for id_ in set(world.mailbox.mails) - kept} <= again


@pytest.mark.parametrize("immutable", [False, True], ids=["another id", "the same id"])
def test_item_that_moves_as_contents_are_left_out_loses_its_own(immutable: bool) -> None:
    """Replaying the feed and the item table agree that it has none."""
    world = a_mixed_world(EVERYTHING)
    world.mailbox.immutable_ids = immutable
    item = world.mailbox.add(world.mailbox.inbox, "moves", b"content")
    world.sync()
    world.rescope(NARROWER["metadata alone"])
    world.mailbox.move(item, world.mailbox.archive)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
    (moved,) = (one for one in world.items().values() if one.subject == "moves")
    assert moved.located is None
    told = [change for page in world.replica.feed(ID) for change in page.changes if change.item.key == moved.key]
    assert [change.kind for change in told] == [FeedKind.CREATE, FeedKind.UPDATE]


def test_sweep_removes_a_content_that_an_earlier_version_left_behind() -> None:
    world = SyncHarness(NARROWER["metadata alone"])
    world.mailbox.add(world.mailbox.inbox, "left", b"content")
    world.sync()
    (item,) = world.items().values()
    commit(world.replica, ID, FeedChange(FeedKind.MOVE, item, Content("eml", b"content")))
    assert next(iter(world.items().values())).located is not None
    world.sweep()
    world.assert_equal()
    assert next(iter(world.items().values())).located is None


def test_of_private_items_nothing_is_stored_and_their_number_is_known() -> None:
    world = a_mixed_world(BASE)
    world.sync()
    assert world.replica.load(ID).notes["left_out"] == {LeftOut.PRIVATE: 1}
    assert world.registry.get(ID).private_left_out == 1
    assert "private" not in {item.subject for item in world.items().values()}


def test_an_item_made_private_leaves_the_replica() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.categorize(item, (), private=True)
    world.clock.pass_by(minutes=30)
    world.sync()
    assert world.items() == {}
    world.mailbox.categorize(item, (), private=False)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


@pytest.mark.parametrize("bad", [{}, {"i13": Reason.ITEM_CORRUPT}], ids=["well", "never fetched"])
def test_a_narrowed_setting_takes_private_events_from_the_occurrences_too(bad: dict[str, Reason]) -> None:
    world = SyncHarness(replace(BASE, private_items=True))
    world.mailbox.bad = bad
    event = world.mailbox.add(world.mailbox.calendar, id="i13", private=True)
    world.sync()
    assert world.occurring() == {event}
    world.rescope(BASE)
    world.clock.pass_by(minutes=30)
    world.sync()
    assert world.occurring() == set()


def test_mail_that_grows_too_old_leaves_with_the_sweep() -> None:
    world = SyncHarness(replace(BASE, mail_days=30))
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(days=29)
    world.sweep()
    assert len(world.items()) == 1
    world.clock.pass_by(days=2)
    world.sweep()
    assert world.items() == {}
    assert world.stored.sweep_extra == 0


def test_old_mail_is_not_even_downloaded_in_a_first_sync() -> None:
    world = SyncHarness(replace(BASE, mail_days=30))
    old = world.clock() - timedelta(days=100)
    for _ in range(5):
        world.mailbox.add(world.mailbox.inbox, at=old)
    world.mailbox.add(world.mailbox.inbox)
    world.sync()
    assert world.sources.downloads.total() == 1
    assert world.replica.load(ID).notes["left_out"] == {LeftOut.OLD: 5}


def test_the_sweep_counts_anew_what_is_left_out() -> None:
    world = a_mixed_world(replace(BASE, mail_days=30))
    world.sync()
    world.mailbox.delete(next(mail.id for mail in world.mailbox.mails.values() if mail.private))
    world.sweep()
    assert world.replica.load(ID).notes["left_out"] == {LeftOut.OLD: 1}


def test_a_changed_setting_is_applied_in_as_many_passes_as_it_takes() -> None:
    world = a_mixed_world(EVERYTHING)
    world.limits = replace(world.limits, budget_seconds=2, page_items=2)
    world.sync()
    world.clock.step = 1
    world.rescope(NARROWER["metadata alone"])
    assert world.sync() > 2
    world.assert_equal()
    assert world.stored.swept_at is None, "a changed setting is no daily sweep"


def test_widened_setting_fetches_once_and_burdens_no_cursor() -> None:
    world = SyncHarness(replace(BASE, mail_days=30), Limits(overlap=False, page_items=10))
    old = world.clock() - timedelta(days=100)
    for _ in range(60):
        world.mailbox.add(world.mailbox.inbox, at=old)
    world.sync()
    before = world.sources.requests["fetch"]
    world.rescope(BASE)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()
    batches = 60 // 20
    assert world.sources.requests["fetch"] == before + 2 * batches, "once to look at, once with its content"
    assert all(not from_notes(page.cursor.notes).unconfirmed for page in world.replica.feed(ID))


@pytest.mark.parametrize("why", ["ghosts", "closed"])
def test_narrowed_setting_reaches_unreadable_folder_once_it_can_be_read(why: str) -> None:
    world = a_mixed_world(EVERYTHING)
    world.sync()
    world.rescope(BASE)
    getattr(world.mailbox, why).add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.sync()
    assert "private" in {item.subject for item in world.items().values()}
    getattr(world.mailbox, why).clear()
    world.clock.pass_by(minutes=30)
    world.sync()
    world.assert_equal()


def test_left_out_items_are_counted_once_over_several_passes() -> None:
    world = SyncHarness(BASE, Limits(overlap=False, budget_seconds=3, page_items=2))
    for number in range(12):
        world.mailbox.add(world.mailbox.inbox, private=number % 2 == 0)
    world.sync()
    world.clock.step = 1
    world.rescope(replace(BASE, content=ContentLevel.BODY))
    assert world.sync() > 2
    assert world.replica.load(ID).notes["left_out"] == {LeftOut.PRIVATE: 6}


def test_a_bad_item_is_not_asked_for_again_by_a_changed_setting() -> None:
    world = a_mixed_world(BASE)
    bad = world.mailbox.add(world.mailbox.inbox)
    world.mailbox.bad[bad] = Reason.ITEM_CORRUPT
    world.sync()
    world.rescope(EVERYTHING)
    world.sync()
    (issue,) = world.registry.issues(ID)
    assert issue.tries == 1


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("sent", {"a", "b"}),
        ("sentitems", {"a", "b"}),
        ("SentItems", {"a", "b"}),
        ("archivesentitems", {"b"}),
        ("archive", {"c"}),
        ("Old/Gesendet", {"b"}),
        ("", set()),
        ("nothing", set()),
    ],
)
def test_settings_name_folders_by_role_or_exchange_name(entry: str, named: set[str]) -> None:
    folders = [
        Folder("a", "", "Gesendet", "Gesendet", FolderKind.MAIL, FolderRole.SENT, 0),
        Folder("b", "", "Gesendet", "Old/Gesendet", FolderKind.MAIL, FolderRole.SENT, 0, archive=True),
        Folder("c", "", "Ablage", "Ablage", FolderKind.MAIL, FolderRole.ARCHIVE, 0),
        Folder("d", "", "Own", "Own", FolderKind.OTHER, FolderRole.NONE, 0),
    ]
    assert {folder.id for folder in folders} - set(Scope(folders_out=(entry,)).folders(folders)) == named


MANY = tuple(f"person.number.{number}@d{number % 50}.example" for number in range(15_000))


def huge(private: bool) -> ReplicaItem:
    """An item that names 15,000 people, as storage keeps it."""
    item = Item("i1", "v1", "f1", ItemKind.MESSAGE, "IPM.Note", private=private, addresses=MANY)
    item.metadata = {"to": [{"name": "A person", "address": address} for address in MANY], "sensitivity": "Private"}
    return fit_to_limits(change_for(item, ContentLevel.MIME, None).item)


def test_what_scope_needs_of_an_item_too_large_for_storage_is_kept() -> None:
    """M11: a private item with 15,000 recipients could never be left out again."""
    item = huge(private=True)
    assert item.metadata["left_out"] == ["to"]
    assert not Scope().still_has(item, NOW)
    assert Scope(private_items=True).still_has(item, NOW)
    assert not Scope(private_items=True).is_outdated(item)


@pytest.mark.parametrize(
    ("exclude", "is_kept"),
    [("person.number.14999@d49.example", False), ("Person.Number.0@D0.example", False), ("@d7.example", False),
     ("person.number.15000@d0.example", True), ("@d50.example", True)],
)  # fmt: skip
def test_exclusions_see_every_address_of_an_item_too_large_for_storage(exclude: str, is_kept: bool) -> None:
    assert Scope(exclude=(exclude,)).still_has(huge(private=False), NOW) is is_kept


def test_item_stored_without_note_by_earlier_version_is_fetched_again() -> None:
    item = huge(private=True)
    left_out = ["to", "sync"]
    before = item.with_changes(metadata={"sensitivity": "Private", "left_out": left_out})
    assert Scope(private_items=True).is_outdated(before)


def test_addresses_are_stored_in_one_order_each_once() -> None:
    """Their order within a set differs from process to process, and a note that differs is a change."""
    one, other = (
        Kept(addresses=("b@x.example", "a@x.example", "b@x.example")),
        Kept(addresses=("a@x.example", "b@x.example")),
    )
    assert kept_note(one) == kept_note(other)
