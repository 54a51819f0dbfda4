"""Whatever bytes an answer has, reading it gives items, failures or a typed error, and nothing else."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import MailboxSyncError
from shared.sources.ews.mailbox import EwsMailbox
from shared.sources.model import ContentLevel, Folder, Item, ItemFailure, ItemRef, SourceChange
from tests.unit.ews.soap_samples import (
    CALENDAR,
    CONTACTS,
    INBOX,
    ScriptedChannel,
    answer,
    fault,
    items,
    mailbox,
    message,
    success,
)
from tests.unit.ews.test_contacts_tasks import CONTACT, LIST, MONTHLY, TASKS, task
from tests.unit.ews.test_events import BERLIN, CUSTOM, WEEKLY, event
from tests.unit.ews.test_folders import folder, found
from tests.unit.ews.test_sync_folder_items import START_END, listing, occurrence, page, view

Ask = Callable[[EwsMailbox], Iterable[object]]


def fetch(where: Folder) -> Ask:
    return lambda source: list(source.fetch(where, ["I0"], ContentLevel.MIME))


REAL: list[tuple[bytes, Ask]] = [
    (items(message("I0")), fetch(INBOX)),
    (items(event(BERLIN, WEEKLY)), fetch(CALENDAR)),
    (items(event(CUSTOM)), fetch(CALENDAR)),
    (items(CONTACT), fetch(CONTACTS)),
    (items(LIST), fetch(CONTACTS)),
    (items(task(MONTHLY)), fetch(TASKS)),
    (fault("ErrorServerBusy", 1000), fetch(INBOX)),
    (answer("FindFolder", found(folder("A"), folder("B", "A"))), lambda source: source.folders()),
    (
        page('<t:Create><t:Message><t:ItemId Id="A" ChangeKey="1"/></t:Message></t:Create>'),
        lambda source: source.changes(INBOX, "S").changes,
    ),
    (listing(["A"], 1, None), lambda source: list(source.list_items(INBOX))),
    (view(occurrence("A", "2026-03-02T09:00:00Z")), lambda source: list(source.occurrences(CALENDAR, *START_END))),
    (
        answer(
            "ResolveNames",
            success(
                "ResolveNames",
                "<m:ResolutionSet><t:Resolution><t:Mailbox><t:EmailAddress>a@b.example</t:EmailAddress></t:Mailbox>"
                "</t:Resolution></m:ResolutionSet>",
            ),
        ),
        lambda source: source.resolve("a"),
    ),
]
"""Answers as Exchange gives them, and what reads them."""

SCRAPS = [
    b"", b"<", b">", b"&", b"</t:Message>", b"<t:Size>-1</t:Size>", b"<t:Start>9999-12-31T23:59:59Z</t:Start>",
    b"0001-01-01T00:00:00+14:00", b"&#x0;", b"&#xD800;", b"]]>", b"<![CDATA[x]]>", b"<!-- x -->", b"<?x y?>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"\xff\xfe", b"\x00", b"NaN", b"99999999999999999999", b"PT99999H",
    "²".encode(), b"9" * 5000,
    b'Id=""', b"<t:ItemId/>", b"<m:Items/>", b"<t:Mailbox/>", b'ResponseClass="Error"', "😀".encode(),
]  # fmt: skip
"""What mutations put in."""


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, Ask]:
    """A real answer in which some stretches were cut out, doubled or replaced."""
    data, ask = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        scrap = draw(st.sampled_from(SCRAPS) | st.binary(max_size=6) | st.just(data[start:end] * 2))
        data = data[:start] + scrap + data[end:]
    return data, ask


def assert_sound(result: object) -> None:
    """What was read can be kept: it has an id, its texts can be written down, its times are aware."""
    match result:
        case Item():
            assert result.id
            assert result.at is None or result.at.tzinfo is UTC
            json.dumps([result.subject, result.metadata, result.addresses, result.version]).encode()
            assert result.content is None or isinstance(result.content.data, bytes)
        case ItemFailure() | SourceChange():
            assert result.item_id
        case Folder() | ItemRef():
            assert result.id
        case _:
            assert isinstance(result, str)


def assert_typed(data: bytes, ask: Ask) -> None:
    """Reading an answer gives something, or one of our errors."""
    source = mailbox(ScriptedChannel(data))
    try:
        results = list(ask(source))
    except MailboxSyncError:
        return
    finally:
        source.close()
    for result in results:
        assert_sound(result)


@given(mutated())
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_answers_give_typed_errors_and_nothing_else(case: tuple[bytes, Ask]) -> None:
    assert_typed(*case)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_bytes_at_all_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(MailboxSyncError):
        mailbox(ScriptedChannel(data)).folders()
