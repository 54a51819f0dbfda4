"""Reads what changed in a folder, page by page: by delta, or by listing while delta is refused.

A delta round ends with a link to what comes later. A mailbox over its quota cannot be read so, since the service stores
the round's state in it, and one damaged item can make every page fail that holds it. Such a folder is listed, latest
changes first, until a time of modification is reached that is known already; what was deleted shows when the folder is
compared as a whole. Every new round tries delta again.
"""

from collections.abc import Callable

from msgspec.structs import replace

from shared.sources.graph.faults.errors import AskForLess, JsonFault, MailboxFull, of_fault
from shared.sources.graph.folders import states
from shared.sources.graph.folders.states import Memory, State
from shared.sources.graph.items.recent import RecentMembers
from shared.sources.graph.kinds import COLLECTIONS, Collection, ReadPage, modified_at, read_page
from shared.sources.graph.transport.client import GraphClient, Part
from shared.sources.port import ChangePage, Folder, FolderRole, StateInvalid

_DAMAGED_PAGE = (1,)

_DAY = 86_400
"""Seconds. A link is used for a day at most: how long one stays good that is not renewed is not documented."""


class ChangeReader:
    """Reads the changes of one mailbox's folders.

    `prefetched` gives the answer to a link that was asked for already, once; `memory` what is known of the mailbox.
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
        """The next page since a stored state; None begins at the beginning.

        Raises: StateInvalid when the state is not known any more, or is of a listing and delta works again.
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
            # Going on without a link would lose changes.
            raise of_fault(JsonFault.UNEXPECTED)
        if (
            text is not None
            and state.complete
            and not read.changes
            and not read.next_link
            and state.day == self._today()
        ):
            # Every answer has another link. The one that was used is as good, and storing nothing costs nothing.
            return ChangePage((), text, complete=True)
        following = State(folder.kind, self._client.relative(link), complete=not read.next_link, day=self._today())
        return self._page_of(folder, read, following)

    def _today(self) -> int:
        return int(self._client.now().timestamp() // _DAY)

    def _page(self, collection: Collection, folder: Folder, link: str) -> bytes:
        """One page, asked for with fewer members when the service fails over it."""
        path = link or self._client.mailbox + collection.path.format(folder.id) + "/delta" + collection.round
        sizes = collection.page_sizes + (_DAMAGED_PAGE if self._isolate_failures else ())
        for size in sizes[:-1]:
            try:
                return self._client.get(path, prefer=_page_size(size), with_state=bool(link))
            except AskForLess:
                continue
        return self._client.get(path, prefer=_page_size(sizes[-1]), with_state=bool(link))

    def _listed_again(self, folder: Folder, state: State) -> ChangePage:
        """A new round of a folder that was listed: by delta from the beginning, if that works by now."""
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
    """The size has to be preferred with every page: $top would limit the whole round."""
    return (f"odata.maxpagesize={size}",)
