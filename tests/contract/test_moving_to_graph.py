"""A sandbox mailbox with every kind of item moves from EWS to Graph and back: nothing is lost or fetched twice."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.ews import EwsService
from sandbox.graph import GraphService
from sandbox.graph.access import Caller
from sandbox.graph.http import application
from sandbox.graph.service import Fault, operation_of
from sandbox.graph.wire.request import GraphRequest, GraphResponse
from sandbox.mailboxes import deletion
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Mailbox as Stored
from sandbox.tls.authority import Authority, trust
from shared.mailboxes.moves import asked_to_move
from shared.replica.port import FeedKind, ReplicaItem
from shared.sources.ews.sources import EwsSources
from shared.sources.graph.sources import GraphSources
from shared.sources.model import Access, AccessMode, SourceName
from shared.sources.selection import SelectedSources, SourceSelection, SourceSetting
from shared.sync.moving.folder_survey import SAMPLES
from shared.sync.scope import Scope
from tests.contract import graph_client
from tests.contract.exchange_server import ALEX, PEOPLE, claims, delegated, listening, served
from tests.fakes.sync_harness import ID, OUT, SyncHarness
from tests.fakes.tokens import FakeAccessTokens

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
MESSAGES = 850
SAMPLES_AND_FOLDERS = 30
"""Requests that do not depend on how much there is: listings, one round of each folder, three contents a kind."""


TEN_THOUSAND = {"message": 8_300, "event": 600, "contact": 900, "task": 200}
FOLDERS = 6


class CountingGraph(GraphService):
    """Counts what is asked of it by operation; each part of a batch counts."""

    def __init__(self, store: MailboxStore) -> None:
        super().__init__(store, claims)
        self.asked: Counter[str] = Counter()

    def answer(self, request: GraphRequest, caller: Caller, fault: Fault | None = None) -> GraphResponse:
        self.asked[operation_of(request)] += 1
        return super().answer(request, caller, fault)


class Tokens(FakeAccessTokens):
    """Tokens that the sandbox's services take."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        token = graph_client.delegated(ALEX) if source is GRAPH else delegated(ALEX)
        return Access(ALEX.address, AccessMode.DELEGATED, token, source=source)


class World(SyncHarness):
    """Alex's mailbox in the sandbox, reachable over both services, and its replica in memory."""

    def __init__(self, ews_url: str, graph_url: str, service: CountingGraph) -> None:
        self.both = SelectedSources({EWS: EwsSources(ews_url), GRAPH: GraphSources(graph_url)})
        self.exchange: Stored = service.store.mailbox(ALEX.address)
        self.graph = service
        self.behavior = service.behavior(ALEX.address)
        super().__init__(Scope(folders_out=OUT, private_items=True))

    def other_parts(self) -> dict[str, Any]:
        after = SourceSelection(SourceSetting.AUTO, self.both, is_online=True).after
        return {"sources": self.both, "access_tokens": Tokens(), "source_after": after}

    def move(self, target: SourceName = GRAPH, *, forced: bool = False) -> None:
        """Ask for a move, and let the next dispatch make it."""
        self.clock.pass_by(hours=25)
        self.registry.change(ID, lambda mailbox: asked_to_move(mailbox, target, "operator", forced=forced))
        self.sync()

    def fill(self, messages: int = MESSAGES) -> None:
        """Items of every kind, in the folders that they belong into."""
        now = self.exchange.clock()
        samples = {
            "inbox": [
                *message_samples.specials(ALEX.address, now),
                *(message_samples.synthetic(number, 800, now) for number in range(messages)),
            ],
            "calendar": item_samples.events(now),
            "contacts": [*item_samples.contacts(12), item_samples.distribution_list("Friends")],
            "tasks": item_samples.tasks(now),
            "notes": [item_samples.note("Remember")],
        }
        for role, items in samples.items():
            for item in items:
                self.exchange.insert(self.exchange.distinguished[role], item)

    def fill_with_ten_thousand(self) -> None:
        """10,000 items of all kinds that Graph gives: mail in several folders, the rest where it belongs."""
        now, top = self.exchange.clock(), self.exchange.top()
        folders = [self.exchange.add_folder(top, f"Folder {number}") for number in range(FOLDERS)]
        for number in range(TEN_THOUSAND["message"]):
            self.exchange.insert(folders[number % FOLDERS], message_samples.synthetic(number, 300, now))
        start = now.replace(microsecond=0, tzinfo=None)
        singles = [item_samples.event(f"Event {n}", start + timedelta(hours=n), 30) for n in range(600)]
        of_every_kind = item_samples.events(now)
        rest = {
            "calendar": [*of_every_kind, *singles[len(of_every_kind) :]],
            "contacts": item_samples.contacts(TEN_THOUSAND["contact"]),
            "tasks": [*item_samples.tasks(now), *(item_samples.item("Task", Subject=f"Task {n}") for n in range(200))],
        }
        for (role, items), kind in zip(rest.items(), ("event", "contact", "task"), strict=True):
            for each in items[: TEN_THOUSAND[kind]]:
                self.exchange.insert(self.exchange.distinguished[role], each)

    def rows(self) -> dict[str, ReplicaItem]:
        """The replica's items by key."""
        return {item.key: item for item in self.replica.items(ID)}

    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.replica.derived(ID, "parity")))


