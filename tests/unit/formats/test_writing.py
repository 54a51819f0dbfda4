"""Whatever a source says, its file is written, is opened by others, and says nothing that it was not told."""

import re
import warnings
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats.addresses import link, mailto
from shared.formats.contentlines import folded, parameter
from shared.formats.first_occurrence import days_to_first
from shared.formats.ics.calendar import event_calendar, task_calendar
from shared.formats.plain_text import text_of
from shared.formats.uids import UNIDENTIFIED, identified, uid_of
from shared.formats.values.common import Attachment, Body, Importance, Person, Sensitivity
from shared.formats.values.contact import Contact, DistributionList, PartialDate, Phone, PhoneKind, PostalAddress
from shared.formats.values.event import Attendee, BusyStatus, Event, Response, Role
from shared.formats.values.recurrence import Frequency, Recurrence, Weekday
from shared.formats.values.task import ChecklistItem, Link, Task, TaskStatus
from shared.formats.values.zone import EVER, PeriodsZone, RuleZone, TimeZone, YearlyChange
from shared.formats.vcf import contact_card, list_card

TEXTS = st.text(max_size=40) | st.sampled_from(["a\r\nEND:VEVENT", "\0" * 36, "a^n", 'x";y', "😀" * 30, "\ud800"])
TIMES = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
DAYS = st.dates() | st.dates(date(2026, 1, 1), date(2026, 12, 31)) | st.sampled_from([date.min, date.max])
OFFSETS = st.integers(-56, 56).map(lambda quarters: timedelta(minutes=15 * quarters))
CHANGES = st.builds(
    YearlyChange,
    st.integers(1, 12),
    st.integers(0, 24).map(lambda hours: timedelta(hours=hours)),
    st.none() | st.integers(0, 6),
    st.sampled_from([-1, 1, 2, 3, 4]),
    st.integers(1, 31),
)
RULES = st.builds(RuleZone, OFFSETS, OFFSETS, CHANGES, CHANGES) | OFFSETS.map(lambda offset: RuleZone(offset, offset))
PERIODS = st.lists(RULES, min_size=2, max_size=3).map(
    lambda rules: PeriodsZone(
        tuple((EVER if not n else datetime(2000 + 9 * n, 1, 1), each) for n, each in enumerate(rules))  # noqa: DTZ001
    )
)
ZONES = st.builds(
    TimeZone,
    st.sampled_from(["", "UTC", "Europe/Berlin", "Morocco Standard Time", "tzone://Microsoft/Custom", "../x"]),
    TEXTS,
    st.none() | RULES | PERIODS,
    st.booleans(),
)
RECURRENCES = st.builds(
    Recurrence,
    st.sampled_from(Frequency),
    st.integers(1, 99),
    st.lists(st.sampled_from(Weekday), max_size=7, unique=True).map(tuple),
    st.sampled_from(Weekday),
    st.sampled_from([0, 0, 1, 4, -1]),
    st.integers(0, 31),
    st.integers(0, 12),
    st.none() | DAYS,
    st.none() | DAYS,
    st.none() | st.integers(1, 99),
)
BODIES = st.builds(Body, TEXTS, TEXTS | st.sampled_from(["<![if !mso]>x<![endif]>", "<a href=x><a></a>", "&#xD800;"]))
ATTACHMENTS = st.lists(
    st.builds(Attachment, TEXTS, TEXTS, st.integers(0, 9), TEXTS, st.booleans(), st.none() | st.binary(), TEXTS),
    max_size=2,
).map(tuple)
PEOPLE = st.builds(Person, TEXTS, TEXTS | st.sampled_from(["a@b.example", '"a b"@c', "@", "ü@ö.example"]))
ATTENDEES = st.builds(Attendee, PEOPLE, st.sampled_from(Role), st.sampled_from(Response))


