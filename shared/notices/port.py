"""The ports of the notices: their queue, and the service that sends mail."""

from datetime import date
from typing import Protocol

from shared.notices.model import Mail, NoticeKind


class NoticeQueue(Protocol):
    """The queue of notices. Messages carry ids only."""

    def send(self, event_id: str, kind: NoticeKind, mailbox_id: str) -> None:
        """Queue the notice of one event."""
        ...

    def send_digest(self, day: date) -> None:
        """Queue the operators' digest of a day."""
        ...


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Mail, key: str) -> None:
        """Hand a mail to the service. Two calls with the same key are one mail.

        Raises:
            RetryLater: the service is busy or not reachable.
            OperatorMustAct: it refuses the app's identity, the sender, or the mail.
        """
        ...
