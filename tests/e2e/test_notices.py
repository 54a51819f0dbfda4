"""A person and the operators are told by mail when a mailbox stops and when it goes on, once each."""

from functools import partial
from typing import Any

from sandbox.local.local_stack import LocalStack
from shared.errors import PersonMustSignIn, Reason
from shared.mailboxes.model import Mailbox
from shared.mailboxes.transitions import after_failure, started
from tests.e2e.people import new_person
from tests.e2e.person import Person
from tests.e2e.watching import insist

OPERATORS = "robin@contoso.example"


def mails_to(running_app: LocalStack, address: str, about: str) -> list[dict[str, str]]:
    """The mails to an address that tell of a mailbox."""
    sent = running_app.sandbox.control.get("/mails")["mails"]
    return [mail for mail in sent if mail["to"] == [address] and about in mail["text"]]


def test_a_mailbox_that_stops_and_goes_on_is_told_of_once_each(running_app: LocalStack) -> None:
    person = Person(running_app, new_person(running_app.sandbox)).connect()
    mailbox_id, parts = person.mailbox(), running_app.parts()

    def stopped(mailbox: Mailbox) -> Mailbox:
        error = PersonMustSignIn(Reason.GRANT_REVOKED)
        return after_failure(mailbox, error, mailbox.created_at, parts.thresholds, parts.interval)

    for _ in range(3):
        parts.registry.change(mailbox_id, stopped)
    told = partial(mails_to, running_app, person.address, mailbox_id)
    insist("the mail to the person", lambda: None, lambda: len(told()) == 1)
    (mail,) = told()
    assert f"{running_app.url}/my-sync?mailbox={mailbox_id}" in mail["text"]
    assert "sign in" in mail["subject"].lower()
    insist("the operators' mail", lambda: None, lambda: len(mails_to(running_app, OPERATORS, mailbox_id)) == 1)

    parts.registry.change(mailbox_id, lambda mailbox: started(mailbox.with_changes(status="suspended")))
    insist("the mail about the recovery", lambda: None, lambda: len(told()) == 2)
    assert "again" in told()[-1]["subject"]
    page = running_app.sandbox.endpoints["mail"]
    assert "Sent mail" in person.session.get(page, timeout=300).text


def test_a_person_whose_pages_are_in_german_is_told_in_german(running_app: LocalStack) -> None:
    person = Person(running_app, new_person(running_app.sandbox))
    person.session.headers["Accept-Language"] = "de-DE,de;q=0.9,en;q=0.5"
    mailbox_id, parts = person.connect().mailbox(), running_app.parts()
    assert parts.registry.get(mailbox_id).language == "de"

    def stopped(mailbox: Mailbox) -> Mailbox:
        error = PersonMustSignIn(Reason.GRANT_REVOKED)
        return after_failure(mailbox, error, mailbox.created_at, parts.thresholds, parts.interval)

    parts.registry.change(mailbox_id, stopped)
    told = partial(mails_to, running_app, person.address, mailbox_id)
    insist("the mail to the person", lambda: None, lambda: len(told()) == 1)
    assert told()[0]["subject"].startswith("Bitte melden Sie sich erneut an")
    person.close()


def test_the_daily_work_sends_one_digest(running_app: LocalStack) -> None:
    parts = running_app.parts()

    def digests() -> list[dict[str, Any]]:
        sent = running_app.sandbox.control.get("/mails")["mails"]
        return [mail for mail in sent if "need attention" in mail["subject"]]

    before = len(digests())
    for _ in range(2):
        assert parts._queue_digest() == 1
    insist("the digest", lambda: None, lambda: len(digests()) == before + 1 or len(digests()) == 1)
    assert digests()[-1]["to"] == [OPERATORS]
