"""The EWS source on the sandbox's Exchange with its real mail: checks that are specific to EWS."""

import email
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import requests
from dateutil.rrule import rrulestr

from sandbox.ews import EwsService
from sandbox.ews.ews_403_bodies import EWS_403_BODIES
from sandbox.mailboxes.calendar.ical import calendar
from sandbox.mailboxes.default_folders import add_archive
from sandbox.mailboxes.item_parts import Corruption
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples import message_samples
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.tls.authority import Authority, trust
from shared.errors import ActionNeeded, AdministratorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.sources.ews.sources import EwsSources
from shared.sources.model import Access, AccessMode, ContentLevel, Folder, FolderRole, Item, ItemKind
from shared.sources.port import MailSource
from tests.contract.exchange_server import (
    ALEX,
    BO,
    FINN,
    GUEST,
    PAT,
    PEOPLE,
    QUINN,
    SERVICE,
    Served,
    Someone,
    app_only,
    claims,
    delegated,
    served,
)

type Open = Callable[..., MailSource]


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Served]:
    exchange = EwsService(MailboxStore(PEOPLE), claims)
    load_default(exchange.store, PEOPLE, messages=150)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with served(exchange, authority) as running:
            yield running


@pytest.fixture
def opened(server: Served) -> Iterator[Open]:
    sources: list[MailSource] = []

    def open_it(access: Access | None = None, archives: bool = False) -> MailSource:
        given = access or Access(ALEX.address, AccessMode.DELEGATED, delegated(ALEX))
        sources.append(EwsSources(server.url, archives=archives).open(given))
        return sources[-1]

    yield open_it
    for source in sources:
        source.close()


def everything(source: MailSource, level: ContentLevel = ContentLevel.MIME) -> list[tuple[Folder, Item]]:
    """Every item of every folder."""
    found = []
    for folder in source.folders():
        state, complete, ids = None, False, []
        while not complete:
            page = source.changes(folder, state)
            state, complete = page.state, page.complete
            ids += [change.item_id for change in page.changes]
        for item in source.fetch(folder, ids, level):
            assert isinstance(item, Item), item
            found.append((folder, item))
    return found


def test_real_mail_of_every_sort_comes_byte_for_byte(server: Served, opened: Open) -> None:
    kept = server.mailbox(ALEX).items

    messages = [item for _, item in everything(opened()) if item.kind is ItemKind.MESSAGE]

    assert len(messages) > 150
    for item in messages:
        assert item.content is not None
        assert hashlib.sha256(item.content.data).hexdigest() == kept[item.id].digest()


def test_every_item_has_the_form_of_its_kind(opened: Open) -> None:
    forms = Counter((item.kind, item.content.form) for _, item in everything(opened()) if item.content)

    assert set(forms) == set(
        {
            ItemKind.MESSAGE: "eml",
            ItemKind.EVENT: "ics",
            ItemKind.CONTACT: "vcf",
            ItemKind.LIST: "vcf",
            ItemKind.TASK: "ics",
            ItemKind.OTHER: "json",
        }.items()
    )


@pytest.mark.parametrize("level", [ContentLevel.BODY, ContentLevel.MIME])
def test_every_calendar_is_readable_by_others_at_every_level(opened: Open, level: ContentLevel) -> None:
    events = [item for _, item in everything(opened(), level) if item.kind is ItemKind.EVENT]

    assert len(events) > 20
    for item in events:
        assert item.content is not None
        (first, *_) = icalendar.Calendar.from_ical(item.content.data).walk("VEVENT")
        start = first["DTSTART"].dt
        days = days_to_first_occurrence(item)
        if isinstance(start, datetime):
            assert item.at is not None
            assert start.replace(tzinfo=None) - item.at.astimezone(start.tzinfo).replace(tzinfo=None) == days
        else:
            assert start - days == date.fromisoformat(str(item.metadata["start_date"]))


def days_to_first_occurrence(item: Item) -> timedelta:
    """The time from a series' start to its first occurrence: some samples start on a day outside their pattern."""
    assert item.content is not None
    parsed = icalendar.Calendar.from_ical(item.content.data).walk("VEVENT")[0]
    if "RRULE" not in parsed:
        return timedelta(0)
    at = item.at or datetime.now(UTC)
    zone = getattr(parsed["DTSTART"].dt, "tzinfo", None)
    local = (
        at.astimezone(zone).replace(tzinfo=None) if zone else datetime.fromisoformat(str(item.metadata["start_date"]))
    )
    rule = ";".join(
        part for part in parsed["RRULE"].to_ical().decode().split(";") if not part.startswith(("UNTIL", "COUNT"))
    )
    first: datetime = rrulestr(rule, dtstart=local).after(local, inc=True)
    return first - local


