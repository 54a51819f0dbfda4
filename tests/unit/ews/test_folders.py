"""The folder tree."""

import re
from datetime import UTC, datetime

import pytest

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.model import FolderRole
from tests.unit.ews.soap_samples import ScriptedChannel, answer, failure, mailbox, success


def folder(
    identifier: str,
    parent: str = "ROOT",
    name: str = "Inbox",
    *,
    distinguished: str = "",
    marks: bool = True,
    hidden: bool = False,
    tag: str = "Folder",
) -> str:
    def extended(property_tag: str, value: str) -> str:
        return (
            f'<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="{property_tag}" PropertyType="X"/>'
            f"<t:Value>{value}</t:Value></t:ExtendedProperty>"
        )

    return (
        f'<t:{tag}><t:FolderId Id="{identifier}" ChangeKey="K"/><t:ParentFolderId Id="{parent}"/>'
        f"<t:FolderClass>IPF.Note</t:FolderClass><t:DisplayName>{name}</t:DisplayName><t:TotalCount>7</t:TotalCount>"
        + (f"<t:DistinguishedFolderId>{distinguished}</t:DistinguishedFolderId>" if distinguished else "")
        + (extended("0x670a", "2026-03-01T09:30:00Z") + extended("0x670b", "3") if marks else "")
        + (extended("0x10f4", "true") if hidden else "")
        + f"</t:{tag}>"
    )


def found(*folders: str, following: int | None = None, total: int | None = None) -> str:
    last = f'IncludesLastItemInRange="false" IndexedPagingOffset="{following}"' if following is not None else ""
    return success(
        "FindFolder",
        f'<m:RootFolder TotalItemsInView="{len(folders) if total is None else total}" '
        f"{last or 'IncludesLastItemInRange="true"'}><t:Folders>{''.join(folders)}</t:Folders></m:RootFolder>",
    )


def test_the_whole_tree_with_marks_and_names_costs_one_request() -> None:
    channel = ScriptedChannel(
        answer(
            "FindFolder",
            found(folder("A", distinguished="inbox"), folder("B", "A", "R/D"), folder("C", "B", "Ærø &amp; co")),
        )
    )

    inbox, below, deepest = mailbox(channel).folders()

    assert channel.requests == 1
    assert (inbox.path, below.path, deepest.path) == ("Inbox", "Inbox/R%2FD", "Inbox/R%2FD/Ærø & co")
    assert inbox.role is FolderRole.INBOX
    assert inbox.total == 7
    assert inbox.change_token == "2026-03-01T09:30:00Z|3|7"
    assert inbox.change_token_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_a_server_without_marks_gives_none() -> None:
    channel = ScriptedChannel(answer("FindFolder", found(folder("A", distinguished="inbox", marks=False))))

    (inbox,) = mailbox(channel).folders()

    assert inbox.change_token is None
    assert inbox.change_token_at is None


def test_hidden_folders_search_folders_and_what_lies_in_them_are_left_out() -> None:
    channel = ScriptedChannel(
        answer(
            "FindFolder",
            found(
                folder("A", distinguished="inbox"),
                folder("H", name="Quick Step Settings", hidden=True),
                folder("I", "H", "Below"),
                folder("S", name="Unread", tag="SearchFolder"),
            ),
        )
    )

    assert [each.id for each in mailbox(channel).folders()] == ["A"]


def test_many_folders_come_in_pages() -> None:
    channel = ScriptedChannel(
        answer("FindFolder", found(folder("A", distinguished="inbox"), following=1)),
        answer("FindFolder", found(folder("B", "A", "Below"))),
    )

    assert [each.path for each in mailbox(channel).folders()] == ["Inbox", "Inbox/Below"]
    assert 'Offset="1"' in channel.asked[1]


def test_the_archive_comes_in_the_same_request() -> None:
    channel = ScriptedChannel(
        answer("FindFolder", found(folder("A", distinguished="inbox")), found(folder("B", name="Old")))
    )

    found_folders = mailbox(channel, archives=True).folders()

    assert [(each.path, each.archive) for each in found_folders] == [("Inbox", False), ("Old", True)]
    assert channel.requests == 1


def test_a_mailbox_without_an_archive_is_whole_without_it() -> None:
    channel = ScriptedChannel(
        answer("FindFolder", found(folder("A", distinguished="inbox")), failure("FindFolder", "ErrorFolderNotFound"))
    )

    assert len(mailbox(channel, archives=True).folders()) == 1


def test_a_server_that_does_not_name_folders_is_asked_for_the_names_once() -> None:
    named = success("GetFolder", '<m:Folders><t:Folder><t:FolderId Id="A"/></t:Folder></m:Folders>')
    missing = failure("GetFolder", "ErrorFolderNotFound")
    names: dict[str, FolderRole] = {}
    listing = answer("FindFolder", found(folder("A"), folder("B", name="Own")))
    channel = ScriptedChannel(listing, answer("GetFolder", named, *[missing] * 15), listing)

    for _ in range(2):
        assert [each.role for each in mailbox(channel, names=names).folders()] == ["inbox", ""]
    assert channel.requests == 3


def test_folders_that_contain_each_other_do_not_hang_the_sync() -> None:
    channel = ScriptedChannel(
        answer("FindFolder", found(folder("A", "B", "a", distinguished="inbox"), folder("B", "A", "b")))
    )

    assert [each.path for each in mailbox(channel).folders()] == ["b/a", "a/b"]


def test_a_mailbox_whose_top_cannot_be_seen_is_one_that_we_may_not_read() -> None:
    channel = ScriptedChannel(answer("FindFolder", failure("FindFolder", "ErrorFolderNotFound")))

    with pytest.raises(AdministratorMustAct) as caught:
        mailbox(channel).folders()

    assert caught.value.reason is Reason.ACCESS_DENIED
    assert not caught.value.definite


def test_a_folder_deleted_between_two_pages_hides_no_other() -> None:
    """A folder that is not listed would be taken for deleted, with all that is in it."""
    there = list("ABCDEF")

    def two_at_a_time(request: str) -> bytes:
        if channel.requests == 2:
            del there[0]
        offset = int(re.findall(r'Offset="(\d+)"', request)[0])
        folders = [folder(each, name=each, distinguished="inbox") for each in there[offset : offset + 2]]
        following = offset + 2 if offset + 2 < len(there) else None
        return answer("FindFolder", found(*folders, following=following, total=len(there)))

    channel = ScriptedChannel(two_at_a_time)

    listed = [each.id for each in mailbox(channel).folders()]

    assert sorted(listed) == list("ABCDEF")


@pytest.mark.parametrize("following", [0, 1])
def test_folders_that_do_not_come_to_an_end_are_no_answer(following: int) -> None:
    """Whether a server repeats itself or does not say where to go on."""
    page = answer("FindFolder", found(folder("A", distinguished="inbox"), following=following))

    with pytest.raises(RetryLater):
        mailbox(ScriptedChannel(page)).folders()
