"""Pages of changes and listings."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import ActionNeeded, AdministratorMustAct, Reason, RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.model import ChangeKind, SourceChange
from shared.sources.port import FolderGone, FolderUnreadable, StateInvalid
from tests.unit.ews.soap_samples import CALENDAR, INBOX, ROOT, ScriptedChannel, answer, failure, fault, mailbox, success


def page(changes: str, state: str = "S2", last: bool = True) -> bytes:
    return answer(
        "SyncFolderItems",
        success(
            "SyncFolderItems",
            f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>{str(last).lower()}"
            f"</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>",
        ),
    )


def test_every_kind_of_change_is_read_in_order() -> None:
    channel = ScriptedChannel(
        page(
            '<t:Create><t:Message><t:ItemId Id="A" ChangeKey="1"/></t:Message></t:Create>'
            '<t:Update><t:CalendarItem><t:ItemId Id="B" ChangeKey="2"/></t:CalendarItem></t:Update>'
            '<t:Delete><t:ItemId Id="C" ChangeKey="3"/></t:Delete>'
            '<t:ReadFlagChange><t:ItemId Id="D" ChangeKey="4"/><t:IsRead>true</t:IsRead></t:ReadFlagChange>',
            last=False,
        )
    )

    read = mailbox(channel).changes(INBOX, "S1")

    assert read.changes == (
        SourceChange(ChangeKind.UPSERT, "A", "1"),
        SourceChange(ChangeKind.UPSERT, "B", "2"),
        SourceChange(ChangeKind.DELETE, "C"),
        SourceChange(ChangeKind.READ_FLAG, "D", "4", True),
    )
    assert read.state == "S2"
    assert not read.complete
    assert "<m:SyncState>S1</m:SyncState>" in channel.asked[0]


@pytest.mark.parametrize(("deleted", "state", "complete"), [(511, "S2", True), (512, "S2", False), (512, "S1", True)])
def test_full_page_is_not_believed_to_be_the_last(deleted: int, state: str, complete: bool) -> None:
    """G4: a server said so of the first 512 of 1,200 deletions. One that gives no new state has no more to say."""
    changes = "".join(f'<t:Delete><t:ItemId Id="A{number}"/></t:Delete>' for number in range(deleted))

    read = mailbox(ScriptedChannel(page(changes, state))).changes(INBOX, "S1")

    assert len(read.changes) == deleted
    assert read.complete is complete


def test_a_page_without_a_following_state_is_refused() -> None:
    with pytest.raises(RetryLater):
        mailbox(ScriptedChannel(page("", state=""))).changes(INBOX, None)


def test_a_change_that_nobody_knows_is_refused_for_the_same_reason() -> None:
    with pytest.raises(RetryLater):
        mailbox(ScriptedChannel(page('<t:Rename><t:ItemId Id="A"/></t:Rename>'))).changes(INBOX, None)


@pytest.mark.parametrize(
    ("code", "kind"), [("ErrorInvalidSyncStateData", StateInvalid), ("ErrorSyncFolderNotFound", FolderGone)]
)
def test_what_is_wrong_with_one_folder_is_told_as_that(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        mailbox(ScriptedChannel(answer("SyncFolderItems", failure("SyncFolderItems", code)))).changes(INBOX, "S")


TWO_YEARS = timedelta(days=730)
START_END = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def listing(ids: list[str], total: int, following: int | None) -> bytes:
    where = f'IncludesLastItemInRange="false" IndexedPagingOffset="{following}"' if following else ""
    items = "".join(
        f'<t:Message><t:ItemId Id="{each}" ChangeKey="K"/>'
        "<t:DateTimeReceived>2026-03-01T09:30:00Z</t:DateTimeReceived></t:Message>"
        for each in ids
    )
    return answer(
        "FindItem",
        success(
            "FindItem",
            f'<m:RootFolder TotalItemsInView="{total}" {where or 'IncludesLastItemInRange="true"'}>'
            f"<t:Items>{items}</t:Items></m:RootFolder>",
        ),
    )


MALFORMED = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a></b></s:Body></s:Envelope>'


def refused(operation: str, code: str) -> bytes:
    return answer(operation, failure(operation, code))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (refused("SyncFolderItems", "ErrorAccessDenied"), Reason.ITEM_REFUSED),
        (refused("SyncFolderItems", "ErrorCorruptData"), Reason.ITEM_CORRUPT),
        (refused("SyncFolderItems", "ErrorInternalServerError"), Reason.ITEM_UNREADABLE),
        (fault("ErrorInternalServerError"), Reason.ITEM_UNREADABLE),
        (MALFORMED, Reason.ITEM_UNREADABLE),
    ],
    ids=["refused", "corrupt", "internal", "internal, as a fault", "malformed"],
)
def test_an_unreadable_folder_in_a_readable_mailbox_is_reported(told: bytes, reason: Reason) -> None:
    channel = ScriptedChannel(told, ROOT, told)
    with pytest.raises(FolderUnreadable) as raised:
        mailbox(channel).changes(INBOX, "S1")
    assert raised.value.reason is reason
    assert len(channel.asked) == 3


def test_a_folder_that_can_be_read_at_the_second_try_is_read() -> None:
    channel = ScriptedChannel(refused("SyncFolderItems", "ErrorInternalServerError"), ROOT, page("", state="S7"))
    assert mailbox(channel).changes(INBOX, None).state == "S7"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ErrorAccessDenied", AdministratorMustAct), ("ErrorInternalServerError", RetryLater)],
)
def test_where_the_mailbox_itself_cannot_be_read_no_folder_is_to_blame(code: str, kind: type[Exception]) -> None:
    channel = ScriptedChannel(refused("SyncFolderItems", code), refused("GetFolder", code))
    with pytest.raises(kind):
        mailbox(channel).changes(INBOX, None)
    assert len(channel.asked) == 2


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorMailboxMoveInProgress", "ErrorImpersonateUserDenied"])
def test_what_cannot_be_one_folders_fault_is_not_asked_again(code: str) -> None:
    channel = ScriptedChannel(refused("SyncFolderItems", code))
    with pytest.raises(ActionNeeded):
        mailbox(channel).changes(INBOX, None)
    assert len(channel.asked) == 1


@pytest.mark.parametrize(
    "error",
    [error_of_fault(Fault.SILENCE), error_of_fault(Fault.CUT), RetryLater(Reason.UNAVAILABLE, support="http_500")],
    ids=["silence", "cut", "http_500"],
)
def test_a_folder_that_ends_every_pass_is_at_fault_once_stuck(error: RetryLater) -> None:
    def over_one_folder(request: str) -> bytes | Exception:
        return ROOT if "<m:GetFolder>" in request else error

    with pytest.raises(RetryLater):
        mailbox(ScriptedChannel(over_one_folder)).changes(INBOX, "S1")
    source = mailbox(ScriptedChannel(over_one_folder), isolate_failures=True)
    with pytest.raises(FolderUnreadable) as raised:
        source.changes(INBOX, "S1")
    assert (raised.value.reason, raised.value.support) == (Reason.ITEM_UNREADABLE, error.support)


def test_a_folder_is_not_at_fault_where_the_mailbox_is_unreadable_too() -> None:
    channel = ScriptedChannel(error_of_fault(Fault.SILENCE))
    source = mailbox(channel, isolate_failures=True)
    with pytest.raises(RetryLater) as raised:
        source.changes(INBOX, "S1")
    assert raised.value.reason is Reason.TIMED_OUT
    assert len(channel.asked) == 2


def test_a_folder_that_cannot_be_listed_is_told_as_that_too() -> None:
    told = refused("FindItem", "ErrorAccessDenied")
    with pytest.raises(FolderUnreadable):
        list(mailbox(ScriptedChannel(told, ROOT, told)).list_items(INBOX))
    with pytest.raises(FolderUnreadable):
        list(mailbox(ScriptedChannel(told, ROOT, told)).occurrences(CALENDAR, *START_END))


def test_a_change_of_an_item_without_an_id_is_no_change() -> None:
    with pytest.raises(RetryLater):
        mailbox(ScriptedChannel(page('<t:Delete><t:ItemId Id="" ChangeKey="3"/></t:Delete>'))).changes(INBOX, None)


@pytest.mark.parametrize("written", ["\u00b2", "9" * 5000, "-1", ""])
def test_a_count_that_is_none_ends_a_listing_and_breaks_nothing(written: str) -> None:
    told = listing(["A"], 1, None).replace(b'TotalItemsInView="1"', f'TotalItemsInView="{written}"'.encode())
    assert f'"{written}"'.encode() in told
    assert [ref.id for ref in mailbox(ScriptedChannel(told)).list_items(INBOX)] == ["A"]


def test_a_listing_goes_through_all_pages() -> None:
    channel = ScriptedChannel(listing(["A", "B"], 3, 2), listing(["C"], 3, None))

    refs = list(mailbox(channel).list_items(INBOX))

    assert [ref.id for ref in refs] == ["A", "B", "C"]
    assert refs[0].at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("deleted_before_page", [1, 2])
def test_a_folder_that_shrinks_meanwhile_hides_nothing_from_the_listing(deleted_before_page: int) -> None:
    there = list("ABCDEF")

    def two_at_a_time(request: str) -> bytes:
        if channel.requests == deleted_before_page + 1:
            del there[0]
        offset = int(re.findall(r'Offset="(\d+)"', request)[0])
        return listing(there[offset : offset + 2], len(there), offset + 2 if offset + 2 < len(there) else None)

    channel = ScriptedChannel(two_at_a_time)

    assert {ref.id for ref in mailbox(channel).list_items(INBOX)} == set("ABCDEF")


def test_a_listing_that_does_not_advance_ends() -> None:
    channel = ScriptedChannel(listing(["A"], 5, 2), listing(["A"], 5, 2))

    assert len(list(mailbox(channel).list_items(INBOX))) == 2


def occurrence(identifier: str, start: str) -> str:
    return (
        f'<t:CalendarItem><t:ItemId Id="{identifier}" ChangeKey="K"/><t:Subject>Stand-up</t:Subject>'
        f"<t:Start>{start}</t:Start><t:End>{start}</t:End>"
        "<t:CalendarItemType>Occurrence</t:CalendarItemType></t:CalendarItem>"
    )


def view(*occurrences: str, last: bool = True) -> bytes:
    root = f'<m:RootFolder IncludesLastItemInRange="{str(last).lower()}">'
    return answer("FindItem", success("FindItem", f"{root}<t:Items>{''.join(occurrences)}</t:Items></m:RootFolder>"))


def test_occurrences_are_expanded_by_the_server() -> None:
    channel = ScriptedChannel(view(occurrence("A", "2026-03-02T09:00:00Z"), occurrence("B", "2026-03-03T09:00:00Z")))
    start, end = START_END

    found = list(mailbox(channel).occurrences(CALENDAR, start, end))

    assert [(item.id, item.at) for item in found] == [
        ("A", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("B", datetime(2026, 3, 3, 9, tzinfo=UTC)),
    ]
    assert 'StartDate="2026-03-01T00:00:00Z" EndDate="2026-04-01T00:00:00Z"' in channel.asked[0]


def test_an_event_longer_than_several_full_views_is_given_once() -> None:
    first, second = (
        [occurrence(f"{half}{number}", f"2026-03-{start + number // 100:02d}T09:00:00Z") for number in range(999)]
        for half, start in (("A", 1), ("B", 11))
    )
    long = occurrence("LONG", "2026-03-01T09:00:00Z")
    channel = ScriptedChannel(view(long, *first), view(long, *second), view(long))
    start, end = START_END

    found = [item.id for item in mailbox(channel).occurrences(CALENDAR, start, end)]

    assert found.count("LONG") == 1
    assert len(found) == len(set(found)) == 1999


def test_a_full_calendar_view_continues_from_its_last_start() -> None:
    full = [occurrence(f"I{number}", f"2026-03-{number // 100 + 1:02d}T09:00:00Z") for number in range(1000)]
    channel = ScriptedChannel(view(*full), view(*full[-100:], occurrence("LAST", "2026-03-20T09:00:00Z")))
    start, end = START_END

    found = [item.id for item in mailbox(channel).occurrences(CALENDAR, start, end)]

    assert len(found) == len(set(found)) == 1001
    assert 'StartDate="2026-03-10T09:00:00Z"' in channel.asked[1]


def test_a_calendar_view_cut_by_a_server_limit_is_continued() -> None:
    first, second = occurrence("A", "2026-03-02T09:00:00Z"), occurrence("B", "2026-03-03T09:00:00Z")
    channel = ScriptedChannel(view(first, last=False), view(first, second))
    start, end = START_END

    found = [item.id for item in mailbox(channel).occurrences(CALENDAR, start, end)]

    assert found == ["A", "B"]


def test_a_window_longer_than_two_years_is_requested_in_parts() -> None:
    first, both = occurrence("A", "2026-03-02T09:00:00Z"), occurrence("LONG", "2028-01-29T09:00:00Z")
    channel = ScriptedChannel(view(first, both), view(both, occurrence("B", "2028-03-03T09:00:00Z")))

    found = [item.id for item in mailbox(channel).occurrences(CALENDAR, START_END[0], datetime(2029, 1, 1, tzinfo=UTC))]

    assert found == ["A", "LONG", "B"]
    windows = [re.findall(r'(?:Start|End)Date="([^"]+)Z"', request) for request in channel.asked]
    assert [start for start, _ in windows] == ["2026-03-01T00:00:00", windows[0][1]]
    assert windows[-1][1] == "2029-01-01T00:00:00"
    assert all(datetime.fromisoformat(end) - datetime.fromisoformat(start) < TWO_YEARS for start, end in windows)
