"""What of a mailbox is synced: which folders, how far back, whose items, and how much of each."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from shared.replica.port import ReplicaItem
from shared.sources.exchange_names import IN_ARCHIVE, role_of
from shared.sources.model import ContentLevel, Folder, FolderKind, FolderRole, Item, ItemKind, ItemRef

RANK = {ContentLevel.METADATA: 0, ContentLevel.BODY: 1, ContentLevel.MIME: 2}
"""Each level contains those before it."""


class LeftOut(StrEnum):
    """Why an item is not in the replica though it is in a synced folder."""

    PRIVATE = "private"
    EXCLUDED = "excluded"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope settings as one value, and the plain rules that follow from them."""

    folders_in: tuple[str, ...] = ()
    """Only these folders (roles, Exchange's distinguished names, or paths) and those below; empty: all."""
    folders_out: tuple[str, ...] = ()
    """Not these nor those below; stronger than `folders_in`."""
    mail_days: int = 0
    """How many days back mail goes; 0: all of it. Other kinds are never too old."""
    content: ContentLevel = ContentLevel.MIME
    largest_item_bytes: int = 150 * 1024 * 1024
    """Of larger items only the metadata is kept."""
    private_items: bool = False
    exclude: tuple[str, ...] = ()
    """Addresses, and domains written @example.com; items that name them are left out."""
    retention_days: int = 0
    """How many days an item is kept after it left the mailbox; 0: it is deleted at once."""

    def folders(self, listed: Iterable[Folder]) -> dict[str, Folder]:
        """The folders in scope among those listed, by id."""
        by_id = {folder.id: folder for folder in listed}
        return {folder.id: folder for folder in by_id.values() if self._has(folder, by_id)}

    def _has(self, folder: Folder, by_id: Mapping[str, Folder]) -> bool:
        line = tuple(_line(folder, by_id))
        if any(_names(entry, line) for entry in self.folders_out):
            return False
        return not self.folders_in or any(_names(entry, line) for entry in self.folders_in)

    def leaves_out(self, item: Item, now: datetime) -> LeftOut | None:
        """Why this item of a synced folder does not belong in the replica; None: it does."""
        if item.private and not self.private_items:
            return LeftOut.PRIVATE
        if self._excludes(item.addresses):
            return LeftOut.EXCLUDED
        return LeftOut.OLD if item.kind is ItemKind.MESSAGE and self.too_old(item.at, now) else None

    def still_has(self, item: ReplicaItem, now: datetime, kept: "Kept | None" = None) -> bool:
        """Whether an item of the replica still belongs there: settings change, and the days move on.

        `kept` is what is kept with the item, if the caller has read it.
        """
        kept = kept or kept_of(item)
        if kept.private and not self.private_items:
            return False
        if self._excludes(kept.addresses):
            return False
        return not (item.kind is ItemKind.MESSAGE and self.too_old(item.at, now))

    def passes_by(self, folder: Folder, ref: ItemRef, now: datetime) -> bool:
        """Whether a listed item need not even be asked for: mail from before the days that are synced."""
        return folder.kind is FolderKind.MAIL and self.too_old(ref.at, now)

    def too_old(self, at: datetime | None, now: datetime) -> bool:
        """Whether mail of that time lies before the days that are synced."""
        return bool(self.mail_days) and at is not None and at < now - timedelta(days=self.mail_days)

    def _excludes(self, addresses: Iterable[str]) -> bool:
        if not self.exclude:
            return False
        excluded = {entry.lower() for entry in self.exclude}
        digests = {_digest_of(entry) for entry in excluded}
        return any(
            address in excluded or "@" + address.rpartition("@")[2] in excluded or address in digests
            for address in map(str.lower, addresses)
        )

    def level(self, size: int) -> ContentLevel:
        """How much of an item of that many bytes is kept."""
        return ContentLevel.METADATA if size > self.largest_item_bytes else self.content

    def is_outdated(self, item: ReplicaItem, kept: "Kept | None" = None) -> bool:
        """Whether the replica keeps less, or more, of this item than the settings now say, or does not know."""
        left_out = item.metadata.get("left_out")
        if isinstance(left_out, list) and "sync" in left_out:
            return True
        level = (kept or kept_of(item)).level
        if level is ContentLevel.METADATA and item.located is not None:  # earlier versions left some behind
            return True
        return level is not None and level is not self.level(item.size)

    def digest(self) -> str:
        """Changes when a setting changed that decides item by item; folders show by themselves with every scan."""
        parts = (self.mail_days, self.content.value, self.largest_item_bytes, self.private_items, sorted(self.exclude))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


