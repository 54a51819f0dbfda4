"""What the model's rules stand on: one world, how its passes are run and ended, and what must hold afterward."""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from shared.errors import OperatorMustAct, RetryLater
from shared.mailboxes import transitions
from shared.replica.port import FolderState
from shared.sources.model import FolderKind, SourceName
from tests.fakes.mailbox import FakeMailbox, Mail
from tests.fakes.replica import Crash
from tests.fakes.source import OTHER_VERSIONS, state_parts
from tests.fakes.sync_harness import ID, SyncHarness


class ModelStage(RuleBasedStateMachine):
    """Without rules of its own. Picks are numbers that are taken modulo what there is."""

    world: SyncHarness
    mailbox: FakeMailbox
    known_at: list[tuple[datetime, dict[str, tuple[str, int]]]]
    """Before each pass: when, and which items there were, each with its folder and version."""
    deleted: list[Mail]
    """Deleted items that may be recovered."""

    def _quiet(self) -> None:
        self.world.clock.step = 0
        self.mailbox.ghosts.clear()
        self.mailbox.closed.clear()
        self.mailbox.silent.clear()
        self.mailbox.absent.clear()
        self.mailbox.choking.clear()
        self.world.quiet()
        if self.world.scope.mail_days:
            self.world.sweep()
        self._confirm()

    def _confirm(self) -> None:
        """What was kept on the word of its metadata is right after the daily comparisons; all else is before."""
        self.world.assert_equal(but_assumed=True)
        for _ in range(40):
            if set(self.world.assumed()) - self.world.kept() <= self.mailbox.bad.keys() | self.mailbox.no_mime:
                return
            self.world.sweep()
        raise AssertionError("contents are never confirmed")

    def _assert_settled(self) -> None:
        stored = self.world.stored
        assert stored.first_sync_done
        assert stored.complete_as_of == self.world.clock()
        assert stored.syncing_since is None
        issues = {issue.item_id for issue in self.world.registry.issues(ID)}
        assert issues <= self.mailbox.bad.keys() | self.mailbox.no_mime, "an issue of an item that is well"
        self._assert_idle()

    def _assert_retention(self) -> None:
        """Nothing that left is kept longer than its days, or twice."""
        if not self.world.left():
            return
        self.world.registry.change(ID, transitions.without_hold)
        self.world.sweep()
        oldest = self.world.clock() - timedelta(days=self.world.scope.retention_days)
        left = self.world.left()
        assert all(item.left_at is not None and item.left_at > oldest for item in left.values())
        assert not left.keys() & self.world.items().keys()
        self.world.assert_equal(but_assumed=True)

    def _assert_idle(self) -> None:
        """Now that nothing happens, a pass is one request and writes nothing but the registry."""
        has_marks = self.mailbox.marks and self.world.source is SourceName.EWS
        due = bool(self.world.registry.issues(ID)) or not has_marks
        requests, writes = self.world.sources.requests.total(), self.world.replica.writes
        self.world.sync()
        assert self.world.replica.writes == writes
        assert due or self.world.sources.requests.total() == requests + 1

    def _run(self, work: Callable[[], object]) -> None:
        self.known_at.append((self.world.clock(), self._present()))
        before = (self.world.stored.complete_as_of, self.world.scope)
        self._guarded(work)
        self.world.sources.calm()
        if self.world.stored.complete_as_of != before[0] and self.world.scope == before[1]:
            self._assert_complete()
        self.world.replica.calm()
        self.world.registry.calm()
        self.world.leases.held.clear()
        self.world.queue.mailboxes.clear()

    def _present(self) -> dict[str, tuple[str, int]]:
        return {mail.id: (mail.folder_id, mail.version) for mail in self.world.expected().values()}

    def _assert_complete(self) -> None:
        """What lay still since before the replica claims to be complete as of is in it, or has an issue."""
        claimed = self.world.stored.complete_as_of
        assert claimed is not None
        known = [present for at, present in self.known_at if at < claimed]
        issues = {issue.item_id for issue in self.world.registry.issues(ID)}
        issues |= {mail.id for mail in self.mailbox.mails.values() if mail.folder_id in issues}
        if known:
            still = known[-1].items() & self._present().items()
            there = {
                id_: (item.folder_id, int(item.version) % OTHER_VERSIONS) for id_, item in self.world.items().items()
            }
            assert {pair for pair in still if pair[0] not in issues} <= there.items(), claimed

    def _guarded(self, work: Callable[[], object]) -> None:
        """What a process dies of, or gives back to the queue, is the next pass's to mend."""
        try:
            work()
        except (Crash, OperatorMustAct, RetryLater) as end:
            if currently_in_test_context():
                note(f"ended by {end!r}")

    def _somebody(self, act: str, which: int, where: int) -> None:
        item = self._item(which)
        if act == "add" or item is None:
            self.mailbox.add(self._folder(where))
        elif act == "move":
            self.mailbox.move(item, self._folder(where))
        elif act == "delete":
            self.mailbox.delete(item)
        elif act == "update":
            self.mailbox.update(item)
        elif act == "edit":
            self.mailbox.edit(item)
        elif act == "read":
            self.mailbox.set_read(item)
        elif act == "choke":
            self.mailbox.choking.add(item)
        else:
            self._something_happens_to_a_folder(act, self._folder(which), self._folder(where))

    def _something_happens_to_a_folder(self, act: str, folder: str, other: str) -> None:
        if act == "forget-state":
            self.mailbox.invalidate(folder)
        elif act == "close":
            self.mailbox.closed.add(folder)
        elif act == "restore":
            self._restore()
        elif not self.mailbox.is_within(other, folder):
            if act == "move-folder":
                if self._takes_folders(other):
                    self.mailbox.move_folder(folder, other)
            elif len(self.mailbox.boxes) > 4:
                self.mailbox.delete_folder(folder)

    def _is_forgotten(self, state: FolderState) -> bool:
        """Whether the server has forgotten the state: then it reports no deletion, so a move shows one side only."""
        return state.state is None or state_parts(state.state)[1] != self.mailbox.boxes[state.id].epoch

    def _restore(self) -> None:
        """Restore the mailbox under new ids. What was deleted before cannot come back under an old one."""
        self.mailbox.recreate()
        self.mailbox.bad.clear()
        self.deleted.clear()

    def _takes_folders(self, folder: str) -> bool:
        """Whether the model moves folders into this one.

        What is in a folder that only EWS lists is at the top over Graph, so settings that name a folder above do not
        reach it there (docs/moving-to-graph.md).
        """
        return self.mailbox.boxes[folder].kind is FolderKind.MAIL

    def _item(self, pick: int) -> str | None:
        ids = sorted(self.mailbox.mails)
        return ids[pick % len(ids)] if ids else None

    def _folder(self, pick: int) -> str:
        ids = sorted(self.mailbox.boxes)
        return ids[pick % len(ids)]
