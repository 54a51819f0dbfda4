"""Calendar files from the sandbox's Exchange: instances over two years, flaws in the server's text, and copies."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events

from sandbox.ews import EwsService
from sandbox.ews.drafting import draft
from sandbox.mailboxes.calendar.ical import calendar
from sandbox.mailboxes.calendar.ical_flaws import FLAWS, category
from sandbox.mailboxes.deletion import copy_item
from sandbox.mailboxes.fragments import TYPES, parse
from sandbox.mailboxes.item_parts import ChangedOccurrence
from sandbox.mailboxes.mailbox_store import MailboxStore
from sandbox.mailboxes.samples.corpus import load_default
from sandbox.mailboxes.store import Item, Mailbox
from sandbox.tls.authority import Authority, trust
from shared.sources.ews.sources import EwsSources
from shared.sources.model import Access, AccessMode, ContentLevel, Folder, FolderRole
from shared.sources.model import Item as SourceItem
from shared.sources.port import MailSource
from shared.sync.planning.item_changes import change_for
from tests.contract.exchange_server import ALEX, PEOPLE, Served, claims, delegated, served

CASES = Path(__file__).parents[1] / "unit" / "ews" / "field_cases"
INSERTED = sorted(path.stem for path in CASES.glob("*.xml") if "sandbox: insert into calendar" in path.read_text())
NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
"""The sandbox's samples are around this time."""
WINDOW = (datetime(2025, 7, 1, tzinfo=UTC), datetime(2027, 6, 30, tzinfo=UTC))
type Instance = tuple[datetime | date, datetime | date]


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Served]:
    exchange = EwsService(MailboxStore(PEOPLE, clock=lambda: NOW), claims)
    load_default(exchange.store, PEOPLE, messages=5)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trust(authority.ca).items():
            patch.setenv(name, value)
        with served(exchange, authority) as running:
            yield running


@pytest.fixture
def source(server: Served) -> Iterator[MailSource]:
    opened = EwsSources(server.url).open(Access(ALEX.address, AccessMode.DELEGATED, delegated(ALEX)))
    yield opened
    opened.close()


def folder_of(source: MailSource, role: FolderRole) -> Folder:
    return next(folder for folder in source.folders() if folder.role is role)


def fetched(source: MailSource, folder: Folder) -> list[SourceItem]:
    page = source.changes(folder, None)
    found = list(source.fetch(folder, [change.item_id for change in page.changes], ContentLevel.MIME))
    assert page.complete
    assert all(isinstance(item, SourceItem) for item in found)
    return [item for item in found if isinstance(item, SourceItem)]


def file_of(item: SourceItem) -> bytes:
    content = change_for(item, ContentLevel.MIME, None).content
    assert content is not None
    return content.data


def inserted(mailbox: Mailbox, name: str) -> Item:
    """Add a field case to a calendar, with the changed occurrences that its header lists."""
    header, _, xml = (CASES / f"{name}.xml").read_text().partition("-->")
    item = made(mailbox, xml.strip())
    changed = re.search(r"changed=(.*) deleted=", header, re.DOTALL)
    for original, start, end, properties in ast.literal_eval(changed[1]) if changed else ():
        moments = [datetime.fromisoformat(text) for text in (original, start, end)]
        item.exceptions[moments[0]] = ChangedOccurrence(moments[1], moments[2], properties)
    return mailbox.insert(mailbox.distinguished["calendar"], item)


def made(mailbox: Mailbox, xml: str) -> Item:
    return draft(parse(f'<x xmlns:t="{TYPES}" xmlns="{TYPES}">{xml}</x>'.encode())[0], mailbox, ("", mailbox.address))


