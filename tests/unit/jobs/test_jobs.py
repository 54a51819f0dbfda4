"""Bulk jobs: targets, progress, crashes at every write, canceling, and what comes of each mailbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.authorization.onboarding.activation import ActivationResult
from shared.errors import Conflict, NotFound, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.bulk.commands import BulkCommands
from shared.mailboxes.bulk.errors import JobRefused
from shared.mailboxes.bulk.jobs import Jobs
from shared.mailboxes.bulk.model import JOBS_KEPT, SLICE, Job, JobCommand, JobState, Progress
from shared.mailboxes.bulk.runner import BUDGET_SECONDS, JobRunner
from shared.mailboxes.groups.model import GroupSettings
from shared.mailboxes.holds import HoldCommands
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.move_commands import MoveCommands
from shared.sources.model import SourceName
from tests.fakes.authorization import TENANT
from tests.fakes.authorization_stack import AuthorizationStack
from tests.fakes.jobs import MemoryJobQueue, MemoryJobs
from tests.fakes.registry import FakeDirectory
from tests.unit.mailboxes.test_transitions import a_mailbox


class JobHarness:
    """Jobs on an in-memory registry. `checks` are the errors of mailboxes whose servers refuse."""

    def __init__(self) -> None:
        self.stack = AuthorizationStack()
        self.registry, self.clock = self.stack.registry, self.stack.clock
        self.store, self.queue = MemoryJobs(), MemoryJobQueue()
        self.checks: dict[str, Exception] = {}
        self.groups = self.stack.groups
        self.commands = BulkCommands(
            registry=self.registry,
            mailboxes=self.stack.mailbox_commands,
            moves=MoveCommands(self.registry, lambda source: source is SourceName.GRAPH),
            holds=HoldCommands(self.registry, self.clock),
            groups=self.groups,
            activate=self.stack.activation.activate,
            check=self._check,
        )
        self.jobs = Jobs(self.store, self.queue, self.commands, self.registry.record_audit, self.clock)
        self.runner = JobRunner(
            store=self.store,
            queue=self.queue,
            commands=self.commands,
            directory=FakeDirectory(self.registry),
            clock=self.clock,
            monotonic=self.clock.monotonic,
        )

    def connect(self, number: int, **changes: object) -> list[str]:
        """Connect this many mailboxes; gives their ids."""
        first = len(list(self.registry.all()))
        names = [f"m{first + n:04d}" for n in range(number)]
        for name in names:
            self.registry.add(a_mailbox(id=name, owner_id=name, address=f"{name}@contoso.example", **changes))
        return names

    def work(self, *, last_attempt: bool = False) -> None:
        """Handle messages until there are none; one that fails stays."""
        while self.queue.messages:
            job_id, number = self.queue.messages[0]
            if number is None:
                self.runner.plan(job_id)
            else:
                self.runner.run_slice(job_id, number, last_attempt=last_attempt)
            self.queue.messages.popleft()

    def done(self, job: Job) -> Progress:
        """Work, then tell how far the job is."""
        self.work()
        return self.jobs.progress(job.id)

    def status(self, mailbox_id: str) -> Status:
        return self.registry.get(mailbox_id).status

    def _check(self, mailbox_id: str) -> None:
        if mailbox_id in self.checks:
            raise self.checks[mailbox_id]


@pytest.fixture
def harness() -> JobHarness:
    return JobHarness()


def test_command_reaches_every_listed_mailbox_once(harness: JobHarness) -> None:
    names = harness.connect(2 * SLICE + 7)
    job = harness.jobs.create(JobCommand.PAUSE, "op", targets=[*names, names[0], "gone"])
    assert harness.jobs.progress(job.id).state is JobState.RUNNING
    progress = harness.done(job)
    assert (progress.state, progress.done, progress.failed, progress.left) == (JobState.DONE, len(names), 1, 0)
    assert progress.reasons == {"not_found": 1}
    assert [failure.target for failure in harness.jobs.failures(job.id)] == ["gone"]
    assert progress.ended_at == harness.clock()
    assert {harness.status(name) for name in names} == {Status.PAUSED}
    assert sum(act == "pause" and actor == "op" for _, actor, act in harness.registry.audit) == len(names)
    assert (job.id, "op", "job_pause") in harness.registry.audit


def test_reset_by_a_job_leaves_paused_mailboxes_alone(harness: JobHarness) -> None:
    names, (paused,) = harness.connect(3), harness.connect(1, status=Status.PAUSED)
    progress = harness.done(harness.jobs.create(JobCommand.RESET, "op", targets=[*names, paused]))
    assert (progress.done, progress.failed, progress.reasons) == (3, 1, {"not_while_stopped": 1})
    assert {harness.registry.get(name).reset_at for name in names} == {harness.clock()}
    assert harness.registry.get(paused).reset_at is None
    assert sorted(harness.stack.queued) == sorted(names)


def test_job_puts_mailboxes_into_a_group_and_selects_by_it(harness: JobHarness) -> None:
    for wrong, fault in (({}, "missing"), ({"group": "none"}, "wrong"), ({"groups": "a"}, "unknown")):
        with pytest.raises(JobRefused) as refused:
            harness.jobs.create(JobCommand.GROUP, "op", filter={}, arguments=wrong)
        assert refused.value.fault == fault
    harness.groups.put("legal", "", GroupSettings(), "op")
    names, others = harness.connect(3), harness.connect(2)
    progress = harness.done(harness.jobs.create(JobCommand.GROUP, "op", targets=names, arguments={"group": "legal"}))
    assert (progress.done, progress.failed) == (3, 0)
    assert {harness.registry.get(name).group for name in names} == {"legal"}
    progress = harness.done(harness.jobs.create(JobCommand.PAUSE, "op", filter={"group": "legal"}))
    assert progress.done == 3
    assert {harness.status(name) for name in others} == {Status.ACTIVE}
    back = harness.jobs.create(JobCommand.GROUP, "op", filter={"group": "legal"}, arguments={"group": "default"})
    assert harness.done(back).done == 3
    assert {harness.registry.get(name).group for name in names} == {""}


def test_activation_by_a_job_puts_mailboxes_into_a_group(harness: JobHarness) -> None:
    names, way = ["a@contoso.example", "b@contoso.example"], {"tenant": TENANT, "group": "legal"}
    for wrong, parameter in ((way, "group"), ({"group": "default"}, "authorization, tenant")):
        with pytest.raises(JobRefused) as refused:
            harness.jobs.create(JobCommand.ACTIVATE, "op", targets=names, arguments=wrong)
        assert refused.value.parameter == parameter
    harness.groups.put("legal", "", GroupSettings(), "op")
    assert harness.done(harness.jobs.create(JobCommand.ACTIVATE, "op", targets=names, arguments=way)).done == 2
    assert {mailbox.group for mailbox in harness.registry.all()} == {"legal"}


def test_filter_selects_when_the_job_runs_and_again_before_each_command(harness: JobHarness) -> None:
    suspended = harness.connect(5, status=Status.SUSPENDED)
    active = harness.connect(3)
    job = harness.jobs.create(JobCommand.START, "op", filter={"status": "suspended", "tenant": ""})
    assert harness.jobs.progress(job.id).state is JobState.PLANNING
    harness.runner.plan(job.id)
    harness.registry.change(suspended[0], lambda found: found.with_changes(status=Status.PAUSED))
    progress = harness.done(job)
    assert (progress.job.total, progress.done, progress.skipped, progress.failed) == (5, 4, 1, 0)
    assert harness.status(suspended[0]) is Status.PAUSED
    assert {harness.status(name) for name in (*suspended[1:], *active)} == {Status.ACTIVE}


def test_job_for_all_mailboxes_or_none(harness: JobHarness) -> None:
    empty = harness.jobs.create(JobCommand.SYNC, "op", filter={})
    assert harness.done(empty).state is JobState.DONE
    names = harness.connect(SLICE + 1)
    job = harness.jobs.create(JobCommand.SYNC, "op", filter={})
    assert harness.done(job).done == len(names)
    assert sorted(harness.stack.queued) == names


@pytest.mark.parametrize("write", range(1, 10))
def test_crash_at_any_write_ends_with_every_mailbox_handled(harness: JobHarness, write: int) -> None:
    names = harness.connect(SLICE + 5)
    job = harness.jobs.create(JobCommand.PAUSE, "op", filter={})
    harness.store.fail_at, harness.store.error = harness.store.writes + write, RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.work()
    progress = harness.done(job)
    assert (progress.state, progress.done, progress.left) == (JobState.DONE, len(names), 0)
    assert {harness.status(name) for name in names} == {Status.PAUSED}


@pytest.mark.parametrize("write", range(1, 5))
def test_targets_of_job_that_could_not_be_created_are_forgotten(harness: JobHarness, write: int) -> None:
    names = harness.connect(2 * SLICE)
    harness.store.fail_at, harness.store.error = write, RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.jobs.create(JobCommand.PAUSE, "op", targets=names)
    assert harness.jobs.sweep() == 0
    assert {harness.status(name) for name in names} == {Status.ACTIVE}
    created = [job.id for job in harness.jobs.recent()]
    assert created or not harness.store.targets()
    harness.clock.now += JOBS_KEPT * 2
    harness.jobs.sweep()
    assert not harness.store.targets()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_planning_that_was_paused_repeats_no_command(harness: JobHarness, at: int) -> None:
    names = harness.connect(2 * SLICE + 5)
    job = harness.jobs.create(JobCommand.ERASE, "op", filter={"status": "active"})
    slices = count(1)

    def pause() -> None:
        """Meanwhile another worker gets the message, plans the job, and erases."""
        if next(slices) == at:
            harness.store.before_slice = lambda: None
            harness.work()

    harness.store.before_slice = pause
    with pytest.raises(RetryLater):
        harness.runner.plan(job.id)

    progress = harness.done(job)
    assert (progress.state, progress.done, progress.receipts) == (JobState.DONE, len(names), len(names))
    assert list(harness.registry.all()) == []


def test_duplicate_messages_count_nothing_twice(harness: JobHarness) -> None:
    names = harness.connect(12)
    job = harness.jobs.create(JobCommand.PAUSE, "op", targets=names)
    for _ in range(3):
        harness.queue.send(job.id)
        harness.queue.send(job.id, 0)
    assert harness.done(job).done == len(names)


def test_canceled_job_gives_no_more_commands(harness: JobHarness) -> None:
    names = harness.connect(30)
    job = harness.jobs.create(JobCommand.PAUSE, "op", targets=names)
    given = 0
    pause: Callable[..., Mailbox] = harness.stack.mailbox_commands.pause

    def counting(mailbox_id: str, actor: str) -> Mailbox:
        nonlocal given
        given += 1
        if given == 5:
            harness.jobs.cancel(job.id, "other")
        return pause(mailbox_id, actor)

    harness.stack.mailbox_commands.pause = counting  # type: ignore[method-assign]
    progress = harness.done(job)
    assert (progress.state, progress.done, progress.left) == (JobState.CANCELED, 10, 20)
    assert harness.jobs.cancel(job.id, "other").job.canceled_at == progress.job.canceled_at
    assert (job.id, "other", "job_cancel") in harness.registry.audit


def test_job_canceled_before_it_is_planned_does_nothing(harness: JobHarness) -> None:
    names = harness.connect(3)
    job = harness.jobs.create(JobCommand.PAUSE, "op", filter={})
    harness.jobs.cancel(job.id, "op")
    assert harness.done(job).state is JobState.CANCELED
    assert {harness.status(name) for name in names} == {Status.ACTIVE}


def test_check_tells_what_each_server_says(harness: JobHarness) -> None:
    fine, rejected, busy = harness.connect(3)
    harness.checks = {
        rejected: PersonMustSignIn(Reason.GRANT_REVOKED),
        busy: RetryLater(Reason.THROTTLED, support="503"),
    }
    job = harness.jobs.create(JobCommand.CHECK, "op", targets=[fine, rejected, busy])
    assert harness.done(job).reasons == {"grant_revoked": 1, "throttled": 1}
    assert {failure.support for failure in harness.jobs.failures(job.id)} == {"", "503"}


def test_fault_of_ours_is_repeated_and_fails_the_rest_at_last(harness: JobHarness) -> None:
    names = harness.connect(3)
    harness.checks = {names[1]: OperatorMustAct(Reason.OUR_STORAGE)}
    job = harness.jobs.create(JobCommand.CHECK, "op", targets=names)
    with pytest.raises(OperatorMustAct):
        harness.work()
    assert harness.jobs.progress(job.id).left == 3
    harness.work(last_attempt=True)
    assert harness.jobs.progress(job.id).reasons == {"our_storage": 3}


def test_defect_with_one_mailbox_does_not_end_the_job(harness: JobHarness) -> None:
    names = harness.connect(3)
    harness.checks = {names[0]: ZeroDivisionError()}
    job = harness.jobs.create(JobCommand.CHECK, "op", targets=names)
    progress = harness.done(job)
    assert (progress.done, progress.reasons) == (2, {"internal": 1})


def test_moves_disconnects_and_erasures(harness: JobHarness) -> None:
    one, two = harness.connect(2)
    move = harness.jobs.create(JobCommand.MOVE, "op", targets=[one], arguments={"to": "graph", "dry_run": "true"})
    assert harness.done(move).done == 1
    assert (harness.registry.get(one).moving_to, harness.registry.get(one).move_dry) == (SourceName.GRAPH, True)
    back = harness.jobs.create(JobCommand.MOVE, "op", targets=[one], arguments={"to": "nothing"})
    assert harness.done(back).done == 1
    assert harness.registry.get(one).moving_to is None
    assert harness.done(harness.jobs.create(JobCommand.DISCONNECT, "op", filter={"status": "active"})).done == 2
    assert harness.status(two) is Status.DISCONNECTED
    erase = harness.jobs.create(JobCommand.ERASE, "op", targets=[one, two, "erased before"])
    assert harness.done(erase).done == 3
    with pytest.raises(NotFound):
        harness.registry.get(one)


def test_erasures_of_mailboxes_on_hold_fail_and_the_others_are_erased(harness: JobHarness) -> None:
    held, other = harness.connect(2)
    HoldCommands(harness.registry, harness.stack.clock).hold(held, "Matter 7", "op")
    progress = harness.done(harness.jobs.create(JobCommand.ERASE, "op", targets=[held, other]))
    assert (progress.done, progress.reasons) == (1, {"on_hold": 1})
    assert harness.registry.get(held).erasing_since is None


def test_erasure_keeps_the_receipt_of_every_mailbox_that_it_erased(harness: JobHarness) -> None:
    names, (held,) = harness.connect(SLICE + 1), harness.connect(1, hold_since=harness.clock())
    job = harness.jobs.create(JobCommand.ERASE, "op", targets=[*names, held, "erased before"])
    progress = harness.done(job)
    assert (progress.done, progress.receipts, progress.reasons) == (SLICE + 2, SLICE + 1, {"on_hold": 1})
    receipts = harness.jobs.receipts(job.id)
    assert [receipt.mailbox_id for receipt in receipts] == names
    assert receipts[0].address == f"{names[0]}@contoso.example"
    assert receipts[0].erased["mailboxes"] == 1
    paused = harness.jobs.create(JobCommand.PAUSE, "op", targets=harness.connect(1))
    assert harness.done(paused).receipts == 0
    assert harness.jobs.receipts(paused.id) == []


@pytest.mark.parametrize("write", range(1, 6))
def test_crash_at_any_write_of_an_erasure_costs_at_most_one_receipt(harness: JobHarness, write: int) -> None:
    names = harness.connect(5)
    job = harness.jobs.create(JobCommand.ERASE, "op", targets=names)
    harness.store.fail_at, harness.store.error = harness.store.writes + write, RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.work()
    progress = harness.done(job)
    assert (progress.done, progress.receipts) == (5, 4)


def test_many_mailboxes_are_put_on_hold_and_those_on_hold_let_go(harness: JobHarness) -> None:
    names, (erasing,) = harness.connect(12), harness.connect(1)
    harness.registry.begin_erasure(erasing)
    hold = harness.jobs.create(JobCommand.HOLD, "op", targets=[*names, erasing], arguments={"reason": "Matter 7"})
    progress = harness.done(hold)
    assert (progress.done, progress.reasons) == (12, {"erasure_begun": 1})
    assert {harness.registry.get(name).hold_reason for name in names} == {"Matter 7"}
    lift = harness.jobs.create(JobCommand.LIFT_HOLD, "op", filter={"hold": "on", "prefix": "m000"})
    assert harness.done(lift).done == 10
    held = [name for name in names if harness.registry.get(name).hold_since is not None]
    assert held == names[10:]
    assert sum(act == "lift_hold" for _, _, act in harness.registry.audit) == 10


def test_sync_asked_a_moment_ago_counts_as_done_and_stopped_as_failed(harness: JobHarness) -> None:
    fresh, stopped = harness.connect(1), harness.connect(1, status=Status.PAUSED)
    for _ in range(2):
        progress = harness.done(harness.jobs.create(JobCommand.SYNC, "op", targets=[*fresh, *stopped]))
        assert (progress.done, progress.reasons) == (1, {"not_while_stopped": 1})
    assert harness.stack.queued == fresh


@pytest.mark.parametrize(("fault", "reason"), [(ZeroDivisionError(), "internal"), (Conflict(), "conflict")])
def test_fault_with_one_name_does_not_end_the_activation(harness: JobHarness, fault: Exception, reason: str) -> None:
    def activate(given: Mapping[str, str], names: Sequence[str], actor: str) -> Sequence[ActivationResult]:
        if "room3@contoso.example" in names:
            raise fault
        return harness.stack.activation.activate(given, names, actor)

    addresses = [f"room{n}@contoso.example" for n in range(12)]
    job = harness.jobs.create(JobCommand.ACTIVATE, "op", targets=addresses, arguments={"tenant": TENANT})
    outcomes = replace(harness.commands, activate=activate).run(job, addresses)

    assert [outcome.target for outcome in outcomes] == addresses
    assert {outcome.target: outcome.reason for outcome in outcomes if outcome.reason} == {addresses[3]: reason}


def test_names_are_activated_with_app_only_access(harness: JobHarness) -> None:
    addresses = [f"room{n}@contoso.example" for n in range(12)]
    for _ in range(2):
        job = harness.jobs.create(JobCommand.ACTIVATE, "op", targets=addresses, arguments={"tenant": TENANT})
        assert harness.done(job).done == len(addresses)
    assert sorted(box.address for box in harness.registry.all()) == sorted(addresses)
    wrong = harness.jobs.create(JobCommand.ACTIVATE, "op", targets=addresses, arguments={"authorization": "none"})
    assert harness.done(wrong).reasons == {"not_found": len(addresses)}


def test_slice_that_takes_long_is_continued_by_another_message(harness: JobHarness) -> None:
    names = harness.connect(30)
    harness.clock.step = BUDGET_SECONDS / 1.5
    job = harness.jobs.create(JobCommand.PAUSE, "op", targets=names)
    harness.runner.plan(job.id)
    harness.queue.messages.clear()
    harness.runner.run_slice(job.id, 0)
    assert 0 < harness.jobs.progress(job.id).left < len(names)
    assert list(harness.queue.messages) == [(job.id, 0)]
    assert harness.done(job).left == 0


@pytest.mark.parametrize("is_listed", [False, True])
def test_job_that_could_not_be_queued_is_not_done_beside_the_one_that_is_asked_for_again(
    harness: JobHarness, *, is_listed: bool
) -> None:
    names = harness.connect(3)
    asked: dict[str, Any] = {"targets": names} if is_listed else {"filter": {}}
    harness.queue.failure = RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        harness.jobs.create(JobCommand.RESET, "op", **asked)
    harness.queue.failure = None

    job = harness.jobs.create(JobCommand.RESET, "op", **asked)
    assert harness.done(job).done == 3
    harness.jobs.sweep()
    harness.work()

    assert sum(act == "reset" for _, _, act in harness.registry.audit) == 3
    assert [harness.jobs.progress(one.id).state for one in harness.jobs.recent()].count(JobState.CANCELED) == 1


def test_daily_work_queues_what_stands_still_and_forgets_the_old(harness: JobHarness) -> None:
    old = harness.jobs.create(JobCommand.PAUSE, "op", targets=["m"])
    harness.clock.pass_by(days=JOBS_KEPT.days, hours=1)
    names = harness.connect(2)
    lost = harness.jobs.create(JobCommand.PAUSE, "op", targets=names)
    harness.queue.messages.clear()
    assert harness.jobs.sweep() == 1
    assert harness.done(lost).done == 2
    assert harness.jobs.sweep() == 0
    assert [job.id for job in harness.jobs.recent()] == [lost.id]
    with pytest.raises(NotFound):
        harness.jobs.progress(old.id)


@pytest.mark.parametrize(
    ("parameter", "command", "more"),
    [
        ("mailboxes", "pause", {"targets": []}),
        ("mailboxes", "pause", {"targets": ["a\nb"]}),
        ("mailboxes", "pause", {"targets": ["x" * 321]}),
        ("colour", "pause", {"filter": {"colour": "red"}}),
        ("to", "pause", {"targets": ["m"], "arguments": {"to": "graph"}}),
        ("to", "move", {"targets": ["m"]}),
        ("to", "move", {"targets": ["m"], "arguments": {"to": "ews"}}),
        ("to", "move", {"targets": ["m"], "arguments": {"to": "gmail"}}),
        ("force", "move", {"targets": ["m"], "arguments": {"to": "graph", "force": "yes"}}),
        ("reason", "hold", {"targets": ["m"]}),
        ("reason", "hold", {"targets": ["m"], "arguments": {"reason": " "}}),
        ("reason", "hold", {"targets": ["m"], "arguments": {"reason": "two\nlines"}}),
        ("reason", "lift_hold", {"targets": ["m"], "arguments": {"reason": "over"}}),
        ("filter", "erase", {"filter": {}}),
        ("filter", "disconnect", {"filter": {"status": ""}}),
        ("filter", "activate", {"filter": {"status": "active"}, "arguments": {"tenant": TENANT}}),
        ("authorization, tenant", "activate", {"targets": ["a@contoso.example"]}),
    ],
)
def test_wrong_job_is_refused_and_named(
    harness: JobHarness, parameter: str, command: str, more: dict[str, object]
) -> None:
    with pytest.raises(JobRefused) as refused:
        harness.jobs.create(JobCommand(command), "op", **more)  # type: ignore[arg-type]
    assert refused.value.parameter == parameter
    assert harness.jobs.recent() == []
    assert not harness.queue.messages
