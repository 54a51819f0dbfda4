"""In-memory fakes of the notices' ports."""

from datetime import date

from shared.errors import MailboxSyncError
from shared.notices.model import Mail, NoticeKind


class MemoryNoticeQueue:
    """Implements NoticeQueue. `failure` is raised by every send while it is set."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, NoticeKind, str]] = []
        self.digests: list[date] = []
        self.failure: MailboxSyncError | None = None

    def send(self, event_id: str, kind: NoticeKind, mailbox_id: str) -> None:
        """Remember a notice."""
        if self.failure is not None:
            raise self.failure
        self.notices.append((event_id, kind, mailbox_id))

    def send_digest(self, day: date) -> None:
        """Remember a digest."""
        self.digests.append(day)


class MemoryMailer:
    """Implements Mailer: two calls with the same key are one mail. Mail to an address in `refused` fails."""

    def __init__(self) -> None:
        self.by_key: dict[str, Mail] = {}
        self.refused: dict[str, MailboxSyncError] = {}

    @property
    def mails(self) -> list[Mail]:
        """The mails, oldest first."""
        return list(self.by_key.values())

    def send(self, mail: Mail, key: str) -> None:
        """Remember a mail."""
        for address in mail.to:
            if address in self.refused:
                raise self.refused[address]
        self.by_key.setdefault(key, mail)
