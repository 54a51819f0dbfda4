"""The queue message that syncs one mailbox: one pass, or one part of the daily sweep."""

import azure.functions as func

from functions.queue_messages import has_flag, mailbox_id_of, optional_number, time_in
from functions.queue_metrics import inserted_at, record_delivery
from shared import logs
from shared.app import app
from shared.errors import ActionNeeded

blueprint = func.Blueprint()

MAX_DEQUEUE_COUNT = 5
"""host.json's maxDequeueCount. After this attempt the message goes to the poison queue, so the mailbox records it."""


@blueprint.queue_trigger(arg_name="message", queue_name="sync-mailboxes", connection="MailboxStorage")
@logs.redact_errors
def sync_mailbox(message: func.QueueMessage, context: func.Context) -> None:
    """Run one pass, or one sweep, of one mailbox; record the last failed attempt."""
    mailbox_id = mailbox_id_of(message)
    logs.add_log_context(mailbox_id=mailbox_id, invocation_id=str(context.invocation_id))
    try:
        scheduled, continuation = time_in(message, "scheduled"), optional_number(message, "continuation")
        # A message without a time may have been sent with a delay, unless it is a continuation.
        planned = scheduled or (inserted_at(message) if continuation is not None else None)
        record_delivery(message, "sync-mailboxes", planned)
        app().engine.sync(mailbox_id, continuation, scheduled, sweep=has_flag(message, "sweep"))
    except ActionNeeded:
        # An outage or our own configuration. It says nothing about the mailbox, however often it fails.
        raise
    except Exception:
        if (message.dequeue_count or 1) >= MAX_DEQUEUE_COUNT:
            app().poison.record(mailbox_id)
        raise
