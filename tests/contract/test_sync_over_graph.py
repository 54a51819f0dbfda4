"""The whole sync over Graph on the sandbox: the first sync, later changes, and the cost of an idle pass."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.mailboxes import deletion
from sandbox.mailboxes.incidents import invalidate_states
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Mailbox as Stored
from sandbox.tls.authority import Authority, trust
from shared.errors import AdministratorMustAct, Reason
from shared.replica.port import FeedKind
from shared.sources.graph.sources import GraphSources
from shared.sources.model import Access, AccessMode, SourceName
from shared.sync.engine import SyncEngine
from shared.sync.scope import Scope
from tests.contract import graph_client
from tests.contract.exchange_server import ALEX, PEOPLE, QUINN, claims, listening
from tests.fakes.sync_harness import ID, OUT, SyncHarness
from tests.fakes.tokens import FakeAccessTokens


class GraphTokens(FakeAccessTokens):
    """Tokens that the sandbox's Graph accepts."""

    def access(
        self, authorization_id: str, address: str, source: SourceName = SourceName.EWS, *, own: bool = False
    ) -> Access:
        return Access(address, AccessMode.DELEGATED, graph_client.delegated(ALEX), source=source, own=own)


class GraphWorld(SyncHarness):
    """A mailbox on the sandbox's Graph and its replica in memory."""

    def __init__(self, url: str, service: GraphService) -> None:
        self.over_graph = GraphSources(url)
        super().__init__(Scope(folders_out=OUT, private_items=True))
        self.service = service
        self.exchange: Stored = service.store.mailbox(ALEX.address)
        self.registry.change(ID, lambda mailbox: mailbox.with_changes(source=SourceName.GRAPH))

    def other_parts(self) -> dict[str, Any]:
        return {"sources": self.over_graph, "access_tokens": GraphTokens()}

    def insert(self, role: str, number: int) -> str:
        """Add a message to a folder and return its id."""
        item = message_samples.message(f"From: a@x.example\r\nSubject: Letter {number}\r\n\r\nWords\r\n".encode())
        return self.exchange.insert(self.exchange.distinguished[role], item).id

    def subjects(self) -> list[str]:
        return sorted(item.subject for item in self.items().values())

    def requests_of_last_pass(self) -> int:
        return next(iter(self.registry.runs(ID))).requests


@pytest.fixture
def world(authority: Authority) -> Iterator[GraphWorld]:
    service = GraphService(MailboxStore(PEOPLE), claims)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with listening(application(service), authority) as url:
            yield GraphWorld(url, service)


def test_first_sync_takes_everything_that_graph_gives(world: GraphWorld) -> None:
    for number in range(250):
        world.insert("inbox", number)
    calendar, contacts = world.exchange.distinguished["calendar"], world.exchange.distinguished["contacts"]
    for event in item_samples.events(world.exchange.clock()):
        world.exchange.insert(calendar, event)
    for contact in item_samples.contacts(3):
        world.exchange.insert(contacts, contact)

    world.sync()

    kinds = [item.kind.value for item in world.items().values()]
    assert kinds.count("message") == 250
    assert kinds.count("event") == len(calendar.items)
    assert kinds.count("contact") == 3
    assert all(item.located is not None for item in world.items().values())
    assert world.stored.issues == 0
    assert world.stored.complete_as_of is not None


def test_idle_pass_costs_two_http_requests_and_writes_nothing(world: GraphWorld) -> None:
    for number in range(14):
        world.exchange.add_folder(world.exchange.top(), f"Folder {number}")
    world.insert("inbox", 1)
    world.sync()
    before = len(list(world.replica.feed(ID)))

    world.clock.pass_by(minutes=30)
    world.sync()

    assert world.requests_of_last_pass() <= 2
    assert len(list(world.replica.feed(ID))) == before


def test_changes_moves_and_deletions_are_followed(world: GraphWorld) -> None:
    first, second = world.insert("inbox", 1), world.insert("inbox", 2)
    world.sync()
    key = world.key(first)
    kept = world.exchange.items[first]

    moved = deletion.move_item(kept, world.exchange.distinguished["drafts"])
    deletion.delete_item(world.exchange.items[second], "HardDelete")
    world.insert("inbox", 3)
    world.clock.pass_by(minutes=30)
    world.sync()

    assert world.subjects() == ["Letter 1", "Letter 3"]
    assert world.key(moved.id) == key
    assert [kind for kind, _ in world.feed()][-1] in set(FeedKind)


