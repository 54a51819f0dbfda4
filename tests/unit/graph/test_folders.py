"""The folders of every kind, their roles, and what a look at them costs."""

from typing import Any

import pytest

from shared.errors import AdministratorMustAct, RetryLater
from shared.sources.graph.folders import states
from shared.sources.model import Folder, FolderKind, FolderRole
from tests.unit.graph.service import Answer, Service, error, mailbox_of, message, page, removed

MAIL, CALENDARS = "/mailFolders/delta", "/calendars"
CONTACTS, TASKS = "/contactFolders/delta", "/todo/lists"


def mail_folder(identifier: str, name: str, parent: str = "root", **changes: Any) -> dict[str, Any]:
    told = {"id": identifier, "displayName": name, "parentFolderId": parent, "totalItemCount": 2, "isHidden": False}
    return {**told, **changes}


def calendar(identifier: str, name: str, owner: str = "alex@contoso.example", **changes: Any) -> dict[str, Any]:
    return {"id": identifier, "name": name, "owner": {"name": "x", "address": owner}, **changes}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.script[MAIL] = page(
        mail_folder("root", "Top of Information Store", ""),
        mail_folder("in", "Posteingang"),
        mail_folder("junk", "Junk-E-Mail", totalItemCount=0),
        mail_folder("p", "R/D"),
        mail_folder("p1", "2026", "p"),
        delta=f"{MAIL}?$deltatoken=1",
    )
    service.script[CALENDARS] = page(
        calendar("c1", "Kalender", isDefaultCalendar=True),
        calendar("c2", "Team"),
        calendar("c3", "Ada", "ada@contoso.example"),
    )
    service.script[CONTACTS] = page({"id": "k2", "displayName": "Suppliers", "parentFolderId": "k1"})
    service.script[TASKS] = page(
        {"id": "t1", "displayName": "Aufgaben", "wellknownListName": "defaultList"},
        {"id": "t2", "displayName": "Flagged", "wellknownListName": "flaggedEmails"},
        {"id": "t3", "displayName": "Home", "wellknownListName": "none"},
    )
    service.script["/mailFolders/msgfolderroot"] = Answer({"id": "root"})
    service.script["/mailFolders/inbox"] = Answer({"id": "in"})
    service.script["/mailFolders/junkemail"] = Answer({"id": "junk"})
    service.script["/contactFolders/contacts"] = Answer({"id": "k1", "displayName": "Kontakte"})
    return service


def by_id(service: Service) -> dict[str, Folder]:
    return {folder.id: folder for folder in mailbox_of(service).folders()}


def test_every_kind_is_listed_with_its_role(service: Service) -> None:
    found = {id_: (folder.path, folder.kind, folder.role) for id_, folder in by_id(service).items()}

    assert found == {
        "in": ("Posteingang", FolderKind.MAIL, FolderRole.INBOX),
        "junk": ("Junk-E-Mail", FolderKind.MAIL, FolderRole.JUNK),
        "p": ("R%2FD", FolderKind.MAIL, FolderRole.NONE),
        "p1": ("R%2FD/2026", FolderKind.MAIL, FolderRole.NONE),
        "c1": ("Kalender", FolderKind.CALENDAR, FolderRole.CALENDAR),
        "c2": ("Team", FolderKind.CALENDAR, FolderRole.NONE),
        "k1": ("Kontakte", FolderKind.CONTACTS, FolderRole.CONTACTS),
        "k2": ("Kontakte/Suppliers", FolderKind.CONTACTS, FolderRole.NONE),
        "t1": ("Aufgaben", FolderKind.TASKS, FolderRole.TASKS),
        "t3": ("Home", FolderKind.TASKS, FolderRole.NONE),
    }


def test_totals_are_those_that_the_service_counts(service: Service) -> None:
    folders = by_id(service)

    assert (folders["in"].total, folders["junk"].total, folders["t1"].total) == (2, 0, None)


def test_hidden_and_search_folders_are_left_out_with_their_contents(service: Service) -> None:
    service.script[MAIL] = page(
        mail_folder("in", "Inbox"),
        mail_folder("h", "Hidden", isHidden=True),
        mail_folder("h1", "Below", "h"),
        mail_folder("s", "Unread", **{"@odata.type": "#microsoft.graph.mailSearchFolder"}),
        removed("x"),
        delta=MAIL,
    )

    assert [id_ for id_, folder in by_id(service).items() if folder.kind is FolderKind.MAIL] == ["in"]


def test_listing_of_several_pages_is_read_to_its_end(service: Service) -> None:
    service.script[MAIL] = page(mail_folder("in", "Inbox"), following=f"{MAIL}?$skiptoken=2")
    service.script[f"{MAIL}?$skiptoken=2"] = page(mail_folder("z", "Zoo"), delta=MAIL)

    assert {"in", "z"} <= by_id(service).keys()


def test_roles_are_asked_once_a_mailbox_and_again_when_it_was_made_anew(service: Service) -> None:
    mailbox = mailbox_of(service)
    mailbox.folders()
    asked = service.paths().count("/mailFolders/inbox")
    mailbox.folders()
    assert service.paths().count("/mailFolders/inbox") == asked == 1

    service.script[MAIL] = page(mail_folder("in2", "Inbox"), delta=MAIL)
    service.script["/mailFolders/inbox"] = Answer({"id": "in2"})
    assert {folder.id: folder.role for folder in mailbox.folders()}["in2"] is FolderRole.INBOX


