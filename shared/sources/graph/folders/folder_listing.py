"""Lists a mailbox's folders: with one request per kind, or level by level in a mailbox over its quota.

Delta returns the whole tree in one response but stores its state in the mailbox, so it is refused when the mailbox is
over its quota. A plain listing returns one level. The first requests are sent in advance: lookahead.py.
"""

import logging
from collections.abc import Container, Sequence

from shared.errors import Actor, Reason
from shared.sources.graph.faults.errors import MailboxFull
from shared.sources.graph.folders.folders import LEVELS, LISTINGS, Listed, memory_of, role_asks
from shared.sources.graph.folders.lookahead import Lookahead
from shared.sources.graph.folders.states import Memory
from shared.sources.graph.transport.batch import Ask, Batches
from shared.sources.graph.transport.client import GraphClient, Part
from shared.sources.model import FolderKind

_log = logging.getLogger(__name__)

_OPTIONAL = frozenset({FolderKind.CALENDAR, FolderKind.CONTACTS, FolderKind.TASKS})
"""Kinds with permissions of their own. Without mail there is nothing to read at all."""

_DEEPEST = 300
"""Levels; Exchange allows no more."""


def _is_denied(part: Part) -> bool:
    return part.refusal is not None and part.refusal.rule.reason is Reason.ACCESS_DENIED


class FolderListing:
    """Lists the folders of one mailbox."""

    def __init__(self, client: GraphClient, batches: Batches, lookahead: Lookahead) -> None:
        self._client = client
        self._batches = batches
        self._lookahead = lookahead

    def asks(self, *, with_roles: bool) -> dict[str, Ask]:
        """Return the requests to send in advance, by name."""
        asks = {kind.value: self._ask(kind) for kind in LISTINGS}
        if with_roles:
            asks |= {f"role {number}": ask for number, ask in enumerate(role_asks(self._client.mailbox))}
        return asks

    def listed(self, read: Container[FolderKind] = ()) -> Listed:
        """Return the folders of every kind, from the responses requested in advance, or from requests now.

        A kind that we may not read is left out. But if its folders were `read` before, the refusal is raised: a missing
        permission must not make them count as gone.
        """
        listed = Listed()
        asked = {kind: self._lookahead.listing(kind.value) for kind in LISTINGS}
        missing = [kind for kind, part in asked.items() if part is None]
        asked |= dict(zip(missing, self._batches.ask([self._ask(kind) for kind in missing]), strict=True))
        for kind, part in asked.items():
            if part is None or (kind in _OPTIONAL and kind not in read and _is_denied(part)):
                _log.warning("folders skipped", extra={"kind": kind.value})
            else:
                self._read(listed, kind, part)
        return listed

    def memory(self) -> Memory:
        """Return the mailbox's well-known folders."""
        asks = role_asks(self._client.mailbox)
        parts = [self._lookahead.listing(f"role {number}") for number in range(len(asks))]
        found = [part for part in parts if part is not None]
        return memory_of(found if len(found) == len(asks) else self._batches.ask(asks))

    def _ask(self, kind: FolderKind) -> Ask:
        ask = LISTINGS[kind]
        return Ask(self._client.mailbox + ask.path, ask.prefer)

    def _read(self, listed: Listed, kind: FolderKind, part: Part) -> None:
        """Read all pages of one listing."""
        if part.refusal is not None and part.refusal.rule.actor is Actor.LISTING:
            self._read_by_levels(listed, kind, part)
            return
        link = listed.take(kind, part.value())
        while link:
            body = self._client.get(self._client.relative(link), prefer=LISTINGS[kind].prefer)
            link = listed.take(kind, body)

    def _read_by_levels(self, listed: Listed, kind: FolderKind, part: Part) -> None:
        """Read the tree of a mailbox over its quota: the top folders, then the children of each level in batches."""
        if kind not in LEVELS:
            raise part.error() or MailboxFull
        top, below = LEVELS[kind]
        paths: Sequence[str] = [self._client.mailbox + top]
        for _ in range(_DEEPEST):
            found = [folder for path in self._pages(paths) for folder in listed.take_level(kind, path)]
            paths = [self._client.mailbox + below.format(folder) for folder in found]
            if not paths:
                return

    def _pages(self, paths: Sequence[str]) -> Sequence[bytes]:
        """Return the responses to several listings, all pages of each."""
        bodies = []
        for part in self._batches.ask([Ask(path) for path in paths]):
            body = part.value()
            bodies.append(body)
            while link := Listed.next_link(body):
                body = self._client.get(self._client.relative(link))
                bodies.append(body)
        return bodies
