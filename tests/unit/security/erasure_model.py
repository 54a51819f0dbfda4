"""A model of erasures, holds, sign-ins, passes and daily rounds whose workers stand still anywhere, go on late, or die.

Whatever happened: in the end nothing is left of an erased mailbox but its tombstone, no token is stored that no mailbox
is read with, and the copy of the mailbox that stands is the person's mailbox, each content readable. A mailbox whose
hold was answered as set, and that nobody has asked to lift since, keeps every content that it had then
(docs/decisions/0019-legal-hold.md).
Rows S1, S2 and S3 of the field cases; docs/decisions/0010-erasure.md.
"""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from shared.authorization.tokens.access_token_cache import AccessTokenCache
from shared.authorization.tokens.revocation import TokenRevocation
from shared.errors import MailboxSyncError, NotFound
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.erasures.erasing import ErasureReceipt
from shared.mailboxes.holds import HoldCommands
from shared.mailboxes.model import Mailbox, Status
from shared.replica.storage_port import PACKS
from shared.replica.store import BlobTableReplica
from shared.sync.engine import SyncEngine
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.fakes.authorization import an_identity
from tests.fakes.authorization_stack import AuthorizationStack
from tests.fakes.clock import FakeClock
from tests.fakes.mailbox import FakeMailbox
from tests.fakes.stepped_storage import SteppedBlobs, SteppedRows
from tests.fakes.workers import (
    SlowAuthorizations,
    SlowLeases,
    SlowRegistry,
    SlowSources,
    SlowTokens,
    Worker,
    Workers,
)
from tests.unit.replica.samples import only_tombstone

ALEX = an_identity("alex@contoso.example")
SMALL = Limits(page_items=3, page_bytes=400, progress_seconds=0, overlap=False, deleted_days=1)
picks = st.integers(0, 99)
requests = st.one_of(st.integers(1, 25), st.just(10_000))