@pytest.fixture
def world(authority: Authority) -> Iterator[World]:
    store = MailboxStore(PEOPLE)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        service = CountingGraph(store)
        with (
            served(EwsService(store, claims), authority) as ews,
            listening(application(service), authority) as graph,
        ):
            yield World(ews.url, graph, service)


def test_mailbox_of_every_kind_moves_there_and_back(world: World) -> None:
    world.fill()
    world.sync()
    before = {item.key: (item.source_id, world.replica.content(ID, item)) for item in world.items().values()}
    lines = len(world.feed())

    world.move()

    total, kinds = world.report()["total"], world.report()["kinds"]
    assert world.stored.source is GRAPH, world.report()
    assert (total["changed"], total["new"], total["gone"]) == (0, 0, 0)
    assert total["fields_lost"] == kinds["task"]["same"] > 0
    assert set(kinds) >= {"message", "event", "contact", "task"}
    assert {kind for kind, _ in world.feed()[lines:]} <= {FeedKind.RESTATE}
    assert before == {item.key: (item.source_id, world.replica.content(ID, item)) for item in world.items().values()}
    run = next(run for run in world.registry.runs(ID) if run.kind == "move" and run.outcome == "moved")
    events = len(world.exchange.distinguished["calendar"].items)
    assert run.requests <= MESSAGES // 400 + events + SAMPLES_AND_FOLDERS

    world.clock.pass_by(hours=25)
    world.sweep()
    assert {kind for kind, _ in world.feed()[lines:]} <= {FeedKind.RESTATE}
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)

    world.move(EWS)
    world.clock.pass_by(hours=25)
    world.sweep()
    assert world.stored.source is EWS
    assert {kind for kind, _ in world.feed()[lines:]} <= {FeedKind.RESTATE}
    assert world.kept() == set()


@pytest.mark.timeout(600)
def test_ten_thousand_items_move_without_a_download(world: World) -> None:
    world.fill_with_ten_thousand()
    world.sync()
    before = {key: _stored(item) for key, item in world.rows().items()}
    assert Counter(item.kind.value for item in world.items().values()) == TEN_THOUSAND
    lines = len(world.feed())

    world.move()

    total = world.report()["total"]
    assert world.stored.source is GRAPH, world.report()
    assert (total["same"], total["changed"], total["new"], total["gone"]) == (10_000, 0, 0, 0)
    assert {key: _stored(item) for key, item in world.rows().items()} == before
    assert {kind for kind, _ in world.feed()[lines:]} <= {FeedKind.RESTATE}
    assert world.graph.asked["GET messages/{item}/$value"] <= SAMPLES
    moved = next(run for run in world.registry.runs(ID) if run.outcome == "moved")
    assert moved.requests <= TEN_THOUSAND["message"] // 400 + TEN_THOUSAND["event"] + SAMPLES_AND_FOLDERS

    world.sweep()
    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)


