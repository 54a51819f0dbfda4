"""Batches."""

import base64
import re
from collections.abc import Callable

import pytest

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.ews.transport.session import EwsLimits
from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, Item, ItemFailure, ItemKind
from tests.unit.ews.soap_samples import (
    CALENDAR,
    CONTACTS,
    INBOX,
    ScriptedChannel,
    answer,
    asked_ids,
    envelope,
    failure,
    fault,
    ids,
    items,
    mailbox,
    message,
    messages_as_asked,
    success,
)

MIME = ContentLevel.MIME


def fetched(channel: ScriptedChannel, count: int, level: ContentLevel = MIME, **options: int) -> dict[str, object]:
    results = list(mailbox(channel, **options).fetch(INBOX, ids(count), level))  # type: ignore[arg-type]
    by_id = {result.id if isinstance(result, Item) else result.item_id: result for result in results}
    assert len(by_id) == len(results)
    return dict(by_id)


def reasons(results: dict[str, object]) -> dict[str, Reason]:
    return {key: result.reason for key, result in results.items() if isinstance(result, ItemFailure)}


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 16, 17, 250])
def test_every_item_comes_once_whatever_the_batches(count: int, connections: int) -> None:
    source = mailbox(ScriptedChannel(messages_as_asked), connections=connections)

    results = list(source.fetch(INBOX, ids(count), MIME))
    source.close()

    assert sorted(result.id for result in results if isinstance(result, Item)) == sorted(ids(count))


def test_a_message_keeps_its_mime_byte_for_byte() -> None:
    mime = bytes(range(256)) * 10
    channel = ScriptedChannel(items(message("I0", mime)))

    (item,) = fetched(channel, 1).values()

    assert isinstance(item, Item)
    assert item.content is not None
    assert (item.content.form, item.content.data) == ("eml", mime)


def test_base64_in_lines_is_read_too() -> None:
    mime = b"x" * 500
    lines = base64.encodebytes(mime).decode()
    element = message("I0", None, more="").replace("<t:ItemId", f"<t:MimeContent>{lines}</t:MimeContent><t:ItemId", 1)

    (item,) = fetched(ScriptedChannel(items(element)), 1).values()

    assert isinstance(item, Item)
    assert item.content is not None
    assert item.content.data == mime


def test_mime_that_is_no_base64_spoils_its_item_alone() -> None:
    broken = message("I0").replace("<t:MimeContent>", "<t:MimeContent>===")

    results = fetched(ScriptedChannel(items(broken, message("I1"))), 2)

    assert reasons(results) == {"I0": Reason.ITEM_CORRUPT}
    assert isinstance(results["I1"], Item)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ErrorItemNotFound", Reason.ITEM_GONE),
        ("ErrorItemCorrupt", Reason.ITEM_CORRUPT),
        ("ErrorCorruptData", Reason.ITEM_CORRUPT),
        ("ErrorMessageSizeExceeded", Reason.ITEM_TOO_LARGE),
        ("ErrorAccessDenied", Reason.ITEM_REFUSED),
        ("ErrorInternalServerError", Reason.ITEM_UNREADABLE),
        ("ErrorNobodyHasHeardOf", Reason.ITEM_UNREADABLE),
    ],
)
def test_what_is_wrong_with_one_item_stops_no_other(code: str, reason: Reason) -> None:
    one = success("GetItem", f"<m:Items>{message('I1')}</m:Items>")
    channel = ScriptedChannel(answer("GetItem", failure("GetItem", code), one))

    results = fetched(channel, 2)

    assert reasons(results) == {"I0": reason}
    assert isinstance(results["I1"], Item)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ErrorMailboxStoreUnavailable", RetryLater), ("ErrorImpersonateUserDenied", AdministratorMustAct)],
)
def test_a_mailbox_error_reported_for_an_item_ends_the_fetch(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        fetched(ScriptedChannel(answer("GetItem", failure("GetItem", code))), 1)


def busy_above(size: int, code: str = "ErrorServerBusy") -> Callable[[str], bytes]:
    def answered(request: str) -> bytes:
        return fault(code) if len(asked_ids(request)) > size else messages_as_asked(request)

    return answered


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorTimeoutExpired", "ErrorResultSetTooBig"])
def test_a_batch_that_is_too_much_is_asked_in_smaller_parts(code: str) -> None:
    channel = ScriptedChannel(busy_above(3, code))

    assert len(fetched(channel, 16)) == 16


def test_the_rest_of_a_stopped_batch_is_requested_again() -> None:
    def answered(request: str) -> bytes:
        wanted = asked_ids(request)
        done = [success("GetItem", f"<m:Items>{message(each)}</m:Items>") for each in wanted[:4]]
        stopped = [failure("GetItem", "ErrorBatchProcessingStopped") for _ in wanted[4:]]
        return answer("GetItem", *done, *stopped)

    channel = ScriptedChannel(answered)

    assert len(fetched(channel, 16)) == 16
    assert sum(len(asked_ids(request)) for request in channel.asked) < 40


def test_a_server_too_busy_for_one_item_is_left_alone() -> None:
    channel = ScriptedChannel(busy_above(0))

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16)

    assert caught.value.reason is Reason.THROTTLED
    assert channel.requests == 5


