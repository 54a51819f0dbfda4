"""Folders: created, renamed, moved, emptied, deleted, paged and filtered; what happens to a whole mailbox."""

import pytest
from lxml import etree

from sandbox.ews.service import operation_of
from sandbox.mailboxes import default_folders, deletion, incidents
from sandbox.mailboxes.samples import item_samples, message_samples
from sandbox.mailboxes.store import Folder
from tests.unit.exchange.bench import ALEX, BO, START, Bench, M, T, codes, get, ids, sync

SHAPE = "<m:FolderShape><t:BaseShape>Default</t:BaseShape>{}</m:FolderShape>"
MARKS = (
    '<t:AdditionalProperties><t:ExtendedFieldURI PropertyTag="0x670A" PropertyType="SystemTime"/>'
    '<t:ExtendedFieldURI PropertyTag="26379" PropertyType="Integer"/></t:AdditionalProperties>'
)


def find(more: str = "", traversal: str = "Deep", shape: str = "", top: str = "msgfolderroot") -> str:
    return (
        f'<m:FindFolder Traversal="{traversal}">{SHAPE.format(shape)}{more}'
        f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{top}"/></m:ParentFolderIds></m:FindFolder>'
    )


def names(answer: etree._Element) -> list[str]:
    return [str(name.text) for name in answer.iter(f"{T}DisplayName")]


def by_id(operation: str, folder: Folder, attributes: str = "", more: str = "") -> str:
    named = f'<m:FolderIds><t:FolderId Id="{folder.id}"/></m:FolderIds>'
    return f"<m:{operation} {attributes}>{more}{named}</m:{operation}>"


def test_the_tree_is_found_deep_shallow_and_page_by_page() -> None:
    bench = Bench()
    bench.mailbox.add_folder(bench.mailbox.add_folder(bench.folder(), "A"), "B")
    deep, shallow = names(bench.ask(find())), names(bench.ask(find(traversal="Shallow")))
    assert set(deep) - set(shallow) == {"A", "B"}
    paged = []
    for offset in range(0, len(deep), 4):
        view = f'<m:IndexedPageFolderView MaxEntriesReturned="4" Offset="{offset}" BasePoint="Beginning"/>'
        answer = bench.ask(find(view))
        paged += names(answer)
        root = answer.find(f".//{M}RootFolder")
        assert root is not None
        assert (root.get("IncludesLastItemInRange") == "true") == (offset + 4 >= len(deep))
    assert paged == deep


def test_a_restriction_filters_folders() -> None:
    restriction = (
        '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="folder:FolderClass"/><t:FieldURIOrConstant>'
        '<t:Constant Value="IPF.Task"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>'
    )
    assert names(Bench().ask(find(restriction))) == ["Tasks"]


@pytest.mark.parametrize(("marks", "count"), [("exact", 2), ("second", 2), ("absent", 0)])
def test_marks_come_as_finely_as_the_server_tells_them(marks: str, count: int) -> None:
    bench = Bench()
    bench.clock.advance(microseconds=250_000)
    bench.mailbox.marks = marks
    bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 500, START))
    inbox = bench.ask(find(shape=MARKS)).find(f".//{T}Folders/*[1]")
    assert inbox is not None
    values = [str(value.text) for value in inbox.iter(f"{T}Value")]
    assert len(values) == count
    if count:
        assert len(values[0]) == (27 if marks == "exact" else 20)
        assert values[1] == "0"


def create(parent: Folder, name: str, element: str = "Folder") -> str:
    return (
        f'<m:CreateFolder><m:ParentFolderId><t:FolderId Id="{parent.id}"/></m:ParentFolderId><m:Folders><t:{element}>'
        f"<t:DisplayName>{name}</t:DisplayName></t:{element}></m:Folders></m:CreateFolder>"
    )


def test_two_folders_of_one_name_are_refused() -> None:
    bench = Bench()
    assert codes(bench.ask(create(bench.folder(), "Same"))) == ["NoError"]
    assert codes(bench.ask(create(bench.folder(), "sAME"))) == ["ErrorFolderExists"]
    assert codes(bench.ask(create(bench.folder("drafts"), "Same", "CalendarFolder"))) == ["NoError"]