PLAIN = 1_000
"""So many addresses of an item are kept as they are."""

ROOM = 250_000
"""Characters for the addresses of an item that names more people. Metadata may have 384,000 in all."""


def condensed(addresses: Iterable[str]) -> list[str]:
    """Addresses as `exclude` is tested against them, in little room: their domains, and a digest of each.

    Of more than some 18,000 addresses the last digests are dropped; the domains are first.
    """
    lower = sorted({address.lower() for address in addresses})
    domains = sorted({"@" + address.rpartition("@")[2] for address in lower})
    kept, room = [], ROOM
    for entry in (*domains, *map(_digest_of, lower)):
        room -= len(entry) + 3
        if room < 0:
            break
        kept.append(entry)
    return kept


def _digest_of(address: str) -> str:
    return "#" + hashlib.sha256(address.encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the sync itself keeps with an item, so that a changed setting can be applied without asking the source."""

    level: ContentLevel | None = None
    private: bool = False
    addresses: tuple[str, ...] = ()
    recent: bool = False
    """It had been modified just before it was read: another change in the same second may have followed."""
    assumed: bool = False
    """The content was kept when the version changed, and has not been compared with the source since."""
    not_tracked: str = ""
    """Since when (ISO 8601) the item's source does not give it: it is kept as it was. Empty: it is tracked."""


def kept_of(item: ReplicaItem) -> Kept:
    """Read it back from an item's metadata; without it the item is taken to be as the settings want it."""
    note = item.metadata.get("sync")
    if not isinstance(note, Mapping):
        return Kept()
    level = note.get("level")
    return Kept(
        level=ContentLevel(level) if level in RANK else None,
        private=bool(note.get("private")),
        addresses=tuple(map(str, note.get("addresses") or ())),
        recent=bool(note.get("recent")),
        assumed=bool(note.get("assumed")),
        not_tracked=str(note.get("not_tracked") or ""),
    )


def kept_note(kept: Kept) -> dict[str, object]:
    """The form in which it is stored under `sync` in an item's metadata."""
    note: dict[str, object] = {"level": kept.level.value} if kept.level else {}
    if kept.private:
        note["private"] = True
    if kept.addresses:
        # In one order: an item's addresses come in any order, and the stored note is compared.
        addresses = sorted({*kept.addresses})
        note["addresses"] = addresses if len(addresses) <= PLAIN else condensed(addresses)
    if kept.recent:
        note["recent"] = True
    if kept.assumed:
        note["assumed"] = True
    if kept.not_tracked:
        note["not_tracked"] = kept.not_tracked
    return note


def _line(folder: Folder, by_id: Mapping[str, Folder]) -> Iterable[Folder]:
    """The folder and those above it. A listing with a ring in it ends the line instead of the program."""
    seen: set[str] = set()
    above: Folder | None = folder
    while above is not None and above.id not in seen:
        seen.add(above.id)
        yield above
        above = by_id.get(above.parent_id)


def _names(entry: str, line: tuple[Folder, ...]) -> bool:
    """Whether an entry of the settings names one of these folders or, as a path, one above them."""
    wanted = entry.strip("/").casefold()
    path = line[0].path.casefold()
    if path == wanted or path.startswith(wanted + "/"):
        return True
    role, archives_only = _role(wanted)
    return role is not FolderRole.NONE and any(
        folder.role is role and (folder.archive or not archives_only) for folder in line
    )


@lru_cache(256)
def _role(name: str) -> tuple[FolderRole, bool]:
    """The role that an entry of the settings names, in our word or Exchange's; whether in online archives alone."""
    if name in FolderRole:
        return FolderRole(name), False
    role = role_of(name)
    is_of_archives = role is not FolderRole.ARCHIVE and name.startswith(IN_ARCHIVE)
    return role, is_of_archives
