"""Reads contents out of packs: one by a ranged read, or many by few reads of whole stretches of packs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.errors import ItemUnusable, NotFound, Reason
from shared.replica.encoding import pack
from shared.replica.port import ContentLocation, ReplicaItem
from shared.replica.reading.read_ahead import read_ahead
from shared.replica.storage_port import PACKS, Blobs

STRETCH_BYTES = 16 << 20
"""How much one read may give: a whole pack, but for a single content that is larger."""
GAP_BYTES = 256 << 10
"""What is read along between two wanted contents: less costs less than another request."""

type Wanted = tuple[ContentLocation, ReplicaItem]


@dataclass(frozen=True, slots=True)
class ContentReader:
    """The contents of items in packs."""

    blobs: Blobs

    def one(self, mailbox_id: str, item: ReplicaItem) -> bytes | None:
        """One content; None when the item has none, or it is not where the item says.

        Raises:
            NotFound: it is another mailbox's.
            ItemUnusable: it is not what was written.
        """
        located = item.located
        if located is None:
            return None
        if not located.pack.startswith(f"{mailbox_id}/"):
            raise NotFound("the content is another mailbox's")
        data = self.blobs.get_range(PACKS, located.pack, located.offset, located.length)
        if data is not None and not pack.is_whole(located, data):
            raise ItemUnusable(Reason.ITEM_CORRUPT, "the stored bytes are not those that were written")
        return data

    def several(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        """Each item with its content, in the order of the packs; None when it is not where the item says.

        A stretch is read while the contents of the one before are used.
        """
        by_pack: dict[str, list[Wanted]] = defaultdict(list)
        for item in items:
            if item.located is None or not item.located.pack.startswith(f"{mailbox_id}/"):
                yield item, None
            else:
                by_pack[item.located.pack].append((item.located, item))
        for wanted, data in read_ahead(self._read(by_pack)):
            yield from _divided(wanted, data)

    def _read(self, by_pack: Mapping[str, Sequence[Wanted]]) -> Iterator[tuple[Sequence[Wanted], bytes | None]]:
        """Each stretch with its bytes."""
        for name in sorted(by_pack):
            for wanted in _stretches(sorted(by_pack[name], key=lambda each: each[0].offset)):
                start = wanted[0][0].offset
                yield wanted, self.blobs.get_range(PACKS, name, start, _end(wanted[-1]) - start)


def _divided(wanted: Sequence[Wanted], data: bytes | None) -> Iterator[tuple[ReplicaItem, bytes | None]]:
    """The contents of a stretch, checked."""
    start = wanted[0][0].offset
    for located, item in wanted:
        at = located.offset - start
        found = data[at : at + located.length] if data is not None else None
        yield item, found if found is not None and pack.is_whole(located, found) else None


def _end(wanted: Wanted) -> int:
    return wanted[0].offset + wanted[0].length


def _stretches(wanted: Sequence[Wanted]) -> Iterator[Sequence[Wanted]]:
    """Runs of contents that lie close together."""
    run: list[Wanted] = []
    for each in wanted:
        is_near = run and each[0].offset - _end(run[-1]) <= GAP_BYTES
        if run and not (is_near and _end(each) - run[0][0].offset <= STRETCH_BYTES):
            yield run
            run = []
        run.append(each)
    if run:
        yield run
