"""The results of a survey of the other source so far, and their stored form: a document beside the cursor.

It holds delta links, so it is as secret as the cursor is, and the numbers that the parity report is made of.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.sources.model import ItemKind, SourceName

DOCUMENT = "move"
"""The derived document's name."""

EXAMPLES = 5
"""The number of item keys that are kept for each outcome in one folder."""


@dataclass(slots=True)
class KindCounts:
    """The numbers of items of one kind, by outcome."""

    same: int = 0
    changed: int = 0
    new: int = 0
    gone: int = 0
    not_given: int = 0
    """In the replica, and not available from the other source."""
    fields_lost: int = 0
    """Items that are the same, but of which the other source has less than is stored."""


@dataclass(slots=True)
class FolderSurvey:
    """The survey of one folder of the replica."""

    id: str
    """Its id in the cursor."""
    target_id: str
    """Its id at the other source."""
    path: str
    state: str | None = None
    """The other source's state up to which the folder was read."""
    complete: bool = False
    is_unreadable: bool = False
    differs: bool = False
    """Whether the folder has to be compared item by item after the switch."""
    has_unversioned: bool = False
    """Whether pages had items without versions, so that the folder has to be listed."""
    kinds: dict[str, KindCounts] = field(default_factory=dict)
    restated: dict[str, list[str]] = field(default_factory=dict)
    """By item key: the other source's id and version of an item that stays the same."""
    assumed: list[str] = field(default_factory=list)
    """Keys of items that are the same as far as their metadata tell: the daily comparison confirms their contents."""
    not_given: list[str] = field(default_factory=list)
    """Keys."""
    failed: list[str] = field(default_factory=list)
    """The other source's ids of items that cannot be fetched."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Item keys by outcome."""
    seen: str = ""
    """Digests of the ids that have been seen, while the folder is not complete."""

    def of(self, kind: ItemKind) -> KindCounts:
        """Return the counts of one kind."""
        return self.kinds.setdefault(kind.value, KindCounts())

    def add_example(self, outcome: str, key: str) -> None:
        """Remember an item's key, up to the limit."""
        known = self.examples.setdefault(outcome, [])
        if len(known) < EXAMPLES:
            known.append(key)


@dataclass(slots=True)
class Survey:
    """The survey of one mailbox so far."""

    target: SourceName
    begun_at: str
    """ISO 8601."""
    sequence: int
    """The cursor's number when it began. The other source's states may not cover what was written later."""
    scope_digest: str
    folders: dict[str, FolderSurvey] = field(default_factory=dict)
    """By the folder's id in the cursor."""
    kept: dict[str, str] = field(default_factory=dict)
    """The paths, by id, of folders that the other source does not provide."""
    gone: list[str] = field(default_factory=list)
    """The ids of folders that it could provide but does not list."""
    gone_items: int = 0
    """How many items the replica holds in these."""
    kept_items: int = 0
    new_items: dict[str, int] = field(default_factory=dict)
    """How many items folders hold that the replica does not know, by the folder's kind."""
    samples: dict[str, list[list[str]]] = field(default_factory=dict)
    """By kind: folder id at the other source, item id and key of items whose content is to be compared."""
    sampled: dict[str, str] = field(default_factory=dict)
    """The results of comparing these contents, by kind."""
    versions: dict[str, list[int]] = field(default_factory=dict)
    """By kind: how many items that stay the same have the same version at both sources, and how many another one."""
    sizes: list[int] = field(default_factory=lambda: [0, 0])
    """How many items that nobody saved have the same size at both sources, and how many another one."""
    requests: int = 0
    bytes_received: int = 0

    def count_version(self, kind: ItemKind, *, is_equal: bool) -> None:
        """Count an item that stays the same by its version."""
        self.versions.setdefault(kind.value, [0, 0])[0 if is_equal else 1] += 1

    def are_versions_comparable(self, kind: ItemKind) -> bool:
        """Whether another version of an item of this kind means that it was saved: most versions are equal."""
        equal, other = self.versions.get(kind.value, (0, 0))
        return equal > other

    def count_size(self, *, is_equal: bool) -> None:
        """Count an item that nobody saved by its size."""
        self.sizes[0 if is_equal else 1] += 1

    @property
    def are_sizes_comparable(self) -> bool:
        """Whether another size means that an item was saved: most sizes are equal."""
        equal, other = self.sizes
        return equal >= other

    def total(self) -> KindCounts:
        """The counts of all folders and kinds."""
        found = KindCounts(gone=self.gone_items, not_given=self.kept_items, new=sum(self.new_items.values()))
        for counts in self.by_kind().values():
            for name in KindCounts.__dataclass_fields__:
                setattr(found, name, getattr(found, name) + getattr(counts, name))
        return found

    def by_kind(self) -> dict[str, KindCounts]:
        """The counts of all folders by kind."""
        found: dict[str, KindCounts] = {}
        for folder in self.folders.values():
            for kind, counts in folder.kinds.items():
                into = found.setdefault(kind, KindCounts())
                for name in KindCounts.__dataclass_fields__:
                    setattr(into, name, getattr(into, name) + getattr(counts, name))
        return found


def digest_of(item_id: str) -> str:
    """Return the digest of an id: 64 bits, equal in every process."""
    return hashlib.blake2b(item_id.encode(), digest_size=8).hexdigest()


def fingerprint(document: bytes) -> str:
    """Return the digest of a stored survey. The switch records which survey the rows are restated from."""
    return hashlib.sha256(document).hexdigest()[:32]


def joined(digests: Iterable[str]) -> str:
    """Encode digests as one text."""
    return "".join(digests)


def separated(text: str) -> set[str]:
    """Decode digests."""
    return {text[start : start + 16] for start in range(0, len(text), 16)}


def encode(survey: Survey) -> bytes:
    """Encode a survey."""
    return json.dumps(asdict(survey), separators=(",", ":")).encode()


def decode(data: bytes) -> Survey | None:
    """Decode a survey; None if there is none, or one of another version."""
    try:
        values = json.loads(data)
        folders = {id_: _folder(folder) for id_, folder in values.pop("folders").items()}
        return Survey(**{**values, "target": SourceName(values["target"])}, folders=folders)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _folder(values: dict[str, Any]) -> FolderSurvey:
    kinds = {kind: KindCounts(**counts) for kind, counts in values.pop("kinds").items()}
    return FolderSurvey(**values, kinds=kinds)
