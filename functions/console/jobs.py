"""The operator's bulk jobs: make one from the list, follow it, cancel it."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.console.list_page import mailboxes_page
from functions.http.handler import ALL_METHODS, HttpError, http_handler
from functions.http.parameters import id_in_path, is_id
from functions.http.responses import html, redirect, respond
from functions.http.session_auth import read_session_form, require_operator, require_operator_view
from shared.app import app
from shared.pages import paths

if TYPE_CHECKING:
    from shared.mailboxes.directory.counting import MatchCount
    from shared.pages.console.jobs import JobRequest

blueprint = func.Blueprint()

RECENT = 30


@blueprint.route(route="operator/jobs", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_jobs(request: func.HttpRequest) -> func.HttpResponse:
    """List the latest jobs. POST makes one of the list's form, after a page that asks for confirmation."""
    from shared.pages.console.jobs import jobs_values

    if request.method != "POST":
        session = require_operator_view(request)
        recent = [app().jobs.progress(job.id) for job in app().jobs.recent(RECENT)]
        csrf = app().sessions.csrf(session)
        return html("console/jobs", csrf=csrf, is_operator=session.operator, **jobs_values(recent))
    return _make(request)


def _make(request: func.HttpRequest) -> func.HttpResponse:
    """Make the job of the list's form, or show the page that the form needs first."""
    from shared.pages.console.jobs import job_request
    from shared.pages.console.mailbox_list import list_request

    session = require_operator(request)
    fields = read_session_form(request, session)
    asked = job_request(fields)
    if asked is None:
        return mailboxes_page(session, list_request(fields), notice="nothing_chosen")
    if asked.is_too_much:
        return mailboxes_page(session, asked.listed, notice="not_for_all")
    if asked.needs_confirmation or asked.is_for_all or asked.lacks_reason:
        count = _count(asked)
        if asked.needs_confirmation or asked.lacks_reason or not asked.is_confirmed_for(count):
            return html("console/confirm_job", csrf=app().sessions.csrf(session), job=asked, count=count)
    return _create(asked, session.owner_id)


def _count(asked: "JobRequest") -> "MatchCount":
    """How many mailboxes the job concerns."""
    from shared.mailboxes.directory.counting import MatchCount, count_matching

    if not asked.everybody:
        return MatchCount(len(asked.chosen))
    return count_matching(app().registry.directory, asked.listed.query)


def _create(asked: "JobRequest", actor: str) -> func.HttpResponse:
    """Make the job and lead to its page. Raises HttpError: malformed."""
    from shared.mailboxes.bulk.errors import JobRefused

    chosen = {"filter": asked.filter} if asked.everybody else {"targets": asked.chosen}
    try:
        job = app().jobs.create(asked.command, actor, arguments=asked.arguments, **chosen)
    except JobRefused as exc:
        raise HttpError("malformed") from exc
    return redirect(f"{paths.JOBS}/{job.id}")


@blueprint.route(route="operator/jobs/{id}", methods=ALL_METHODS)
@http_handler("GET", "POST")
def operator_job(request: func.HttpRequest) -> func.HttpResponse:
    """Show how far a job is; `part=progress` is what changes, by itself. POST cancels it."""
    from shared.pages.console.jobs import FAILURES_SHOWN, job_values

    job_id = id_in_path(request)
    if request.method == "POST":
        operator = require_operator(request)
        read_session_form(request, operator)
        app().jobs.cancel(job_id, operator.owner_id)
        return redirect(f"{paths.JOBS}/{job_id}")
    session = require_operator_view(request)
    progress = app().jobs.progress(job_id)
    failures = app().jobs.failures(job_id)[:FAILURES_SHOWN]
    failed = app().listing.read([failure.target for failure in failures if is_id(failure.target)])
    template = "console/_job_live" if request.params.get("part") == "progress" else "console/job"
    values = job_values(progress, failures, failed)
    return html(template, csrf=app().sessions.csrf(session), is_operator=session.operator, **values)


@blueprint.route(route="operator/jobs/{id}/receipts", methods=ALL_METHODS)
@http_handler("GET")
def operator_job_receipts(request: func.HttpRequest) -> func.HttpResponse:
    """Download the receipts of a bulk erasure as CSV."""
    from shared.pages.console.receipts import receipts_csv

    require_operator_view(request)
    job_id = id_in_path(request)
    headers = {"Content-Disposition": f'attachment; filename="receipts-{job_id}.csv"'}
    return respond(receipts_csv(app().jobs.receipts(job_id)), 200, "text/csv", headers)
