"""The timer and queue triggers of the dispatch: the half-hourly tick, a shard of the registry, the daily tick."""

import logging

import azure.functions as func

from functions.queue_messages import has_flag, required_number, time_in
from shared import logs
from shared.app import app

blueprint = func.Blueprint()
_log = logging.getLogger("functions.dispatch")


@blueprint.timer_trigger(schedule="%SYNC_SCHEDULE%", arg_name="timer", run_on_startup=False, use_monitor=True)
@logs.redact_errors
def dispatch(timer: func.TimerRequest) -> None:
    """Every 30 minutes: one message a shard."""
    _log.info("tick", extra={"shards": app().dispatch.tick(), "past_due": timer.past_due})


@blueprint.queue_trigger(arg_name="message", queue_name="sync-shards", connection="MailboxStorage")
@logs.redact_errors
def dispatch_shard(message: func.QueueMessage) -> None:
    """One message for each due mailbox of a shard."""
    shard, sweep = required_number(message, "shard"), has_flag(message, "sweep")
    done = app().dispatch.shard(shard, sweep=sweep, tick=time_in(message, "tick"))
    _log.info("shard dispatched", extra={"shard": shard, "mailboxes": done.sent, "late": done.late, "sweep": sweep})


@blueprint.timer_trigger(schedule="%SWEEP_SCHEDULE%", arg_name="timer", run_on_startup=False, use_monitor=True)
@logs.redact_errors
def daily(timer: func.TimerRequest) -> None:
    """Once a day: sweep every mailbox, keep idle authorizations alive, forget sign-ins that lapsed."""
    _log.info("daily tick", extra={**app().daily.run(), "past_due": timer.past_due})
