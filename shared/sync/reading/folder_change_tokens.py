"""Decides which folders changed since they were last read, by the change tokens that one request returns for all.

A token (EWS: the time of its last commit, and its count of deletions) may have a resolution of one second: a commit in
the same second as our scan does not change the token. So a token counts as settled only when that second is certainly
over: its time is long ago by either clock, or the token was seen unchanged for longer than its resolution. Until then
the next pass reads the folder once more, which costs one request.
"""

from datetime import datetime

from shared.replica.port import FolderState
from shared.sources.model import Folder
from shared.sync.limits import Limits
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.sync_state import UnsettledToken


def has_changed(folder: Folder, state: FolderState | None, *, unsettled: bool, read_before: bool = False) -> bool:
    """Whether the folder has to be read: it is new, unfinished, changed, or may have changed unnoticed.

    With `read_before`, a pass that this one continues has read the folder; then only a visible change counts.
    """
    if state is None or state.state is None or not state.seeded or state.change_token != folder.change_token:
        return True
    return not read_before and (folder.change_token is None or unsettled)


def is_settled(folder: Folder, seen: UnsettledToken | None, scanned_at: datetime, limits: Limits) -> bool:
    """Whether this token cannot hide a further change, after a read that followed the scan at `scanned_at`."""
    if folder.change_token is None:
        return True
    if folder.change_token_at is not None and scanned_at - folder.change_token_at >= limits.clocks_apart:
        return True
    if seen is None or seen.token != folder.change_token:
        return False
    return scanned_at - seen.seen_at >= limits.change_token_resolution


def settle(draft: CursorDraft, folder: Folder, scanned_at: datetime, limits: Limits) -> None:
    """Record whether a folder's token is settled, after the folder was read to its end."""
    seen = draft.state.unsettled.get(folder.id)
    if is_settled(folder, seen, scanned_at, limits):
        forget(draft, folder.id)
    elif seen is None or seen.token != folder.change_token:
        token = UnsettledToken(folder.change_token or "", scanned_at)
        draft.update(unsettled={**draft.state.unsettled, folder.id: token})


def forget(draft: CursorDraft, folder_id: str) -> None:
    """Drop a folder's unsettled token, if there is one."""
    if folder_id in draft.state.unsettled:
        draft.update(unsettled={id_: seen for id_, seen in draft.state.unsettled.items() if id_ != folder_id})