def test_a_server_that_is_busy_for_each_item_is_left_alone() -> None:
    channel = ScriptedChannel(
        lambda request: answer("GetItem", *(failure("GetItem", "ErrorServerBusy") for _ in asked_ids(request)))
    )

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16)

    assert caught.value.reason is Reason.THROTTLED
    assert channel.requests == 5


def test_a_busy_server_that_names_a_time_is_not_asked_again() -> None:
    channel = ScriptedChannel(fault("ErrorServerBusy", 60_000))

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16)

    assert caught.value.retry_after == 60.0
    assert channel.requests == 1


def test_one_item_whose_answer_cannot_be_parsed_does_not_block_the_others() -> None:
    def answered(request: str) -> bytes:
        wanted = asked_ids(request)
        broken = "<t:Broken>" if "I11" in wanted and "IncludeMimeContent" in request else ""
        return items(*(message(each, more=broken if each == "I11" else "") for each in wanted))

    results = fetched(ScriptedChannel(answered), 16)

    assert reasons(results) == {"I11": Reason.ITEM_UNREADABLE}
    assert len(results) == 16


def test_a_server_that_answers_nothing_readable_makes_no_issues() -> None:
    channel = ScriptedChannel(envelope("<m:A><m:B></m:A>"))

    with pytest.raises(RetryLater) as caught:
        fetched(channel, 16)

    assert caught.value.reason is Reason.BAD_ANSWER


def test_an_answer_with_too_few_items_is_not_believed() -> None:
    with pytest.raises(RetryLater):
        fetched(ScriptedChannel(items(message("I0"))), 2)


def test_an_item_larger_than_wanted_comes_without_content() -> None:
    results = fetched(ScriptedChannel(messages_as_asked), 1, largest=1000)

    item = results["I0"]
    assert isinstance(item, Item)
    assert item.content is None
    assert item.size == 1234


def test_a_batch_too_large_for_memory_is_asked_by_size() -> None:
    """Sizes are asked first: giants one by one, those above the limit without content, the rest together."""
    size_of = {"I0": 100, "I1": 100, "I2": 3_000_000, "I3": 90_000_000}

    def answered(request: str) -> bytes | Exception:
        wanted = asked_ids(request)
        if "IncludeMimeContent" in request and len(wanted) == 4:
            return error_of_fault(Fault.OVERSIZED)
        return items(*(message(each).replace("<t:Size>1234", f"<t:Size>{size_of[each]}") for each in wanted))

    channel = ScriptedChannel(answered)
    results = fetched(channel, 4, largest=50_000_000)

    contents = {key: item.content is not None for key, item in results.items() if isinstance(item, Item)}
    assert contents == {"I0": True, "I1": True, "I2": True, "I3": False}
    asked = [asked_ids(request) for request in channel.asked if "IncludeMimeContent" in request]
    assert ["I0", "I1"] in asked
    assert ["I2"] in asked


def test_a_giant_that_is_larger_than_it_says_is_an_issue() -> None:
    def answered(request: str) -> bytes | Exception:
        if "IncludeMimeContent" in request:
            return error_of_fault(Fault.OVERSIZED)
        return items(*(message(each).replace("<t:Size>1234", "<t:Size>9000000") for each in asked_ids(request)))

    results = fetched(ScriptedChannel(answered), 1, largest=50_000_000)

    assert reasons(results) == {"I0": Reason.ITEM_TOO_LARGE}


def test_batches_grow_while_messages_are_small() -> None:
    channel = ScriptedChannel(messages_as_asked)

    fetched(channel, 200)

    sizes = [len(asked_ids(request)) for request in channel.asked]
    assert sizes[0] < sizes[-2]
    assert max(sizes) <= 50


