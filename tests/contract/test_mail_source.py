"""Contract suite for the mail source's port, for the in-memory mailbox and for EWS and Graph on the sandbox."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from sandbox.ews import EwsService
from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.mailboxes import deletion
from sandbox.mailboxes.incidents import invalidate_states, recreate
from sandbox.mailboxes.item_parts import Corruption
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Item as Kept
from sandbox.mailboxes.store import Mailbox
from sandbox.tls.authority import Authority, trust
from shared.errors import Reason
from shared.sources.ews.sources import EwsSources
from shared.sources.graph.sources import GraphSources
from shared.sources.model import (
    Access,
    AccessMode,
    ChangeKind,
    ContentLevel,
    Folder,
    FolderRole,
    Item,
    ItemFailure,
    ItemKind,
    SourceChange,
    SourceName,
)
from shared.sources.port import FolderGone, MailSource, MailSources, StateInvalid
from tests.contract import graph_client
from tests.contract.exchange_server import ALEX, PEOPLE, claims, delegated, listening, served
from tests.fakes.clock import FakeClock
from tests.fakes.mailbox import FakeMailbox
from tests.fakes.source import FakeSources


class SourceUnderTest(Protocol):
    """A mailbox that a test changes directly, and the sources that open it."""

    sources: MailSources
    access: Access
    largest: int
    carries_items: bool
    """Whether change pages carry the items."""
    has_marks: bool
    """Whether folders have change tokens."""

    def add(self, body: bytes, folder: str = "inbox", private: bool = False) -> str: ...
    def update(self, item_id: str, body: bytes) -> None: ...
    def set_read(self, item_id: str, is_read: bool) -> None: ...
    def move(self, item_id: str, folder: str) -> str: ...
    def copy(self, item_id: str, folder: str) -> str: ...
    def delete(self, item_id: str) -> None: ...
    def corrupt(self, item_id: str) -> None: ...
    def add_event(self) -> str: ...
    def add_folder(self, name: str) -> str: ...
    def delete_folder(self, folder_id: str) -> None: ...
    def invalidate(self) -> None: ...
    def recreate(self) -> None: ...
    def later(self) -> None: ...


class InMemory:
    """The in-memory fake."""

    has_marks = True

    def __init__(self, *, carries_items: bool = False) -> None:
        self.carries_items = carries_items
        fakes = FakeSources(page=512, carries_items=carries_items)
        self.largest = fakes.largest = 50_000
        self.sources: MailSources = fakes
        self.access = Access("alex@contoso.example", AccessMode.DELEGATED, "token")
        self._clock = FakeClock()
        self._mailbox = FakeMailbox(self._clock)
        fakes.mailboxes[self.access.address] = self._mailbox

    def _folder(self, name: str) -> str:
        return {"inbox": self._mailbox.inbox, "calendar": self._mailbox.calendar}.get(name, self._mailbox.archive)

    def add(self, body: bytes, folder: str = "inbox", private: bool = False) -> str:
        return self._mailbox.add(self._folder(folder), body=body, private=private)

    def update(self, item_id: str, body: bytes) -> None:
        self._mailbox.update(item_id, body)

    def set_read(self, item_id: str, is_read: bool) -> None:
        self._mailbox.set_read(item_id, is_read)

    def move(self, item_id: str, folder: str) -> str:
        return self._mailbox.move(item_id, self._folder(folder))

    def copy(self, item_id: str, folder: str) -> str:
        return self._mailbox.copy(item_id, self._folder(folder))

    def delete(self, item_id: str) -> None:
        self._mailbox.delete(item_id)

    def corrupt(self, item_id: str) -> None:
        self._mailbox.bad[item_id] = Reason.ITEM_CORRUPT

    def add_event(self) -> str:
        return self._mailbox.add(self._mailbox.calendar)

    def add_folder(self, name: str) -> str:
        return self._mailbox.add_folder(name)

    def delete_folder(self, folder_id: str) -> None:
        self._mailbox.delete_folder(folder_id)

    def invalidate(self) -> None:
        self._mailbox.invalidate(self._mailbox.inbox)

    def recreate(self) -> None:
        self._mailbox.recreate()

    def later(self) -> None:
        """Advance the clock: change tokens have a resolution of one second here."""
        self._clock.pass_by(seconds=2)


class InExchange:
    """Alex's mailbox in the sandbox's Exchange, for both services. Ids are those of the service."""

    largest = 50_000
    carries_items = False
    has_marks = True

    def __init__(self, sources: MailSources, access: Access, mailbox: Mailbox) -> None:
        self.sources = sources
        self.access = access
        self._mailbox = mailbox

    def service_id(self, ews_id: str) -> str:
        """The service's form of an EWS id."""
        return ews_id

    def _ews_id(self, service_id: str) -> str:
        """The mailbox's form of a service's id."""
        return service_id

    def _folder(self, name: str) -> Any:
        return self._mailbox.distinguished[name]

    def _item(self, item_id: str) -> Kept:
        return self._mailbox.items[self._ews_id(item_id)]

    def add(self, body: bytes, folder: str = "inbox", private: bool = False) -> str:
        item = message_samples.message(body, "")
        item.is_read = False
        if private:
            item.properties["Sensitivity"] = "<t:Sensitivity>Private</t:Sensitivity>"
        return self.service_id(self._mailbox.insert(self._folder(folder), item).id)

    def update(self, item_id: str, body: bytes) -> None:
        item = self._item(item_id)
        item.with_mime(body)
        item.size = len(body)
        self._mailbox.touch(item)

    def set_read(self, item_id: str, is_read: bool) -> None:
        self._mailbox.set_read(self._item(item_id), is_read)

    def move(self, item_id: str, folder: str) -> str:
        return self.service_id(deletion.move_item(self._item(item_id), self._folder(folder)).id)

    def copy(self, item_id: str, folder: str) -> str:
        return self.service_id(deletion.copy_item(self._item(item_id), self._folder(folder)).id)

    def delete(self, item_id: str) -> None:
        deletion.delete_item(self._item(item_id), "HardDelete")

    def corrupt(self, item_id: str) -> None:
        self._item(item_id).corruption = Corruption("ErrorItemCorrupt")

    def add_event(self) -> str:
        item = item_samples.MAKERS["series"](self._mailbox.clock())
        return self.service_id(self._mailbox.insert(self._folder("calendar"), item).id)

    def add_folder(self, name: str) -> str:
        return self.service_id(self._mailbox.add_folder(self._mailbox.top(), name).id)

    def delete_folder(self, folder_id: str) -> None:
        deletion.delete_folder(self._mailbox.folders[self._ews_id(folder_id)], "HardDelete")

    def invalidate(self) -> None:
        invalidate_states(self._mailbox)

    def recreate(self) -> None:
        recreate(self._mailbox)

    def later(self) -> None:
        """Do nothing: change tokens are exact here."""