def test_distinguished_folders_cannot_be_deleted() -> None:
    bench = Bench()
    deleting = by_id("DeleteFolder", bench.folder(), 'DeleteType="HardDelete"')
    assert codes(bench.ask(deleting)) == ["ErrorDeleteDistinguishedFolder"]


def test_a_folder_moves_with_its_id() -> None:
    bench = Bench()
    outer = bench.mailbox.add_folder(bench.folder(), "Outer")
    inner = bench.mailbox.add_folder(outer, "Inner")
    before = inner.id
    bench.mailbox.place_folder(inner, bench.folder("drafts"))
    assert (inner.id, inner.path) == (before, "Drafts/Inner")


@pytest.mark.parametrize("how", ["HardDelete", "SoftDelete", "MoveToDeletedItems"])
def test_a_deleted_folder_goes_with_what_it_holds(how: str) -> None:
    bench = Bench()
    folder = bench.mailbox.add_folder(bench.folder(), "Old")
    item = bench.mailbox.insert(folder, message_samples.synthetic(1, 500, START))
    was = item.id
    assert codes(bench.ask(by_id("DeleteFolder", folder, f'DeleteType="{how}"'))) == ["NoError"]
    kept = how == "MoveToDeletedItems"
    assert codes(bench.ask(get(was))) == ["NoError" if kept else "ErrorItemNotFound"]
    assert (folder.path == "Deleted Items/Old") == kept
    assert bench.folder("recoverableitemsdeletions").total == (how == "SoftDelete")


def test_an_emptied_folder_s_items_are_told_as_deleted() -> None:
    bench = Bench()
    for number in range(3):
        bench.mailbox.insert(bench.folder(), message_samples.synthetic(number, 500, START))
    state = str(bench.ask(sync(bench.folder())).findtext(f".//{M}SyncState"))
    deletion.empty_folder(bench.folder(), "MoveToDeletedItems", deep=False)
    assert len(bench.ask(sync(bench.folder(), state)).findall(f".//{T}Delete")) == 3
    assert bench.folder("deleteditems").total == 3


def test_reading_everything_leaves_nothing_unread() -> None:
    bench = Bench()
    for number in range(4):
        bench.mailbox.insert(bench.folder(), message_samples.synthetic(3 * number, 500, START))
    assert bench.folder().unread == 4
    for item in bench.folder().items.values():
        bench.mailbox.set_read(item, True)
    assert bench.folder().unread == 0


def hierarchy(state: str = "") -> str:
    given = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    top = '<m:SyncFolderId><t:DistinguishedFolderId Id="msgfolderroot"/></m:SyncFolderId>'
    return f"<m:SyncFolderHierarchy>{SHAPE.format('')}{top}{given}</m:SyncFolderHierarchy>"


def test_the_hierarchy_is_synced_creates_updates_and_deletes() -> None:
    bench = Bench()
    kept = bench.mailbox.add_folder(bench.folder(), "Kept")
    lost = bench.mailbox.add_folder(bench.folder(), "Lost")
    state = str(bench.ask(hierarchy()).findtext(f".//{M}SyncState"))
    bench.mailbox.place_folder(kept, bench.folder("drafts"))
    bench.mailbox.drop_folder(lost)
    bench.mailbox.add_folder(bench.folder(), "New")
    answer = bench.ask(hierarchy(state))
    changes = answer.find(f".//{M}Changes")
    assert changes is not None
    assert [str(change.tag).removeprefix(T) for change in changes] == ["Update", "Delete", "Create"]
    state = str(answer.findtext(f".//{M}SyncState"))
    assert bench.ask(hierarchy(state)).find(f".//{M}Changes/*") is None
    assert codes(bench.ask(hierarchy(state[:-4]))) == ["ErrorInvalidSyncStateData"]


