"""In-memory fakes of the ports of bulk jobs. The store passes the same contract suite as the adapter."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.errors import Conflict, MailboxSyncError, NotFound
from shared.mailboxes.bulk.model import Job, JobSlice

_END = datetime(5000, 1, 1, tzinfo=UTC)


class MemoryJobs:
    """Implements JobStore. `writes` counts; `fail_at` is the number of the write that raises `error` instead.

    `before_slice` is called before each new slice.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._slices: dict[tuple[str, int], JobSlice] = {}
        self.writes = 0
        self.fail_at = 0
        self.error: BaseException = NotFound()
        self.before_slice: Callable[[], object] = lambda: None

    def id_of(self, at: datetime) -> str:
        """Later jobs have smaller ids."""
        return f"{int((_END - at).total_seconds()):015d}-{len(self._jobs):04d}"

    def add(self, job: Job) -> Job:
        """Store a new job."""
        return self._put(job)

    def get(self, job_id: str) -> Job:
        """One job."""
        if job_id not in self._jobs:
            raise NotFound("no such job")
        return self._jobs[job_id]

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Read, change, replace."""
        before = self.get(job_id)
        after = change(before)
        return before if after == before else self._put(after)

    def recent(self, limit: int) -> Sequence[Job]:
        """The latest jobs, newest first."""
        return [self._jobs[job_id] for job_id in sorted(self._jobs)][:limit]

    def put_slices(self, slices: Sequence[JobSlice]) -> None:
        """Create or replace slices."""
        for one in slices:
            self._put_slice(one)

    def add_slice(self, one: JobSlice) -> None:
        """Store a new slice."""
        self.before_slice()
        if (one.job_id, one.number) in self._slices:
            raise Conflict("there is one with this number")
        self._put_slice(one)

    def get_slice(self, job_id: str, number: int) -> JobSlice:
        """One slice."""
        if (job_id, number) not in self._slices:
            raise NotFound("no such slice")
        return self._slices[job_id, number]

    def targets(self) -> list[str]:
        """The targets in all slices."""
        return [target for one in self._slices.values() for target in one.targets]

    def replace_slice(self, found: JobSlice) -> JobSlice:
        """Replace a slice as it was read."""
        if self._slices[found.job_id, found.number].version != found.version:
            raise Conflict("changed since it was read")
        return self._put_slice(found)

    def slices(self, job_id: str) -> Iterable[JobSlice]:
        """The slices of a job in their order."""
        return [self._slices[key] for key in sorted(self._slices) if key[0] == job_id]

    def forget(self, before: datetime) -> int:
        """Delete the jobs that were created before this time."""
        old = [job.id for job in self._jobs.values() if job.created_at < before]
        for job_id in old:
            del self._jobs[job_id]
        self._slices = {key: one for key, one in self._slices.items() if key[0] not in old}
        return len(old)

    def _put(self, job: Job) -> Job:
        self._write()
        self._jobs[job.id] = job.with_changes(version=str(self.writes))
        return self._jobs[job.id]

    def _put_slice(self, one: JobSlice) -> JobSlice:
        self._write()
        self._slices[one.job_id, one.number] = replace(one, version=str(self.writes))
        return self._slices[one.job_id, one.number]

    def _write(self) -> None:
        self.writes += 1
        if self.writes == self.fail_at:
            raise self.error


class MemoryJobQueue:
    """Implements JobQueue. `failure` is raised by every send while it is set."""

    def __init__(self) -> None:
        self.messages: deque[tuple[str, int | None]] = deque()
        self.failure: MailboxSyncError | None = None

    def send(self, job_id: str, number: int | None = None, delay_seconds: int = 0) -> None:
        """Append a message."""
        if self.failure is not None:
            raise self.failure
        self.messages.append((job_id, number))
