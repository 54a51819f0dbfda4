"""The triggers of the dispatch: the half-hourly timer, the queue of the registry's shards, and the daily timer."""

import logging

import azure.functions as func

from functions.queue_messages import has_flag, required_number, time_in
from functions.queue_metrics import inserted_at, record_delivery
from shared import logs
from shared.app import app

blueprint = func.Blueprint()
_log = logging.getLogger("functions.dispatch")


@blueprint.timer_trigger(schedule="%SYNC_SCHEDULE%", arg_name="timer", run_on_startup=False, use_monitor=True)
@logs.redact_errors
def dispatch(timer: func.TimerRequest) -> None:
    """Send one queue message per shard, every 30 minutes."""
    _log.info("shards queued", extra={"shards": app().dispatch.tick(), "past_due": timer.past_due})


@blueprint.queue_trigger(arg_name="message", queue_name="sync-shards", connection="MailboxStorage")
@logs.redact_errors
def dispatch_shard(message: func.QueueMessage) -> None:
    """Send one queue message for each due mailbox of a shard."""
    shard, sweep = required_number(message, "shard"), has_flag(message, "sweep")
    record_delivery(message, "sync-shards", inserted_at(message))
    done = app().dispatch.shard(shard, sweep=sweep, tick=time_in(message, "tick"))
    _log.info("shard dispatched", extra={"shard": shard, "mailboxes": done.sent, "late": done.late, "sweep": sweep})


@blueprint.timer_trigger(schedule="%SWEEP_SCHEDULE%", arg_name="timer", run_on_startup=False, use_monitor=True)
@logs.redact_errors
def daily(timer: func.TimerRequest) -> None:
    """Once a day: start the sweep of every mailbox, refresh idle authorizations, and delete expired sign-ins."""
    _log.info("daily work done", extra={**app().daily.run(), "past_due": timer.past_due})
