"""Delta rounds: what changed in a folder (or in the tree of folders) since a token, a page at a time.

A round covers the commits after `since` up to `upto`; what changes while a round is under way comes in the next one.
The token says everything: the parameters of the first request are frozen into it, and which items were given.
Sources: learn.microsoft.com/graph/delta-query-overview and /delta-query-messages.
"""

import base64
import binascii
import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.graph.wire.errors import GraphError
from sandbox.mailboxes.store import Mailbox
from sandbox.mailboxes.sync_log import Changes, Entry, Given

_HEAD = b"\x47\x44"

type Key = tuple[str, int]
"""Where an entry stands in a round: the order's own key, and the commit."""


@dataclass(frozen=True, slots=True)
class Token:
    """The state that a nextLink (`is_skip`: within a round, behind `position`) or a deltaLink carries."""

    scope: str
    epoch: str
    since: int
    upto: int
    options: Mapping[str, str]
    given: tuple[int, ...] = ()
    position: Key | None = None
    left: int | None = None
    is_skip: bool = False

    def encode(self) -> str:
        """The opaque text."""
        plain = [self.scope, self.epoch, self.since, self.upto, dict(self.options), self.given, self.position]
        return base64.urlsafe_b64encode(
            _HEAD + zlib.compress(json.dumps([*plain, self.left, self.is_skip]).encode(), 1)
        ).decode()

    @classmethod
    def decode(cls, text: str) -> "Token":
        """Read a token back. Raises GraphError for anything that was not written here."""
        try:
            raw = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
            if not raw.startswith(_HEAD):
                raise ValueError("not a token")
            scope, epoch, since, upto, options, given, position, left, is_skip = json.loads(zlib.decompress(raw[2:]))
        except (binascii.Error, zlib.error, ValueError, TypeError):
            raise GraphError(400, "BadRequest", "Badly formed token.") from None
        where = (str(position[0]), int(position[1])) if position else None
        return cls(scope, epoch, since, upto, options, tuple(given), where, left, is_skip)


@dataclass(frozen=True, slots=True)
class Change[Thing]:
    """One change: a thing that is new, changed or gone, and the EWS id that it had then."""

    id: str
    thing: Thing
    gone: bool


@dataclass(frozen=True, slots=True)
class Page[Thing]:
    """A page of a round, and the token that follows it."""

    changes: list[Change[Thing]]
    following: Token


@dataclass(frozen=True, slots=True)
class Tracked[Thing]:
    """What changes are tracked of.

    `key` orders a round, largest first (empty: in the order of the commits); `shown` says which things the API knows;
    `identity` is what an id stands for where ids are immutable.
    """

    scope: str
    mailbox: Mailbox
    log: Changes[Thing]
    shown: Callable[[Thing], bool]
    key: Callable[[Thing], str]
    descending: bool = False
    identity: Callable[[Thing], bytes] | None = None


