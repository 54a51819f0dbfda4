"""Bulk jobs."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.api.resources.groups import GroupName
from shared.api.resources.onboarding import Guid, Id, MoveTarget
from shared.api.resources.values import Time
from shared.mailboxes.bulk.model import Job as StoredJob
from shared.mailboxes.bulk.model import JobCommand, JobState, Outcome, Progress
from shared.mailboxes.directory.model import WayIn
from shared.mailboxes.holds import MAX_REASON
from shared.mailboxes.model import Status
from shared.sources.model import SourceName


class JobFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """The mailboxes of a job, by what they have in common."""

    prefix: str = ""
    """The beginning of the address."""
    status: Status | None = None
    """The status of the mailboxes."""
    reason: str = ""
    """Why they need attention: a reason, as mailboxes have it."""
    tenant: str = ""
    """The id of their tenant."""
    source: SourceName | None = None
    """The source that they are read from."""
    way: WayIn | None = None
    """How they were connected."""
    hold: Literal["on"] | None = None
    """`on`: those on legal hold."""
    group: str = ""
    """The name of their group; `default`: those in no group."""


class NewJob(Struct, frozen=True, forbid_unknown_fields=True):
    """A command for many mailboxes: `mailboxes` (ids), a `filter`, or `all`.

    `activate` takes `addresses` or `csv` instead, with a service account (`authorization`) or in a `tenant`, and may
    take a `group`. `move` takes `to`, `dry_run` and `force`, `group` the `group`, `hold` a `reason`. `disconnect` and
    `erase` need a list or a filter with a condition.
    """

    command: JobCommand
    """What to do with each mailbox."""
    mailboxes: Annotated[list[Id], Meta(max_length=10_000)] | None = None
    """The ids of the mailboxes."""
    filter: JobFilter | None = None
    """What the mailboxes have in common. All given parts must hold."""
    all: bool | None = None
    """True for all mailboxes."""
    addresses: Annotated[list[str], Meta(max_length=10_000)] | None = None
    """The addresses, or names in the directory, to activate."""
    csv: str | None = None
    """The same as the text of a CSV file."""
    authorization: Id | None = None
    """For `activate`: the id of the service account to read them with."""
    tenant: Guid | None = None
    """For `activate`: the tenant to read in with app-only access."""
    to: MoveTarget | None = None
    """For `move`: the source to move to; empty takes back what was asked before."""
    reason: Annotated[str, Meta(max_length=MAX_REASON)] | None = None
    """For `hold`: why, in one line."""
    group: GroupName | None = None
    """For `group`: the name of the group to put them into; `default`: none. For `activate`: the group for those that
    are new or were disconnected."""
    dry_run: bool = False
    """For `move`: survey only."""
    force: bool = False
    """For `move`: overrule the safety stop."""


class Job(Struct, frozen=True):
    """A job: one command on many mailboxes."""

    id: str
    """The id of the job."""
    command: JobCommand
    """What it does with each mailbox."""
    actor: str
    """Who created it: an object id."""
    created_at: Time
    """When it was created."""
    arguments: dict[str, str]
    """The arguments of the command."""
    filter: dict[str, str] | None
    """How the mailboxes were selected; null if they were listed."""


def job(stored: StoredJob) -> Job:
    """The job as programs see it."""
    filter_ = None if stored.filter is None else dict(stored.filter)
    return Job(stored.id, stored.command, stored.actor, stored.created_at, dict(stored.arguments), filter_)


class JobList(Struct, frozen=True):
    """The latest jobs, newest first."""

    jobs: list[Job]
    """The jobs."""


class JobFailure(Struct, frozen=True):
    """A mailbox, or a name to activate, for which the command failed."""

    target: str
    """The id of the mailbox, or the name to activate."""
    reason: str
    """Why it failed: a reason, or the code of a problem."""
    support: str
    """The error number of Microsoft, if there is one."""


class JobProgress(Struct, frozen=True):
    """How far a job is. `skipped`: the filter no longer held; `failures`: the first 200 of those that failed."""

    job: Job
    """The job."""
    state: JobState
    """How far it is."""
    total: int
    """How many mailboxes it concerns, as far as they are counted."""
    done: int
    """For how many the command was given."""
    skipped: int
    """How many did not match the filter any more."""
    failed: int
    """For how many the command failed."""
    left: int
    """How many are still to be handled."""
    reasons: dict[str, int]
    """How many failed, by reason."""
    ended_at: Time | None
    """When it ended; null while it runs."""
    failures: list[JobFailure]
    """The first 200 of those that failed."""


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
