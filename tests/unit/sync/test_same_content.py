"""G1 and G2: what has been edited is downloaded, what has not is not, and what cannot be told is told a day later."""

import pytest

from shared.errors import Reason
from shared.replica.port import ContentLocation, FeedKind, ReplicaItem
from shared.sources.model import ContentLevel, Item, ItemKind
from shared.sync.limits import Limits
from shared.sync.planning.item_changes import change_for, change_keeping_content
from shared.sync.planning.same_content import Sameness, sameness
from shared.sync.scope import kept_of
from tests.fakes.sync_harness import ID, SyncHarness


@pytest.fixture(params=[True, False], ids=["every-save-touches-modified", "edits-alone-touch-modified"])
def world(request: pytest.FixtureRequest) -> SyncHarness:
    """A synced mailbox of twelve old items. Each test runs with both habits of servers."""
    world = SyncHarness()
    world.mailbox.saves_touch_modified = request.param
    for number in range(12):
        world.mailbox.add((world.mailbox.inbox, world.mailbox.archive)[number % 2])
    world.clock.pass_by(minutes=30)
    world.sync()
    world.clock.pass_by(minutes=30)
    return world


def an_item(world: SyncHarness) -> str:
    return world.mailbox.in_folder(world.mailbox.inbox)[0].id


def downloads(world: SyncHarness) -> int:
    """How many contents one more pass downloads."""
    before = world.sources.downloads.total()
    world.sync()
    return world.sources.downloads.total() - before


def test_edit_at_equal_length_is_downloaded(world: SyncHarness) -> None:
    world.mailbox.edit(an_item(world))
    assert downloads(world) == 1
    world.assert_equal()
    assert world.assumed() == []


def test_edit_of_item_read_meanwhile_is_downloaded(world: SyncHarness) -> None:
    """The read flag explains no upsert: alone it comes as a change of the read flag."""
    item = an_item(world)
    world.mailbox.set_read(item)
    world.mailbox.edit(item)
    assert downloads(world) == 1
    world.assert_equal()


def test_edit_in_second_of_reading_is_downloaded() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.mailbox.edit(item)
    moved = world.mailbox.move(item, world.mailbox.archive)
    world.sync()
    world.sweep()
    assert world.content(moved) == b"mime" + world.mailbox.mails[moved].body


def test_flag_changes_download_nothing(world: SyncHarness) -> None:
    for mail in list(world.mailbox.mails.values()):
        world.mailbox.categorize(mail.id, ("red",))
    assert downloads(world) == 0
    world.assert_equal()


def test_read_flags_download_nothing(world: SyncHarness) -> None:
    for mail in list(world.mailbox.mails.values()):
        world.mailbox.set_read(mail.id)
    assert downloads(world) == 0
    world.assert_equal()


def test_moves_download_nothing(world: SyncHarness) -> None:
    for mail in list(world.mailbox.in_folder(world.mailbox.inbox)):
        world.mailbox.move(mail.id, world.mailbox.archive)
    assert downloads(world) == 0
    world.assert_equal()


def test_move_that_touches_nothing_needs_no_confirmation() -> None:
    world = SyncHarness()
    world.mailbox.saves_touch_modified = False
    item = world.mailbox.add(world.mailbox.inbox)
    world.clock.pass_by(minutes=30)
    world.sync()
    world.mailbox.move(item, world.mailbox.archive)
    world.sync()
    assert world.assumed() == []


@pytest.mark.parametrize("first", ["edit", "label"])
def test_edit_hidden_by_category_is_found_by_sweep(world: SyncHarness, first: str) -> None:
    item = an_item(world)
    if first == "edit":
        world.mailbox.edit(item)
    world.mailbox.categorize(item, ("red",))
    if first == "label":
        world.mailbox.edit(item)
    assert downloads(world) == 0
    assert world.assumed() == [item]
    world.sweep()
    world.assert_equal()
    assert world.assumed() == []
    assert world.stored.sweep_missing == 1


def test_edit_hidden_by_move_is_found_by_sweep() -> None:
    world = SyncHarness()
    item = world.mailbox.add(world.mailbox.inbox)
    world.sync()
    world.clock.pass_by(minutes=30)
    world.mailbox.edit(item)
    moved = world.mailbox.move(item, world.mailbox.archive)
    assert downloads(world) == 0
    world.sweep()
    world.assert_equal()
    assert world.assumed() == []
    assert world.content(moved) == b"mime" + world.mailbox.mails[moved].body


def test_confirmed_content_is_stored_once_and_is_no_difference(world: SyncHarness) -> None:
    item = an_item(world)
    world.mailbox.categorize(item, ("red",))
    world.sync()
    located = world.items()[item].located
    world.sweep()
    assert world.items()[item].located == located
    assert world.stored.sweep_missing == 0
    assert world.assumed() == []
    before = len(world.feed())
    world.sweep()
    assert len(world.feed()) == before


