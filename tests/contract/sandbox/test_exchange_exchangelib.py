"""exchangelib, used as its documentation shows, works with the sandbox's Exchange."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from exchangelib import (
    DELEGATE,
    IMPERSONATION,
    OAUTH2,
    Account,
    CalendarItem,
    Configuration,
    Contact,
    DistributionList,
    EWSDateTime,
    EWSTimeZone,
    Folder,
    Identity,
    Mailbox,
    Message,
    OAuth2AuthorizationCodeCredentials,
    Task,
    close_connections,
)
from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorInvalidSyncStateData,
    ErrorItemNotFound,
    ErrorNameResolutionNoResults,
    UnauthorizedError,
)
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.folders import Calendar, FolderCollection, Inbox, SingleFolderQuerySet
from exchangelib.indexed_properties import EmailAddress, PhoneNumber
from exchangelib.items import SEND_TO_NONE
from exchangelib.properties import DistinguishedFolderId, DLMailbox, ItemId, Member
from exchangelib.protocol import FailFast
from exchangelib.recurrence import Recurrence, WeeklyPattern
from exchangelib.version import EXCHANGE_O365, Version
from oauthlib.oauth2 import OAuth2Token

from sandbox.ews import EwsService
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.tls.authority import Authority, trust
from tests.contract.exchange_server import ALEX, BO, FINN, PEOPLE, SERVICE, Served, app_only, claims, delegated, served

BERLIN = EWSTimeZone("Europe/Berlin")


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Served]:
    exchange = EwsService(MailboxStore(PEOPLE), claims)
    load_default(exchange.store, PEOPLE, messages=150)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with served(exchange, authority) as running:
            yield running
            close_connections()


def opened(server: Served, bearer: str, address: str, **more: Any) -> Account:
    """Open a mailbox as in the documentation: without autodiscovery, with a given token."""
    credentials = OAuth2AuthorizationCodeCredentials(
        access_token=OAuth2Token({"access_token": bearer, "token_type": "Bearer"}), identity=more.pop("identity", None)
    )
    configuration = Configuration(
        service_endpoint=server.url,
        credentials=credentials,
        auth_type=OAUTH2,
        version=Version(EXCHANGE_O365),
        retry_policy=FailFast(),
    )
    access = more.pop("access_type", DELEGATE)
    return Account(address, config=configuration, autodiscover=False, access_type=access, default_timezone=BERLIN)


@pytest.fixture(scope="module")
def alex(server: Served) -> Account:
    return opened(server, delegated(ALEX), ALEX.address)


@pytest.fixture(scope="module")
def finn(server: Served) -> Account:
    """An empty mailbox, since exchangelib fails on custom time zones, which the full ones have."""
    return opened(server, delegated(FINN), FINN.address)


def test_the_folder_tree_is_walked(alex: Account, server: Served) -> None:
    known = {folder.id for folder in server.mailbox(ALEX).top().below()}
    walked = {folder.id for folder in alex.msg_folder_root.walk()}
    assert walked == known
    assert alex.inbox.name == "Inbox"
    assert (alex.inbox / "Lists").parent == alex.inbox


def test_every_item_of_the_inbox_is_listed_and_fetched_with_its_own_bytes(alex: Account, server: Served) -> None:
    inbox = server.mailbox(ALEX).distinguished["inbox"]
    expected = {item.id: item.content() for item in inbox.items.values()}
    fetched = {item.id: item.mime_content for item in alex.inbox.all().only("mime_content")}
    assert fetched == expected


def test_items_of_several_folders_are_found_in_one_request(alex: Account, server: Served) -> None:
    names = ("inbox", "sentitems", "drafts", "calendar")
    stored = [server.mailbox(ALEX).distinguished[name] for name in names]
    folders = FolderCollection(account=alex, folders=[alex.inbox, alex.sent, alex.drafts, alex.calendar])
    found = [item.id for item in folders.all().only("subject")]
    assert sorted(found) == sorted(item.id for folder in stored for item in folder.items.values())


def test_messages_tell_their_properties(alex: Account, server: Served) -> None:
    item = alex.inbox.filter(subject__exists=True).order_by("-datetime_received")[0]
    stored = server.mailbox(ALEX).items[item.id]
    assert item.subject == stored.text("Subject")
    assert item.size > 0
    assert item.author is not None
    assert item.body
    assert item.datetime_received <= EWSDateTime.now(BERLIN)


def test_a_folder_is_synced_and_then_only_what_changed(alex: Account) -> None:
    folder = Folder(parent=alex.inbox, name="Synced").save()
    first = Message(account=alex, folder=folder, subject="First", body="1").save()
    second = Message(account=alex, folder=folder, subject="Second", body="2", is_read=False).save()
    changes = list(folder.sync_items(only_fields=["id", "changekey", "subject"]))
    assert [(kind, item.subject) for kind, item in changes] == [("create", "First"), ("create", "Second")]
    first.subject = "First again"
    first.save(update_fields=["subject"])
    second.is_read = True
    second.save(update_fields=["is_read"])
    Message(account=alex, folder=folder, subject="Third", body="3").save()
    changes = list(folder.sync_items(sync_state=folder.item_sync_state, only_fields=["id", "changekey", "subject"]))
    kinds = [kind for kind, _ in changes]
    assert kinds == ["update", "read_flag_change", "create"]
    assert changes[1][1][1] is True
    gone = first.id
    first.delete()
    changes = list(folder.sync_items(sync_state=folder.item_sync_state, only_fields=["id"]))
    assert [(kind, item.id) for kind, item in changes] == [("delete", gone)]


def test_the_hierarchy_is_synced(alex: Account) -> None:
    list(alex.root.sync_hierarchy())
    state = alex.root.folder_sync_state
    folder = Folder(parent=alex.inbox, name="New here").save()
    changes = list(alex.root.sync_hierarchy(sync_state=state))
    assert [(kind, found.name) for kind, found in changes] == [("create", "New here")]
    state = alex.root.folder_sync_state
    folder.delete()
    assert [kind for kind, _ in alex.root.sync_hierarchy(sync_state=state)] == ["delete"]


def test_a_state_from_elsewhere_is_refused(alex: Account) -> None:
    with pytest.raises(ErrorInvalidSyncStateData):
        list(alex.inbox.sync_items(sync_state="SGFsbG8="))


def test_mime_goes_in_and_comes_out_byte_for_byte(alex: Account) -> None:
    raw = b"From: a@example.com\nSubject: =?utf-8?q?h=C3=A9?=\nX-Odd:\xff\xfe\n\n\tbody\r\nmixed \x00 endings\n"
    made = Message(account=alex, folder=alex.inbox, mime_content=raw).save()
    found = alex.inbox.get(id=made.id, changekey=made.changekey)
    assert found.mime_content == raw
    assert found.subject == "hé"


class SearchKey(ExtendedProperty):  # type: ignore[misc]
    property_tag = 0x300B
    property_type = "Binary"


def test_a_move_gives_a_new_id_and_keeps_the_search_key_that_copies_share(alex: Account) -> None:
    Message.register("search_key", SearchKey)
    try:
        made = Message(account=alex, folder=alex.inbox, subject="Wanderer", body="x").save()
        before, key = made.id, alex.inbox.all().only("search_key").get(subject="Wanderer").search_key
        target = Folder(parent=alex.inbox, name="Target").save()
        made.move(target)
        made.copy(alex.inbox)
        moved = target.all().only("search_key").get(subject="Wanderer")
        copy = alex.inbox.all().only("search_key").get(subject="Wanderer")
        assert moved.id != before
        assert moved.search_key == copy.search_key == key
        assert isinstance(next(iter(alex.fetch([(before, None)]))), ErrorItemNotFound)
    finally:
        Message.deregister("search_key")


def test_items_are_deleted_in_each_of_the_ways(alex: Account, server: Served) -> None:
    mailbox = server.mailbox(ALEX)
    ways = (("delete", None), ("soft_delete", "recoverableitemsdeletions"), ("move_to_trash", "deleteditems"))
    for method, kept_in in ways:
        made = Message(account=alex, folder=alex.inbox, subject=f"Away by {method}", body="x").save()
        getattr(made, method)()
        found = [item.folder.distinguished for item in mailbox.items.values() if item.text("Subject") == made.subject]
        assert found == ([kept_in] if kept_in else [])


def test_a_calendar_is_viewed_with_its_series_expanded(finn: Account) -> None:
    monday = EWSDateTime(2027, 3, 22, 9, tzinfo=BERLIN)
    weekly = Recurrence(pattern=WeeklyPattern(interval=1, weekdays=["Monday"]), start=date(2027, 3, 22), number=4)
    series = CalendarItem(
        account=finn, folder=finn.calendar, subject="Weekly", start=monday, end=monday + timedelta(hours=1),
        recurrence=weekly,
    )  # fmt: skip
    series.save(send_meeting_invitations=SEND_TO_NONE)
    master = finn.calendar.get(subject="Weekly")
    third = master.occurrence(3)
    third.refresh()
    third.start += timedelta(hours=2)
    third.end += timedelta(hours=2)
    third.save(update_fields=["start", "end"])
    master.occurrence(2).delete()
    seen = [
        item for item in finn.calendar.view(start=monday, end=monday + timedelta(days=40)) if item.subject == "Weekly"
    ]
    # Daylight saving time begins on the 28th: the local time stays nine o'clock.
    assert [(item.start.astimezone(BERLIN).day, item.start.astimezone(BERLIN).hour) for item in seen] == [
        (22, 9),
        (5, 11),
        (12, 9),
    ]
    assert [item.type for item in seen] == ["Occurrence", "Exception", "Occurrence"]
    master = finn.calendar.get(subject="Weekly")
    assert master.type == "RecurringMaster"
    assert len(master.modified_occurrences) == len(master.deleted_occurrences) == 1
    assert master.first_occurrence.start == monday
    assert b"RRULE:FREQ=WEEKLY" in master.mime_content


def test_contacts_lists_and_tasks_are_kept(alex: Account) -> None:
    contact = Contact(
        account=alex,
        folder=alex.contacts,
        file_as="Moreau, Ada",
        display_name="Ada Moreau",
        given_name="Ada",
        surname="Moreau",
        email_addresses=[EmailAddress(label="EmailAddress1", email="ada@partners.example")],
        phone_numbers=[PhoneNumber(label="MobilePhone", phone_number="+33 1")],
    ).save()
    contact.phone_numbers = [PhoneNumber(label="MobilePhone", phone_number="+33 2")]
    contact.save(update_fields=["phone_numbers"])
    kept = alex.contacts.get(id=contact.id)
    assert (kept.surname, kept.email_addresses[0].email) == ("Moreau", "ada@partners.example")
    assert [number.phone_number for number in kept.phone_numbers if number.phone_number] == ["+33 2"]
    members = [Member(mailbox=Mailbox(email_address="ada@partners.example", mailbox_type="OneOff"))]
    DistributionList(account=alex, folder=alex.contacts, display_name="Crew", file_as="Crew", members=members).save()
    crew = next(
        item for item in alex.contacts.all() if isinstance(item, DistributionList) and item.display_name == "Crew"
    )
    assert [member.mailbox.email_address for member in crew.members] == ["ada@partners.example"]
    task = Task(account=alex, folder=alex.tasks, subject="Tidy", due_date=date(2027, 1, 5)).save()
    task.complete()
    assert alex.tasks.get(id=task.id).is_complete


def test_names_are_resolved_to_primary_addresses(alex: Account) -> None:
    found = [alex.protocol.resolve_names([name]) for name in ("alexander@", "Lindq", "Nobody")]
    assert [mailboxes[0].email_address for mailboxes in found[:2]] == [ALEX.address, BO.address]
    assert isinstance(found[2][0], ErrorNameResolutionNoResults)


def test_time_zones_are_told(alex: Account) -> None:
    berlin = next(
        zone
        for zone in alex.protocol.get_timezones(return_full_timezone_data=True)
        if zone.id == "W. Europe Standard Time"
    )
    standard, daylight, period = berlin.get_std_and_dst(2027)
    assert (period.bias_in_minutes, standard.iso_month, daylight.iso_month) == (-60, 10, 3)


def test_impersonation_opens_mailboxes_for_apps_and_service_accounts(server: Served) -> None:
    for bearer in (app_only(), delegated(SERVICE)):
        identity = Identity(primary_smtp_address=BO.address)
        account = opened(server, bearer, BO.address, identity=identity, access_type=IMPERSONATION)
        assert account.inbox.total_count == server.mailbox(BO).distinguished["inbox"].total


def test_lists_are_expanded_and_configurations_are_read(alex: Account) -> None:
    """X5."""
    listed = next(item for item in alex.contacts.all() if isinstance(item, DistributionList) and item.members)
    mailbox = DLMailbox(item_id=ItemId(id=listed.id, changekey=listed.changekey))
    expanded = alex.protocol.expand_dl(mailbox)
    assert [one.email_address for one in expanded] == [member.mailbox.email_address for member in listed.members]
    found = alex.calendar.get_user_configuration(name="CategoryList")
    assert b"<categories" in found.xml_data
    with pytest.raises(ErrorItemNotFound):
        alex.inbox.get_user_configuration(name="CategoryList")


def test_people_are_busy_while_they_have_events(alex: Account) -> None:
    """X5: in the zone of the request; another person's events have no subjects."""
    start = EWSDateTime(2027, 7, 5, 9, 0, tzinfo=BERLIN)
    end = start + timedelta(hours=2)
    CalendarItem(account=alex, folder=alex.calendar, subject="Busy then", start=start, end=end).save(
        send_meeting_invitations=SEND_TO_NONE
    )
    day = EWSDateTime(2027, 7, 5, tzinfo=BERLIN)
    (view,) = alex.protocol.get_free_busy_info(
        accounts=[(alex, "Organizer", False)],
        start=day,
        end=day + timedelta(days=1),
        merged_free_busy_interval=60,
        requested_view="DetailedMerged",
    )
    busy = next(one for one in view.calendar_events if one.details.subject == "Busy then")
    assert (busy.start.replace(tzinfo=None), busy.end - busy.start) == (
        start.replace(tzinfo=None),
        timedelta(hours=2),
    )
    assert view.merged[9:11] == "22"


def test_a_strange_token_is_turned_away(server: Served) -> None:
    account = opened(server, "not-a-token", ALEX.address)
    with pytest.raises(UnauthorizedError):
        account.inbox.refresh()


def test_a_shared_folder_is_open_and_the_rest_is_not(server: Served) -> None:
    bo, alexs = opened(server, delegated(BO), BO.address), server.mailbox(ALEX)
    alexs.grants[BO.address] = {alexs.distinguished["calendar"].id}
    mailbox = Mailbox(email_address=ALEX.address)
    calendar = Calendar(root=bo.root, _distinguished_id=DistinguishedFolderId(id="calendar", mailbox=mailbox))
    inbox = Inbox(root=bo.root, _distinguished_id=DistinguishedFolderId(id="inbox", mailbox=mailbox))
    shared = SingleFolderQuerySet(account=bo, folder=calendar).resolve()
    assert shared.total_count == alexs.distinguished["calendar"].total
    assert isinstance(SingleFolderQuerySet(account=bo, folder=inbox).resolve(), ErrorAccessDenied)
