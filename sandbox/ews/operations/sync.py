"""SyncFolderItems and SyncFolderHierarchy: the changes since a sync state, one page at a time."""

from itertools import islice

from sandbox.ews.call import Call, failure, responses, success
from sandbox.ews.refusals import Refused
from sandbox.ews.shapes import FolderShape, Shape, folder_shape, item_shape
from sandbox.ews.views import folder_view, item_view
from sandbox.ews.wire import M
from sandbox.mailboxes.fragments import T, flag
from sandbox.mailboxes.store import Folder, Item, Mailbox
from sandbox.mailboxes.sync_log import Entry, Given, SyncState


def _state(call: Call, scope: str, epoch: str) -> SyncState:
    """The sync state that the client sends. Raises Refused for a state of another folder or epoch."""
    text = (call.request.findtext(f"{M}SyncState") or "").strip()
    if not text:
        return SyncState(scope, epoch, 0)
    try:
        state = SyncState.decode(text)
    except ValueError:
        raise Refused("ErrorInvalidSyncStateData") from None
    if (state.scope, state.epoch) != (scope, epoch):
        raise Refused("ErrorInvalidSyncStateData")
    return state


def sync_folder_items(call: Call) -> str:
    """One page of a folder's changes."""
    try:
        inside = _items_page(call)
    except Refused as refused:
        if refused.code in ("ErrorFolderNotFound", "ErrorItemNotFound"):
            refused = Refused("ErrorSyncFolderNotFound")
        return responses("SyncFolderItems", [failure("SyncFolderItems", refused, inside=_NOTHING)])
    return responses("SyncFolderItems", [success("SyncFolderItems", inside)])


_NOTHING = "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"


def _items_page(call: Call) -> str:
    folder = call.target("SyncFolderId")
    state = _state(call, folder.id, folder.mailbox.epoch)
    most, given = int(call.request.findtext(f"{M}MaxChangesReturned") or 512), Given(list(state.given))
    waiting = (entry for entry in folder.log.since(state.seen) if not entry.gone or entry.number in given)
    page = list(islice(waiting, most + 1))
    last, page = len(page) <= most, page[:most]
    shape = item_shape(call.request, in_view=True)
    ignored = {str(element.get("Id")) for element in call.request.iterfind(f"{M}Ignore/{T}ItemId")}
    changes = "".join(_change(entry, given, state, shape) for entry in page if entry.id not in ignored)
    following = _following(state, given, page, folder.mailbox if last else None)
    return (
        f"<m:SyncState>{following.encode()}</m:SyncState>"
        f"<m:IncludesLastItemInRange>{flag(last)}</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>"
    )


def _change(entry: Entry[Item], given: Given, state: SyncState, shape: Shape) -> str:
    item = entry.thing
    if entry.gone:
        return f'<t:Delete><t:ItemId Id="{entry.id}" ChangeKey="{item.change_key}"/></t:Delete>'
    if entry.number not in given:
        return f"<t:Create>{item_view.show(item, shape)}</t:Create>"
    if item.content_sequence <= state.seen:
        return (
            f"<t:ReadFlagChange>{item_view.item_id(item)}<t:IsRead>{flag(item.is_read)}</t:IsRead></t:ReadFlagChange>"
        )
    return f"<t:Update>{item_view.show(item, shape)}</t:Update>"


def _following[Thing](state: SyncState, given: Given, page: list[Entry[Thing]], done: Mailbox | None) -> SyncState:
    """The state after a page; after the last page it covers all of the mailbox's commits."""
    added = [entry.number for entry in page if not entry.gone and entry.number not in given]
    removed = {entry.number for entry in page if entry.gone}
    seen = done.sequence if done else page[-1].sequence
    return SyncState(state.scope, state.epoch, seen, tuple(given.with_changes(added, removed)))


def sync_folder_hierarchy(call: Call) -> str:
    """All changes of the folders below another one since a sync state."""
    try:
        inside = _hierarchy(call)
    except Refused as refused:
        if refused.code == "ErrorFolderNotFound":
            refused = Refused("ErrorSyncFolderNotFound")
        return responses("SyncFolderHierarchy", [failure("SyncFolderHierarchy", refused)])
    return responses("SyncFolderHierarchy", [success("SyncFolderHierarchy", inside)])


def _hierarchy(call: Call) -> str:
    named = call.request.find(f"{M}SyncFolderId")
    top = call.target("SyncFolderId") if named is not None else call.mailbox.distinguished["root"]
    state = _state(call, f"hierarchy {top.id}", top.mailbox.epoch)
    given, shape = Given(list(state.given)), folder_shape(call.request)
    entries = [entry for entry in top.mailbox.hierarchy.since(state.seen) if _concerns(entry, top, given)]
    moved_out = {entry.number for entry in entries if not entry.gone and not _below(entry.thing, top)}
    changes = "".join(_folder_change(entry, given, shape, entry.number in moved_out) for entry in entries)
    following = _following(state, given, [_as_gone(entry, moved_out) for entry in entries], top.mailbox)
    return (
        f"<m:SyncState>{following.encode()}</m:SyncState>"
        f"<m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange><m:Changes>{changes}</m:Changes>"
    )


def _concerns(entry: Entry[Folder], top: Folder, given: Given) -> bool:
    return entry.number in given or (not entry.gone and _below(entry.thing, top))


def _below(folder: Folder, top: Folder) -> bool:
    return folder is not top and folder.is_within(top)


def _as_gone(entry: Entry[Folder], moved_out: set[int]) -> Entry[Folder]:
    gone = entry.gone or entry.number in moved_out
    return Entry(entry.sequence, entry.number, entry.id, entry.thing, gone)


def _folder_change(entry: Entry[Folder], given: Given, shape: FolderShape, moved_out: bool) -> str:
    if entry.gone or moved_out:
        return f'<t:Delete><t:FolderId Id="{entry.id}" ChangeKey="{entry.thing.change_key}"/></t:Delete>'
    kind = "Update" if entry.number in given else "Create"
    return f"<t:{kind}>{folder_view.show(entry.thing, shape)}</t:{kind}>"
