"""The ports of bulk jobs: their store, their queue, and the commands that they give."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from shared.mailboxes.bulk.model import Job, JobCommand, JobSlice, Outcome


class JobStore(Protocol):
    """The jobs and their slices."""

    def id_of(self, at: datetime) -> str:
        """A new job's id. Later jobs have smaller ids."""
        ...

    def add(self, job: Job) -> Job:
        """Store a new job."""
        ...

    def get(self, job_id: str) -> Job:
        """Return one job. Raises NotFound."""
        ...

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Read, change and replace a job; repeat after a conflict. Raises NotFound."""
        ...

    def recent(self, limit: int) -> Sequence[Job]:
        """Return the latest jobs, newest first, except those that this version cannot read."""
        ...

    def put_slices(self, slices: Sequence[JobSlice]) -> None:
        """Create or replace slices of one job."""
        ...

    def add_slice(self, one: JobSlice) -> None:
        """Store a new slice. Raises Conflict: there is one with its number."""
        ...

    def get_slice(self, job_id: str, number: int) -> JobSlice:
        """Return one slice. Raises NotFound."""
        ...

    def replace_slice(self, found: JobSlice) -> JobSlice:
        """Replace a slice as it was read. Raises Conflict: another worker has changed it."""
        ...

    def slices(self, job_id: str) -> Iterable[JobSlice]:
        """Iterate over a job's slices in their order."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete the jobs that were created before this time, with their slices; return how many."""
        ...


class JobQueue(Protocol):
    """The queue of jobs. Messages carry ids and numbers only."""

    def send(self, job_id: str, number: int | None = None, delay_seconds: int = 0) -> None:
        """Queue a slice, or the planning of a job."""
        ...


class JobCommands(Protocol):
    """The commands that jobs give."""

    def run(self, job: Job, targets: Sequence[str]) -> list[Outcome]:
        """Give the command to each target; returns their outcomes in the same order. Safe to repeat.

        Raises:
            ActionNeeded: our own storage or configuration fails; nothing is known of these targets.
        """
        ...

    def check_arguments(self, command: JobCommand, arguments: dict[str, str]) -> None:
        """Check a command's arguments. Raises JobRefused."""
        ...
