"""Several folders listed in one request."""

from dataclasses import replace

import pytest

from shared.errors import RetryLater
from shared.sources.ews.faults.rules import Fault, error_of_fault
from shared.sources.ews.fetching.joint_listing import MOST_FOLDERS, groups
from shared.sources.ews.transport.soap_request import LISTING
from shared.sources.model import Folder
from shared.sources.port import MailSource
from tests.unit.ews.soap_samples import INBOX, ROOT, ScriptedChannel, answer, failure, fault, mailbox, success

FOLDERS = [replace(INBOX, id=name, total=1) for name in ("A", "B", "C")]


def listed(*ids: str, total: int | None = None, last: bool = True) -> str:
    """One folder's response message."""
    items = "".join(f'<t:Message><t:ItemId Id="{each}" ChangeKey="K-{each}"/></t:Message>' for each in ids)
    count = len(ids) if total is None else total
    paging = (
        f'TotalItemsInView="{count}" IncludesLastItemInRange="{str(last).lower()}" IndexedPagingOffset="{len(ids)}"'
    )
    return success("FindItem", f"<m:RootFolder {paging}><t:Items>{items}</t:Items></m:RootFolder>")


def together(source: MailSource, folders: list[Folder] = FOLDERS) -> dict[str, list[tuple[str, str]]]:
    """What is listed, by folder."""
    return {id_: [(ref.id, ref.version) for ref in refs] for id_, refs in source.list_together(folders)}


def test_small_folders_are_listed_in_one_request() -> None:
    channel = ScriptedChannel(answer("FindItem", listed("1", "2"), listed(), listed("3")))

    found = together(mailbox(channel))

    assert found == {"A": [("1", "K-1"), ("2", "K-2")], "B": [], "C": [("3", "K-3")]}
    assert len(channel.asked) == 1
    assert '<t:FolderId Id="A"/><t:FolderId Id="B"/><t:FolderId Id="C"/>' in channel.asked[0]


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorFolderNotFound", "ErrorCorruptData", "ErrorServerBusy"])
def test_the_error_of_one_folder_leaves_the_others(code: str) -> None:
    channel = ScriptedChannel(answer("FindItem", listed("1"), failure("FindItem", code), listed("3")))
    assert together(mailbox(channel)) == {"A": [("1", "K-1")], "C": [("3", "K-3")]}


@pytest.mark.parametrize("cut", [listed("2", total=9), listed("2", last=False), listed(total=1, last=False)])
def test_a_folder_that_is_not_listed_to_its_end_is_left_out(cut: str) -> None:
    channel = ScriptedChannel(answer("FindItem", listed("1"), cut, listed("3")))
    assert set(together(mailbox(channel))) == {"A", "C"}


def test_folders_without_a_response_are_left_out() -> None:
    assert set(together(mailbox(ScriptedChannel(answer("FindItem", listed("1")))))) == {"A"}


@pytest.mark.parametrize(
    "told",
    [fault("ErrorInternalServerError"), fault("ErrorAccessDenied"), fault("ErrorFolderNotFound"), b"<a></b>"],
    ids=["internal", "refused", "gone", "cut"],
)
def test_an_error_that_one_folder_may_cause_leaves_all_to_be_listed_alone(told: bytes) -> None:
    channel = ScriptedChannel(told)
    if told == b"<a></b>":
        with pytest.raises(RetryLater):
            together(mailbox(channel))
        return
    assert together(mailbox(channel)) == {}
    assert len(channel.asked) == 1


def test_a_busy_server_is_not_asked_again() -> None:
    channel = ScriptedChannel(fault("ErrorServerBusy", back_off=60_000))
    with pytest.raises(RetryLater):
        together(mailbox(channel))
    assert len(channel.asked) == 1


def test_an_outage_is_an_outage_until_failures_are_isolated() -> None:
    def silent(request: str) -> bytes | Exception:
        return ROOT if "<m:GetFolder>" in request else error_of_fault(Fault.SILENCE)

    with pytest.raises(RetryLater):
        together(mailbox(ScriptedChannel(silent)))
    assert together(mailbox(ScriptedChannel(silent), isolate_failures=True)) == {}


def test_a_request_asks_for_no_more_than_one_response_may_have() -> None:
    sizes = [LISTING - 1, 1, 1, LISTING, None, 500, 500, 1]
    folders = [replace(INBOX, id=str(number), total=size) for number, size in enumerate(sizes)]
    assert [[folder.id for folder in group] for group in groups(folders)] == [["0", "1"], ["2", "5"], ["6", "7"]]


def test_folders_of_an_archive_are_in_a_request_of_their_own() -> None:
    folders = [replace(INBOX, id=str(number), total=1, archive=number % 2 == 1) for number in range(4)]
    assert [[folder.id for folder in group] for group in groups(folders)] == [["0", "2"], ["1", "3"]]


def test_a_request_names_a_limited_number_of_folders() -> None:
    folders = [replace(INBOX, id=str(number), total=0) for number in range(2 * MOST_FOLDERS + 1)]
    assert [len(group) for group in groups(folders)] == [MOST_FOLDERS, MOST_FOLDERS, 1]
