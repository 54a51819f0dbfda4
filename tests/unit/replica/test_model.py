"""A machine that writes pages, crashes anywhere, compacts, loses the cursor: the replica always equals a plain dict."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.errors import Conflict, NotFound
from shared.replica.maintenance.verify import verify
from shared.replica.port import FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.storage_port import CURSORS
from shared.replica.store import BlobTableReplica
from shared.sources.model import Content
from tests.fakes.storage import Crash, MemoryBlobs, MemoryRows, Plan
from tests.unit.replica.samples import NOW, an_item, folder, replayed, truth

MAILBOX = "mailbox-1"
SOURCES = [f"id{number}" for number in range(6)]
pages = st.lists(st.tuples(st.sampled_from(FeedKind), st.sampled_from(SOURCES)), min_size=1, max_size=5)
crashes = st.none() | st.integers(1, 9)

type Held = dict[str, tuple[ReplicaItem, bytes]]


class ReplicaMachine(RuleBasedStateMachine):
    """What is in `held` is what has been committed; a page that crashed counts when its feed page was written."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = Plan()
        self.now = NOW
        self.blobs, self.rows = MemoryBlobs(self.plan, lambda: self.now), MemoryRows(self.plan)
        self.replica = BlobTableReplica(self.blobs, self.rows)
        self.held: Held = {}
        self.sequence = 0
        self.ids = 0
        self.fresh: set[str] = set()
        """The items whose content is written by the present page, so that no change of it can refer to a stored one."""

    @rule(page=pages, crash=crashes)
    def write(self, page: list[tuple[FeedKind, str]], crash: int | None) -> None:
        """Write a page, perhaps dying on the way."""
        after = dict(self.held)
        self.fresh.clear()
        changes = [self._change(after, kind, source) for kind, source in page]
        cursor = self.replica.load(MAILBOX)
        following = replace(cursor, folders={"inbox": folder(state=f"s{self.sequence}")}, notes={"n": len(after)})
        lived = self._survives(crash, lambda: self.replica.commit(MAILBOX, cursor, changes, following))
        if lived or self.replica.load(MAILBOX).sequence > self.sequence:
            self.held, self.sequence = after, self.sequence + 1

    def _change(self, after: Held, kind: FeedKind, source: str) -> FeedChange:
        """A change that makes sense of what is there, done to `after` too."""
        key = item_key(source)
        self.ids += 1
        data = b"content %d" % self.ids
        if key not in after:
            after[key] = (an_item(source, version=str(self.ids)), data)
            self.fresh.add(key)
            return FeedChange(FeedKind.CREATE, after[key][0], Content("eml", data))
        item, old = after[key]
        stored = self._stored(key) or item
        if kind is not FeedKind.DELETE and (item.left_at is not None or kind is FeedKind.LEAVE):
            keeps_content = kind is FeedKind.MOVE and key not in self.fresh
            return self._leave_or_return(after, item, stored, keeps_content=keeps_content)
        match kind:
            case FeedKind.DELETE:
                del after[key]
                return FeedChange(kind, stored)
            case FeedKind.MOVE:
                changed = item.with_changes(source_id=f"moved{self.ids}", folder_id=f"f{self.ids % 3}")
                digest = item_key(changed.source_id)
                after[key] = (changed.with_changes(aliases=(*item.aliases, digest)), old)
                return FeedChange(kind, changed.with_changes(located=stored.located))
            case FeedKind.READ_FLAG:
                after[key] = (item.with_changes(is_read=not item.is_read), old)
                return FeedChange(kind, after[key][0].with_changes(located=stored.located))
        after[key] = (item.with_changes(subject=str(self.ids)), data)
        self.fresh.add(key)
        return FeedChange(FeedKind.UPDATE, after[key][0], Content("eml", data))

    def _leave_or_return(
        self, after: Held, item: ReplicaItem, stored: ReplicaItem, *, keeps_content: bool
    ) -> FeedChange:
        """An item leaves; one that left comes back, with its stored content or with a new one."""
        if item.left_at is None:
            left = item.with_changes(folder_id="", left_at=self.now, left_folder_id=item.folder_id)
            after[item.key] = (left, after[item.key][1])
            return FeedChange(FeedKind.LEAVE, left.with_changes(located=stored.located))
        back = item.with_changes(folder_id="inbox", left_at=None, left_folder_id="")
        data = after[item.key][1] if keeps_content else b"content %d" % self.ids
        after[item.key] = (back, data)
        if keeps_content:
            return FeedChange(FeedKind.CREATE, back.with_changes(located=stored.located))
        self.fresh.add(item.key)
        return FeedChange(FeedKind.CREATE, back, Content("eml", data))

    def _stored(self, key: str) -> ReplicaItem | None:
        try:
            return self.replica.item(MAILBOX, key)
        except NotFound:
            return None

    def _survives(self, crash: int | None, act: Callable[[], object]) -> bool:
        if crash is not None:
            self.plan.at(crash, Crash())
        try:
            act()
        except Crash:
            self.replica = BlobTableReplica(self.blobs, self.rows)
            return False
        finally:
            self.plan.calm()
        return True

    @rule(days=st.integers(0, 9), crash=crashes)
    def compact(self, days: int, crash: int | None) -> None:
        """Some days later, compact."""
        self.now += timedelta(days=days)
        self._survives(crash, lambda: self.replica.compact(MAILBOX, self.now, 3))

    @rule(crash=crashes)
    def lose_the_cursor(self, crash: int | None) -> None:
        """The cursor blob is gone; loading may die too."""
        self.blobs.blobs.pop((CURSORS, MAILBOX), None)
        self._survives(crash, lambda: self.replica.load(MAILBOX))

    @rule(page=st.sampled_from(SOURCES))
    def write_with_an_old_cursor(self, page: str) -> None:
        """Somebody with a cursor from before is refused and changes nothing."""
        if self.sequence:
            old = replace(self.replica.load(MAILBOX), sequence=self.sequence - 1)
            try:
                self.replica.commit(MAILBOX, old, [FeedChange(FeedKind.CREATE, an_item(page))], old)
            except Conflict:
                return
            raise AssertionError("a stale writer was let through")

    @invariant()
    def equals_the_dict(self) -> None:
        """Items, contents, aliases, the feed and the cursor all say the same."""
        assert self.replica.load(MAILBOX).sequence == self.sequence
        assert truth(self.replica, MAILBOX) == self.held
        assert replayed(self.replica, MAILBOX) == {key: item for key, (item, _) in self.held.items()}
        assert not verify(self.replica.reader(), MAILBOX).wrong()
        names = [item.source_id for item, _ in self.held.values()]
        assert set(self.replica.find(MAILBOX, names)) == set(names)


TestReplicaMachine = ReplicaMachine.TestCase
TestReplicaMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