def test_listing_that_fails_is_an_outage_and_never_an_empty_mailbox(service: Service) -> None:
    service.script[TASKS] = error(503)

    with pytest.raises(RetryLater):
        by_id(service)


def test_mailbox_that_graph_does_not_serve_asks_its_administrator(service: Service) -> None:
    for path in (MAIL, CALENDARS, CONTACTS, TASKS):
        service.script[path] = error(404, "MailboxNotEnabledForRESTAPI")

    with pytest.raises(AdministratorMustAct):
        by_id(service)


def test_kind_that_may_not_be_read_is_left_out_unless_it_was_read_before(service: Service) -> None:
    service.script[TASKS] = error(403, "accessDenied")
    assert FolderKind.TASKS not in {folder.kind for folder in by_id(service).values()}

    mailbox = mailbox_of(service)
    mailbox.prefetch({"t1": states.written(states.State(FolderKind.TASKS, "/x", complete=True))})
    with pytest.raises(AdministratorMustAct):
        mailbox.folders()


def test_mail_that_may_not_be_read_asks_the_administrator(service: Service) -> None:
    service.script[MAIL] = error(403, "ErrorAccessDenied")

    with pytest.raises(AdministratorMustAct):
        by_id(service)


def idle(service: Service, mail: int) -> dict[str, str]:
    """Stored states of so many mail folders, two calendars, two contact folders and two lists."""
    stored: dict[str, str] = {}
    kinds = {FolderKind.MAIL: mail, FolderKind.CALENDAR: 2, FolderKind.CONTACTS: 2, FolderKind.TASKS: 2}
    memory = states.Memory({"in": FolderRole.INBOX, "junk": FolderRole.JUNK}, "root", ("k1", "Kontakte"))
    day = 20_785
    for kind, count in kinds.items():
        for number in range(count):
            link = f"/users/alex@contoso.example/{kind.value}/{number}/delta?$deltatoken=a"
            service.script[f"/{kind.value}/{number}/delta"] = page(delta=f"/{kind.value}/{number}/delta?$deltatoken=b")
            state = states.State(kind, link, complete=True, memory=memory if not stored else None, day=day)
            stored[f"{kind.value}{number}"] = states.written(state)
    return stored


def test_idle_mailbox_costs_two_http_requests(service: Service) -> None:
    stored = idle(service, 30)
    mailbox = mailbox_of(service)

    mailbox.prefetch(stored)
    mailbox.folders()
    pages = [mailbox.changes(folder_of(id_, text), text) for id_, text in stored.items()]

    assert service.requests == 2
    assert all(page.complete and not page.changes for page in pages)


def test_idle_page_leaves_the_state_as_it_is_until_the_next_day(service: Service) -> None:
    stored = idle(service, 1)
    (id_, text), *_ = stored.items()
    mailbox = mailbox_of(service)

    assert mailbox.changes(folder_of(id_, text), text).state == text
    older = states.written(states.State(FolderKind.MAIL, states.read(text).link, complete=True, day=20_784))
    assert mailbox.changes(folder_of(id_, older), older).state not in (older, text)


def folder_of(identifier: str, text: str) -> Folder:
    return Folder(identifier, "", "x", "x", states.read(text).kind, FolderRole.NONE, None)


def test_what_was_asked_ahead_is_the_first_page_of_changes(service: Service) -> None:
    stored = idle(service, 3)
    service.script["/mail/1/delta"] = page(message("M1"), delta="/mail/1/delta?$deltatoken=b")
    mailbox = mailbox_of(service)
    mailbox.prefetch(stored)
    mailbox.folders()
    before = service.requests

    found = mailbox.changes(folder_of("mail1", stored["mail1"]), stored["mail1"])

    assert [change.item_id for change in found.changes] == ["M1"]
    assert service.requests == before


def test_refusal_that_was_asked_ahead_is_raised_where_it_belongs(service: Service) -> None:
    stored = idle(service, 3)
    service.script["/mail/1/delta"] = error(429, "ApplicationThrottled", Retry_After="9")
    mailbox = mailbox_of(service)
    mailbox.prefetch(stored)
    mailbox.folders()
    mailbox.changes(folder_of("mail0", stored["mail0"]), stored["mail0"])

    with pytest.raises(RetryLater) as raised:
        mailbox.changes(folder_of("mail1", stored["mail1"]), stored["mail1"])
    assert raised.value.retry_after == 9


def test_a_folders_name_that_is_no_unicode_hides_no_folder(service: Service) -> None:
    """M10, over Graph."""
    before = by_id(service)
    service.script[MAIL] = page(
        mail_folder("root", "Top of Information Store", ""),
        mail_folder("in", "Posteingang"),
        mail_folder("p", "R\ud83d"),
        delta=f"{MAIL}?$deltatoken=1",
    )
    found = by_id(service)
    assert found["p"].name == "R\ufffd"
    assert {"in", "c1", "t1"} <= found.keys() & before.keys()
