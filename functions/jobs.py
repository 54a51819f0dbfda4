"""The queue message of a bulk job: the planning of it, or one of its slices."""

import azure.functions as func

from functions.queue_messages import optional_number, required_id
from functions.queue_metrics import inserted_at, record_delivery
from functions.sync import MAX_DEQUEUE_COUNT
from shared import logs
from shared.app import app

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name="jobs", connection="MailboxStorage")
@logs.redact_errors
def run_job(message: func.QueueMessage) -> None:
    """Collect the targets of a job and queue its slices, or give the command to the targets of a slice."""
    job_id, number = required_id(message, "job"), optional_number(message, "slice")
    record_delivery(message, "jobs", inserted_at(message))
    if number is None:
        app().job_runner.plan(job_id)
    else:
        is_last = (message.dequeue_count or 1) >= MAX_DEQUEUE_COUNT
        app().job_runner.run_slice(job_id, number, last_attempt=is_last)
