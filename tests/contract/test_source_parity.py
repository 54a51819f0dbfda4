"""One mailbox gives the same items, shared metadata, and files over EWS and over Graph.

`ALLOWED` lists every allowed difference with its reason.
"""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.ews import EwsService
from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Item as Kept
from sandbox.mailboxes.store import Mailbox
from sandbox.tls.authority import Authority, trust
from shared.sources.ews.sources import EwsSources
from shared.sources.graph.sources import GraphSources
from shared.sources.model import Access, AccessMode, ContentLevel, Folder, FolderKind, Item, ItemKind, SourceName
from shared.sources.port import MailSource
from tests.contract import graph_client
from tests.contract.exchange_server import ALEX, PEOPLE, claims, delegated, listening, served

NOT_OVER_GRAPH = "Graph has no such property of this kind of item"

ALLOWED: Mapping[ItemKind, Mapping[str, str]] = {
    ItemKind.MESSAGE: {},
    ItemKind.EVENT: dict.fromkeys(("received", "sent", "has_attachments"), NOT_OVER_GRAPH),
    ItemKind.CONTACT: dict.fromkeys(
        ("conversation_id", "draft", "flag", "has_attachments", "importance", "received", "sent"), NOT_OVER_GRAPH
    ),
    ItemKind.TASK: {
        **dict.fromkeys(
            (
                "conversation_id",
                "draft",
                "flag",
                "owner",
                "percent",
                "private",
                "received",
                "regenerates",
                "sensitivity",
                "sent",
                "size",
            ),
            NOT_OVER_GRAPH,
        ),
        "version": "a task's version is its ETag over Graph",
        "move_key": "tasks have no extended properties over Graph, so a move is a new task",
        "content_key": "it is made of the move key",
    },
}
"""The fields and metadata entries of an item that may differ, by kind."""

NOT_GIVEN = frozenset({"IPM.Post", "IPM.DistList", "IPM.StickyNote", "IPM.Activity", "IPM.Document"})
"""Item classes that Graph counts but does not return."""

ALLOWED_LINES: Mapping[ItemKind, Mapping[str, str]] = {
    ItemKind.TASK: dict.fromkeys(("PERCENT-COMPLETE", "CLASS", "X-REGENERATES"), NOT_OVER_GRAPH),
}
"""The lines of files that may be missing or different, by kind."""

LABEL = re.compile(rb"[^=:]+ ([0-9a-f]{8})(?=[:\r])")
"""The TZID of a custom zone: Graph returns its rules but not its display name, so the label may differ."""


@dataclass
class Both:
    """The same mailbox, opened over each source."""

    ews: MailSource
    graph: MailSource

    def folders(self, kind: FolderKind) -> Iterator[tuple[Folder, Folder]]:
        over_graph = {folder.id: folder for folder in self.graph.folders()}
        for folder in self.ews.folders():
            if folder.kind is kind:
                yield folder, over_graph[folder.id]

    def items(self, kind: FolderKind, item_kind: ItemKind) -> Iterator[tuple[Item, Item]]:
        """Items of one kind from the folders of one kind, read over EWS and over Graph."""
        for ews_folder, graph_folder in self.folders(kind):
            graph_items = read(self.graph, graph_folder)
            for item in read(self.ews, ews_folder).values():
                if item.kind is item_kind and item.item_class not in NOT_GIVEN:
                    yield item, graph_items[item.id]


def read(source: MailSource, folder: Folder) -> dict[str, Item]:
    """All items of a folder with their contents."""
    state, found = None, dict[str, Item]()
    for _ in range(50):
        page = source.changes(folder, state)
        ids = [change.item_id for change in page.changes]
        for item in source.fetch(folder, ids, ContentLevel.MIME, page.items):
            assert isinstance(item, Item), item
            found[item.id] = item
        state = page.state
        if page.complete:
            return found
    raise AssertionError("the changes never end")


def samples(mailbox: Mailbox) -> dict[str, list[Kept]]:
    """Items of every kind, by the folder that they belong in."""
    now = mailbox.clock()
    return {
        "inbox": [
            *message_samples.specials(ALEX.address, now),
            *(message_samples.synthetic(number, 2_000, now) for number in range(20)),
        ],
        "calendar": item_samples.events(now),
        "contacts": [*item_samples.contacts(12), item_samples.distribution_list("Friends")],
        "tasks": item_samples.tasks(now),
        "notes": [item_samples.note("Remember")],
    }


@pytest.fixture
def both(authority: Authority) -> Iterator[Both]:
    store = MailboxStore(PEOPLE)
    mailbox = store.mailbox(ALEX.address)
    for role, items in samples(mailbox).items():
        for item in items:
            mailbox.insert(mailbox.distinguished[role], item)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with (
            served(EwsService(store, claims), authority) as exchange,
            listening(application(GraphService(store, claims)), authority) as url,
        ):
            token = graph_client.delegated(ALEX)
            access = Access(ALEX.address, AccessMode.DELEGATED, token, source=SourceName.GRAPH)
            graph = GraphSources(url).open(access)
            ews = EwsSources(exchange.url).open(Access(ALEX.address, AccessMode.DELEGATED, delegated(ALEX)))
            yield Both(ews, graph)
            ews.close()
            graph.close()


KINDS = [
    (FolderKind.MAIL, ItemKind.MESSAGE),
    (FolderKind.CALENDAR, ItemKind.EVENT),
    (FolderKind.CONTACTS, ItemKind.CONTACT),
    (FolderKind.TASKS, ItemKind.TASK),
]


@pytest.mark.parametrize(("kind", "item_kind"), KINDS)
def test_items_and_their_metadata_are_the_same(both: Both, kind: FolderKind, item_kind: ItemKind) -> None:
    pairs = list(both.items(kind, item_kind))
    assert pairs
    for ews, graph in pairs:
        # Graph cannot express a task that recurs after its completion.
        without = {"recurrence"} if ews.metadata.get("regenerates") else set()
        assert comparable(ews, without) == comparable(graph, without)


@pytest.mark.parametrize(("kind", "item_kind"), KINDS)
def test_files_are_the_same_byte_for_byte(both: Both, kind: FolderKind, item_kind: ItemKind) -> None:
    for ews, graph in both.items(kind, item_kind):
        assert ews.content is not None
        assert graph.content is not None
        assert (ews.content.form, lines(ews)) == (graph.content.form, lines(graph))


def lines(item: Item) -> list[bytes]:
    """The lines of an item's file that must not depend on the source."""
    allowed = tuple(name.encode() for name in ALLOWED_LINES.get(item.kind, ()))
    assert item.content is not None
    data = LABEL.sub(rb"zone \1", item.content.data) if item.kind is ItemKind.EVENT else item.content.data
    return [line for line in data.split(b"\r\n") if not allowed or not line.startswith(allowed)]


def comparable(item: Item, without: Set[str] = frozenset()) -> dict[str, Any]:
    """The values of an item that must not depend on the source."""
    found = {
        "version": item.version,
        "kind": item.kind,
        "item_class": item.item_class,
        "move_key": item.move_key,
        "content_key": item.content_key,
        "subject": item.subject,
        "size": item.size,
        "is_read": item.is_read,
        "private": item.private,
        "at": item.at,
        "addresses": set(item.addresses),
    }
    allowed = {*ALLOWED[item.kind], *without}
    metadata_values = {f"metadata: {name}": value for name, value in item.metadata.items() if name not in allowed}
    return {name: value for name, value in found.items() if name not in allowed} | metadata_values
