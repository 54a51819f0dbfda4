"""The changes of all of a caller's mailboxes in one feed that never leaves one out.

It has two parts. First it reads every mailbox's feed from its beginning, in the registry's order. Then it follows the
change log from the time at which the first part began; changes that the first part has given may come again. So the
log need not be kept forever, and a new consumer gets everything.

A position is valid for the limits of the reader that it was made for. Others would have passed over what these show, so
a consumer whose limits have changed begins again.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from shared.api.access import Caller, Role
from shared.api.errors import Malformed, Refused
from shared.api.paging import decode_cursor, encode_cursor
from shared.api.resources.items import Change, item
from shared.errors import NotFound, OperatorMustAct
from shared.replica.change_log.port import KEPT, entry_key, time_of
from shared.replica.reading.port import MAX_NUMBER, FolderMap, NumberedChange, change_number

if TYPE_CHECKING:
    from shared.api.calls import ApiComponents
    from shared.mailboxes.model import Mailbox

MAX_MAILBOXES = 200
"""Most mailboxes, or entries of the log, that one request looks at."""
OVERLAP = timedelta(minutes=5)
"""How long before its own beginning the first part hands over to the log."""


_ID = re.compile(r"[A-Za-z0-9-]{0,64}")


class _Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a consumer is.

    In the first part: `mailbox`, whose feed is read up to `number`, and `began`, the log's key to continue from
    afterward. In the log: the `key` of the last entry that was read; the first one after it is read up to `number`.
    `limits` identifies the limits of the reader; positions of earlier versions do not have it.
    """

    key: str = ""
    number: int = 0
    mailbox: str = ""
    began: str = ""
    limits: str | None = None


@dataclass(frozen=True, slots=True)
class MergedChanges:
    """Changes, each with its position, and the position after them. `complete`: the log was read to its end."""

    changes: list[Change]
    position: str
    complete: bool


class MergedFeed:
    """The feed of one caller."""

    def __init__(self, components: "ApiComponents", caller: Caller) -> None:
        self._components = components
        self._caller = caller
        self._folders: dict[str, FolderMap] = {}
        self._limits = _identified(caller)

    def read(self, after: str, limit: int) -> MergedChanges:
        """Return the changes after a position.

        Raises:
            Malformed: not a position.
            Refused: position_expired, if the log does not reach back so far, or the reader had other limits.
        """
        place = self._place(after)
        changes: list[Change] = []
        if not place.key:
            place = self._read_mailboxes(place, limit, changes)
        if place.key and len(changes) < limit:
            place = self._read_log(place, limit, changes)
        return MergedChanges(changes, self._position(place), bool(place.key))

    def _place(self, after: str) -> _Place:
        now = self._components.clock()
        if not after:
            return _Place(began=entry_key(now - OVERLAP))
        try:
            place = msgspec.json.decode(_decoded(after), type=_Place)
            reached = time_of(place.key or place.began)
        except (msgspec.DecodeError, ValueError, OverflowError, OSError) as exc:
            raise _position_invalid() from exc
        if not 0 <= place.number <= MAX_NUMBER or not _ID.fullmatch(place.mailbox):
            raise _position_invalid()
        if reached < now - KEPT or place.limits not in (self._limits, None):
            raise Refused("position_expired", "after")
        return place

    def _read_mailboxes(self, place: _Place, limit: int, changes: list[Change]) -> _Place:
        """Read feeds from their beginning. Returns the place reached; in the log, after the last mailbox."""
        if place.mailbox and (mailbox := self._readable(place.mailbox)):
            place = self._read_mailbox(mailbox, place, limit, changes)
        if len(changes) >= limit:
            return place
        batch = self._components.registry.page(place.mailbox, MAX_MAILBOXES)
        for mailbox in batch:
            place = _Place(mailbox=mailbox.id, began=place.began)
            if self._is_readable(mailbox):
                place = self._read_mailbox(mailbox, place, limit, changes)
            if len(changes) >= limit:
                return place
        return place if len(batch) == MAX_MAILBOXES else _Place(key=place.began)

    def _read_mailbox(self, mailbox: "Mailbox", place: _Place, limit: int, changes: list[Change]) -> _Place:
        """Read the rest of one mailbox's feed, as far as it fits into the answer."""
        for numbered in self._components.replica_reader.changes(mailbox.id, place.number, limit - len(changes)):
            place = _Place(number=numbered.number, mailbox=mailbox.id, began=place.began)
            changes.append(self._change(mailbox.id, numbered, place))
        return place

    def _read_log(self, place: _Place, limit: int, changes: list[Change]) -> _Place:
        """Follow the log. An entry whose changes do not fit into the answer is read again by the next request."""
        for entry in self._components.change_log.read(place.key, MAX_MAILBOXES):
            start, end = change_number(entry.known + 1, 0), change_number(entry.sequence + 1, 0)
            start = max(start, place.number)
            if self._caller.reads_content_of(entry.mailbox_id, entry.tenant_id) and self._stands(entry.mailbox_id):
                for numbered in self._components.replica_reader.changes(entry.mailbox_id, start, limit - len(changes)):
                    if numbered.number < end:
                        place = _Place(key=place.key, number=numbered.number)
                        changes.append(self._change(entry.mailbox_id, numbered, place))
            if len(changes) >= limit:
                return place
            place = _Place(key=entry.key)
        return place

    def _readable(self, mailbox_id: str) -> "Mailbox | None":
        """The mailbox, if the caller may read it and it is not being, and was not, erased."""
        try:
            mailbox = self._components.registry.get(mailbox_id)
        except NotFound:
            return None
        return mailbox if self._is_readable(mailbox) else None

    def _stands(self, mailbox_id: str) -> bool:
        """Whether a mailbox that the caller may read by the log's entry is there, and is not being erased.

        One whose row this version cannot read counts as there: its changes must not be left out, nor stop the feed.
        """
        try:
            return self._readable(mailbox_id) is not None
        except OperatorMustAct as error:
            if not error.of_one:
                raise
            return True

    def _is_readable(self, mailbox: "Mailbox") -> bool:
        return mailbox.erasing_since is None and self._caller.reads_content_of(mailbox.id, mailbox.tenant_id)

    def _change(self, mailbox_id: str, numbered: NumberedChange, place: _Place) -> Change:
        if mailbox_id not in self._folders:
            self._components.content_audit(mailbox_id, self._caller.object_id)
            self._folders[mailbox_id] = self._components.replica_reader.folders(mailbox_id)
        return Change(
            number=numbered.number,
            mailbox_id=mailbox_id,
            change=numbered.change.kind,
            item=item(numbered.change.item, self._folders[mailbox_id].folders),
            redacted=numbered.redacted,
            position=self._position(place),
        )

    def _position(self, place: _Place) -> str:
        fields = (place.key, place.number, place.mailbox, place.began, self._limits)
        return encode_cursor(msgspec.json.encode(fields).decode())


def _identified(caller: Caller) -> str:
    """A digest of the limits of a reader; empty for a caller that may read every mailbox."""
    if caller.limits is None or Role.OPERATOR in caller.roles:
        return ""
    named = [sorted(caller.limits.tenants), sorted(caller.limits.mailboxes)]
    return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]


def _position_invalid() -> Malformed:
    return Malformed("after", expected="the `position` of a line of this feed, or left out to begin again")


def _decoded(after: str) -> str:
    """The text in a position. Raises Malformed."""
    try:
        return decode_cursor(after, "after")
    except Malformed as exc:
        raise _position_invalid() from exc
