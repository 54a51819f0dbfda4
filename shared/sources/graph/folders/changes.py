"""Reads what changed in a folder, page by page: by delta, or by listing while delta is refused.

A delta round ends with a link for later changes. The service stores the round's state in the mailbox, so it refuses
delta to a mailbox over its quota; and one damaged item can make every delta page that holds it fail. Such a folder is
listed instead, latest changes first, down to a last-modified time that was reached before. Its deletions show only when
the whole folder is compared. Every new round tries delta again.
"""

from collections.abc import Callable

from msgspec.structs import replace

from shared.sources.graph.faults.errors import AskForLess, JsonFault, MailboxFull, of_fault
from shared.sources.graph.folders import states
from shared.sources.graph.folders.states import Memory, State
from shared.sources.graph.items.recent import RecentMembers
from shared.sources.graph.kinds import COLLECTIONS, Collection, ReadPage, modified_at, read_page
from shared.sources.graph.transport.client import GraphClient, Part
from shared.sources.model import ChangePage, Folder, FolderRole
from shared.sources.port import StateInvalid

_DAMAGED_PAGE = (1,)

_DAY = 86_400
"""Seconds. A link is used for a day at most, because it is not documented how long an old link stays valid."""


class GraphChangeReader:
    """Reads the changes of one mailbox's folders.

    `prefetched` returns the response to a link that was requested in advance, once. `memory` returns the mailbox's
    well-known folders.
    """

    def __init__(
        self,
        client: GraphClient,
        recent: RecentMembers,
        prefetched: Callable[[str, str], Part | None],
        memory: Callable[[], Memory | None],
        *,
        isolate_failures: bool,
    ) -> None:
        self._client = client
        self._recent = recent
        self._prefetched = prefetched
        self._memory = memory
        self._isolate_failures = isolate_failures
        self.is_full = False
        """Whether delta was refused because the mailbox is over its quota."""

    def changes(self, folder: Folder, text: str | None) -> ChangePage:
        """Return the next page since a stored state; None starts from the beginning.

        Raises: StateInvalid if the service does not know the state any more, or if the folder was listed and delta
            works again.
        """
        state = states.read(text) if text is not None else State(folder.kind)
        if state.is_listing:
            return self._listed(folder, state) if state.link else self._listed_again(folder, state)
        try:
            return self._delta(folder, state, text)
        except MailboxFull:
            self.is_full = True
        except AskForLess:
            if not self._isolate_failures:
                raise
        return self._listed(folder, State(folder.kind, is_listing=True))

    def _delta(self, folder: Folder, state: State, text: str | None) -> ChangePage:
        collection = COLLECTIONS[folder.kind]
        part = self._prefetched(folder.id, text) if text is not None else None
        body = part.value() if part is not None else self._page(collection, folder, state.link)
        read = self._read(collection, folder, body)
        link = read.next_link or read.delta_link
        if not link:
            # Without a link, later changes would be lost.
            raise of_fault(JsonFault.UNEXPECTED)
        if (
            text is not None
            and state.complete
            and not read.changes
            and not read.next_link
            and state.day == self._today()
        ):
            # Every response has a new link. The old one stays valid, and keeping it saves a write.
            return ChangePage((), text, complete=True)
        following = State(folder.kind, self._client.relative(link), complete=not read.next_link, day=self._today())
        return self._page_of(folder, read, following)

    def _today(self) -> int:
        return int(self._client.now().timestamp() // _DAY)

    def _page(self, collection: Collection, folder: Folder, link: str) -> bytes:
        """Request one page, with fewer members if the service fails on a larger page."""
        path = link or self._client.mailbox + collection.path.format(folder.id) + "/delta" + collection.round
        sizes = collection.page_sizes + (_DAMAGED_PAGE if self._isolate_failures else ())
        for size in sizes[:-1]:
            try:
                return self._client.get(path, prefer=_page_size(size), with_state=bool(link))
            except AskForLess:
                continue
        return self._client.get(path, prefer=_page_size(sizes[-1]), with_state=bool(link))

    def _listed_again(self, folder: Folder, state: State) -> ChangePage:
        """Start a new round of a folder that was listed: by delta from the beginning, if delta works again."""
        try:
            self._page(COLLECTIONS[folder.kind], folder, "")
        except MailboxFull:
            self.is_full = True
            return self._listed(folder, state)
        except AskForLess:
            return self._listed(folder, state)
        raise StateInvalid("delta works again")

    def _listed(self, folder: Folder, state: State) -> ChangePage:
        collection = COLLECTIONS[folder.kind]
        path = state.link or self._client.mailbox + collection.path.format(folder.id) + collection.latest
        read = self._read(collection, folder, self._client.get(path, prefer=_page_size(collection.page_sizes[0])))
        modified = {member.id: modified_at(member) for member in read.given}
        fresh = {key: at for key, at in modified.items() if not at or at >= state.known_until}
        newest = max([state.newest, *fresh.values()])
        read.changes = {key: change for key, change in read.changes.items() if key in fresh}
        read.items = {key: item for key, item in read.items.items() if key in fresh}
        if read.next_link and len(fresh) == len(modified):
            following = replace(state, link=self._client.relative(read.next_link), newest=newest)
        else:
            following = State(folder.kind, complete=True, is_listing=True, known_until=max(newest, state.known_until))
        return self._page_of(folder, read, following)

    def _read(self, collection: Collection, folder: Folder, body: bytes) -> ReadPage:
        read = read_page(collection, body, folder.id)
        self._recent.keep(read.members)
        return read

    def _page_of(self, folder: Folder, read: ReadPage, following: State) -> ChangePage:
        if folder.role is FolderRole.INBOX:
            following = replace(following, memory=self._memory())
        return ChangePage(tuple(read.changes.values()), states.written(following), following.complete, read.items)


def _page_size(size: int) -> tuple[str]:
    """Return the Prefer header with the page size, for every request: $top would limit the whole round."""
    return (f"odata.maxpagesize={size}",)