def instances(data: bytes) -> Iterator[Instance]:
    """The times of a file's events within the window, as recurring-ical-events expands them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(*WINDOW)
    for each in found:
        start, end = each["DTSTART"].dt, each["DTEND"].dt if "DTEND" in each else each["DTSTART"].dt
        yield tuple(at.astimezone(UTC) if isinstance(at, datetime) else at for at in (start, end))  # type: ignore[misc]


def listed(item: SourceItem) -> Instance:
    """An occurrence as Exchange lists it, with days if it is an all-day event."""
    metadata = item.metadata
    if metadata.get("all_day"):
        days = [date.fromisoformat(str(metadata[name])) for name in ("start_date", "end_date")]
        return days[0], days[1]
    assert item.at is not None
    return item.at, datetime.fromisoformat(str(metadata["end"]))


def test_a_file_has_the_instances_that_exchange_lists_over_two_years(server: Served, source: MailSource) -> None:
    """C1, C4, C10: every event of a calendar with all kinds of events, and the field cases."""
    mailbox = server.mailbox(ALEX)
    for name in INSERTED:
        inserted(mailbox, name)
    folder = folder_of(source, FolderRole.CALENDAR)

    from_files = Counter(instance for item in fetched(source, folder) for instance in instances(file_of(item)))
    from_exchange = Counter(map(listed, source.occurrences(folder, *WINDOW)))

    assert from_exchange.total() > 300
    assert from_files == from_exchange


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_flaws_of_the_servers_text_do_not_reach_the_file(server: Served, source: MailSource, flaw: str) -> None:
    """C1: m1 to m8. The sandbox's Exchange writes the flaws that were observed on real servers."""
    mailbox = server.mailbox(ALEX)
    right, wrong = (
        mailbox.insert(mailbox.distinguished["calendar"], flawed_event(mailbox, mark, flaw)) for mark in ("none", flaw)
    )
    assert calendar(wrong).replace(category(flaw).encode(), b"") != calendar(right)

    by_id = {item.id: item for item in fetched(source, folder_of(source, FolderRole.CALENDAR))}
    files = [lines_beside(file_of(by_id[item.id]), item) for item in (right, wrong)]

    assert files[0] == files[1]
    assert b"ATTENDEE" in file_of(by_id[wrong.id])
    for item in (right, wrong):
        mailbox.remove(item)


def flawed_event(mailbox: Mailbox, mark: str, flaw: str) -> Item:
    """A weekly meeting whose mark makes the server write a flaw into its text, and that is of the kind to have it."""
    all_day = "true" if flaw == "all-day as times" else "false"
    item = made(
        mailbox,
        f"<t:CalendarItem><t:Subject>Weekly</t:Subject><t:Categories><t:String>{category(mark)}</t:String>"
        "</t:Categories><t:UID>weekly</t:UID><t:Start>2026-07-06T22:00:00Z</t:Start>"
        f"<t:End>2026-07-07T22:00:00Z</t:End><t:IsAllDayEvent>{all_day}</t:IsAllDayEvent>"
        "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>Ben</t:Name><t:EmailAddress>ben@x.example</t:EmailAddress>"
        "</t:Mailbox></t:Attendee></t:RequiredAttendees><t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval>"
        "<t:DaysOfWeek>Tuesday</t:DaysOfWeek></t:WeeklyRecurrence><t:NumberedRecurrence>"
        "<t:StartDate>2026-07-07</t:StartDate><t:NumberOfOccurrences>3</t:NumberOfOccurrences></t:NumberedRecurrence>"
        '</t:Recurrence><t:StartTimeZone Id="W. Europe Standard Time"/></t:CalendarItem>',
    )
    start = datetime(2026, 7, 13, 22, tzinfo=UTC)
    item.exceptions[start] = ChangedOccurrence(start + timedelta(hours=2), start + timedelta(hours=3))
    return item


def lines_beside(data: bytes, item: Item) -> list[str]:
    """The file's lines without those that differ between two events created one after the other."""
    text = data.decode().replace("\r\n ", "").replace(item.id, "")
    marks = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "CATEGORIES")
    return [line for line in text.split("\r\n") if not line.startswith(marks)]


@pytest.mark.parametrize("role", [FolderRole.CONTACTS, FolderRole.TASKS])
def test_copies_have_a_uid_each_and_keep_it_when_they_move(
    server: Served, source: MailSource, role: FolderRole
) -> None:
    """C2: u1. Copies share every property, including the search key."""
    mailbox = server.mailbox(ALEX)
    folder = mailbox.distinguished["contacts" if role is FolderRole.CONTACTS else "tasks"]
    kind = "Contact" if role is FolderRole.CONTACTS else "Task"
    original = mailbox.insert(folder, made(mailbox, f"<t:{kind}><t:Subject>Twice</t:Subject></t:{kind}>"))
    copy = copy_item(original, folder)

    by_id = {item.id: item for item in fetched(source, folder_of(source, role))}
    changes = [change_for(by_id[item.id], ContentLevel.MIME, None) for item in (original, copy)]
    moved = change_for(by_id[copy.id], ContentLevel.MIME, changes[0].item)

    uids = [uid_in(change.content.data) for change in (*changes, moved) if change.content is not None]
    assert by_id[original.id].move_key == by_id[copy.id].move_key
    assert uids[0] != uids[1]
    assert uids[2] == uids[0]
    assert b"\0" not in file_of(by_id[copy.id])


def uid_in(data: bytes) -> str:
    found = re.search(rb"^UID:(?:urn:uuid:)?([0-9a-f-]{36})\r$", data, re.MULTILINE)
    assert found
    return found[1].decode()
