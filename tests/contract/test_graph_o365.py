"""An independent client, PyPI's O365, used as its documentation shows, works with the sandbox's Graph."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from O365 import Account, MSGraphProtocol

from sandbox.graph import GraphService
from sandbox.graph.http import application
from sandbox.graph.wire.ids import ews_id, rest_id
from sandbox.mailboxes.calendar.events import between
from sandbox.mailboxes.item_parts import Attachment, ChecklistItem
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import message_samples
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.mailboxes.store import Mailbox
from sandbox.tls.authority import Authority
from tests.contract.exchange_server import ALEX, PEOPLE, claims, listening
from tests.contract.graph_client import delegated

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WITH_FILE = (
    b"From: a@b.example\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nHi\r\n--x\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--x--"
)


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    store = MailboxStore(PEOPLE, lambda: NOW)
    load_default(store, PEOPLE, messages=150)
    box = store.mailbox(ALEX.address)
    box.insert(box.distinguished["drafts"], message_samples.message(WITH_FILE))
    next(iter(box.distinguished["contacts"].items.values())).attachments.append(
        Attachment("ContactPicture.jpg", "image/jpeg", b"\xff\xd8", is_photo=True)
    )
    next(iter(box.distinguished["tasks"].items.values())).checklist = [ChecklistItem("Photo")]
    return box


@pytest.fixture(scope="module")
def account(mailbox: Mailbox, authority: Authority) -> Iterator[Any]:
    store = MailboxStore(PEOPLE)
    store.adopt(mailbox)
    with listening(application(GraphService(store, claims)), authority) as url:

        class Protocol(MSGraphProtocol):  # type: ignore[misc]
            _protocol_url = f"{url}/"

        made = Account(("client", "secret"), protocol=Protocol(), requests_delay=0)
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(authority.ca)
            session.headers["Authorization"] = f"Bearer {delegated(ALEX)}"
            made.connection.session = session
            yield made


def test_it_finds_the_folders_at_the_top_and_below(account: Any, mailbox: Mailbox) -> None:
    found = {folder.name: folder for folder in account.mailbox().get_folders(limit=100)}
    wanted = {one.name for one in mailbox.top().children.values() if one.folder_class == "IPF.Note"}
    assert set(found) == wanted
    below = {folder.name for folder in found["Projects"].get_folders()}
    assert below == {
        one.name for one in next(f for f in mailbox.top().below() if f.name == "Projects").children.values()
    }


def test_it_reads_messages_with_their_mime(account: Any, mailbox: Mailbox) -> None:
    inbox = mailbox.distinguished["inbox"]
    found = list(account.mailbox().inbox_folder().get_messages(limit=None, batch=40))
    assert {one.object_id for one in found} == {rest_id(item.id) for item in inbox.items.values()}
    for message in found[:5]:
        item = mailbox.items[ews_id(message.object_id)]
        assert (message.subject, message.is_read) == (item.text("Subject"), item.is_read)
        assert message.get_mime_content() == item.content()


def test_it_downloads_attachments(account: Any) -> None:
    (message,) = account.mailbox().drafts_folder().get_messages(download_attachments=True)
    (one,) = message.attachments
    assert (one.name, base64.b64decode(one.content)) == ("a.pdf", b"%PDF")


def test_it_reads_events_with_their_occurrences(account: Any, mailbox: Mailbox) -> None:
    calendar = account.schedule().get_default_calendar()
    start, end = NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=7)
    found = list(
        calendar.get_events(start_recurring=start, end_recurring=end, include_recurring=True, limit=None, batch=20)
    )
    items = mailbox.distinguished["calendar"].items.values()
    assert len(found) == sum(len(between(item, start, end)) for item in items)
    masters = list(calendar.get_events(include_recurring=False, limit=None, batch=20))
    assert len(masters) == len(items)
    standup = next(one for one in masters if one.subject == "Stand-up")
    assert standup.recurrence.days_of_week == ["monday", "tuesday", "wednesday", "thursday", "friday"]


def test_it_reads_contacts_and_their_photos(account: Any, mailbox: Mailbox) -> None:
    found = list(account.address_book().get_contacts(limit=None, batch=50))
    items = [one for one in mailbox.distinguished["contacts"].items.values() if one.element == "Contact"]
    assert {one.display_name for one in found} == {item.text("DisplayName") for item in items}
    assert found[0].get_profile_photo() == b"\xff\xd8"


def test_it_reads_lists_and_tasks(account: Any, mailbox: Mailbox) -> None:
    todo = account.tasks()
    assert {one.name for one in todo.list_folders()} == {"Tasks", "Flagged Emails"}
    found = list(todo.get_default_folder().get_tasks(batch=50))
    items = mailbox.distinguished["tasks"].items.values()
    assert {one.subject for one in found} == {item.text("Subject") for item in items}
    assert {one.is_completed for one in found} == {True, False}
