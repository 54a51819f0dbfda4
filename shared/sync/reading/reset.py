"""Reading a mailbox anew, because an operator asked for it: as if the server had lost the states of all folders.

Every folder is listed from the beginning and compared item by item with the replica. The request is a time in the
mailbox's row; the cursor that has no states any more notes it. The first commit of the pass writes both together, so
that a pass that ends before it changes nothing, and the next one begins again.
"""

from datetime import datetime

from shared.sync.reading import folder_change_tokens
from shared.sync.state.cursor_draft import CursorDraft


def begin_if_requested(draft: CursorDraft, requested_at: datetime | None) -> None:
    """Drop the states of all folders if the request is not the one that the cursor notes.

    A different time counts, not a later one: two instances that take requests may have clocks that differ. Folders
    that the source does not list have no states, and their items are kept as they are.
    """
    if requested_at in (None, draft.state.reset_at):
        return
    for folder_id in [id_ for id_ in draft.folders if id_ not in draft.state.not_tracked]:
        draft.restart(folder_id)
        folder_change_tokens.forget(draft, folder_id)
    draft.update(reset_at=requested_at, resume=None)
