"""Compares folders in which probably nothing differs, several with few requests.

Small folders are listed in one request, and the rows of all folders are read in one scan. No folder is read on between
its listing and its rows, as `MailboxSync` does for a folder alone: a folder whose listing equals its rows needs no
repair, so nothing is written that its state might not cover. Any other folder is compared alone afterward.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.sources.model import Folder
from shared.sources.port import FolderGone, FolderUnreadable, MailSource
from shared.sync.reconciling.folder_comparison import Difference, FolderComparison, Listing
from shared.sync.state.cursor_draft import CursorDraft
from shared.sync.state.issues import Issues
from shared.sync.state.replica_view import ReplicaView


class JointComparison:
    """Compares several folders of one mailbox at a time."""

    def __init__(
        self,
        source: MailSource,
        replica: ReplicaView,
        comparison: FolderComparison,
        issues: Issues,
        draft: CursorDraft,
    ) -> None:
        self._source = source
        self._replica = replica
        self._comparison = comparison
        self._issues = issues
        self._draft = draft

    def equal_folders(self, folders: Sequence[Folder], now: datetime) -> dict[str, Difference]:
        """Return, by id, those of the folders whose listing equals their rows, by ids and versions.

        Their difference names at most items that the settings want to another extent, or whose content is to be
        confirmed. Folders that cannot be listed, and those with open issues, are not among them.
        """
        listings = self._listings([folder for folder in folders if not self._has_issues(folder)], now)
        differences = {id_: Difference() for id_ in listings}
        for item in self._replica.items_in(listings, nearly_all=self._has_most(listings)) if listings else ():
            self._comparison.take(item, listings[item.folder_id], differences[item.folder_id], now)
        for folder in folders:
            if folder.id in listings:
                self._comparison.end(folder, listings[folder.id], differences[folder.id])
        with_issues = {folder.id for folder in folders if self._has_issues(folder)}
        return {
            id_: found
            for id_, found in differences.items()
            if id_ not in with_issues and _is_equal(listings[id_], found)
        }

    def _listings(self, folders: Sequence[Folder], now: datetime) -> dict[str, Listing]:
        """List the folders: the small ones together, the others alone. What cannot be listed is left out."""
        by_id = {folder.id: folder for folder in folders}
        listings = {
            id_: self._comparison.list_folder(by_id[id_], now, refs)
            for id_, refs in self._source.list_together(folders)
        }
        for folder in folders:
            if folder.id not in listings:
                try:
                    listings[folder.id] = self._comparison.list_folder(folder, now)
                except (FolderGone, FolderUnreadable):
                    continue
        return listings

    def _has_issues(self, folder: Folder) -> bool:
        return self._issues.has_due(folder.id) is not None or bool(self._issues.of_folder(folder.id))

    def _has_most(self, folders: Mapping[str, Listing]) -> bool:
        """Whether at least half of the replica's items are in these folders."""
        states = self._draft.folders
        return 2 * sum(states[id_].items for id_ in folders) >= self._draft.held()


def _is_equal(listing: Listing, found: Difference) -> bool:
    return not (listing.items or found.missing or found.changed or found.extra)
