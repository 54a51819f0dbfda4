"""The queue message of a notice: mail about one mailbox, or the operators' daily digest."""

from datetime import date

import azure.functions as func

from functions.queue_messages import MessageMalformed, carries, required_id
from shared import logs
from shared.app import app

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name="notices", connection="MailboxStorage")
@logs.redact_errors
def send_notice(message: func.QueueMessage) -> None:
    """Send one notice. The host repeats it when the mail service is not reachable."""
    from shared.notices.model import NoticeKind

    try:
        if carries(message, "digest"):
            app().notices.digest(date.fromisoformat(required_id(message, "digest")))
            return
        kind = NoticeKind(required_id(message, "kind").replace("-", "_"))
    except ValueError as exc:
        raise MessageMalformed("the message carries no notice") from exc
    app().notices.tell(required_id(message, "event"), kind, required_id(message, "mailbox"))
