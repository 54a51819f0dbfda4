"""A model of everything that can happen to a mailbox, its sync and the machine under both, in any order.

Whatever happened: after quiet passes the replica is the mailbox, and the feed replays to the replica.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from shared.errors import AdministratorMustAct, OperatorMustAct, Reason, RetryLater
from shared.mailboxes import transitions
from shared.mailboxes.moves import asked_to_move
from shared.replica.port import FeedKind
from shared.sources.model import ContentLevel, FolderKind, FolderRole, ItemKind, SourceName
from shared.sync.limits import Limits
from shared.sync.moving.survey import DOCUMENT
from shared.sync.planning.same_content import is_modified_time_doubtful
from shared.sync.scope import Scope
from tests.fakes.replica import Crash
from tests.fakes.sync_harness import ID, OUT, SyncHarness
from tests.unit.sync.model_stage import ModelStage

SMALL = Limits(
    budget_seconds=20,
    page_items=4,
    confirmed_a_folder=3,
    page_bytes=200,
    round_changes=12,
    remembered_deletions=5,
    plenty=6,
    issue_delays=(timedelta(minutes=20), timedelta(hours=3)),
    progress_seconds=1,
    overlap=False,
)
"""Everything small, so that a mailbox of a dozen items already takes several pages, rounds and passes."""

SCOPES = [
    Scope(folders_out=OUT),
    Scope(folders_out=OUT, private_items=True),
    Scope(folders_out=OUT, content=ContentLevel.METADATA),
    Scope(folders_out=OUT, content=ContentLevel.BODY, private_items=True),
    Scope(folders_out=OUT, largest_item_bytes=8, private_items=True),
    Scope(folders_out=OUT, exclude=("@fabrikam.example", "kim@contoso.example")),
    Scope(folders_out=OUT, mail_days=10),
    Scope(folders_in=("inbox", "Projects"), private_items=True),
    Scope(),
    Scope(folders_out=OUT, retention_days=2),
    Scope(folders_out=OUT, retention_days=400, private_items=True),
]

NAMED = [(), ("kim@contoso.example",), ("Sam@Fabrikam.example", "kim@contoso.example"), ("pat@northwind.example",)]

FAULTS: list[Callable[[], Exception]] = [
    lambda: RetryLater(Reason.THROTTLED, retry_after=60),
    lambda: RetryLater(Reason.UNAVAILABLE),
    lambda: RetryLater(Reason.CONFLICT, tenant_wide=True),
    lambda: AdministratorMustAct(Reason.EWS_BLOCKED),
    lambda: OperatorMustAct(Reason.OUR_STORAGE),
]

picks = st.integers(0, 999)
soon = st.integers(1, 25)
to_items = ["move", "delete", "update", "edit", "read", "add", "choke"]
to_more = ["forget-state", "close", "move-folder", "delete-folder", "restore"]
deeds = st.sampled_from([*to_items, *to_more])


class SyncModel(ModelStage):
    """The rules. Picks are numbers that are taken modulo what there is, so that shrinking keeps its footing."""

    @initialize(
        marks=st.booleans(),
        immutable=st.booleans(),
        carries_items=st.booleans(),
        touching=st.booleans(),
        page=st.sampled_from([2, 5, 512]),
        versions_differ=st.booleans(),
        first=st.integers(0, 14),
    )
    def begin(
        self,
        *,
        marks: bool,
        immutable: bool,
        carries_items: bool,
        touching: bool,
        page: int,
        versions_differ: bool,
        first: int,
    ) -> None:
        self.known_at = []
        self.deleted = []
        self.world = SyncHarness(
            SCOPES[0], SMALL, page=page, batch=3, immutable_ids=immutable, carries_items=carries_items, moves=True
        )
        self.world.sources.versions_differ = versions_differ
        self.mailbox = self.world.mailbox
        self.mailbox.marks = marks
        self.mailbox.saves_touch_modified = touching
        self.mailbox.add_folder("Journal", kind=FolderKind.OTHER, role=FolderRole.JOURNAL)
        for number in range(first):
            self.mailbox.add(self._folder(number), private=number % 5 == 4)

    # The person

    @rule(
        where=picks,
        many=st.integers(1, 6),
        private=st.booleans(),
        named=st.sampled_from(NAMED),
        days=st.integers(0, 30),
    )
    def items_arrive(self, where: int, many: int, private: bool, named: tuple[str, ...], days: int) -> None:
        at = self.world.clock() - timedelta(days=days)
        for _ in range(many):
            self.mailbox.add(self._folder(where), private=private, addresses=named, at=at)

    @rule(where=picks)
    def contact_group_is_made(self, where: int) -> None:
        """Graph gives none."""
        self.mailbox.add(self._folder(where), kind=ItemKind.LIST, item_class="IPM.DistList")

    @rule(which=picks, private=st.booleans(), named=st.sampled_from(NAMED), size=st.sampled_from([3, 40]))
    def item_is_rewritten(self, which: int, private: bool, named: tuple[str, ...], size: int) -> None:
        if item := self._item(which):
            self.mailbox.update(item, b"x" * size, private=private, addresses=named)

    @rule(which=picks, often=st.integers(1, 3))
    def item_is_edited_at_equal_length(self, which: int, often: int) -> None:
        """G1: nothing but the version and the last-modified time shows it."""
        if item := self._item(which):
            for _ in range(often):
                self.mailbox.edit(item)

    @rule(which=picks, category=st.sampled_from(["red", "blue"]))
    def item_gets_a_category(self, which: int, category: str) -> None:
        if item := self._item(which):
            self.mailbox.categorize(item, (category,))

    @rule(which=picks, read=st.booleans())
    def item_is_read(self, which: int, read: bool) -> None:
        if item := self._item(which):
            self.mailbox.set_read(item, read)

    @rule(which=st.lists(picks, min_size=1, max_size=6), where=picks)
    def items_are_moved(self, which: list[int], where: int) -> None:
        for each in which:
            if item := self._item(each):
                self.mailbox.move(item, self._folder(where))

    @rule(which=picks, where=picks)
    def item_is_copied(self, which: int, where: int) -> None:
        if item := self._item(which):
            self.mailbox.copy(item, self._folder(where))

    @rule(which=st.lists(picks, min_size=1, max_size=4))
    def items_are_deleted(self, which: list[int]) -> None:
        for each in which:
            if item := self._item(each):
                self.mailbox.delete(item)

    @rule(which=st.lists(picks, min_size=1, max_size=4), back=picks)
    def items_are_recovered(self, which: list[int], back: int) -> None:
        """Deleted, and after any time recovered; where ids survive moves, under the same ones."""
        for each in which:
            if item := self._item(each):
                self.deleted.append(self.mailbox.mails[item])
                self.mailbox.delete(item)
        if self.deleted and back % 2:
            self.mailbox.recover(self.deleted.pop(back % len(self.deleted)), self._folder(back))

    @rule(which=picks, event=st.booleans())
    def item_changes_its_kind(self, which: int, event: bool) -> None:
        if item := self._item(which):
            kind = ItemKind.EVENT if event else ItemKind.MESSAGE
            self.mailbox.update(item, kind=kind, item_class="IPM.Appointment" if event else "IPM.Note")

    @rule(where=picks, below=st.booleans())
    def folder_is_made(self, where: int, below: bool) -> None:
        if len(self.mailbox.boxes) < 9:
            self.mailbox.add_folder(f"Folder {len(self.mailbox.boxes)}", self._folder(where) if below else "")

    @rule(where=picks, name=st.sampled_from(["Plans", "a/b", "Inbox"]))
    def folder_is_renamed(self, where: int, name: str) -> None:
        self.mailbox.rename_folder(self._folder(where), name)

    @rule(where=picks, to=picks)
    def folder_is_moved(self, where: int, to: int) -> None:
        folder, parent = self._folder(where), self._folder(to)
        if self._takes_folders(parent) and not self.mailbox.is_within(parent, folder):
            self.mailbox.move_folder(folder, parent)

    @rule(where=picks)
    def folder_is_emptied(self, where: int) -> None:
        self.mailbox.empty_folder(self._folder(where))

    @precondition(lambda self: len(self.mailbox.boxes) > 4)
    @rule(where=picks, rescued=st.integers(0, 4), to=picks)
    def folder_is_deleted(self, where: int, rescued: int, to: int) -> None:
        folder, other = self._folder(where), self._folder(to)
        if not self.mailbox.is_within(other, folder):
            for mail in self.mailbox.in_folder(folder)[:rescued]:
                self.mailbox.move(mail.id, other)
            self.mailbox.delete_folder(folder)

    # The server

    @rule(where=picks)
    def server_forgets_a_state(self, where: int) -> None:
        self.mailbox.invalidate(self._folder(where))

    @rule(which=picks, ill=st.booleans())
    def item_goes_bad_or_well(self, which: int, ill: bool) -> None:
        if ill and (item := self._item(which)):
            self.mailbox.bad[item] = Reason.ITEM_CORRUPT
        elif self.mailbox.bad:
            del self.mailbox.bad[sorted(self.mailbox.bad)[which % len(self.mailbox.bad)]]

    @rule(which=picks, silent=st.booleans())
    def item_is_passed_over_in_silence(self, which: int, silent: bool) -> None:
        if silent and (item := self._item(which)):
            self.mailbox.silent.add(item)
        else:
            self.mailbox.silent.clear()

    @rule(which=picks, lacking=st.booleans())
    def mime_cannot_be_had_for_a_while(self, which: int, lacking: bool) -> None:
        """M3: the item can otherwise."""
        if lacking and (item := self._item(which)):
            self.mailbox.no_mime.add(item)
        else:
            self.mailbox.no_mime.clear()

    @rule(which=picks, absent=st.booleans())
    def item_is_not_found_for_a_while(self, which: int, absent: bool) -> None:
        """M1: it is listed all the same."""
        if absent and (item := self._item(which)):
            self.mailbox.absent.add(item)
        else:
            self.mailbox.absent.clear()

    @rule(which=picks, where=picks, of_folder=st.booleans(), choking=st.booleans())
    def server_chokes(self, which: int, where: int, of_folder: bool, choking: bool) -> None:
        """On an item, whatever is asked for with it, or on a folder."""
        if choking and (on := self._folder(where) if of_folder else self._item(which)):
            self.mailbox.choking.add(on)
        else:
            self.mailbox.choking.clear()

    @rule(where=picks, ghost=st.booleans())
    def folder_is_listed_and_unknown(self, where: int, ghost: bool) -> None:
        if ghost:
            self.mailbox.ghosts.add(self._folder(where))
        else:
            self.mailbox.ghosts.clear()

    @rule(where=picks, closed=st.booleans())
    def folder_cannot_be_read(self, where: int, closed: bool) -> None:
        if closed:
            self.mailbox.closed.add(self._folder(where))
        else:
            self.mailbox.closed.clear()

    @rule(blank=st.booleans())
    def mailbox_answers_empty(self, blank: bool) -> None:
        self.mailbox.blank = blank

    @rule()
    def mailbox_is_restored_under_new_ids(self) -> None:
        self._restore()

    # Time and the operator

    @rule(seconds=st.sampled_from([0.2, 1, 4, 600, 1800, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.pass_by(seconds=seconds)

    @rule(step=st.sampled_from([0, 1, 4]))
    def work_takes_longer(self, step: float) -> None:
        self.world.clock.step = step

    @rule(scope=st.sampled_from(SCOPES))
    def settings_change(self, scope: Scope) -> None:
        self.world.rescope(scope)

    @rule(held=st.booleans())
    def hold_is_set_or_lifted(self, held: bool) -> None:
        at = self.world.clock()
        change = (
            partial(transitions.on_hold, reason="Matter 7", actor="op", now=at) if held else transitions.without_hold
        )
        self.world.registry.change(ID, change)

    @rule(request=st.integers(0, 25), sweep=st.booleans())
    def mailbox_is_to_be_read_anew(self, request: int, sweep: bool) -> None:
        """Between two passes, or while one runs."""

        def reset() -> None:
            self.world.registry.change(ID, lambda mailbox: transitions.reset(mailbox, self.world.clock()))

        if request == 0:
            reset()
            return
        self.world.sources.at(request, reset)
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(write=soon)
    def reset_dies_at_a_write(self, write: int) -> None:
        self.mailbox_is_to_be_read_anew(0, sweep=False)
        self.world.replica.crash_at(write)
        self._run(self.world.sync)

    # Passes

    @rule()
    def pass_(self) -> None:
        self._run(self.world.sync)

    @rule()
    def sweep(self) -> None:
        self._run(self.world.sweep)

    @rule(request=soon, fault=st.sampled_from(FAULTS), sweep=st.booleans())
    def pass_with_a_fault_at_the_source(self, request: int, fault: Callable[[], Exception], sweep: bool) -> None:
        self.world.sources.fail_at(request, fault())
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(write=soon, fault=st.sampled_from([*FAULTS, Crash]), sweep=st.booleans())
    def pass_with_a_fault_at_a_write(self, write: int, fault: Callable[[], BaseException], sweep: bool) -> None:
        self.world.replica.fail_at(write, fault())
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(write=soon)
    def pass_that_dies_at_the_registry(self, write: int) -> None:
        self.world.registry.fail_at(write, Crash())
        self._run(self.world.sync)

    @rule(acts=st.dictionaries(soon, st.tuples(deeds, picks, picks), min_size=1, max_size=5), sweep=st.booleans())
    def pass_while_somebody_works(self, acts: dict[int, tuple[str, int, int]], sweep: bool) -> None:
        for request, (act, which, where) in acts.items():
            self.world.sources.at(request, partial(self._somebody, act, which, where))
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(
        faults=st.dictionaries(soon, st.sampled_from(FAULTS), min_size=1, max_size=4),
        acts=st.dictionaries(soon, st.tuples(deeds, picks, picks), max_size=4),
        write=soon,
        sweep=st.booleans(),
    )
    def pass_in_which_everything_comes_together(
        self,
        faults: dict[int, Callable[[], Exception]],
        acts: dict[int, tuple[str, int, int]],
        write: int,
        sweep: bool,
    ) -> None:
        for request, fault in faults.items():
            self.world.sources.fail_at(request, fault())
        for request, (act, which, where) in acts.items():
            self.world.sources.at(request, partial(self._somebody, act, which, where))
        self.world.replica.crash_at(write)
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(sweep=st.booleans())
    def pass_whose_continuation_is_lost(self, sweep: bool) -> None:
        engine = self.world.engine
        self._run(partial(engine.sync, ID, sweep=sweep))

    @rule(request=soon, seconds=st.sampled_from([1, 600, 1800, 7200]), sweep=st.booleans())
    def pass_that_is_slow(self, request: int, seconds: int, sweep: bool) -> None:
        self.world.sources.at(request, lambda: self.world.clock.pass_by(seconds=seconds))
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(request=soon, scope=st.sampled_from(SCOPES), sweep=st.booleans())
    def settings_change_between_two_parts(self, request: int, scope: Scope, sweep: bool) -> None:
        self.world.sources.at(request, lambda: self.world.rescope(scope))
        self._run(self.world.sweep if sweep else self.world.sync)

    @rule(request=soon, again=st.booleans())
    def mailbox_is_stopped_in_mid_pass(self, request: int, again: bool) -> None:
        """Paused, or disconnected and signed in again with another authorization; in the end it runs again."""

        def stop() -> None:
            self.world.registry.change(ID, transitions.disconnected if again else transitions.paused)
            if again:
                self.world.registry.change(ID, lambda mailbox: transitions.after_sign_in(mailbox, "another"))

        self.world.sources.at(request, stop)
        self._run(self.world.sync)
        self.world.registry.change(ID, transitions.started)

    @rule(request=soon)
    def pass_overtaken_by_another(self, request: int) -> None:
        """The lease ends without its holder noticing, and another worker, its clock minutes apart, passes through."""

        def overtake() -> None:
            self.world.leases.expire(ID)
            self._guarded(lambda: self.world.new_engine(self.world.clock.apart(minutes=-4)).sync(ID))

        self.world.sources.at(request, overtake)
        self._run(self.world.sync)

    @rule(request=soon)
    def pass_loses_its_lease(self, request: int) -> None:
        def lose() -> None:
            if held := self.world.leases.held.get(ID):
                held.lose()

        self.world.sources.at(request, lose)
        self._run(self.world.sync)

    @rule()
    def cursor_is_lost(self) -> None:
        self.world.replica.lose_cursor(ID)

    # Moves between the sources

    @rule(dry=st.booleans(), forced=st.sampled_from([False, False, True]))
    def move_is_asked_for(self, dry: bool, forced: bool) -> None:
        target = SourceName.EWS if self.world.source is SourceName.GRAPH else SourceName.GRAPH
        self.world.registry.change(ID, lambda mailbox: asked_to_move(mailbox, target, "me", dry=dry, forced=forced))

    @rule(write=soon, request=soon, dies=st.booleans())
    def mailbox_moves_and_something_fails(self, write: int, request: int, dies: bool) -> None:
        self.move_is_asked_for(dry=False, forced=False)
        if dies:
            self.world.replica.crash_at(write)
        else:
            self.world.sources.fail_at(request, RetryLater(Reason.THROTTLED))
        self._run(self.world.sync)

    @rule(write=soon)
    def move_loses_its_survey(self, write: int) -> None:
        """After a crash at any write, also the first after the switch."""
        self.move_is_asked_for(dry=False, forced=False)
        self.world.replica.crash_at(write)
        self._run(self.world.sync)
        self.world.replica.put_derived(ID, DOCUMENT, b"")

    @rule(blocked=st.sets(st.sampled_from(list(SourceName))))
    def source_is_closed(self, blocked: set[SourceName]) -> None:
        self.world.sources.blocked = set(blocked)

    @rule()
    def a_move_of_a_quiet_mailbox_changes_nothing(self) -> None:
        """Not one line of the feed says anything else than what is restated, and no content but samples is read."""
        self._quiet()
        if self.mailbox.bad or self.mailbox.no_mime:
            return
        before, keys = len(self.world.feed()), {item.key for item in self.world.items().values()}
        downloads, source = self.world.sources.downloads.total(), self.world.source
        doubtful = sum(is_modified_time_doubtful(item) for item in self.world.items().values())
        self.move_is_asked_for(dry=False, forced=False)
        self.world.sync()
        self.world.clock.pass_by(hours=25)
        self.world.sync()
        if source is SourceName.EWS:
            assert self.world.source is SourceName.GRAPH
            assert {kind for kind, _ in self.world.feed()[before:]} <= {FeedKind.RESTATE}
            assert {item.key for item in self.world.items().values()} == keys
            assert self.world.sources.downloads.total() - downloads <= 3 * len(ItemKind) + doubtful

    # What must hold

    @rule()
    def after_quiet_passes_all_is_equal(self) -> None:
        self._quiet()
        self.world.assert_equal()
        self.world.assert_logged()
        self._assert_settled()
        self._assert_retention()

    @rule(which=picks)
    def a_deleted_item_is_kept_for_its_days(self, which: int) -> None:
        self._quiet()
        items, kept = self.world.items(), self.world.kept()
        there = [id_ for id_ in sorted(items) if id_ in self.mailbox.mails and id_ not in kept]
        if not there:
            return
        gone = items[there[which % len(there)]]
        content = self.world.replica.content(ID, gone) if gone.located else b""
        self.mailbox.delete(gone.source_id)
        for _ in range(2):
            self.world.clock.pass_by(hours=1)
            self.world.sweep()
        left = self.world.left().get(gone.source_id)
        assert (left is not None) == bool(self.world.scope.retention_days)
        if left is not None:
            assert left.key == gone.key
            assert not left.located or self.world.replica.content(ID, left) == content

    @rule(which=st.lists(picks, min_size=1, max_size=5, unique=True), where=picks)
    def a_pure_move_keeps_identity_and_downloads_nothing(self, which: list[int], where: int) -> None:
        self._quiet()
        items = self.world.items()
        fixed = self.mailbox.bad.keys() | self.mailbox.no_mime | self.world.kept()
        movable = [id_ for id_ in sorted(items) if id_ not in fixed]
        target = self._folder(where)
        folders = self.world.replica.load(ID).folders
        if target not in folders or any(self._is_forgotten(state) for state in folders.values()):
            return
        keys = [items[id_].key for id_ in movable]
        chosen = {pick % len(movable) for pick in which} if movable else set()
        downloads = self.world.sources.downloads.total()
        moved = {self.mailbox.move(movable[index], target): keys[index] for index in sorted(chosen)}
        self.world.sync()
        assert self.world.sources.downloads.total() == downloads
        after = self.world.items()
        assert sorted(after[id_].key for id_ in moved) == sorted(moved.values())
        assert {after[id_].move_key for id_ in moved} == {self.mailbox.mails[id_].move_key for id_ in moved}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.after_quiet_passes_all_is_equal()