def test_read_flag_alone_fetches_no_content(world: GraphWorld) -> None:
    item_id = world.insert("inbox", 1)
    world.sync()

    world.exchange.set_read(world.exchange.items[item_id], True)
    world.clock.pass_by(minutes=30)
    world.sync()

    assert world.items()[item_id].is_read is True
    assert world.requests_of_last_pass() <= 2


def test_lost_states_are_read_anew_and_nothing_is_fetched_twice(world: GraphWorld) -> None:
    for number in range(30):
        world.insert("inbox", number)
    world.sync()

    invalidate_states(world.exchange)
    world.clock.pass_by(minutes=30)
    world.sync()

    assert len(world.items()) == 30
    assert next(iter(world.registry.runs(ID))).bytes == 0
    assert world.stored.issues == 0


def test_full_mailbox_goes_on_by_listing_and_comes_back_to_delta(world: GraphWorld) -> None:
    world.insert("inbox", 1)
    world.sync()
    world.service.behavior(ALEX.address).over_quota = True
    world.clock.pass_by(minutes=30)
    world.insert("inbox", 2)
    world.sync()
    assert world.subjects() == ["Letter 1", "Letter 2"]

    world.service.behavior(ALEX.address).over_quota = False
    world.insert("inbox", 3)
    for _ in range(3):
        world.clock.pass_by(minutes=30)
        world.sync()

    assert world.subjects() == ["Letter 1", "Letter 2", "Letter 3"]


def test_sweep_finds_a_replica_that_is_right(world: GraphWorld) -> None:
    for number in range(30):
        world.insert("inbox", number)
    world.sync()

    world.clock.pass_by(hours=24)
    world.sweep()

    assert (world.stored.sweep_missing, world.stored.sweep_extra) == (0, 0)


def test_what_graph_counts_and_does_not_give_is_counted(world: GraphWorld) -> None:
    contacts = world.exchange.distinguished["contacts"]
    world.exchange.insert(contacts, item_samples.distribution_list("Friends"))
    world.exchange.insert(contacts, item_samples.contacts(1)[0])
    world.sync()

    world.clock.pass_by(hours=24)
    world.sweep()

    assert world.stored.not_provided == 1
    assert world.stored.issues == 0


def test_a_mailbox_that_ews_no_longer_serves_is_read_over_graph(world: GraphWorld) -> None:
    world.insert("inbox", 1)
    world.registry.change(ID, lambda mailbox: mailbox.with_changes(source=SourceName.EWS))
    blocked = [AdministratorMustAct(Reason.EWS_BLOCKED)]
    plain = world.over_graph

    class Blocking:
        """Raises an error for every access over EWS."""

        def open(self, access: Access, *, isolate_failures: bool = False) -> object:
            if access.source is SourceName.EWS:
                raise blocked[0]
            return plain.open(access, isolate_failures=isolate_failures)

    world.engine = SyncEngine(
        sources=Blocking(),  # type: ignore[arg-type]
        replica=world.replica,
        registry=world.registry,
        leases=world.leases,
        queue=world.queue,
        access_tokens=GraphTokens(),
        scope_of=world.scope_of(),
        limits=world.limits,
        clock=world.clock,
        monotonic=world.clock.monotonic,
        source_after=lambda source, error: SourceName.GRAPH if source is SourceName.EWS else source,
    )

    world.sync()

    assert world.stored.source is SourceName.GRAPH
    assert world.subjects() == ["Letter 1"]


def test_ones_own_mailbox_is_read_as_me(authority: Authority) -> None:
    """M2: over Graph too a sign-in name need not be an address; the directory returns the primary one."""
    service = GraphService(MailboxStore(PEOPLE), claims)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with listening(application(service), authority) as url:
            access = Access(
                "nobody@corp.internal",
                AccessMode.DELEGATED,
                graph_client.delegated(QUINN),
                None,
                SourceName.GRAPH,
                True,
            )
            sources = GraphSources(url)
            sources.check(access)
            assert sources.primary_address(access) == QUINN.address