def _stored(item: ReplicaItem) -> tuple[object, ...]:
    """What must stay of an item when it moves: its id, version, metadata, and where its content lies."""
    return item.source_id, item.version, item.folder_id, item.metadata, item.located


@pytest.mark.parametrize("same_change_keys", [True, False])
def test_ids_that_only_the_service_can_translate_keep_every_item(world: World, same_change_keys: bool) -> None:
    world.behavior.own_ids = True
    world.behavior.own_change_keys = not same_change_keys
    world.fill(messages=40)
    world.sync()
    keys = {item.key: world.replica.content(ID, item) for item in world.items().values()}
    old_ids, lines = set(world.items()), len(world.feed())

    world.move()
    assert world.stored.source is GRAPH, world.report()
    total = world.report()["total"]
    assert (total["changed"], total["new"], total["gone"]) == (0, 0, 0)
    world.clock.pass_by(hours=25)
    world.sweep()
    kept = world.kept()
    assert set(world.items()) & old_ids == kept & old_ids
    assert {item.key: world.replica.content(ID, item) for item in world.items().values()} == keys

    world.move(EWS)
    world.clock.pass_by(hours=25)
    world.sweep()
    assert world.stored.source is EWS, world.report()
    assert set(world.items()) == old_ids
    assert {item.key: world.replica.content(ID, item) for item in world.items().values()} == keys
    assert {kind for kind, _ in world.feed()[lines:]} == {FeedKind.RESTATE}


@pytest.mark.parametrize("is_ews_blocked", [False, True])
def test_read_messages_move_without_a_download(world: World, is_ews_blocked: bool) -> None:
    """EWS reports a read flag without the last-modified time that it moves, so the replica has an older time."""
    world.behavior.own_change_keys = True
    world.exchange.clock = world.clock
    world.fill(messages=60)
    world.clock.pass_by(hours=1)
    world.sync()
    unread = [item for item in world.exchange.distinguished["inbox"].items.values() if not item.is_read]
    for item in unread:
        world.exchange.set_read(item, True)
        item.modified += timedelta(hours=1)
    world.clock.pass_by(hours=25)
    world.sync()
    contents, lines = {key: world.replica.content(ID, item) for key, item in world.rows().items()}, len(world.feed())
    downloads = world.graph.asked["GET messages/{item}/$value"]
    if is_ews_blocked:
        world.exchange.ews_block = (403, "EWS is blocked", {})

    world.move()

    total = world.report()["total"]
    assert len(unread) == 20
    assert world.stored.source is GRAPH, world.report()
    assert (total["changed"], total["new"], total["gone"]) == (0, 0, 0)
    assert world.graph.asked["GET messages/{item}/$value"] - downloads <= SAMPLES
    assert set(world.assumed()) == ({item.id for item in unread} if is_ews_blocked else set())
    world.clock.pass_by(hours=25)
    world.sweep()
    assert world.assumed() == []
    assert {key: world.replica.content(ID, item) for key, item in world.rows().items()} == contents
    assert {kind for kind, _ in world.feed()[lines:]} <= {FeedKind.RESTATE, FeedKind.UPDATE}


def test_changes_over_graph_are_followed_after_a_move(world: World) -> None:
    world.fill()
    world.sync()
    world.move()
    inbox = world.exchange.distinguished["inbox"]
    first, second, third = list(inbox.items.values())[:3]
    deletion.delete_item(world.exchange.items[first.id], "HardDelete")
    moved = deletion.move_item(world.exchange.items[second.id], world.exchange.distinguished["drafts"])
    world.exchange.set_read(world.exchange.items[third.id], True)
    world.clock.pass_by(hours=1)

    world.sync()

    assert moved.id in world.items()
    assert first.id not in world.items()
