"""What an operator does with jobs: create, look, cancel. The runner collects targets and gives commands."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from shared.errors import MailboxSyncError, OperatorMustAct
from shared.mailboxes.bulk.errors import JobRefused
from shared.mailboxes.bulk.model import (
    DELETING,
    FILTERS,
    JOBS_KEPT,
    MAX_TARGETS,
    Job,
    JobCommand,
    Outcome,
    Progress,
    progress_of,
    sliced,
)
from shared.mailboxes.bulk.port import JobCommands, JobQueue, JobStore
from shared.mailboxes.erasures.erasing import ErasureReceipt

_log = logging.getLogger(__name__)

MAX_SHOWN_FAILURES = 200
MAX_SWEPT = 5000


class Jobs:
    """The jobs. The caller has checked that the requester may give commands.

    `audit` records an action: the job's id, the actor's opaque id, the action.
    """

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        commands: JobCommands,
        audit: Callable[[str, str, str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._queue = queue
        self._commands = commands
        self._audit = audit
        self._clock = clock

    def create(
        self,
        command: JobCommand,
        actor: str,
        *,
        targets: Sequence[str] | None = None,
        filter: Mapping[str, str] | None = None,
        arguments: Mapping[str, str] | None = None,
    ) -> Job:
        """Create a job for listed targets, or for the mailboxes that a filter selects; an empty filter selects all.

        The job is stored before it is queued. If it cannot be queued, it is canceled: whoever is told of the failure
        asks again, and the commands would be given twice. What a crash leaves is queued by `sweep`.

        Raises: JobRefused.
        """
        given = dict(arguments or {})
        self._commands.check_arguments(command, given)
        now = self._clock()
        job = Job(self._store.id_of(now), command, actor, now, given)
        if targets is not None:
            job = self._listed(job, _checked_targets(targets))
        else:
            job = self._store.add(job.with_changes(filter=_checked_filter(command, filter)))
        try:
            self._audit(job.id, actor, f"job_{command.value}")
            self._queue.send(job.id)
        except MailboxSyncError:
            self._store.change(job.id, lambda found: found.with_changes(canceled_at=now))
            raise
        return job

    def _listed(self, job: Job, targets: Sequence[str]) -> Job:
        """Store a job with its targets. Until all of them are stored, it is canceled.

        So after a crash nothing is done, and the targets, which may be addresses, are forgotten with the job.
        """
        slices = sliced(job.id, targets)
        total = sum(len(one.targets) for one in slices)
        planned = job.with_changes(total=total, slices=len(slices), planned_at=job.created_at)
        self._store.add(planned.with_changes(canceled_at=job.created_at))
        self._store.put_slices(slices)
        return self._store.change(job.id, lambda found: found.with_changes(canceled_at=None))

    def progress(self, job_id: str) -> Progress:
        """How far a job is. Raises NotFound."""
        return progress_of(self._store.get(job_id), self._store.slices(job_id))

    def failures(self, job_id: str) -> list[Outcome]:
        """The first failed targets with their reasons. Raises NotFound."""
        job = self._store.get(job_id)
        found = (failure for one in self._store.slices(job.id) if one.number < job.slices for failure in one.failures)
        return list(islice(found, MAX_SHOWN_FAILURES))

    def receipts(self, job_id: str) -> list[ErasureReceipt]:
        """What a job has erased, in its order. Raises NotFound."""
        job = self._store.get(job_id)
        return [receipt for one in self._store.slices(job.id) if one.number < job.slices for receipt in one.receipts]

    def recent(self, limit: int = 50) -> Sequence[Job]:
        """The latest jobs, newest first."""
        return self._store.recent(limit)

    def cancel(self, job_id: str, actor: str) -> Progress:
        """Give no more commands. What was done stays done. Raises NotFound."""
        now = self._clock()
        self._store.change(job_id, lambda job: job if job.canceled_at else job.with_changes(canceled_at=now))
        self._audit(job_id, actor, "job_cancel")
        return self.progress(job_id)

    def sweep(self) -> int:
        """Forget old jobs, and queue those again that stand still; returns how many. For the daily work."""
        queued = 0
        self._store.forget(self._clock() - JOBS_KEPT)
        for job in self._store.recent(MAX_SWEPT):
            try:
                queued += not job.settled and self._queued_again(job)
            except OperatorMustAct as error:
                if not error.of_one:
                    raise
                _log.error("job not swept", exc_info=error, extra={"job": job.id})
        return queued

    def _queued_again(self, job: Job) -> bool:
        """Queue a job that has not ended; returns whether it was queued."""
        is_planned = job.planned_at is not None
        if job.canceled_at or (is_planned and not progress_of(job, self._store.slices(job.id)).left):
            self._store.change(job.id, lambda found: found.with_changes(settled=True))
            return False
        self._queue.send(job.id)
        return True


def _checked_targets(targets: Sequence[str]) -> list[str]:
    named = [target.strip() for target in targets if target.strip()]
    if not named or len(named) > MAX_TARGETS or any(len(name) > 320 or not name.isprintable() for name in named):
        raise JobRefused("mailboxes")
    return named


def _checked_filter(command: JobCommand, filter: Mapping[str, str] | None) -> dict[str, str]:
    """The filter without empty parts. Raises JobRefused."""
    asked = {name: value for name, value in (filter or {}).items() if value}
    if unknown := sorted(asked.keys() - set(FILTERS)):
        raise JobRefused(unknown[0], "unknown")
    if command is JobCommand.ACTIVATE:
        raise JobRefused("filter", "unknown")
    if command in DELETING and not asked:
        raise JobRefused("filter", "missing")
    return asked
