"""Bulk jobs."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.api.resources.onboarding import Guid, Id, MoveTarget
from shared.api.resources.values import Time
from shared.mailboxes.bulk.model import Job as StoredJob
from shared.mailboxes.bulk.model import JobCommand, JobState, Outcome, Progress
from shared.mailboxes.directory.model import WayIn
from shared.mailboxes.model import Status
from shared.sources.port import SourceName


class JobFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """The mailboxes of a job, by what they have in common. `prefix` is the beginning of an address."""

    prefix: str = ""
    status: Status | None = None
    reason: str = ""
    tenant: str = ""
    source: SourceName | None = None
    way: WayIn | None = None


class NewJob(Struct, frozen=True, forbid_unknown_fields=True):
    """A command for many mailboxes: `mailboxes` (ids), a `filter`, or `all`.

    `activate` takes `addresses` or `csv` instead, with a service account (`authorization`) or in a `tenant`. `move`
    takes `to`, `dry_run` and `force`. `disconnect` and `erase` need a list or a filter with a condition.
    """

    command: JobCommand
    mailboxes: Annotated[list[Id], Meta(max_length=10_000)] | None = None
    filter: JobFilter | None = None
    all: bool | None = None
    addresses: Annotated[list[str], Meta(max_length=10_000)] | None = None
    csv: str | None = None
    authorization: Id | None = None
    tenant: Guid | None = None
    to: MoveTarget | None = None
    dry_run: bool = False
    force: bool = False


class Job(Struct, frozen=True):
    """A job: one command on many mailboxes."""

    id: str
    command: JobCommand
    actor: str
    created_at: Time
    arguments: dict[str, str]
    filter: dict[str, str] | None


def job(stored: StoredJob) -> Job:
    """The job as programs see it."""
    filter_ = None if stored.filter is None else dict(stored.filter)
    return Job(stored.id, stored.command, stored.actor, stored.created_at, dict(stored.arguments), filter_)


class JobList(Struct, frozen=True):
    """The latest jobs, newest first."""

    jobs: list[Job]


class JobFailure(Struct, frozen=True):
    """A mailbox, or a name to activate, for which the command failed."""

    target: str
    reason: str
    support: str


class JobProgress(Struct, frozen=True):
    """How far a job is. `skipped`: the filter no longer held; `failures`: the first 200 of those that failed."""

    job: Job
    state: JobState
    total: int
    done: int
    skipped: int
    failed: int
    left: int
    reasons: dict[str, int]
    ended_at: Time | None
    failures: list[JobFailure]


def progress(found: Progress, failures: list[Outcome]) -> JobProgress:
    """The progress as programs see it."""
    return JobProgress(
        job(found.job),
        found.state,
        found.job.total,
        found.done,
        found.skipped,
        found.failed,
        found.left,
        dict(found.reasons),
        found.ended_at,
        [JobFailure(each.target, each.reason, each.support) for each in failures],
    )
