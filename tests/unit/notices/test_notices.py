"""Who is told of what, once an episode, and in which language."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.errors import OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.outbox.events import EventType, new_event
from shared.mailboxes.outbox.outbox import Outbox
from shared.mailboxes.summary.model import Concern, Totals
from shared.mailboxes.transitions import Thresholds, after_failure, after_sign_in
from shared.notices.model import KINDS, NoticeKind
from shared.notices.notices import OPERATORS_MAILS, NoticePublisher, Notices
from shared.notices.texts import NoticeTexts
from shared.pages.catalog import catalog_of, english
from shared.pages.console.mailbox import remedy_key
from shared.pages.languages import Language
from shared.sources.model import AccessMode
from tests.fakes.clock import FakeClock
from tests.fakes.notices import MemoryMailer, MemoryNoticeQueue
from tests.fakes.registry import FakeRegistry
from tests.unit.mailboxes.test_transitions import a_mailbox
from tests.unit.pages.console_samples import fleet, totals_of
from tests.unit.pages.samples import MAILBOX
from tests.unit.pages.test_languages import placeholders, sentences

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://sync.contoso.example"
OPERATORS = ("ops@contoso.example", "duty@contoso.example")


class Told:
    """Notices with fakes around them."""

    def __init__(
        self,
        *mailboxes: Mailbox,
        people: bool = True,
        operators: tuple[str, ...] = OPERATORS,
        language: Language = Language.ENGLISH,
    ) -> None:
        self.registry, self.mailer, self.clock = FakeRegistry(), MemoryMailer(), FakeClock()
        for mailbox in mailboxes:
            self.registry.add(mailbox)
        self.totals = Totals()
        self.notices = Notices(
            self.mailer,
            {
                language: NoticeTexts(catalog_of(language), "Contoso Ltd", "help@contoso.example", URL)
                for language in Language
            },
            language=language,
            find=self.registry.get,
            totals=lambda: self.totals,
            operators=operators,
            people=people,
            clock=self.clock,
        )


STOPPED = a_mailbox(status=Status.NEEDS_SIGN_IN, reason="grant_revoked")


def test_person_and_operators_are_told_with_the_link_to_act() -> None:
    told = Told(STOPPED)
    told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    person, operators = told.mailer.mails
    assert (person.to, operators.to) == ((STOPPED.address,), OPERATORS)
    assert f"{URL}/my-sync?mailbox={STOPPED.id}" in person.text
    assert f"{URL}/operator/mailboxes/{STOPPED.id}" in operators.text
    assert "help@contoso.example" in person.text
    assert STOPPED.address in operators.subject


def test_a_message_that_comes_twice_sends_one_mail() -> None:
    told = Told(STOPPED)
    for _ in range(3):
        told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    assert len(told.mailer.mails) == 2
    told.notices.tell("e2", NoticeKind.SIGN_IN, STOPPED.id)
    assert len(told.mailer.mails) == 4


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (NoticeKind.SIGN_IN, {"status": Status.ACTIVE}),
        (NoticeKind.SUSPENDED, {"status": Status.NEEDS_SIGN_IN}),
        (NoticeKind.RECOVERED, {"status": Status.PAUSED}),
        (NoticeKind.SIGN_IN, {"erasing_since": NOW}),
    ],
)
def test_what_has_passed_is_not_told(kind: NoticeKind, changes: dict[str, object]) -> None:
    told = Told(STOPPED.with_changes(**changes))
    told.notices.tell("e1", kind, STOPPED.id)
    assert told.mailer.mails == []


def test_an_erased_mailbox_is_not_told_of() -> None:
    told = Told()
    told.notices.tell("e1", NoticeKind.SIGN_IN, "gone")
    assert told.mailer.mails == []


@pytest.mark.parametrize(
    "changes", [{"mode": AccessMode.APP_ONLY}, {"mode": AccessMode.IMPERSONATION}, {"owner_id": "shared-1"}]
)
def test_nobody_is_told_of_a_mailbox_that_they_did_not_connect(changes: dict[str, object]) -> None:
    told = Told(STOPPED.with_changes(**changes))
    told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    assert [mail.to for mail in told.mailer.mails] == [OPERATORS]


def test_people_are_left_alone_if_the_settings_say_so() -> None:
    told = Told(STOPPED, people=False)
    told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    assert [mail.to for mail in told.mailer.mails] == [OPERATORS]


def test_operators_are_not_flooded_and_people_are_all_told() -> None:
    told = Told(STOPPED)
    for number in range(OPERATORS_MAILS + 30):
        told.notices.tell(f"e{number}", NoticeKind.SIGN_IN, STOPPED.id)
    of_operators = [mail for mail in told.mailer.mails if mail.to == OPERATORS]
    assert (len(of_operators), len(told.mailer.mails)) == (OPERATORS_MAILS, 2 * OPERATORS_MAILS + 30)
    told.clock.pass_by(minutes=61)
    told.notices.tell("later", NoticeKind.SIGN_IN, STOPPED.id)
    assert len(told.mailer.mails) == 2 * OPERATORS_MAILS + 32


def test_person_whose_address_is_refused_keeps_the_operators_from_nothing() -> None:
    told = Told(STOPPED)
    told.mailer.refused[STOPPED.address] = OperatorMustAct(Reason.OUR_STORAGE, support="400")
    for _ in range(2):
        with pytest.raises(OperatorMustAct):
            told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    assert [mail.to for mail in told.mailer.mails] == [OPERATORS]


def test_mail_that_could_not_be_sent_is_counted_once() -> None:
    told = Told(STOPPED)
    told.mailer.refused[OPERATORS[0]] = RetryLater(Reason.UNAVAILABLE)
    for _ in range(OPERATORS_MAILS + 5):
        with pytest.raises(RetryLater):
            told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    told.mailer.refused.clear()
    for number in range(OPERATORS_MAILS):
        told.notices.tell(f"e{number + 1}", NoticeKind.SIGN_IN, STOPPED.id)
    assert [mail.to for mail in told.mailer.mails].count(OPERATORS) == OPERATORS_MAILS


def test_the_digest_tells_totals_and_what_to_do_once_a_day() -> None:
    told = Told()
    told.totals = totals_of(fleet(MAILBOX, 500))
    for _ in range(2):
        told.notices.digest(date(2026, 11, 23))
    (mail,) = told.mailer.mails
    assert "500 mailboxes" in mail.text
    assert "Wait for their owner to sign in" in mail.text
    assert "Send the owner the sign-in link" in mail.text
    assert f"{URL}/operator" in mail.text
    assert "@" not in mail.text
    told.notices.digest(date(2026, 11, 24))
    assert len(told.mailer.mails) == 2


def test_without_operators_there_is_no_digest() -> None:
    told = Told(operators=())
    told.notices.digest(date(2026, 11, 23))
    assert told.mailer.mails == []


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_has_its_sentences(kind: NoticeKind, language: Language) -> None:
    texts = NoticeTexts(catalog_of(language), "Contoso Ltd", "", URL)
    for mail in (texts.for_person(kind, MAILBOX, "a@b.example"), texts.for_operators(kind, MAILBOX, OPERATORS)):
        assert mail.subject
        assert "{" not in mail.subject + mail.text


@pytest.mark.parametrize(
    ("known", "language", "subject"),
    [
        ("", Language.ENGLISH, "Please sign in again"),
        ("", Language.GERMAN, "Bitte melden Sie sich erneut an"),
        ("de", Language.ENGLISH, "Bitte melden Sie sich erneut an"),
        ("en", Language.GERMAN, "Please sign in again"),
        ("fr", Language.GERMAN, "Bitte melden Sie sich erneut an"),
    ],
)
def test_person_is_told_in_the_language_of_their_last_sign_in(known: str, language: Language, subject: str) -> None:
    told = Told(STOPPED.with_changes(language=known), language=language)
    told.notices.tell("e1", NoticeKind.SIGN_IN, STOPPED.id)
    person, operators = told.mailer.mails
    assert person.subject.startswith(subject)
    assert ("Die Berechtigung wurde widerrufen." in operators.text) == (language is Language.GERMAN)


def test_digest_is_german_with_german_numbers() -> None:
    told = Told(language=Language.GERMAN)
    many = fleet(MAILBOX, 500)
    told.totals = totals_of([*many, *many, *many])
    told.notices.digest(date(2026, 11, 23))
    (mail,) = told.mailer.mails
    assert "1.500 Postfächer" in mail.text
    assert re.search(r"Rechtzeitig vollständig: \d\d,\d %", mail.text)
    assert "Warten auf eine Anmeldung ihrer Person · Die Berechtigung wurde widerrufen" in mail.text


ENGLISH_MAIL, GERMAN_MAIL = (sentences(f"mail{tag}.toml") for tag in ("", ".de"))


def test_both_languages_have_the_same_sentences_of_mail() -> None:
    german = {key: told for key, told in GERMAN_MAIL.items() if key.startswith("mail.")}
    assert list(german) == list(ENGLISH_MAIL)
    assert [key for key, told in ENGLISH_MAIL.items() if placeholders(told) != placeholders(german[key])] == []
    assert [key for key, told in ENGLISH_MAIL.items() if told == german[key]] == []
    assert [key for key, told in GERMAN_MAIL.items() if set("\"'’") & set(told)] == []


def test_german_has_every_sentence_that_mail_takes_from_the_console() -> None:
    german = catalog_of(Language.GERMAN)
    for section in ("operator.reasons", "console.concerns", "console.remedies"):
        assert german.keys(section) == english().keys(section)
        assert [
            key for key in german.keys(section) if german.text(f"{section}.{key}") == english().text(f"{section}.{key}")
        ] == []
    needed = {remedy_key(concern, reason.value) for concern in Concern for reason in Reason}
    assert [
        key for key in [*needed, "console.overview.missing", "console.attention.none_so_far"] if key not in german
    ] == []


def test_one_episode_gives_one_notice_however_many_passes_fail() -> None:
    queue = MemoryNoticeQueue()
    publisher = NoticePublisher(queue, enabled=True)
    outbox, mailbox = Outbox(publisher.wants, publisher.publish), a_mailbox()
    error, thresholds = PersonMustSignIn(Reason.GRANT_REVOKED), Thresholds()
    for _ in range(5):
        failed = after_failure(mailbox, error, NOW, thresholds, timedelta(minutes=30))
        after = outbox.with_events(mailbox, failed, NOW)
        outbox.published(after.outbox)
        mailbox = after.with_changes(outbox="")
    recovered = outbox.with_events(mailbox, after_sign_in(mailbox, "a2"), NOW)
    outbox.published(recovered.outbox)
    assert [kind for _, kind, _ in queue.notices] == [NoticeKind.SIGN_IN, NoticeKind.RECOVERED]


def test_only_the_events_of_notices_are_wanted_and_none_when_mail_is_off() -> None:
    queue = MemoryNoticeQueue()
    on, off = NoticePublisher(queue, enabled=True), NoticePublisher(queue, enabled=False)
    assert {kind for kind in EventType if on.wants(kind, "t")} == set(KINDS)
    assert not any(off.wants(kind, "t") for kind in EventType)
    events = [new_event(kind, a_mailbox(), NOW) for kind in EventType]
    off.publish(events)
    assert queue.notices == []
    on.publish(events)
    assert len(queue.notices) == len(KINDS)
    assert all(event_id.isalnum() for event_id, _, _ in queue.notices)
    queue.failure = RetryLater(Reason.UNAVAILABLE)
    with pytest.raises(RetryLater):
        on.publish(events)