class OverGraph(InExchange):
    """Change pages carry items."""

    carries_items = True
    has_marks = False


@contextmanager
def over_ews(authority: Authority) -> Iterator[SourceUnderTest]:
    exchange = EwsService(MailboxStore(PEOPLE), claims)
    with served(exchange, authority) as server:
        sources = EwsSources(server.url, largest_item_bytes=InExchange.largest)
        yield InExchange(sources, Access(ALEX.address, AccessMode.DELEGATED, delegated(ALEX)), server.mailbox(ALEX))


@contextmanager
def over_graph(authority: Authority) -> Iterator[SourceUnderTest]:
    service = GraphService(MailboxStore(PEOPLE), claims)
    with listening(application(service), authority) as url:
        sources = GraphSources(url, largest_item_bytes=InExchange.largest)
        token = graph_client.delegated(ALEX)
        access = Access(ALEX.address, AccessMode.DELEGATED, token, source=SourceName.GRAPH, own=True)
        yield OverGraph(sources, access, service.store.mailbox(ALEX.address))


@pytest.fixture(params=["in memory", "in memory, items on pages", "over EWS", "over Graph"])
def world(request: pytest.FixtureRequest, authority: Authority) -> Iterator[SourceUnderTest]:
    if request.param.startswith("in memory"):
        yield InMemory(carries_items=request.param != "in memory")
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with over_ews(authority) if request.param == "over EWS" else over_graph(authority) as opened:
            yield opened


@pytest.fixture
def source(world: SourceUnderTest) -> Iterator[MailSource]:
    opened = world.sources.open(world.access)
    yield opened
    opened.close()