class ErasureModel(RuleBasedStateMachine):
    """The rules. Each worker is an instance of the app of its own; what they share is storage, vault and registry."""

    @initialize(items=st.integers(1, 9), mortal=st.booleans())
    def begin(self, items: int, mortal: bool) -> None:
        self.mortal = mortal
        self.workers = Workers()
        self.running: list[Worker] = []
        self.killed = False
        clock = FakeClock()
        self.stack = AuthorizationStack(
            SlowTokens(self.workers, clock),
            SlowRegistry(self.workers, clock),
            authorizations=SlowAuthorizations(self.workers),
            leases=SlowLeases(self.workers),
            clock=clock,
        )
        self.stack.entra.person = ALEX
        self.blobs, self.rows = SteppedBlobs(self.workers.step), SteppedRows(self.workers.step)
        self.sources = SlowSources(self.workers, page=4, batch=3)
        self.mailbox = self.sources.mailboxes[ALEX.address] = FakeMailbox(clock)
        for _ in range(items):
            self.mailbox.add(self.mailbox.inbox)
        self.known: list[str] = []
        self.holding: dict[Worker, str] = {}
        self.lifting: dict[Worker, str] = {}
        self.kept: dict[str, set[bytes]] = {}
        """By mailbox that is certainly on hold: the contents of its items when the hold was answered as set."""
        self._start(self._sign_in, 10_000)

    # What a new worker does. It runs so many requests, and stands still then.

    @rule(far=requests)
    def sign_in(self, far: int) -> None:
        self._start(self._sign_in, far)

    @rule(which=picks, far=requests)
    def renewal(self, which: int, far: int) -> None:
        """Signing in again for the mailbox that the person's page shows, whatever becomes of it meanwhile."""
        with suppress(NotFound):
            start = self.stack.sign_in.renew(self.stack.session(ALEX), self._known(which))
            self._start(lambda: self.stack.come_back(start), far)

    @rule(which=picks, far=requests, sweep=st.booleans())
    def pass_(self, which: int, far: int, sweep: bool) -> None:
        engine, mailbox_id = self._engine(), self._known(which)
        self._start(lambda: engine.sync(mailbox_id, sweep=sweep), far)

    @rule(which=picks, far=requests)
    def erase(self, which: int, far: int) -> None:
        mailbox_id = self._known(which)
        self._start(lambda: self._connections().erase(mailbox_id, ALEX.owner_id), far)

    @rule(which=picks, far=requests)
    def disconnect(self, which: int, far: int) -> None:
        mailbox_id = self._known(which)
        self._start(lambda: self._connections().disconnect(mailbox_id, ALEX.owner_id), far)

    @rule(which=picks, far=requests)
    def hold(self, which: int, far: int) -> None:
        mailbox_id = self._known(which)
        worker = self.workers.start(lambda: self._holds().hold(mailbox_id, "Matter 7", "operator"))
        self.holding[worker] = mailbox_id
        self.running.append(worker)
        self._go_on(worker, far)

    @rule(which=picks, far=requests)
    def lift(self, which: int, far: int) -> None:
        mailbox_id = self._known(which)
        self.kept.pop(mailbox_id, None)
        worker = self.workers.start(lambda: self._holds().lift(mailbox_id, "operator"))
        self.lifting[worker] = mailbox_id
        self.running.append(worker)
        self._go_on(worker, far)

    @rule(erased=st.integers(0, 12), held=st.integers(0, 3), erasure_first=st.booleans())
    def hold_meets_an_erasure(self, *, erased: int, held: int, erasure_first: bool) -> None:
        """Both stand still anywhere on their way to the mailbox's row; one of them wins."""
        before, latest = len(self.running), len(self.known) - 1
        self.erase(latest, erased)
        self.hold(latest, held)
        both = self.running[before:]
        for worker in both if erasure_first else both[::-1]:
            self._go_on(worker, 10_000)

    @rule(stands=st.integers(1, 40), gone=picks)
    def hold_meets_a_compaction(self, stands: int, gone: int) -> None:
        """It compacts what has just been deleted, and stands still somewhere while the hold is set."""
        latest = len(self.known) - 1
        self.stack.leases.held.clear()
        self.mail_arrives_or_goes(gone - gone % 3)
        self.pass_(latest, 10_000, False)
        self.day_passes()
        self.pass_(latest, stands, True)
        self.hold(latest, 10_000)
        self.worker_goes_on(len(self.running) - 1, 10_000)

    @rule(far=requests)
    def daily_round(self, far: int) -> None:
        self._start(self._connections().finish_erasures, far)

    @rule(
        act=st.sampled_from(["sign in", "renew", "pass", "sweep", "disconnect", "daily"]),
        new=st.booleans(),
        stands=st.integers(1, 40),
        erased=requests,
        again=st.booleans(),
        goes_on=requests,
        dies=st.booleans(),
    )
    def erasure_overtakes_a_worker(
        self, *, act: str, new: bool, stands: int, erased: int, again: bool, goes_on: int, dies: bool
    ) -> None:
        """A worker stands still somewhere in its work, a first pass among others, and its mailbox is erased."""
        if new:
            self.erase(len(self.known) - 1, 10_000)
            self.sign_in(10_000)
        latest = len(self.known) - 1
        begun: dict[str, Callable[[], object]] = {
            "sign in": lambda: self.sign_in(stands),
            "renew": lambda: self.renewal(latest, stands),
            "pass": lambda: self.pass_(latest, stands, False),
            "sweep": lambda: self.pass_(latest, stands, True),
            "disconnect": lambda: self.disconnect(latest, stands),
            "daily": lambda: self.daily_round(stands),
        }
        before = len(self.running)
        begun[act]()
        late = self.running[before:]
        self.stack.leases.held.clear()
        self.erase(latest, erased)
        if again:
            self.sign_in(10_000)
        for worker in late:
            self._go_on(worker, goes_on)
            if dies and self.mortal and not worker.over:
                worker.kill()
                self.killed = True
                self._settle(worker)
        if not self.running and not self.killed:
            self._assert_nothing_left()

    # What becomes of workers that stand still

    @rule(which=picks, far=requests)
    def worker_goes_on(self, which: int, far: int) -> None:
        if self.running:
            self._go_on(self.running[which % len(self.running)], far)

    @rule(which=picks)
    def worker_dies(self, which: int) -> None:
        if self.running and self.mortal:
            self.killed = True
            worker = self.running[which % len(self.running)]
            worker.kill()
            self._settle(worker)

    @rule(which=picks)
    def lease_ends(self, which: int) -> None:
        """Its holder stands still, and renews it no more."""
        self.stack.leases.expire(self._known(which))

    @rule(which=picks)
    def mail_arrives_or_goes(self, which: int) -> None:
        if which % 3 and len(self.mailbox.mails) < 12:
            self.mailbox.add(self.mailbox.inbox)
        elif len(self.mailbox.mails) > 1:
            self.mailbox.delete(sorted(self.mailbox.mails)[which % len(self.mailbox.mails)])

    @rule()
    def day_passes(self) -> None:
        self.stack.clock.pass_by(hours=25)

    # What must hold

    @rule()
    def everybody_ends_and_all_is_right(self) -> None:
        while self.running:
            self._go_on(self.running[0], 10_000)
        self._assert_holds()
        self.stack.leases.held.clear()
        if not self.killed:
            self._assert_nothing_left()
        self._connections().finish_erasures()
        self._assert_nothing_left()
        assert not [one for one in self._all() if one.erasing_since is not None]
        self._assert_tokens()
        self._assert_copy()
        self.killed = False

    def teardown(self) -> None:
        if hasattr(self, "known"):
            self.everybody_ends_and_all_is_right()

    def _assert_nothing_left(self) -> None:
        """Of mailboxes that are gone from the registry only tombstones, as long as their erasure is recorded."""
        standing = {one.id for one in self._all()}
        unfinished = {one.mailbox_id for one in self.stack.registry.erasures() if one.finished_at is None}
        recorded = {one.mailbox_id for one in self.stack.registry.erasures()}
        for mailbox_id in self.known:
            if mailbox_id in standing or mailbox_id in unfinished:
                continue
            left = [name for _, name in self.blobs.blobs if name.startswith(mailbox_id)]
            assert left == [], "contents of an erased mailbox"
            assert (
                only_tombstone(self.rows, mailbox_id) if mailbox_id in recorded else not self.rows.rows.get(mailbox_id)
            )
            assert self.stack.registry.issues(mailbox_id) == []

    def _assert_holds(self) -> None:
        """No mailbox is both marked and on hold, and one that is certainly on hold has all contents it had then."""
        mailboxes = {one.id: one for one in self._all()}
        assert not [one for one in mailboxes.values() if one.erasing_since and one.hold_since]
        for mailbox_id, contents in self.kept.items():
            assert mailboxes[mailbox_id].hold_since is not None
            prefix = f"{mailbox_id}/"
            packs = b"".join(
                data
                for (where, name), (data, *_) in self.blobs.blobs.items()
                if where == PACKS and name.startswith(prefix)
            )
            assert [content for content in contents if content not in packs] == []

    def _contents(self, mailbox_id: str) -> set[bytes]:
        """The contents of a mailbox's items now."""
        replica = BlobTableReplica(self.blobs, self.rows)
        return {replica.content(mailbox_id, item) for item in replica.items(mailbox_id) if item.located is not None}

    def _assert_tokens(self) -> None:
        self.stack.clock.pass_by(days=8)
        self._revocations().delete_unused()
        used = {one.authorization_id for one in self._all() if one.status is not Status.DISCONNECTED}
        assert set(self.stack.tokens.stored) == used

    def _assert_copy(self) -> None:
        """One mailbox stands at most, and its copy is whole after two quiet passes, whatever lay there before."""
        standing = self._all()
        assert len(standing) <= 1
        if not standing or standing[0].status is Status.DISCONNECTED:
            return
        (mailbox,) = standing
        for _ in range(3):
            self.stack.clock.pass_by(hours=25)
            self._engine().sync(mailbox.id)
            self._drain(mailbox.id)
        replica = BlobTableReplica(self.blobs, self.rows)
        items = list(replica.items(mailbox.id))
        assert {item.source_id for item in items} == set(self.mailbox.mails)
        for item in items:
            assert replica.content(mailbox.id, item).endswith(self.mailbox.mails[item.source_id].body)

    # Means

    def _known(self, which: int) -> str:
        return self.known[which % len(self.known)]

    def _all(self) -> list[Mailbox]:
        return list(self.stack.registry.all())

    def _sign_in(self) -> None:
        outcome = self.stack.come_back(self.stack.sign_in.connect())
        assert outcome.mailbox is not None

    def _start(self, act: object, far: int) -> None:
        worker = self.workers.start(act)  # type: ignore[arg-type]
        self.running.append(worker)
        self._go_on(worker, far)

    def _go_on(self, worker: Worker, far: int) -> None:
        worker.go_on(far)
        self._settle(worker)

    def _settle(self, worker: Worker) -> None:
        self.known += [one.id for one in self._all() if one.id not in self.known]
        self._assert_holds()
        if not worker.over:
            return
        self.running.remove(worker)
        lifted, held = self.lifting.pop(worker, ""), self.holding.pop(worker, "")
        if held and isinstance(worker.result, Mailbox) and held not in self.lifting.values():
            self.kept.setdefault(held, self._contents(held))
        assert not lifted or lifted not in self.kept
        if isinstance(worker.result, ErasureReceipt):
            assert worker.result.mailbox_id not in {one.id for one in self._all()}

    def _connections(self) -> MailboxCommands:
        stack = self.stack
        return MailboxCommands(
            registry=stack.registry,
            replica=BlobTableReplica(self.blobs, self.rows),
            leases=stack.leases,
            queue=stack.queue,
            revocations=self._revocations(),
            clock=stack.clock,
            wait=lambda _: self.workers.step(),
        )

    def _holds(self) -> HoldCommands:
        return HoldCommands(self.stack.registry, self.stack.clock)

    def _revocations(self) -> TokenRevocation:
        stack = self.stack
        return TokenRevocation(
            authorizations=stack.authorizations,
            token_store=stack.tokens,
            access_tokens=self._access_tokens(),
            in_use=stack.registry.authorizations_in_use,
            clock=stack.clock,
        )

    def _access_tokens(self) -> AccessTokenCache:
        stack = self.stack
        return AccessTokenCache(stack.entra, stack.tokens, stack.authorizations, stack.clock)

    def _engine(self) -> SyncEngine:
        stack = self.stack
        return SyncEngine(
            sources=self.sources,
            replica=BlobTableReplica(self.blobs, self.rows),
            registry=stack.registry,
            leases=stack.leases,
            queue=stack.queue,
            access_tokens=self._access_tokens(),
            scope_of=lambda _: Scope(private_items=True),
            limits=SMALL,
            clock=stack.clock,
            monotonic=stack.clock.monotonic,
            jitter=lambda: 0.5,
        )

    def _drain(self, mailbox_id: str) -> None:
        """Deliver what was queued for a mailbox."""
        for _ in range(50):
            if not self.stack.queue.mailboxes:
                return
            message = self.stack.queue.mailboxes.popleft()
            self.stack.clock.pass_by(seconds=message.delay_seconds)
            with suppress(MailboxSyncError):
                self._engine().sync(message.mailbox_id, message.continuation)
