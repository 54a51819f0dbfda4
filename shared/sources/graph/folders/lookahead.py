"""Requests the folder listings and every stored delta link in advance, in one HTTP request per batch.

Graph has no folder change tokens, so only the delta link of each folder shows whether the folder has changed. The
responses are also the first pages of the folders' changes.
"""

from collections.abc import Mapping

from shared.errors import MailboxSyncError
from shared.sources.graph.folders import states
from shared.sources.graph.transport.batch import Ask, Batches
from shared.sources.graph.transport.client import Part
from shared.sources.port import StateInvalid

_PAGE = ("odata.maxpagesize=100",)


class Lookahead:
    """Responses that were requested in advance; each is returned once."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._parts: dict[tuple[str, str], Part] = {}
        self._error: MailboxSyncError | None = None

    def send(self, listings: Mapping[str, Ask], stored: Mapping[str, str]) -> None:
        """Request the named listings, and the changes of each folder since its stored state.

        Never raises: an error is raised by the later call that it belongs to.
        """
        asks = {(name, ""): ask for name, ask in listings.items()}
        asks |= {(folder_id, text): ask for folder_id, text in stored.items() if (ask := _next_page(text))}
        try:
            self._parts = dict(zip(asks, self._batches.ask(list(asks.values())), strict=True))
        except MailboxSyncError as exc:
            self._error = exc

    def listing(self, name: str) -> Part | None:
        """Return the response of a listing; None if it was not requested. Raises the batch's error."""
        return self.page(name, "")

    def page(self, folder_id: str, text: str) -> Part | None:
        """Return the first page of changes after a stored state; None if it was not requested."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._parts.pop((folder_id, text), None)


def _next_page(text: str) -> Ask | None:
    """Return the link that follows a stored state; None for an unreadable state, or for a folder that is listed."""
    try:
        state = states.read(text)
    except StateInvalid:
        return None
    return Ask(state.link, prefer=_PAGE, with_state=True) if state.link and not state.is_listing else None