def test_an_item_of_another_kind_is_requested_again_in_its_own_shape() -> None:
    contact = '<t:Contact><t:ItemId Id="I0" ChangeKey="1"/><t:DisplayName>Ada</t:DisplayName></t:Contact>'
    channel = ScriptedChannel(items(contact))

    (item,) = fetched(channel, 1).values()

    assert isinstance(item, Item)
    assert item.kind is ItemKind.CONTACT
    assert channel.requests == 2
    assert "AllProperties" in channel.asked[1]


def test_an_item_whose_kind_keeps_changing_is_requested_twice() -> None:
    contact = '<t:Contact><t:ItemId Id="I0" ChangeKey="1"/><t:DisplayName>Ada</t:DisplayName></t:Contact>'
    channel = ScriptedChannel(
        lambda request: items(message("I0", None) if "AllProperties" in request else contact),
    )

    results = fetched(channel, 1)

    assert reasons(results) == {"I0": Reason.ITEM_UNREADABLE}
    assert channel.requests == 2


def test_an_occurrence_that_cannot_be_had_leaves_its_series_whole() -> None:
    series = (
        '<t:CalendarItem><t:ItemId Id="I0" ChangeKey="1"/><t:Subject>Series</t:Subject>'
        "<t:Start>2026-03-02T09:00:00Z</t:Start><t:End>2026-03-02T10:00:00Z</t:End>"
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1" ChangeKey="1"/><t:Start>2026-03-09T11:00:00Z</t:Start>'
        "<t:End>2026-03-09T12:00:00Z</t:End><t:OriginalStart>2026-03-09T09:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences></t:CalendarItem>"
    )
    channel = ScriptedChannel(items(series), answer("GetItem", failure("GetItem", "ErrorItemNotFound")))

    (item,) = mailbox(channel).fetch(CALENDAR, ["I0"], MIME)

    assert isinstance(item, Item)
    assert item.content is not None
    assert b"RECURRENCE-ID:20260309T090000Z" in item.content.data
    assert b"DTSTART:20260309T110000Z" in item.content.data


def test_memory_holds_no_more_batches_than_are_in_flight() -> None:
    channel = ScriptedChannel(messages_as_asked)
    source = mailbox(channel, connections=2, limits=EwsLimits())

    results = source.fetch(INBOX, ids(1000), ContentLevel.METADATA)
    next(results)
    asked = channel.requests
    results.close()  # type: ignore[attr-defined]
    source.close()

    assert asked <= 4
    assert channel.closed


def test_what_is_kept_of_a_contact_and_a_task_is_asked_by_name() -> None:
    """G5: a server leaves Categories, FileAs and PhysicalAddresses out of AllProperties."""
    tasks = Folder("F4", "", "Tasks", "Tasks", FolderKind.TASKS, FolderRole.TASKS, 0)
    contact = (
        '<t:Contact><t:ItemId Id="I0" ChangeKey="1"/><t:Categories><t:String>Red</t:String></t:Categories>'
        '<t:FileAs>Berg, Ada</t:FileAs><t:PhysicalAddresses><t:Entry Key="Home"><t:City>Bergen</t:City></t:Entry>'
        "</t:PhysicalAddresses></t:Contact>"
    )
    task = (
        '<t:Task><t:ItemId Id="I0" ChangeKey="1"/><t:Categories><t:String>Red</t:String></t:Categories>'
        "<t:DueDate>2026-03-10T00:00:00Z</t:DueDate></t:Task>"
    )

    def told_by_name(request: str) -> bytes:
        element = task if "task:DueDate" in request else contact
        for name, uri in (
            ("Categories", "item:Categories"),
            ("FileAs", "contacts:FileAs"),
            ("PhysicalAddresses", "contacts:PhysicalAddresses"),
            ("DueDate", "task:DueDate"),
        ):
            if f'"{uri}"' not in request:
                element = re.sub(f"<t:{name}>.*</t:{name}>", "", element)
        return items(element)

    (person,) = mailbox(ScriptedChannel(told_by_name)).fetch(CONTACTS, ["I0"], ContentLevel.MIME)
    (job,) = mailbox(ScriptedChannel(told_by_name)).fetch(tasks, ["I0"], ContentLevel.MIME)

    assert isinstance(person, Item)
    assert isinstance(job, Item)
    assert person.metadata["categories"] == job.metadata["categories"] == ["Red"]
    assert person.metadata["file_as"] == "Berg, Ada"
    assert person.metadata["addresses"] == {"Home": {"City": "Bergen"}}
    assert job.metadata["due"] == "2026-03-10T00:00:00Z"