def test_a_recreated_mailbox_has_the_same_mail_under_other_ids() -> None:
    bench = Bench()
    item = bench.mailbox.insert(bench.folder(), message_samples.synthetic(1, 500, START))
    state = str(bench.ask(sync(bench.folder())).findtext(f".//{M}SyncState"))
    before = (item.id, bench.folder().id, item.search_key)
    incidents.recreate(bench.mailbox)
    assert codes(bench.ask(get(before[0]))) == ["ErrorItemNotFound"]
    assert item.id != before[0]
    assert bench.folder().id != before[1]
    assert item.search_key == before[2]
    assert codes(bench.ask(sync(bench.folder(), state))) == ["ErrorInvalidSyncStateData"]
    assert ids(bench.ask(sync(bench.folder()))) == [item.id]


def test_a_mailbox_that_answers_empty_comes_back_with_the_ids_it_had() -> None:
    bench = Bench()
    held = [bench.mailbox.insert(bench.folder(), message_samples.synthetic(n, 500, START)).id for n in range(3)]
    state = str(bench.ask(sync(bench.folder())).findtext(f".//{M}SyncState"))
    incidents.answer_empty(bench.mailbox, "items")
    assert len(bench.ask(sync(bench.folder(), state)).findall(f".//{T}Delete")) == 3
    assert codes(bench.ask(get(*held))) == ["ErrorItemNotFound"] * 3
    incidents.answer_empty(bench.mailbox, "off")
    assert codes(bench.ask(get(*held))) == ["NoError"] * 3
    incidents.answer_empty(bench.mailbox, "folders")
    assert names(bench.ask(find())) == []


def test_an_archive_has_distinguished_folders_of_its_own() -> None:
    bench = Bench()
    assert codes(bench.ask(find(top="archivemsgfolderroot"))) == ["ErrorFolderNotFound"]
    top = default_folders.add_archive(bench.mailbox)
    bench.mailbox.insert(top.child("Inbox") or top, item_samples.note("Kept"))
    assert names(bench.ask(find(top="archivemsgfolderroot"))) == ["Inbox", "Deleted Items"]


def test_what_is_sent_arrives_with_those_who_are_here() -> None:
    bench = Bench()
    to = f"<t:ToRecipients><t:Mailbox><t:EmailAddress>{BO.address}</t:EmailAddress></t:Mailbox></t:ToRecipients>"
    message = f'<t:Message><t:Subject>Hi</t:Subject><t:Body BodyType="Text">Bo</t:Body>{to}</t:Message>'
    request = f'<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items>{message}</m:Items></m:CreateItem>'
    assert codes(bench.ask(request)) == ["NoError"]
    (arrived,) = bench.exchange.store.mailbox(BO.address).distinguished["inbox"].items.values()
    assert (arrived.text("Subject"), arrived.is_read) == ("Hi", False)
    assert bench.folder("sentitems").total == 1


@pytest.mark.parametrize("operation", ["GetItem", "SyncFolderItems", "FindFolder"])
def test_the_operation_is_known_without_parsing(operation: str) -> None:
    bodies = (
        f'<s:Envelope><s:Header/><s:Body><m:{operation} a="b">',
        f"<soap:Envelope>\n<soap:Body>\n  <{operation}/>",
        f'<s:Body xmlns:x="y"><n0:{operation}>',
    )
    assert {operation_of(body.encode()) for body in bodies} == {operation}
    assert operation_of(b"rubbish") == operation_of(b"") == ""


@pytest.mark.parametrize("named", [ALEX.aliases[0], BO.address, "nobody@nowhere.example"])
def test_an_id_is_converted_by_the_mailbox_within_it(named: str) -> None:
    """X2: the address of the request does not matter, and the answer has the primary one."""
    bench = Bench()
    wanted = bench.folder().id
    named_id = '<t:AlternateId Format="{}" Id="{}" Mailbox="{}"/>'
    asked = f'<m:ConvertId DestinationFormat="{{}}"><m:SourceIds>{named_id}</m:SourceIds>'
    answer = bench.ask(asked.format("HexEntryId", "EwsId", wanted, named) + "</m:ConvertId>")
    (found,) = answer.iter(f"{M}AlternateId")
    assert found.get("Mailbox") == ALEX.address
    back = bench.ask(asked.format("EwsId", "HexEntryId", found.get("Id"), ALEX.aliases[0]) + "</m:ConvertId>")
    (same,) = back.iter(f"{M}AlternateId")
    assert (same.get("Id"), same.get("Mailbox")) == (wanted, ALEX.address)
