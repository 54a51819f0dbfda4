"""Turns events of mailboxes into mail: queued where the event is handed on, sent from the queue."""

import hashlib
import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from shared.errors import MailboxSyncError, NotFound
from shared.mailboxes.model import Mailbox
from shared.mailboxes.outbox.events import EventType, MailboxEvent
from shared.mailboxes.summary.model import Totals
from shared.notices.model import KINDS, NoticeKind, person_of, still_holds
from shared.notices.port import Mailer, NoticeQueue
from shared.notices.texts import NoticeTexts
from shared.pages.languages import Language

_log = logging.getLogger(__name__)

OPERATORS_MAILS, OPERATORS_WINDOW = 20, timedelta(hours=1)
"""How many mails about single mailboxes an instance sends to the operators within this time. Others are in the digest:
when a tenant's administrator blocks the app, thousands of mailboxes stop at once."""


class NoticePublisher:
    """Queues the notices of events. Part of the outbox: cheap, and repeated until it has succeeded."""

    def __init__(self, queue: NoticeQueue, *, enabled: bool) -> None:
        self._queue = queue
        self._enabled = enabled

    def wants(self, kind: EventType, tenant_id: str) -> bool:
        """Whether a notice is sent for events of this type."""
        return self._enabled and kind in KINDS

    def publish(self, events: Sequence[MailboxEvent]) -> None:
        """Queue a notice for each event that has one. Raises what the queue raises."""
        for event in events:
            if self.wants(event.type, event.tenant_id):
                self._queue.send(event.id.removeprefix("msg_"), KINDS[event.type], event.mailbox_id)


class Notices:
    """Sends the queued notices. `operators` are addresses; `people`: whether owners are told as well.

    `language` is that of the operators, and of people whose own is not known.
    """

    def __init__(
        self,
        mailer: Mailer,
        texts: Mapping[Language, NoticeTexts],
        *,
        language: Language = Language.ENGLISH,
        find: Callable[[str], Mailbox],
        totals: Callable[[], Totals],
        operators: tuple[str, ...],
        people: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._mailer = mailer
        self._texts = texts
        self._language = language
        self._find = find
        self._totals = totals
        self._operators = operators
        self._people = people
        self._clock = clock
        self._sent: deque[tuple[datetime, str]] = deque(maxlen=OPERATORS_MAILS)
        """When the operators' last mails were sent, and of which events."""

    def tell(self, event_id: str, kind: NoticeKind, mailbox_id: str) -> None:
        """Send the notice of one event, unless the mailbox has changed since. Safe to repeat.

        An address that the mail service refuses keeps nobody else from being told; the error is raised afterward.
        """
        try:
            mailbox = self._find(mailbox_id)
        except NotFound:
            return
        if not still_holds(kind, mailbox):
            return
        failed: list[MailboxSyncError] = []
        if self._people and (person := person_of(mailbox)):
            try:
                self._mailer.send(self._texts_for(mailbox).for_person(kind, mailbox, person), _key(event_id, "person"))
            except MailboxSyncError as error:
                failed.append(error)
        if self._operators and self._is_allowed(event_id):
            mail = self._texts[self._language].for_operators(kind, mailbox, self._operators)
            self._mailer.send(mail, _key(event_id, "operators"))
        if failed:
            raise failed[0]
        _log.info("notice sent", extra={"mailbox_id": mailbox_id, "kind": kind.value})

    def digest(self, day: date) -> None:
        """Send the operators' digest of a day. Safe to repeat."""
        if self._operators:
            mail = self._texts[self._language].digest(self._totals(), self._clock(), self._operators)
            self._mailer.send(mail, _key(day.isoformat(), "digest"))

    def _texts_for(self, mailbox: Mailbox) -> NoticeTexts:
        """The texts in the language that the person's pages had at their last sign-in."""
        known = mailbox.language in tuple(Language)
        return self._texts[Language(mailbox.language) if known else self._language]

    def _is_allowed(self, event_id: str) -> bool:
        """Whether another mail about a single mailbox may go to the operators now; counts each event once."""
        now = self._clock()
        if any(counted == event_id for _, counted in self._sent):
            return True
        if len(self._sent) == OPERATORS_MAILS and now - self._sent[0][0] < OPERATORS_WINDOW:
            return False
        self._sent.append((now, event_id))
        return True


def _key(event_id: str, to: str) -> str:
    """The id of a mail: the same at every attempt."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{event_id} {to}".encode()).digest()[:16], version=4))