@dataclass(slots=True)
class Rounds:
    """Computes pages; keeps the entries of rounds under way, so that a page costs no more than itself."""

    _cache: OrderedDict[tuple[object, ...], list[Any]] = field(default_factory=OrderedDict)

    def start(self, scope: str, mailbox: Mailbox, options: Mapping[str, str]) -> Token:
        """The token of a first round."""
        top = options.get("$top")
        return Token(scope, mailbox.epoch, 0, mailbox.sequence, options, left=int(top) if top else None)

    def resume(self, text: str, scope: str, mailbox: Mailbox, *, skip: bool) -> Token:
        """The token that a client hands back. Raises GraphError where it will not do."""
        token = Token.decode(text)
        if token.scope != scope or token.is_skip != skip:
            raise GraphError(400, "BadRequest", "Badly formed token.")
        if token.epoch != mailbox.epoch:
            raise GraphError(410, "syncStateNotFound")
        return token if skip else replace(token, upto=mailbox.sequence)

    def page[Thing](self, token: Token, tracked: Tracked[Thing], size: int) -> Page[Thing]:
        """The next page of a round."""
        entries = self._entries(token, tracked)
        start = 0
        if token.position is not None:
            start = _after(entries, token.position, tracked.descending)
        most = size if token.left is None else min(size, token.left)
        page = entries[start : start + most]
        changes, given = _changes([entry for _, entry in page], entries, token, tracked)
        left = None if token.left is None else token.left - len(page)
        ended = start + len(page) >= len(entries) or left == 0
        if ended:
            following = replace(token, since=token.upto, given=given, position=None, left=None, is_skip=False)
        else:
            following = replace(token, given=given, position=page[-1][0], left=left, is_skip=True)
        return Page(changes, following)

    def _entries[Thing](self, token: Token, tracked: Tracked[Thing]) -> list[tuple[Key, Entry[Thing]]]:
        """What a round consists of, in its order; what has changed again since it began is left for the next one."""
        name = (token.scope, token.epoch, token.since, token.upto, tracked.descending, json.dumps(dict(token.options)))
        kept = self._cache.get(name) if token.is_skip else None
        if kept is None:
            given = Given(list(token.given))
            found = [
                ((tracked.key(entry.thing) if not _is_gone(entry, tracked) else "", entry.sequence), entry)
                for entry in tracked.log.since(token.since)
                if entry.sequence <= token.upto and _concerns(entry, given, tracked)
            ]
            found.sort(key=lambda pair: pair[0], reverse=tracked.descending)
            kept = self._cache[name] = found
            while len(self._cache) > 64:
                self._cache.popitem(last=False)
        return [pair for pair in kept if tracked.log.is_latest(pair[1])]


def _is_gone[Thing](entry: Entry[Thing], tracked: Tracked[Thing]) -> bool:
    """Whether a thing is gone, or is nothing any more that the API shows."""
    return entry.gone or not tracked.shown(entry.thing)


def _concerns[Thing](entry: Entry[Thing], given: Given, tracked: Tracked[Thing]) -> bool:
    return entry.number in given or not _is_gone(entry, tracked)


def _after[Thing](entries: list[tuple[Key, Entry[Thing]]], position: Key, descending: bool) -> int:
    """How many entries stand at or before a position."""
    for at, (key, _) in enumerate(entries):
        if (key < position) if descending else (key > position):
            return at
    return len(entries)


def _changes[Thing](
    page: list[Entry[Thing]], entries: list[tuple[Key, Entry[Thing]]], token: Token, tracked: Tracked[Thing]
) -> tuple[list[Change[Thing]], tuple[int, ...]]:
    """What a page tells, and what the client has been given with it."""
    hidden = _hidden_by_moves(entries, tracked)
    given = Given(list(token.given))
    wanted = token.options.get("changeType", "")
    changes = [
        Change(entry.id, entry.thing, _is_gone(entry, tracked))
        for entry in page
        if entry.number not in hidden and wanted in ("", _kind(entry, given, tracked))
    ]
    added = [entry.number for entry in page if not _is_gone(entry, tracked) and entry.number not in given]
    removed = {entry.number for entry in page if _is_gone(entry, tracked)}
    return changes, tuple(given.with_changes(added, removed))


def _kind[Thing](entry: Entry[Thing], given: Given, tracked: Tracked[Thing]) -> str:
    if _is_gone(entry, tracked):
        return "deleted"
    return "updated" if entry.number in given else "created"


def _hidden_by_moves[Thing](entries: list[tuple[Key, Entry[Thing]]], tracked: Tracked[Thing]) -> set[int]:
    """With immutable ids, an item that left and came back within a round is told as gone and not as there.

    Source: github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/72, open since June 2023.
    """
    if tracked.identity is None:
        return set()
    gone = {tracked.identity(entry.thing) for _, entry in entries if entry.gone}
    return {entry.number for _, entry in entries if not entry.gone and tracked.identity(entry.thing) in gone}
