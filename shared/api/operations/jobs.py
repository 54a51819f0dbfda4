"""Bulk jobs: one command on many mailboxes, with progress."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from shared.api.access import OPERATORS, STATE_READERS
from shared.api.calls import ApiComponents, Call, NoQuery, operation
from shared.api.errors import Malformed
from shared.api.operations.groups import EXPECTED_GROUP
from shared.api.operations.onboarding import activation_malformed, move_targets
from shared.api.resources import jobs as resources
from shared.mailboxes.bulk.errors import JobRefused
from shared.mailboxes.bulk.model import MAX_TARGETS, JobCommand
from shared.mailboxes.holds import MAX_REASON

EXPECTED_FILTER = "one with a condition, or `mailboxes`, because disconnect and erase do not take all"
LARGEST_LIST = 512 * 1024
"""Bytes of the largest body that lists mailboxes."""


@operation(
    "POST",
    "/jobs",
    tag="jobs",
    roles=OPERATORS,
    body=resources.NewJob,
    answer=resources.JobProgress,
    status=202,
    largest_body=LARGEST_LIST,
)
def create_job(components: ApiComponents, call: Call[NoQuery, resources.NewJob]) -> resources.JobProgress:
    """Give one command to many mailboxes: check, sync, pause, start, reset, move, hold, erase, and others."""
    body = call.body
    targets, filter_ = _targets(body), _filter(body)
    try:
        made = components.jobs.create(
            body.command, call.caller.object_id, targets=targets, filter=filter_, arguments=_arguments(body)
        )
    except JobRefused as exc:
        raise _malformed(components, body, exc) from exc
    return resources.progress(components.jobs.progress(made.id), [])


def _malformed(components: ApiComponents, body: resources.NewJob, error: JobRefused) -> Malformed:
    """The refusal with what the field may be. The targets of an activation come in a field of its own."""
    name = error.parameter
    if name == "mailboxes" and body.mailboxes is None:
        name = "addresses" if body.csv is None else "csv"
    if error.fault != "wrong":
        return Malformed(name, error.fault, EXPECTED_FILTER if name == "filter" else "")
    if name == "to":
        return Malformed(name, expected=move_targets(components.move_commands))
    if name == "group":
        return Malformed(name, expected=EXPECTED_GROUP)
    if name == "reason":
        return Malformed(name, expected=f"a text of 1 to {MAX_REASON} printable characters")
    kinds = "ids of mailboxes" if name == "mailboxes" else "addresses or names"
    return Malformed(name, expected=f"1 to {MAX_TARGETS} {kinds}, each of at most 320 printable characters")


class JobQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the latest jobs to list."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    """The most jobs to list."""


@operation("GET", "/jobs", tag="jobs", roles=STATE_READERS, query=JobQuery, answer=resources.JobList)
def list_jobs(components: ApiComponents, call: Call[JobQuery, None]) -> resources.JobList:
    """List the latest jobs, newest first. A job is kept for 30 days."""
    return resources.JobList([resources.job(each) for each in components.jobs.recent(call.query.limit)])


@operation("GET", "/jobs/{job}", tag="jobs", roles=OPERATORS, answer=resources.JobProgress)
def get_job(components: ApiComponents, call: Call[NoQuery, None]) -> resources.JobProgress:
    """Return how far a job is, and which mailboxes failed."""
    job_id = call.path["job"]
    return resources.progress(components.jobs.progress(job_id), components.jobs.failures(job_id))


@operation("POST", "/jobs/{job}/cancel", tag="jobs", roles=OPERATORS, answer=resources.JobProgress)
def cancel_job(components: ApiComponents, call: Call[NoQuery, None]) -> resources.JobProgress:
    """Give no more commands. What was done stays done."""
    return resources.progress(components.jobs.cancel(call.path["job"], call.caller.object_id), [])


def _targets(body: resources.NewJob) -> Sequence[str] | None:
    """The listed mailboxes, or the names to activate; None if a filter selects. Raises Malformed."""
    from shared.authorization.errors import ActivationRefused
    from shared.authorization.onboarding.activation import parse_names

    ways = {
        "mailboxes": body.mailboxes,
        "filter": body.filter,
        "all": body.all,
        "addresses": body.addresses,
        "csv": body.csv,
    }
    given = [name for name, value in ways.items() if value is not None]
    allowed = {"addresses", "csv"} if body.command is JobCommand.ACTIVATE else {"mailboxes", "filter", "all"}
    if unknown := [name for name in given if name not in allowed]:
        raise Malformed(unknown[0], "unknown")
    if len(given) != 1:
        raise Malformed(", ".join(sorted(allowed)), "one_of")
    if body.all is False:
        raise Malformed("all", expected="true, or left out")
    if body.csv is None:
        return body.addresses if body.command is JobCommand.ACTIVATE else body.mailboxes
    try:
        return parse_names(body.csv)
    except ActivationRefused as exc:
        raise activation_malformed(exc, "csv") from exc


def _filter(body: resources.NewJob) -> dict[str, str]:
    return (
        {} if body.filter is None else {name: value or "" for name, value in msgspec.to_builtins(body.filter).items()}
    )


def _arguments(body: resources.NewJob) -> dict[str, str]:
    """The arguments of the command, as texts."""
    texts = {"authorization": body.authorization, "tenant": body.tenant, "reason": body.reason, "group": body.group}
    found = {name: value or "" for name, value in texts.items()}
    if body.to is not None:
        found["to"] = body.to.value or "nothing"
    found |= {name: "true" for name in ("dry_run", "force") if getattr(body, name)}
    return {name: value for name, value in found.items() if value}


OPERATIONS = (create_job, list_jobs, get_job, cancel_job)