def test_assumption_stays_until_it_is_confirmed(world: SyncHarness) -> None:
    item = an_item(world)
    world.mailbox.edit(item)
    world.mailbox.categorize(item, ("red",))
    world.sync()
    world.mailbox.set_read(item)
    world.sync()
    moved = world.mailbox.move(item, world.mailbox.archive)
    world.sync()
    assert world.assumed() == [moved]
    world.sweep()
    world.assert_equal()


def test_sweep_confirms_few_items_a_folder_and_the_rest_next_day() -> None:
    world = SyncHarness(limits=Limits(confirmed_a_folder=5, overlap=False))
    items = [world.mailbox.add(world.mailbox.inbox) for _ in range(12)]
    world.sync()
    for item in items:
        world.mailbox.categorize(item, ("red",))
    world.sync()
    left = []
    for _ in range(3):
        world.sweep()
        left.append(len(world.assumed()))
        world.clock.pass_by(days=1)
    assert left == [7, 2, 0]


def test_failed_edit_is_not_covered_by_read_flag(world: SyncHarness) -> None:
    """The row's version moves on with the read flag; what failed before is downloaded all the same."""
    item = an_item(world)
    world.mailbox.edit(item)
    world.mailbox.bad[item] = Reason.ITEM_CORRUPT
    world.sync()
    world.mailbox.set_read(item)
    world.sync()
    world.mailbox.bad.clear()
    world.quiet()
    world.assert_equal()


def test_lost_content_is_downloaded_again_by_confirmation(world: SyncHarness) -> None:
    item = an_item(world)
    world.mailbox.categorize(item, ("red",))
    world.sync()
    located = world.items()[item].located
    assert located is not None
    world.replica.remove_pack(ID, located.pack)
    world.sweep()
    assert world.content(item) == b"mime" + world.mailbox.mails[item].body


# The rule itself


def item_of(**told: object) -> Item:
    metadata = {"modified": "2026-03-01T10:00:00Z", "importance": "Normal", "flag": "NotFlagged"}
    fields = {"id": "i1", "version": "v2", "content_key": "k", "folder_id": "f1"}
    fields |= {name: str(told.pop(name)) for name in list(told) if name in fields}
    kept = {name: value for name, value in {**metadata, **told}.items() if value}
    return Item(kind=ItemKind.MESSAGE, item_class="IPM.Note", metadata=kept, **fields)  # type: ignore[arg-type]


def stored(form: str = "eml", **told: object) -> ReplicaItem:
    """What the replica has, as an earlier version of the program wrote it: without a word of how sure it is."""
    change = change_for(item_of(version="v1", **told), ContentLevel.MIME, None)
    return change.item.with_changes(located=ContentLocation("pack", 0, 1, form, "0"))


LATER = "2026-03-01T11:00:00Z"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"modified": LATER}, Sameness.NONE),
        ({"modified": LATER, "flag": "Flagged"}, Sameness.LIKELY),
        ({"modified": LATER, "categories": ["red"]}, Sameness.LIKELY),
        ({"modified": LATER, "folder_id": "f2"}, Sameness.LIKELY),
        ({"modified": LATER, "id": "i2"}, Sameness.LIKELY),
        ({"id": "i2"}, Sameness.CERTAIN),
        ({"flag": "Flagged"}, Sameness.CERTAIN),
        ({"modified": LATER, "content_key": "other", "id": "i2"}, Sameness.NONE),
        ({"modified": LATER, "content_key": ""}, Sameness.NONE),
        ({"modified": LATER, "importance": "High"}, Sameness.NONE),
        ({"modified": LATER, "importance": "High", "flag": "Flagged"}, Sameness.NONE),
        ({"modified": LATER, "importance": "High", "id": "i2"}, Sameness.NONE),
        ({"modified": ""}, Sameness.NONE),
    ],
)
def test_sameness(told: dict[str, object], expected: Sameness) -> None:
    """G1; with the importance, G2: the MIME has it in its headers."""
    assert sameness(item_of(**told), stored()) is expected


def test_category_changes_content_that_repeats_it() -> None:
    """A file of our own writing, as .ics, .vcf and .json are, has the categories in it."""
    assert sameness(item_of(modified=LATER, categories=["red"]), stored("json")) is Sameness.NONE


def test_recent_item_is_never_certain() -> None:
    change = change_for(item_of(version="v1"), ContentLevel.MIME, None, recent=True)
    assert sameness(item_of(id="i2"), change.item) is Sameness.LIKELY


def test_kept_content_is_marked_until_downloaded() -> None:
    kept = change_keeping_content(item_of(), stored(), assumed=True)
    assert kept_of(kept.item).assumed
    assert kept.kind is FeedKind.UPDATE
    assert not kept_of(change_for(item_of(), ContentLevel.MIME, kept.item).item).assumed


def test_upgrade_downloads_nothing_whose_version_stayed(world: SyncHarness) -> None:
    """G1: rows of earlier versions know neither `recent` nor `assumed`."""
    assert all("assumed" not in str(item.metadata) for item in world.replica.items(ID))
    world.rescope(world.scope)
    assert downloads(world) == 0
    before = world.sources.downloads.total()
    world.sweep()
    assert world.sources.downloads.total() == before
