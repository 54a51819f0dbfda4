"""A mailbox, its replica and the sync engine, all in memory, with the assertions that must hold after a sync."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from shared.errors import NotFound
from shared.mailboxes import transitions
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.outbox import Outbox
from shared.replica.port import Cursor, FeedKind, ReplicaItem
from shared.sources.model import AccessMode, ContentLevel, Folder, FolderKind, Item, ItemKind, SourceName
from shared.sources.selection import MoveSchedule, SourceSelection, SourceSetting
from shared.sync import engine as engine_module
from shared.sync.back_off.port import TenantBackOff
from shared.sync.limits import Limits
from shared.sync.moving.switch import source_of
from shared.sync.scope import Scope, kept_of
from shared.sync.state.sync_state import from_notes
from tests.fakes.change_log import FakeChangeLog
from tests.fakes.clock import FakeClock
from tests.fakes.leases import FakeLeases
from tests.fakes.mailbox import FakeMailbox, Mail
from tests.fakes.queue import FakeQueue
from tests.fakes.registry import FakeRegistry
from tests.fakes.replica import FakeReplica
from tests.fakes.source import FakeSource, FakeSources
from tests.fakes.tokens import FakeAccessTokens

ID = "mailbox-1"
ADDRESS = "alex@contoso.example"
OUT = ("junkemail", "deleteditems")


class SyncHarness:
    """One mailbox with all fakes that the engine needs."""

    def __init__(
        self,
        scope: Scope | None = None,
        limits: Limits | None = None,
        *,
        page: int = 512,
        batch: int = 20,
        immutable_ids: bool = False,
        overlap: bool = False,
        carries_items: bool = False,
        moves: bool = False,
        outbox: Outbox | None = None,
    ) -> None:
        self.moves = moves
        self.schedule: MoveSchedule | None = None
        self.offset = 0.0
        self.clock = FakeClock()
        self.mailbox = FakeMailbox(self.clock, immutable_ids=immutable_ids)
        self.sources = FakeSources(page, batch, carries_items=carries_items)
        self.sources.mailboxes[ADDRESS] = self.mailbox
        self.replica = FakeReplica()
        self.registry = FakeRegistry(clock=self.clock, outbox=outbox)
        self.change_log = FakeChangeLog(self.clock)
        self.leases = FakeLeases()
        self.queue = FakeQueue()
        self.tokens = FakeAccessTokens()
        self.back_off: TenantBackOff | None = None
        self.scope = scope or Scope(folders_out=OUT)
        self.limits = limits or Limits(overlap=overlap)
        self.engine = self.new_engine()
        self.registry.add(a_mailbox(self.clock))

    def new_engine(self, clock: object = None) -> engine_module.SyncEngine:
        """A new engine as in another process: with the current settings and no cached state."""
        parts: dict[str, Any] = {
            "sources": self.sources,
            "replica": self.replica,
            "registry": self.registry,
            "leases": self.leases,
            "queue": self.queue,
            "access_tokens": self.tokens,
            "scope_of": self.scope_of(),
            "limits": self.limits,
            "back_off": self.back_off,
            "clock": clock or self.clock,
            "monotonic": self.clock.monotonic,
            "jitter": lambda: 0.5,
            "change_log": self.change_log,
        }
        return engine_module.SyncEngine(**(parts | self._move_settings() | self.other_parts()))

    def other_parts(self) -> dict[str, Any]:
        """What an engine uses instead of the fakes, by the names of its parameters."""
        return {}

    def scope_of(self) -> Callable[[Mailbox], Scope]:
        """The present scope, as a process knows it that starts now."""
        scope = self.scope
        return lambda _: scope

    def _move_settings(self) -> dict[str, Any]:
        """Mailboxes move by themselves, if they do."""
        if not self.moves:
            return {}
        return {
            "source_after": SourceSelection(SourceSetting.AUTO, self.sources, is_online=True).after,
            "move_schedule": self.schedule,
            "spread_offset": lambda _: self.offset,
        }

    def rescope(self, scope: Scope) -> None:
        """Change the settings and restart the app."""
        self.scope = scope
        self.engine = self.new_engine()

    # Running

    def sync(self, most: int = 200) -> int:
        """Run one dispatch and all messages that follow, each when it is due. Returns the number of messages."""
        self.engine.sync(ID)
        return 1 + self.pump(most)

    def sweep(self) -> None:
        """Run the daily sweep and all messages that follow."""
        self.engine.sync(ID, sweep=True)
        self.pump()

    def pump(self, most: int = 200) -> int:
        """Deliver messages until the queue is empty."""
        delivered = 0
        while self.queue.mailboxes:
            assert delivered < most, "the messages do not end"
            message = self.queue.mailboxes.popleft()
            self.clock.pass_by(seconds=message.delay_seconds)
            self.engine.sync(message.mailbox_id, message.continuation, message.scheduled, sweep=message.sweep)
            delivered += 1
        return delivered

    def quiet(self) -> None:
        """Stop all failures, start a suspended mailbox, and run passes until every delay is over."""
        self.sources.calm()
        self.replica.calm()
        self.registry.calm()
        self.leases.held.clear()
        self.tokens.error = None
        self.mailbox.blank = False
        self.sources.blocked.clear()
        if self.stored.status is Status.SUSPENDED:
            self.registry.change(ID, transitions.started)
        for _ in range(4):
            self.clock.pass_by(hours=25)
            self.sync()

    # Inspecting

    @property
    def stored(self) -> Mailbox:
        """The mailbox in the registry."""
        return self.registry.get(ID)

    def items(self) -> dict[str, ReplicaItem]:
        """The replica's items by source id."""
        items = list(self.replica.items(ID))
        assert len({item.source_id for item in items}) == len(items), "an item exists twice"
        return {item.source_id: item for item in items}

    def left(self) -> dict[str, ReplicaItem]:
        """The items that left the mailbox and are kept, by source id."""
        return {item.source_id: item for item in self.replica.left_items(ID)}

    def key(self, source_id: str) -> str:
        """An item's key."""
        return self.items()[source_id].key

    def content(self, source_id: str) -> bytes:
        """An item's content."""
        return self.replica.content(ID, self.items()[source_id])

    def feed(self) -> list[tuple[FeedKind, str]]:
        """The whole feed: kinds and source ids."""
        return [(change.kind, change.item.source_id) for page in self.replica.feed(ID) for change in page.changes]

    def expected(self) -> dict[str, Mail]:
        """The items of the mailbox that belong in the replica, by source id."""
        source = self.opened()
        folders = self.scope.folders(source.listed())
        return {
            mail.id: mail
            for mail in self.mailbox.mails.values()
            if mail.folder_id in folders
            and source._gives(mail)
            and self._belongs(source._item(mail, self.scope.content))
        }

    def opened(self) -> FakeSource:
        """The mailbox over the source that it is read by."""
        return self.sources.open(self.tokens.access("a", ADDRESS, self.source))

    def boxes(self) -> list[Folder]:
        """The folders over EWS, without a request."""
        return FakeSource(self.sources, self.mailbox).listed()

    def present_cursor(self) -> Cursor:
        """The cursor as stored, without redoing a page that was left half done where the replica can tell so."""
        look: Callable[[str], Cursor] = getattr(self.replica, "present_cursor", self.replica.load)
        return look(ID)

    @property
    def source(self) -> SourceName:
        """The source that the cursor names."""
        return source_of(self.present_cursor(), self.stored.source)

    def kept(self) -> set[str]:
        """The source ids of items that the source does not give, and that are kept as they were."""
        kept = from_notes(self.present_cursor().notes).not_tracked
        return {id_ for id_, item in self.items().items() if kept_of(item).not_tracked or item.folder_id in kept}

    def _belongs(self, item: Item) -> bool:
        self.sources.downloads[item.move_key, int(item.content_key.rpartition("-")[2])] -= 1
        return item.id not in self.mailbox.bad and self.scope.leaves_out(item, self.clock()) is None

    # Assertions

    def assumed(self) -> list[str]:
        """The source ids of items with assumed content: it was kept and no comparison has confirmed it."""
        return [id_ for id_, item in self.items().items() if kept_of(item).assumed]

    def assert_equal(self, *, but_assumed: bool = False) -> None:
        """Assert that the replica equals the mailbox, item by item and byte by byte, and that the feed replays to it.

        With `but_assumed`, assumed contents that the daily comparison has not yet confirmed are not checked. Those of
        items without MIME never are: nothing can confirm them meanwhile.
        """
        expected, items = self.expected(), self.items()
        assert set(items) - set(self.mailbox.bad) - self.kept() == set(expected)
        for id_, mail in expected.items():
            self._assert_item(items[id_], mail, but_assumed=but_assumed)
        self._assert_cursor(items)
        assert self._events(self.occurring()) <= {*expected, *self.mailbox.bad}
        assert self._occurrences(expected) <= self._occurrence_lines()
        kept = [*self.replica.items(ID), *self.replica.left_items(ID)]
        assert self.replayed() == {item.key: item for item in kept}

    def _assert_item(self, item: ReplicaItem, mail: Mail, *, but_assumed: bool) -> None:
        source = self.opened()
        version = source.version(mail)
        assert (item.folder_id, item.version, item.is_read) == (mail.folder_id, version, mail.is_read)
        assert (item.subject, item.metadata["categories"]) == (mail.subject, list(mail.categories))
        level = self.scope.level(len(mail.body))
        if item.metadata.get("original") is False:
            assert mail.id in self.mailbox.no_mime
            level = ContentLevel.BODY
        if level.value == "metadata":
            assert item.located is None
        elif not (kept_of(item).assumed and (but_assumed or mail.id in self.mailbox.no_mime)):
            assert self.replica.content(ID, item) == level.value.encode() + source.body(mail)

    def _assert_cursor(self, items: dict[str, ReplicaItem]) -> None:
        cursor = self.replica.load(ID)
        held = Counter(item.folder_id for item in items.values())
        assert {id_: state.items for id_, state in cursor.folders.items() if state.items} == dict(held)
        kept = from_notes(cursor.notes).not_tracked
        assert all(state.path == self.mailbox.path(id_) for id_, state in cursor.folders.items() if id_ not in kept)
        assert self.stored.items == len(items)

    def assert_logged(self) -> None:
        """The change log tells of every feed page, without a gap."""
        told = 0
        for entry in sorted(self.change_log.entries.values(), key=lambda one: one.key):
            if entry.mailbox_id == ID:
                assert entry.known <= told
                told = max(told, entry.sequence)
        assert told == self.present_cursor().sequence

    def occurring(self) -> set[str]:
        """The events in the occurrences document."""
        return {source_id for source_id, _ in self._occurrence_lines()}

    def _occurrence_lines(self) -> set[tuple[str, str]]:
        """The lines of the occurrences document: the source id of the event, and the time."""
        try:
            lines = self.replica.derived(ID, "occurrences").splitlines()
        except NotFound:
            return set()
        return {(event["source_id"], event["at"]) for event in map(json.loads, lines)}

    def _occurrences(self, expected: Mapping[str, Mail]) -> set[tuple[str, str]]:
        """The lines that the document must have at least: the beginning of its window advances only with a sweep."""
        start = self.clock() - timedelta(days=self.limits.occurrence_days_back)
        calendars = [id_ for id_, box in self.mailbox.boxes.items() if box.kind is FolderKind.CALENDAR]
        return {
            (mail.id, at.isoformat())
            for calendar in calendars
            for mail, at in self.mailbox.occurrences(calendar, start, self.clock() + timedelta(weeks=4))
            if mail.id in expected and mail.kind is ItemKind.EVENT
        }

    def _events(self, ids: set[str]) -> set[str]:
        """The ids without mail in a calendar, which may be too old for the replica although its occurrences are not."""
        mails = self.mailbox.mails
        return {id_ for id_ in ids if id_ not in mails or mails[id_].kind is ItemKind.EVENT}

    def replayed(self) -> dict[str, ReplicaItem]:
        """Replay the feed to items by key. Asserts that the page numbers are consecutive."""
        rows: dict[str, ReplicaItem] = {}
        for number, page in enumerate(self.replica.feed(ID), start=1):
            assert page.sequence == number
            for change in page.changes:
                before = rows.get(change.item.key)
                may_have_left = change.kind in (FeedKind.DELETE, FeedKind.RESTATE)
                exists = before is not None and (before.left_at is None or may_have_left)
                assert exists is not (change.kind is FeedKind.CREATE), f"{change.kind} of an item in the wrong state"
                if change.kind is FeedKind.DELETE:
                    del rows[change.item.key]
                else:
                    rows[change.item.key] = change.item
        return rows


def a_mailbox(clock: FakeClock, **changes: object) -> Mailbox:
    """A connected mailbox that has never been synced."""
    return Mailbox(
        id=ID,
        shard=0,
        tenant_id="t1",
        owner_id="o1",
        address=ADDRESS,
        display_name="Alex",
        authorization_id="a1",
        mode=AccessMode.DELEGATED,
        created_at=clock(),
    ).with_changes(**changes)
