"""A model of what people, Graph and crashes do to a mailbox that is read over Microsoft Graph, in any order.

It is the sync's model (tests/unit/sync/model.py) over the real adapter and the sandbox's Graph, without sockets. After
quiet passes the replica is the mailbox, item by item and byte by byte, and the feed replays to the replica.
"""

from contextlib import suppress

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sandbox.compare import compare
from sandbox.mailboxes.editor import KINDS, MailboxEditor
from sandbox.mailboxes.incidents import invalidate_states
from sandbox.mailboxes.samples import item_samples
from sandbox.mailboxes.snapshot import snapshot
from shared.errors import OperatorMustAct
from shared.mailboxes import transitions
from shared.sync.limits import Limits
from shared.sync.scope import Scope
from tests.contract.exchange_server import ALEX
from tests.contract.graph_in_process import GraphWorld
from tests.contract.test_graph_faults import FAULTS
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, OUT

SMALL = Limits(budget_seconds=20, page_items=4, page_bytes=2_000, round_changes=12, confirmed_a_folder=50, plenty=6,
               remembered_deletions=5, overlap=False)  # fmt: skip
"""Everything small, so that a mailbox of some dozen items already takes several pages, rounds and passes."""

seeds = st.integers(0, 999_999)
soon = st.integers(1, 12)


class GraphModel(RuleBasedStateMachine):
    """The rules."""

    @initialize(messages=st.integers(0, 8), seed=seeds)
    def begin(self, messages: int, seed: int) -> None:
        self.world = GraphWorld()
        self.world.limits, self.world.scope = SMALL, Scope(folders_out=OUT)
        self.world.engine = self.world.new_engine()
        for number in range(messages):
            self.world.insert("inbox", number)
        exchange, now = self.world.exchange, self.world.exchange.clock()
        for event in item_samples.events(now)[seed % 20 :: 9]:
            exchange.insert(exchange.distinguished["calendar"], event)
        exchange.insert(exchange.distinguished["contacts"], item_samples.contacts(1)[0])
        exchange.insert(exchange.distinguished["tasks"], item_samples.tasks(now)[0])

    # The person and the service

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4), seed=seeds)
    def mailbox_changes(self, kinds: list[str], seed: int) -> None:
        for number, kind in enumerate(kinds):
            MailboxEditor(self.world.exchange, seed + number).change([kind], 1)

    @rule()
    def server_forgets_its_states(self) -> None:
        invalidate_states(self.world.exchange)

    @rule(over_quota=st.booleans(), largest=st.sampled_from([0, 10]))
    def service_misbehaves(self, over_quota: bool, largest: int) -> None:
        behavior = self.world.service.behavior(ALEX.address)
        behavior.over_quota, behavior.largest_events_page = over_quota, largest

    # Time, the process and its passes

    @rule(hours=st.sampled_from([0.5, 3, 25]))
    def time_passes(self, hours: float) -> None:
        self.world.clock.pass_by(hours=hours)

    @rule(sweep=st.booleans())
    def pass_(self, sweep: bool) -> None:
        self._run(sweep=sweep)

    @rule(faults=st.dictionaries(soon, st.sampled_from(sorted(FAULTS)), min_size=1, max_size=3), sweep=st.booleans())
    def pass_with_faults(self, faults: dict[int, str], sweep: bool) -> None:
        self.world.faults.update({request: FAULTS[name] for request, name in faults.items()})
        self._run(sweep=sweep)

    @rule(write=soon, sweep=st.booleans())
    def pass_that_dies_at_a_write(self, write: int, sweep: bool) -> None:
        self.world.replica.crash_at(write)
        self._run(sweep=sweep)

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=2), seed=seeds, request=soon)
    def pass_while_somebody_works(self, kinds: list[str], seed: int, request: int) -> None:
        """Between a request's answer and its reading."""

        def works(reply: object) -> object:
            self.mailbox_changes(kinds, seed)
            return reply

        self.world.faults[request] = works  # type: ignore[assignment]
        self._run(sweep=False)

    @rule()
    def cursor_is_lost(self) -> None:
        self.world.replica.lose_cursor(ID)

    def _run(self, *, sweep: bool) -> None:
        with suppress(Crash, OperatorMustAct):
            (self.world.sweep if sweep else self.world.sync)()
        self.world.faults.clear()
        self.world.replica.calm()
        self.world.leases.held.clear()
        self.world.queue.mailboxes.clear()

    # What must hold

    @rule()
    def after_quiet_passes_all_is_equal(self) -> None:
        self.service_misbehaves(over_quota=False, largest=0)
        for _ in range(4):
            self.world.clock.pass_by(hours=25)
            self.world.registry.change(ID, transitions.started)
            self._run(sweep=False)
        self.world.clock.pass_by(hours=25)
        self._run(sweep=True)
        found = compare(snapshot(self.world.exchange), self.world.replica, ID, over_graph=True)
        note(str(found))
        assert found.is_equal, found
        rows = {item.key: item for item in self.world.replica.items(ID)}
        assert self.world.replayed() == rows

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.after_quiet_passes_all_is_equal()