def events(moments: st.SearchStrategy[datetime] | st.SearchStrategy[date]) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        uid=TEXTS,
        start=st.none() | moments,
        end=st.none() | moments,
        start_zone=st.none() | ZONES,
        end_zone=st.none() | ZONES,
        subject=TEXTS,
        body=BODIES,
        locations=st.lists(TEXTS, max_size=2).map(tuple),
        organizer=st.none() | PEOPLE,
        attendees=st.lists(ATTENDEES, max_size=2).map(tuple),
        is_meeting=st.booleans(),
        is_canceled=st.booleans(),
        sensitivity=st.sampled_from(Sensitivity),
        importance=st.sampled_from(Importance),
        busy=st.none() | st.sampled_from(BusyStatus),
        categories=st.lists(TEXTS, max_size=2).map(tuple),
        reminder_minutes=st.none() | st.integers(-99999, 99999),
        join_url=TEXTS,
        attachments=ATTACHMENTS,
        created=st.none() | TIMES,
        modified=st.none() | TIMES,
        recurrence=st.none() | RECURRENCES,
        canceled_occurrences=st.lists(moments, max_size=2).map(tuple),
        original_start=st.none() | moments,
    )


def assert_sound(data: bytes) -> None:
    """Lines that fold rightly, components that close, and no NUL but where the UID belongs."""
    assert data.replace(UNIDENTIFIED.encode(), b"").count(b"\0") == 0
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    data.decode()
    begun = re.findall(rb"^BEGIN:(\w+)\r$", data, re.MULTILINE)
    assert sorted(begun) == sorted(re.findall(rb"^END:(\w+)\r$", data, re.MULTILINE))
    if data.startswith(b"BEGIN:VCALENDAR"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            icalendar.Calendar.from_ical(identified(data, "key"))


@given(events(TIMES), st.lists(events(TIMES) | events(DAYS), max_size=2))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_event_is_written(event: Event, exceptions: list[Event]) -> None:
    from dataclasses import replace

    assert_sound(event_calendar(replace(event, exceptions=tuple(exceptions))))


@given(events(DAYS))
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_all_day_event_is_written(event: Event) -> None:
    assert_sound(event_calendar(event))


@given(
    st.builds(
        Task,
        subject=TEXTS,
        body=BODIES,
        start=st.none() | DAYS,
        due=st.none() | DAYS,
        completed=st.none() | DAYS | TIMES,
        status=st.sampled_from(TaskStatus),
        percent=st.integers(0, 100),
        owner=TEXTS,
        recurrence=st.none() | RECURRENCES,
        reminder=st.none() | TIMES,
        checklist=st.lists(st.builds(ChecklistItem, TEXTS, st.booleans()), max_size=2).map(tuple),
        links=st.lists(st.builds(Link, TEXTS, TEXTS), max_size=2).map(tuple),
        attachments=ATTACHMENTS,
    )
)
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_task_is_written(task: Task) -> None:
    assert_sound(task_calendar(task))


@given(
    st.builds(
        Contact,
        display_name=TEXTS,
        given_name=TEXTS,
        file_as=TEXTS,
        emails=st.lists(PEOPLE, max_size=2).map(tuple),
        phones=st.lists(st.builds(Phone, TEXTS, st.sampled_from(PhoneKind)), max_size=2).map(tuple),
        addresses=st.lists(st.builds(PostalAddress, street=TEXTS, city=TEXTS), max_size=2).map(tuple),
        ims=st.lists(TEXTS, max_size=2).map(tuple),
        urls=st.lists(TEXTS, max_size=2).map(tuple),
        birthday=st.none() | st.builds(PartialDate, st.integers(1, 12), st.integers(1, 28), st.none() | st.just(800)),
        notes=BODIES,
        photo=st.none() | st.builds(Attachment, TEXTS, TEXTS, data=st.binary()),
        attachments=ATTACHMENTS,
    ),
    st.builds(DistributionList, TEXTS, st.lists(PEOPLE, max_size=3).map(tuple), BODIES, ATTACHMENTS),
)
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_card_is_written(contact: Contact, group: DistributionList) -> None:
    assert_sound(contact_card(contact))
    assert_sound(list_card(group))


@given(st.text())
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_html_has_some_text(html: str) -> None:
    assert isinstance(text_of("<p>" + html), str)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One\n\nTwo & three"),
        ("<div>One<br>Two</div><div>Three</div>", "One\nTwo\nThree"),
        ("<style>p {}</style><title>x</title>Hi", "Hi"),
        ('<a href="https://x.example/j">join</a>', "join <https://x.example/j>"),
        ('<a href="https://x.example">https://x.example/</a>', "https://x.example/"),
        ('<a href="mailto:a@b.example">Ann</a>', "Ann"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("<![if !mso]>shown<![endif]>", "shown"),
        ("a\r\n  b", "a b"),
    ],
)
def test_html_is_told_as_text(html: str, text: str) -> None:
    assert re.sub(r"\s+", " ", text_of(html)) == re.sub(r"\s+", " ", text)


