"""The queue message that makes one attempt to deliver one event to one endpoint."""

import azure.functions as func

from functions.queue_messages import required_id, required_number
from shared import logs
from shared.app import app

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name="webhook-deliveries", connection="MailboxStorage")
@logs.redact_errors
def deliver_webhook(message: func.QueueMessage) -> None:
    """Make one attempt. What the endpoint answers decides when the next one comes; the host repeats only our faults."""
    endpoint_id, delivery_id = required_id(message, "endpoint"), required_id(message, "delivery")
    app().deliverer.attempt(endpoint_id, delivery_id, required_number(message, "attempt"))
