"""What a survey of the other source has found so far, and its stored form: a document beside the cursor.

It holds delta links, so it is as secret as the cursor is, and the numbers that the parity report is made of.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.sources.port import ItemKind, SourceName

DOCUMENT = "move"
"""The derived document's name."""

EXAMPLES = 5
"""Keys that are kept of each outcome in one folder."""


@dataclass(slots=True)
class KindCounts:
    """How many items of one kind compare how."""

    same: int = 0
    changed: int = 0
    new: int = 0
    gone: int = 0
    not_given: int = 0
    """In the replica, and not to be had from the other source."""
    fields_lost: int = 0
    """Same items of which the other source knows less than is stored."""


@dataclass(slots=True)
class FolderSurvey:
    """One folder of the replica, read from the other source from its beginning."""

    id: str
    """In the cursor."""
    target_id: str
    """At the other source."""
    path: str
    state: str | None = None
    """The other source's state as far as the folder was read."""
    complete: bool = False
    is_unreadable: bool = False
    differs: bool = False
    """Whether something is to be repaired: the folder is compared item by item after the switch."""
    has_unversioned: bool = False
    """Whether pages gave items without their versions, so that the folder is listed for these."""
    kinds: dict[str, KindCounts] = field(default_factory=dict)
    restated: dict[str, list[str]] = field(default_factory=dict)
    """By item key: the id and the version that the other source has for an item that stays the same."""
    not_given: list[str] = field(default_factory=list)
    """Keys."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Item keys by outcome."""
    seen: str = ""
    """Digests of the ids that were given out, while the folder is not complete."""

    def of(self, kind: ItemKind) -> KindCounts:
        """The counts of one kind."""
        return self.kinds.setdefault(kind.value, KindCounts())

    def add_example(self, outcome: str, key: str) -> None:
        """Remember an item by its key, if there is room."""
        known = self.examples.setdefault(outcome, [])
        if len(known) < EXAMPLES:
            known.append(key)


@dataclass(slots=True)
class Survey:
    """One mailbox, as far as it was surveyed."""

    target: SourceName
    begun_at: str
    """ISO 8601."""
    sequence: int
    """The cursor's number when it began: what was written later the other source's states may not know."""
    scope_digest: str
    folders: dict[str, FolderSurvey] = field(default_factory=dict)
    """By the folder's id in the cursor."""
    kept: dict[str, str] = field(default_factory=dict)
    """Path by id of folders that the other source does not give."""
    gone: list[str] = field(default_factory=list)
    """Ids of folders that it would give and does not list."""
    gone_items: int = 0
    """How many items the replica holds in these."""
    kept_items: int = 0
    new_items: dict[str, int] = field(default_factory=dict)
    """How many items folders hold that the replica does not know, by the folder's kind."""
    samples: dict[str, list[list[str]]] = field(default_factory=dict)
    """By kind: folder id at the other source, item id and key of items whose content is to be compared."""
    sampled: dict[str, str] = field(default_factory=dict)
    """What comparing their contents came to, by kind."""
    requests: int = 0
    bytes_received: int = 0

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
    """What is kept of an id that was given out: 64 bits, equal in every process."""
    return hashlib.blake2b(item_id.encode(), digest_size=8).hexdigest()


def joined(digests: Iterable[str]) -> str:
    """Digests as one text."""
    return "".join(digests)


def separated(text: str) -> set[str]:
    """The digests of such a text."""
    return {text[start : start + 16] for start in range(0, len(text), 16)}


def encode(survey: Survey) -> bytes:
    """The document."""
    return json.dumps(asdict(survey), separators=(",", ":")).encode()


def decode(data: bytes) -> Survey | None:
    """The survey in a document; None when there is none in it, or one of another version."""
    try:
        values = json.loads(data)
        folders = {id_: _folder(folder) for id_, folder in values.pop("folders").items()}
        return Survey(**{**values, "target": SourceName(values["target"])}, folders=folders)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _folder(values: dict[str, Any]) -> FolderSurvey:
    kinds = {kind: KindCounts(**counts) for kind, counts in values.pop("kinds").items()}
    return FolderSurvey(**values, kinds=kinds)