def test_what_we_write_of_a_series_is_what_exchange_writes_of_it(server: Served, opened: Open) -> None:
    """Compare rules, deletions and changed occurrences between the two."""
    kept = server.mailbox(ALEX).items
    synced_events = {item.id: item for _, item in everything(opened()) if item.kind is ItemKind.EVENT}

    compared = 0
    for identifier, item in synced_events.items():
        if "recurrence" not in item.metadata:
            continue
        assert item.content is not None
        assert outline(item.content.data) == outline(calendar(kept[identifier]))
        compared += 1
    assert compared >= 5


def outline(data: bytes) -> object:
    """A series' changed and deleted occurrences as moments."""
    master, *exceptions = icalendar.Calendar.from_ical(data).walk("VEVENT")
    deleted = master.get("EXDATE", [])
    lines = deleted if isinstance(deleted, list) else [deleted]
    return (
        {moment(each.dt) for line in lines for each in line.dts},
        {moment(each["RECURRENCE-ID"].dt): moment(each["DTSTART"].dt) for each in exceptions},
    )


def moment(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def test_a_look_at_an_idle_mailbox_is_one_request(opened: Open) -> None:
    source = opened()

    source.folders()

    assert source.figures.requests == 1


def test_folders_carry_paths_and_well_known_names(opened: Open) -> None:
    folders = {folder.path: folder for folder in opened().folders()}

    assert folders["Inbox"].role is FolderRole.INBOX
    assert folders["Junk Email"].role is FolderRole.JUNK
    assert "Projects/R%2FD" in folders
    assert folders["Inbox"].change_token is not None


def test_a_server_that_keeps_no_marks_gives_none(server: Served, opened: Open) -> None:
    mailbox = server.mailbox(BO)
    mailbox.marks = "absent"
    try:
        folders = opened(Access(BO.address, AccessMode.DELEGATED, delegated(BO))).folders()
    finally:
        mailbox.marks = "exact"

    assert {folder.change_token for folder in folders} == {None}


def test_an_archive_is_listed_only_when_it_is_wanted(server: Served, opened: Open) -> None:
    mailbox = server.mailbox(FINN)
    top = add_archive(mailbox)
    kept = top.child("Kept") or mailbox.add_folder(top, "Kept")
    mailbox.insert(kept, message_samples.synthetic(1, 2000, mailbox.clock()))
    access = Access(FINN.address, AccessMode.DELEGATED, delegated(FINN))

    with_it, without = opened(access, archives=True), opened(access)

    archived = [(folder, item) for folder, item in everything(with_it) if folder.archive]
    assert [(folder.path, item.kind) for folder, item in archived] == [("Kept", ItemKind.MESSAGE)]
    assert not any(folder.archive for folder in without.folders())


def test_a_mailbox_without_an_archive_is_read_all_the_same(opened: Open) -> None:
    folders = opened(archives=True).folders()

    assert folders
    assert not any(folder.archive for folder in folders)


def test_a_shared_mailbox_is_read_once_it_was_shared(server: Served, opened: Open) -> None:
    access = Access(ALEX.address, AccessMode.DELEGATED, delegated(BO))
    with pytest.raises(AdministratorMustAct) as caught:
        opened(access).folders()
    assert caught.value.reason is Reason.ACCESS_DENIED

    server.mailbox(ALEX).grants[BO.address] = {"*"}
    try:
        assert everything(opened(access))
    finally:
        server.mailbox(ALEX).grants.clear()


@pytest.mark.parametrize(
    ("mode", "bearer"), [(AccessMode.IMPERSONATION, delegated(SERVICE)), (AccessMode.APP_ONLY, app_only())]
)
def test_who_may_act_for_others_reads_their_mailbox(opened: Open, mode: AccessMode, bearer: str) -> None:
    assert opened(Access(ALEX.address, mode, bearer)).folders()


@pytest.mark.parametrize(
    ("access", "kind", "reason"),
    [
        (Access(ALEX.address, AccessMode.DELEGATED, "rubbish"), PersonMustSignIn, Reason.TOKEN_REJECTED),
        (Access(ALEX.address, AccessMode.IMPERSONATION, delegated(BO)), AdministratorMustAct,
         Reason.IMPERSONATION_DENIED),
        (Access("nobody@contoso.example", AccessMode.APP_ONLY, app_only()), AdministratorMustAct, Reason.NO_MAILBOX),
    ],
)  # fmt: skip
def test_who_may_not_is_told_why(opened: Open, access: Access, kind: type[ActionNeeded], reason: Reason) -> None:
    with pytest.raises(kind) as caught:
        opened(access).folders()

    assert caught.value.reason is reason


@pytest.mark.parametrize("variant", sorted(EWS_403_BODIES))
def test_a_blocked_mailbox_is_for_its_administrator_whatever_exchange_says(
    server: Served, opened: Open, variant: str
) -> None:
    mailbox = server.mailbox(BO)
    text, headers = EWS_403_BODIES[variant]
    mailbox.ews_block = (403, text, headers)
    try:
        with pytest.raises(AdministratorMustAct):
            opened(Access(BO.address, AccessMode.DELEGATED, delegated(BO))).folders()
    finally:
        mailbox.ews_block = None


def test_a_mailbox_on_the_move_is_tried_later(server: Served, opened: Open) -> None:
    mailbox = server.mailbox(BO)
    mailbox.moving = True
    try:
        with pytest.raises(RetryLater):
            opened(Access(BO.address, AccessMode.DELEGATED, delegated(BO))).folders()
    finally:
        mailbox.moving = False


def test_a_distribution_list_has_its_members(opened: Open) -> None:
    lists = [item for _, item in everything(opened()) if item.kind is ItemKind.LIST]

    assert lists
    assert all(item.metadata["members"] and item.addresses for item in lists)
    assert all(item.content is not None and b"MEMBER:mailto:member0@" in item.content.data for item in lists)


@pytest.mark.parametrize(("back", "ahead"), [(14, 365), (365, 730)])
def test_occurrences_of_any_allowed_window_match_exchanges_expansion(opened: Open, back: int, ahead: int) -> None:
    """Exchange rejects a view of more than two years."""
    source = opened()
    folder = next(folder for folder in source.folders() if folder.role is FolderRole.CALENDAR)
    now = datetime.now(UTC)

    found = list(source.occurrences(folder, now - timedelta(days=back), now + timedelta(days=ahead)))

    assert len(found) > 100
    assert len({item.id for item in found}) == len(found)
    assert all(item.at is not None for item in found)


@pytest.mark.parametrize("person", [ALEX, QUINN, PAT])
def test_ones_own_mailbox_opens_whatever_one_signs_in_with(server: Served, opened: Open, person: Someone) -> None:
    """M2: the sign-in name is not an address of the mailbox, or a secondary one in different case."""
    access = Access(person.sign_in_name or person.address, AccessMode.DELEGATED, delegated(person), own=True)

    assert opened(access).folders()
    assert EwsSources(server.url).primary_address(access) == person.address


def test_a_mailbox_of_somebody_else_is_named(opened: Open) -> None:
    """M2: a shared mailbox is read in the same mode and must not be taken for the person's own."""
    shared = Access(ALEX.address, AccessMode.DELEGATED, delegated(QUINN))

    with pytest.raises(AdministratorMustAct) as caught:
        opened(shared).folders()
    assert caught.value.reason is Reason.ACCESS_DENIED


def test_the_primary_address_of_an_impersonated_mailbox_is_known(server: Served) -> None:
    """M2: the address that an operator gave may be a secondary one."""
    access = Access(PAT.aliases[0], AccessMode.IMPERSONATION, delegated(SERVICE))

    assert EwsSources(server.url).primary_address(access) == PAT.address


def test_a_guest_has_no_mailbox_here(server: Served) -> None:
    """M2: a guest's sign-in name is an address of another organization."""
    with pytest.raises(AdministratorMustAct) as caught:
        EwsSources(server.url).check(Access(GUEST.address, AccessMode.DELEGATED, delegated(GUEST), own=True))
    assert caught.value.reason is Reason.NO_MAILBOX


def test_sealed_mail_without_mime_comes_with_its_content(server: Served, opened: Open) -> None:
    """M3: Exchange cannot return opaque S/MIME as MIME; the parts it returns give a readable message."""
    box = server.mailbox(ALEX)
    item = next(one for one in box.items.values() if one.text("Subject") == "Encrypted")
    original = email.message_from_bytes(item.content() or b"")
    item.corruption = Corruption("ErrorMimeContentConversionFailed", None)
    try:
        (found,) = [each for _, each in everything(opened()) if each.id == item.id]
    finally:
        item.corruption = None

    assert found.metadata["original"] is False
    assert found.content is not None
    written = email.message_from_bytes(found.content.data)
    assert written.get_payload(decode=True) == original.get_payload(decode=True)
    assert written["Message-ID"] == original["Message-ID"]
    assert written.get_param("smime-type") == "enveloped-data"


@pytest.mark.parametrize(("token", "status"), [("", 401), ("rubbish", 401), (delegated(ALEX), 405)])
def test_a_request_that_is_no_post_is_asked_who_it_is(server: Served, token: str, status: int) -> None:
    """X1: clients look for the ways to sign in with a GET."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(server.url, headers=headers, timeout=300, verify=str(server.ca))

    assert answer.status_code == status
    assert ("Bearer" in answer.headers.get("WWW-Authenticate", "")) is (status == 401)
