"""Runs jobs, one queue message at a time: collects the targets, then gives the command slice by slice.

Every step is safe to repeat. A crash repeats at most the commands of one batch.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.errors import ActionNeeded, Conflict, NotFound, Reason, RetryLater
from shared.mailboxes.bulk.model import SLICE, Job, JobSlice, Outcome, after_batch, batch_size, query_of
from shared.mailboxes.bulk.port import JobCommands, JobQueue, JobStore
from shared.mailboxes.directory.model import LARGEST_PAGE
from shared.mailboxes.directory.port import MailboxDirectory

_log = logging.getLogger(__name__)

BUDGET_SECONDS = 240.0
"""How long one message may work on a slice before it queues the rest."""


class JobRunner:
    """Handles the messages of jobs. `monotonic` is a clock in seconds."""

    def __init__(
        self,
        *,
        store: JobStore,
        queue: JobQueue,
        commands: JobCommands,
        directory: MailboxDirectory,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._queue = queue
        self._commands = commands
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic

    def plan(self, job_id: str) -> None:
        """Store the slices of a job, if that has not been done, and queue those that have not ended."""
        try:
            job = self._store.get(job_id)
        except NotFound:
            return
        if job.planned_at is None:
            job = self._planned(job)
        if job.canceled_at is not None:
            return
        for one in self._store.slices(job_id):
            if one.number < job.slices and one.ended_at is None:
                self._queue.send(job_id, one.number)

    def run_slice(self, job_id: str, number: int, *, last_attempt: bool = False) -> None:
        """Give the command to the targets of a slice that have not had it. Stops if the job was canceled.

        Another worker with the same message is noticed by the slice's ETag; the slower one stops. With `last_attempt`
        an error of ours fails the rest of the slice, because the message will not come again.

        Raises:
            ActionNeeded: our own storage or configuration fails; the queue delivers the message again.
        """
        until = self._monotonic() + BUDGET_SECONDS
        try:
            found = self._store.get_slice(job_id, number)
            while found.ended_at is None and self._store.get(job_id).canceled_at is None:
                if self._monotonic() > until:
                    self._queue.send(job_id, number)
                    return
                found = self._after_batch(found, last_attempt=last_attempt)
        except (NotFound, Conflict):
            return

    def _after_batch(self, found: JobSlice, *, last_attempt: bool) -> JobSlice:
        job, targets = self._store.get(found.job_id), found.targets[found.position :]
        try:
            outcomes = self._commands.run(job, targets[: batch_size(job.command)])
        except ActionNeeded as error:
            if not last_attempt:
                raise
            _log.error("slice of a job failed", exc_info=error, extra={"job": job.id, "slice": found.number})
            outcomes = [Outcome(target, error.reason.value, error.support) for target in targets]
        return self._store.replace_slice(after_batch(found, outcomes, self._clock()))

    def _planned(self, job: Job) -> Job:
        """Collect the targets. Repeated after a crash it replaces the slices: none of them has been queued.

        Raises:
            RetryLater: another worker plans the job too. A worker that was paused must not replace slices of the other
                one, which may have been run meanwhile.
        """
        known = {one.number: one for one in self._store.slices(job.id)}
        job = self._store.get(job.id)
        if job.planned_at is not None:
            return job
        slices = total = 0
        try:
            for slices, targets in enumerate(batched(self._selected(job), SLICE, strict=False), 1):
                self._put(JobSlice(job.id, slices - 1, targets), known)
                total += len(targets)
        except Conflict as exc:
            raise RetryLater(Reason.CONFLICT, "another worker plans this job") from exc
        now = self._clock()
        planned = replace(job, slices=slices, total=total, planned_at=now)
        return self._store.change(
            job.id, lambda found: found if found.planned_at else replace(planned, canceled_at=found.canceled_at)
        )

    def _put(self, one: JobSlice, known: Mapping[int, JobSlice]) -> None:
        """Store a slice in place of the known one. Raises Conflict: another worker has stored it."""
        if (before := known.get(one.number)) is not None:
            self._store.replace_slice(replace(one, version=before.version))
        else:
            self._store.add_slice(one)

    def _selected(self, job: Job) -> Iterator[str]:
        query, cursor = query_of(job.filter or {}), ""
        while True:
            page = self._directory.page(query, size=LARGEST_PAGE, cursor=cursor)
            yield from (entry.id for entry in page.entries)
            cursor = page.cursor
            if not cursor:
                return