@dataclass(slots=True)
class Reader:
    """Reads a folder's changes from the last state on."""

    source: MailSource
    folder: Folder
    state: str | None = None
    items: dict[str, Item] = field(default_factory=dict)

    def changes(self) -> Sequence[SourceChange]:
        found: list[SourceChange] = []
        for _ in range(100):
            page = self.source.changes(self.folder, self.state)
            assert len(page.changes) <= 512
            found += page.changes
            self.items |= page.items
            self.state = page.state
            if page.complete:
                return found
        raise AssertionError("the changes never end")


def at(source: MailSource, role: str) -> Folder:
    return next(folder for folder in source.folders() if folder.role is FolderRole(role))


def letter(number: int, size: int = 0) -> bytes:
    return f"From: ada@x.example\r\nSubject: Letter {number}\r\n\r\nWords {number}\r\n".encode() + b"w" * size


def got(source: MailSource, folder: Folder, ids: Sequence[str], level: ContentLevel = ContentLevel.MIME) -> list[Item]:
    items = list(source.fetch(folder, ids, level))
    assert all(isinstance(item, Item) for item in items)
    return [item for item in items if isinstance(item, Item)]


def test_a_first_reading_gives_every_item_once(world: SourceUnderTest, source: MailSource) -> None:
    ids = {world.add(letter(number)) for number in range(600)}

    changes = Reader(source, at(source, "inbox")).changes()

    assert {change.item_id for change in changes} >= ids
    assert len({change.item_id for change in changes}) == len(changes)
    assert {change.kind for change in changes} == {ChangeKind.UPSERT}


def test_a_second_reading_gives_nothing_when_nothing_happened(world: SourceUnderTest, source: MailSource) -> None:
    world.add(letter(1))
    reader = Reader(source, at(source, "inbox"))
    reader.changes()

    assert reader.changes() == []


def test_each_kind_of_change_is_told_as_what_it_is(world: SourceUnderTest, source: MailSource) -> None:
    updated, flagged, deleted = (world.add(letter(number)) for number in range(3))
    reader = Reader(source, at(source, "inbox"))
    reader.changes()

    world.update(updated, letter(9))
    world.set_read(flagged, True)
    world.delete(deleted)
    created = world.add(letter(4))
    by_id = {change.item_id: change for change in reader.changes()}

    assert {key: change.kind for key, change in by_id.items()} == {
        updated: ChangeKind.UPSERT,
        created: ChangeKind.UPSERT,
        flagged: ChangeKind.UPSERT if world.carries_items else ChangeKind.READ_FLAG,
        deleted: ChangeKind.DELETE,
    }
    assert by_id[flagged].is_read is True
    assert by_id[deleted].version == ""


def test_a_page_carries_the_items_it_reports_or_none(world: SourceUnderTest, source: MailSource) -> None:
    ids = {world.add(letter(number)) for number in range(3)}
    inbox = at(source, "inbox")

    reader = Reader(source, inbox)
    reader.changes()
    carried = reader.items

    assert set(carried) >= ids if world.carries_items else carried == {}
    assert all(item.content is None and item.folder_id == inbox.id for item in carried.values())
    by_id = {item.id: item for item in got(source, inbox, sorted(ids), ContentLevel.METADATA)}
    assert {id_: carried[id_] for id_ in ids & set(carried)} == (by_id if world.carries_items else {})