@given(st.text(max_size=300) | st.text(st.characters(max_codepoint=127), max_size=300))
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_folded_lines_unfold_to_what_they_were(content: str) -> None:
    content = content.encode("utf-8", "replace").decode().replace("\r", "").replace("\n", "")

    assert folded(content).replace("\r\n ", "") == content + "\r\n"
    assert all(len(part.encode()) <= 75 for part in folded(content).split("\r\n"))


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("ada@x.example", "mailto:ada@x.example"),
        (" ada@x.example ", "mailto:ada@x.example"),
        ("o'hara+news@x.example", "mailto:o'hara+news@x.example"),
        ("a%b@x.example", "mailto:a%25b@x.example"),
        ("/o=ExchangeLabs/cn=ada", ""),
        ("", ""),
        ("@x.example", ""),
    ],
)
def test_mail_address_is_a_uri(address: str, uri: str) -> None:
    """C11."""
    assert mailto(address) == uri


def test_link_keeps_what_is_encoded_and_encodes_the_rest() -> None:
    assert link(" https://x.example/a b?q=%20&ü ") == "https://x.example/a%20b?q=%20&%C3%BC"


def test_parameter_is_written_as_rfc_6868_says() -> None:
    """C11."""
    assert parameter('a "b"\r\nc^d, e') == "\"a ^'b^'^nc^^d, e\""


def test_a_uid_is_put_in_where_it_belongs_and_nowhere_else() -> None:
    """C2."""
    data = contact_card(Contact(display_name="Ada" + "\0" * 36))

    assert data.count(UNIDENTIFIED.encode()) == 1
    assert f"UID:urn:uuid:{uid_of('k')}\r\n".encode() in identified(data, "k")
    assert identified(data, "k") != identified(data, "l")


@pytest.mark.parametrize(
    ("recurrence", "start", "days"),
    [
        (Recurrence(Frequency.DAILY, 3), date(2026, 1, 5), 0),
        (Recurrence(Frequency.WEEKLY, weekdays=(Weekday.THURSDAY,)), date(2026, 1, 5), 3),
        (Recurrence(Frequency.WEEKLY, 2, (Weekday.MONDAY,), start=date(2026, 1, 7)), date(2026, 1, 7), 12),
        (Recurrence(Frequency.MONTHLY, weekdays=(Weekday.THURSDAY,), nth=-1), date(2026, 1, 5), 24),
        (Recurrence(Frequency.MONTHLY, day_of_month=31), date(2026, 2, 3), 25),
        (Recurrence(Frequency.YEARLY, day_of_month=29, month=2), date(2026, 3, 1), 364),
        (Recurrence(Frequency.WEEKLY), date(2026, 1, 5), 0),
        (Recurrence(Frequency.DAILY), date.max, 0),
        (Recurrence(Frequency.MONTHLY, nth=1), date(2026, 1, 5), 0),
    ],
)
def test_a_series_begins_on_its_first_occurrence(recurrence: Recurrence, start: date, days: int) -> None:
    """RFC 5545 counts DTSTART among the occurrences, Exchange goes by the pattern."""
    assert days_to_first(recurrence, start) == days