def test_known_items_are_completed_with_content(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    inbox = at(source, "inbox")
    reader = Reader(source, inbox)
    reader.changes()

    (item,) = source.fetch(inbox, [item_id], ContentLevel.MIME, reader.items)

    assert isinstance(item, Item)
    assert item.content is not None
    (again,) = got(source, inbox, [item_id])
    assert item == again


def test_figures_count_requests(world: SourceUnderTest, source: MailSource) -> None:
    assert source.figures.requests == 0
    source.folders()
    assert source.figures.requests >= 1


def test_the_version_told_with_a_change_is_the_one_fetched(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    inbox = at(source, "inbox")
    (change,) = (change for change in Reader(source, inbox).changes() if change.item_id == item_id)

    (item,) = got(source, inbox, [item_id])

    assert item.version == change.version


def test_an_update_changes_the_version_and_the_content_key(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    inbox = at(source, "inbox")
    (before,) = got(source, inbox, [item_id], ContentLevel.METADATA)

    world.update(item_id, letter(1, size=50))
    (after,) = got(source, inbox, [item_id], ContentLevel.METADATA)

    assert after.version != before.version
    assert after.content_key != before.content_key
    assert after.move_key == before.move_key


def test_a_moved_item_is_known_again_by_its_search_key_and_same_content(
    world: SourceUnderTest, source: MailSource
) -> None:
    item_id = world.add(letter(1))
    inbox, archive = at(source, "inbox"), _archive(world, source)
    (before,) = got(source, inbox, [item_id], ContentLevel.METADATA)
    reader = Reader(source, inbox)
    reader.changes()

    moved = world.move(item_id, "archive")
    (after,) = got(source, archive, [moved], ContentLevel.METADATA)

    assert [(change.kind, change.item_id) for change in reader.changes()] == [(ChangeKind.DELETE, item_id)]
    assert before.move_key
    assert after.move_key == before.move_key
    assert after.content_key == before.content_key != ""
    assert after.folder_id == archive.id


def test_a_copy_shares_the_search_key_under_an_id_of_its_own(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    archive = _archive(world, source)
    copied = world.copy(item_id, "archive")

    (original,) = got(source, at(source, "inbox"), [item_id], ContentLevel.METADATA)
    (copy,) = got(source, archive, [copied], ContentLevel.METADATA)

    assert copied != item_id
    assert copy.move_key == original.move_key


def _archive(world: SourceUnderTest, source: MailSource) -> Folder:
    """The target folder of moves, with one item in it, since an empty one may not be listed."""
    world.add(letter(77), "archive")
    return next(folder for folder in source.folders() if folder.path in ("Projects", "Archive"))


def test_fetching_gives_each_once_and_says_which_are_gone_or_damaged(
    world: SourceUnderTest, source: MailSource
) -> None:
    fine = [world.add(letter(number)) for number in range(130)]
    gone, damaged = world.add(letter(200)), world.add(letter(201))
    inbox = at(source, "inbox")
    world.delete(gone)
    world.corrupt(damaged)

    results = list(source.fetch(inbox, [*fine, gone, damaged], ContentLevel.MIME))

    failures = {result.item_id: result.reason for result in results if isinstance(result, ItemFailure)}
    assert failures == {gone: Reason.ITEM_GONE, damaged: Reason.ITEM_CORRUPT}
    assert sorted(result.id for result in results if isinstance(result, Item)) == sorted(fine)


def test_metadata_alone_brings_no_content(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))

    (item,) = got(source, at(source, "inbox"), [item_id], ContentLevel.METADATA)

    assert item.content is None
    assert item.kind is ItemKind.MESSAGE


def test_an_item_above_the_largest_size_comes_without_content(world: SourceUnderTest, source: MailSource) -> None:
    small, large = world.add(letter(1)), world.add(letter(2, size=world.largest))

    by_id = {item.id: item for item in got(source, at(source, "inbox"), [small, large])}

    assert by_id[small].content is not None
    assert by_id[large].content is None
    assert by_id[large].size > world.largest


def test_a_private_item_is_marked(world: SourceUnderTest, source: MailSource) -> None:
    private, open_to_all = world.add(letter(1), private=True), world.add(letter(2))

    by_id = {item.id: item.private for item in got(source, at(source, "inbox"), [private, open_to_all])}

    assert by_id == {private: True, open_to_all: False}


def test_an_event_has_its_own_kind_and_form(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add_event()

    (item,) = got(source, at(source, "calendar"), [item_id])

    assert item.kind is ItemKind.EVENT
    assert item.content is not None
    assert item.content.form == "ics"
    assert item.at is not None
    assert item.at.tzinfo is UTC


def test_a_series_has_many_occurrences_in_the_window(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add_event()
    calendar = at(source, "calendar")
    (item,) = got(source, calendar, [item_id], ContentLevel.METADATA)
    assert item.at is not None
    start = item.at - timedelta(hours=1)

    found = list(source.occurrences(calendar, start, start + timedelta(days=21)))

    assert len(found) >= 2
    assert all(each.content is None and each.kind is ItemKind.EVENT for each in found)
    assert len({(each.id, each.at) for each in found}) == len(found)


def test_a_listing_names_every_item_with_its_version(world: SourceUnderTest, source: MailSource) -> None:
    ids = {world.add(letter(number)) for number in range(30)}
    inbox = at(source, "inbox")
    versions = {change.item_id: change.version for change in Reader(source, inbox).changes()}

    listed = {ref.id: ref.version for ref in source.list_items(inbox)}

    assert set(listed) >= ids
    assert listed == versions


def test_small_folders_are_listed_together_as_each_alone(world: SourceUnderTest, source: MailSource) -> None:
    for number in range(3):
        world.add(letter(number))
    world.add_folder("Empty")
    gone = world.add_folder("Soon gone")
    folders = source.folders()
    world.delete_folder(gone)
    alone = {folder.id: set(source.list_items(folder)) for folder in folders if folder.id != gone}
    before = source.figures.requests

    together = {id_: set(refs) for id_, refs in source.list_together(folders)}

    assert source.figures.requests - before <= 1 + len(folders) // 20
    assert together == {id_: alone[id_] for id_ in together}
    wholly_counted = {
        each.id for each in folders if each.total is not None and each.total == len(alone.get(each.id, "-"))
    }
    assert set(together) == wholly_counted
    assert at(source, "inbox").id in together


def test_a_change_moves_the_folders_mark_and_no_other(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    if not world.has_marks:
        assert {folder.change_token for folder in source.folders()} == {None}
        return
    before = {folder.id: folder.change_token for folder in source.folders()}
    changes: list[Callable[[], object]] = [
        lambda: world.set_read(item_id, True),
        lambda: world.update(item_id, letter(2)),
        lambda: world.delete(item_id),
    ]
    for change in changes:
        world.later()
        change()
        after = {folder.id: folder.change_token for folder in source.folders()}
        assert {key for key in after if after[key] != before[key]} == {at(source, "inbox").id}
        before = after


def test_a_new_folder_is_listed_by_its_path(world: SourceUnderTest, source: MailSource) -> None:
    folder_id = world.add_folder("R/D")

    (found,) = (folder for folder in source.folders() if folder.id == folder_id)

    assert found.path == "R%2FD"
    assert found.total == 0


def test_a_deleted_folder_is_gone(world: SourceUnderTest, source: MailSource) -> None:
    folder_id = world.add_folder("Soon gone")
    (found,) = (folder for folder in source.folders() if folder.id == folder_id)
    world.delete_folder(folder_id)

    assert folder_id not in {folder.id for folder in source.folders()}
    with pytest.raises(FolderGone):
        source.changes(found, None)
    with pytest.raises(FolderGone):
        list(source.list_items(found))


def test_forgotten_state_is_invalid_and_a_new_one_works(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    reader = Reader(source, at(source, "inbox"))
    reader.changes()
    world.invalidate()

    with pytest.raises(StateInvalid):
        reader.changes()
    reader.state = None
    assert item_id in {change.item_id for change in reader.changes()}


def test_a_recreated_mailbox_has_other_folders(world: SourceUnderTest, source: MailSource) -> None:
    world.add(letter(1))
    before = {folder.id for folder in source.folders()}
    old_inbox = at(source, "inbox")
    world.recreate()

    assert not before & {folder.id for folder in source.folders()}
    with pytest.raises(FolderGone):
        source.changes(old_inbox, None)


def test_checking_and_resolving_work_without_opening(world: SourceUnderTest) -> None:
    world.sources.check(world.access)

    assert world.access.address in world.sources.resolve(world.access, "alex")
    assert world.sources.resolve(world.access, "nobody-by-that-name") == []


def test_an_open_mailbox_tells_its_primary_address_at_a_cost(world: SourceUnderTest, source: MailSource) -> None:
    """M2."""
    before = source.figures.requests
    assert source.primary_address() == world.access.address
    assert source.figures.requests > before


def test_a_closed_source_can_be_closed_again(world: SourceUnderTest) -> None:
    opened = world.sources.open(replace(world.access))
    opened.close()

    opened.close()


def test_times_are_aware(world: SourceUnderTest, source: MailSource) -> None:
    item_id = world.add(letter(1))
    inbox = at(source, "inbox")

    (item,) = got(source, inbox, [item_id], ContentLevel.METADATA)

    assert inbox.change_token_at is None or inbox.change_token_at.tzinfo is not None
    assert item.at is None or item.at.tzinfo is not None
    assert all(ref.at is None or isinstance(ref.at, datetime) for ref in source.list_items(inbox))
