"""Reads one folder of the other source from its beginning and compares it with the replica, without writing items.

An item is the same when the other source lists its id at the version that the replica has. Where the two sources'
versions cannot be compared, it is the same when nothing that a save changes differs: last-modified time, size, read
flag, categories, flag and subject (likeness.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from itertools import batched

from shared.compact_index import CompactIndex
from shared.errors import Reason, RetryLater
from shared.replica.port import ReplicaItem
from shared.sources.coverage import gives_item
from shared.sources.model import ChangeKind, ContentLevel, Folder, Item, ItemKind, SourceName
from shared.sources.port import MailSource
from shared.sync.budget import Budget
from shared.sync.moving.id_translator import IdTranslator
from shared.sync.moving.likeness import has_comparable_size, likeness_of
from shared.sync.moving.origin import Origin
from shared.sync.moving.survey import FolderSurvey, Survey, digest_of, joined, separated
from shared.sync.moving.surveyed_replica import SurveyedReplica
from shared.sync.planning.same_content import Sameness
from shared.sync.reading.item_index import version_mark
from shared.sync.scope import LeftOut, Scope

AT_ONCE = 1_000
"""The number of items that are translated or looked up together."""

SAMPLES = 3
"""The number of items of each kind whose contents are compared."""

_KINDS = list(ItemKind)


class FolderSurveyor:
    """Surveys folders of one mailbox into one survey. `waiting` are the ids of items with an open issue."""

    def __init__(
        self,
        survey: Survey,
        source: MailSource,
        replica: SurveyedReplica,
        *,
        scope: Scope,
        budget: Budget,
        waiting: frozenset[str],
        origin: Origin,
        translator: IdTranslator,
        clock: Callable[[], datetime],
    ) -> None:
        self._survey = survey
        self._target: SourceName = survey.target
        self._source = source
        self._replica = replica
        self._scope = scope
        self._budget = budget
        self._waiting = waiting
        self._origin = origin
        self._translator = translator
        self._clock = clock

    def survey(self, folder: Folder, found: FolderSurvey) -> None:
        """Read the folder to its end, continuing from `found`.

        Raises: StateInvalid, FolderGone, FolderUnreadable; BudgetSpent between two pages; what the source raises.
        """
        reading = _Reading(self._replica, found)
        while not found.complete:
            counts = _Counts(self._survey, found)
            try:
                self._read_page(folder, found, reading)
            except Exception:
                # The page is read again.
                counts.restore()
                raise
            self._budget.check()

    def _read_page(self, folder: Folder, found: FolderSurvey, reading: "_Reading") -> None:
        page = self._source.changes(folder, found.state)
        if not page.complete and not page.changes and page.state == found.state:
            raise RetryLater(Reason.BAD_ANSWER, "a folder's changes do not come to an end")
        versions = {each.item_id: each.version for each in page.changes if each.kind is ChangeKind.UPSERT}
        reading.repeated(each.item_id for each in page.changes if each.kind is not ChangeKind.UPSERT)
        found.has_unversioned |= not all(versions.values())
        self._compare(folder, found, reading, {id_: one for id_, one in versions.items() if one}, page.items)
        if page.complete:
            self._finish(folder, found, reading)
        found.state, found.complete = page.state, page.complete
        found.seen = "" if page.complete else joined(reading.seen)

    def _compare(
        self,
        folder: Folder,
        found: FolderSurvey,
        reading: "_Reading",
        versions: Mapping[str, str],
        carried: Mapping[str, Item],
    ) -> None:
        """Compare the items of a page or a listing."""
        different, unlisted = [], []
        for id_, version in versions.items():
            known = reading.take(id_)
            if known is None:
                unlisted += [id_] if reading.is_new(id_) else []
            elif version == "" or known[0] != version_mark(version):
                different.append(id_)
            else:
                self._same_version(folder, found, _KINDS[known[1]], id_)
        names = self._other_names(reading, unlisted)
        unknown = [id_ for id_ in unlisted if id_ not in names]
        stored = self._replica.find([*different, *names.values()])
        for id_, item in self._renamed(names, stored, versions).items():
            self._same_version(folder, found, item.kind, id_, item.key)
            found.restated[item.key] = [id_, item.version]
            del names[id_]
        items = self._metadata(folder, found, [*different, *names, *unknown], carried)
        pairs = {id_: (stored.get(names.get(id_, id_)), items.get(id_)) for id_ in (*different, *names)}
        likeness = self._likeness(found, pairs)
        for id_, pair in pairs.items():
            self._differing(folder, found, *pair, likeness.get(id_, Sameness.NONE))
        for id_ in unknown:
            self._unknown(found, id_, items.get(id_))

    def _likeness(
        self, found: FolderSurvey, pairs: Mapping[str, tuple[ReplicaItem | None, Item | None]]
    ) -> dict[str, Sameness]:
        """Decide which items are the same that both have; see likeness.py."""
        both = {id_: (stored, item) for id_, (stored, item) in pairs.items() if stored and item}
        for stored, item in both.values():
            if has_comparable_size(stored, item):
                self._survey.count_size(is_equal=item.size == stored.size)
        is_comparable = self._survey.are_sizes_comparable
        return likeness_of(both, self._origin, found.id, are_sizes_comparable=is_comparable)

    def _other_names(self, reading: "_Reading", ids: Sequence[str]) -> dict[str, str]:
        """The replica's ids, by these ids, of items that the two sources do not spell alike; each once."""
        names = self._translator.at_origin(ids) if reading.is_incomplete else {}
        return {id_: name for id_, name in names.items() if reading.take(name) is not None}

    def _renamed(
        self, names: Mapping[str, str], stored: Mapping[str, ReplicaItem], versions: Mapping[str, str]
    ) -> dict[str, ReplicaItem]:
        """Return, by id, the items that have another id and the same version at the other source."""
        found = {id_: stored[name] for id_, name in names.items() if name in stored}
        return {id_: item for id_, item in found.items() if versions[id_] and versions[id_] == item.version}

    def _same_version(self, folder: Folder, found: FolderSurvey, kind: ItemKind, id_: str, key: str = "") -> None:
        self._survey.count_version(kind, is_equal=True)
        self._same(folder, found, kind, id_, key)

    def _same(self, folder: Folder, found: FolderSurvey, kind: ItemKind, id_: str, key: str = "") -> None:
        found.of(kind).same += 1
        samples = self._survey.samples.setdefault(kind.value, [])
        if len(samples) < SAMPLES:
            samples.append([folder.id, id_, key])

    def _differing(
        self,
        folder: Folder,
        found: FolderSurvey,
        stored: ReplicaItem | None,
        item: Item | None,
        likeness: Sameness,
    ) -> None:
        """Compare an item that both have, at versions that differ or cannot be compared."""
        if stored is None:
            found.differs = True
        elif item is not None and likeness is not Sameness.NONE and not self._is_excluded(item):
            if likeness is Sameness.LIKELY:
                found.assumed.append(stored.key)
            self._same(folder, found, stored.kind, item.id, stored.key)
            self._survey.count_version(stored.kind, is_equal=item.version == stored.version)
            if (item.id, item.version) != (stored.source_id, stored.version):
                found.restated[stored.key] = [item.id, item.version]
        else:
            found.of(stored.kind).changed += 1
            found.add_example("changed", stored.key)
            found.differs = True
            if item is not None and item.id != stored.source_id:
                found.restated[stored.key] = [item.id, stored.version]

    def _is_excluded(self, item: Item) -> bool:
        """Whether the item must not be kept: the settings exclude a name that it has now, or private items."""
        return self._scope.leaves_out(item, self._clock()) in (LeftOut.EXCLUDED, LeftOut.PRIVATE)

    def _unknown(self, found: FolderSurvey, id_: str, item: Item | None) -> None:
        """Count an item that only the other source has: it is new, or out of scope."""
        if id_ in self._waiting:
            return
        if item is None:
            found.differs = True
        elif self._scope.leaves_out(item, self._clock()) is None:
            found.of(item.kind).new += 1
            found.differs = True

    def _metadata(
        self, folder: Folder, found: FolderSurvey, ids: Sequence[str], carried: Mapping[str, Item]
    ) -> dict[str, Item]:
        """Return the items' metadata, from the page if it has them; items that cannot be fetched are left out.

        They are not asked for twice: each may take minutes to fail, and the page is read again after an outage.
        """
        items = {id_: carried[id_] for id_ in ids if id_ in carried}
        failed = set(found.failed)
        missing = [id_ for id_ in ids if id_ not in carried and id_ not in failed]
        for result in self._source.fetch(folder, missing, ContentLevel.METADATA) if missing else ():
            if isinstance(result, Item):
                items[result.id] = result
            else:
                found.failed.append(result.item_id)
        return items

    def _finish(self, folder: Folder, found: FolderSurvey, reading: "_Reading") -> None:
        """End the folder: the replica's items that were not seen are gone, or not provided by the other source."""
        if found.has_unversioned:
            for refs in batched(self._source.list_items(folder), AT_ONCE, strict=False):
                unmet = {ref.id: ref.version for ref in refs if not reading.has_met(ref.id)}
                self._compare(folder, found, reading, unmet, {})
                self._budget.check_lease()
        for items in batched(reading.left(), AT_ONCE, strict=False):
            given = [item for item in items if gives_item(self._target, item.kind, item.item_class, folder.kind)]
            kept = [item for item in items if item not in given] if len(given) < len(items) else []
            for item in kept:
                found.of(item.kind).not_given += 1
                found.not_given.append(item.key)
                found.add_example("not_given", item.key)
            for item in given:
                found.of(item.kind).gone += 1
                found.add_example("gone", item.key)
                found.differs = True


class _Counts:
    """The numbers, samples and examples of a survey before a page."""

    def __init__(self, survey: Survey, found: FolderSurvey) -> None:
        self._survey = survey
        self._found = found
        self._of_survey = deepcopy((survey.samples, survey.versions, survey.sizes))
        self._of_folder = deepcopy((found.kinds, found.examples))

    def restore(self) -> None:
        """Undo what a page has counted."""
        self._survey.samples, self._survey.versions, self._survey.sizes = self._of_survey
        self._found.kinds, self._found.examples = self._of_folder


class _Reading:
    """The replica's items of one folder that have not been seen yet, and the ids that have."""

    def __init__(self, replica: SurveyedReplica, found: FolderSurvey) -> None:
        self._replica = replica
        self._found = found
        self.seen = separated(found.seen)
        self._index = CompactIndex(columns=2, shards=64)
        for item in replica.items(found.id):
            if digest_of(item.source_id) not in self.seen:
                self._index.put(item.source_id, version_mark(item.version), _KINDS.index(item.kind))

    def take(self, id_: str) -> tuple[int, ...] | None:
        """The version's mark and the kind of an item of the replica, once."""
        known = self._index.pop(id_)
        if known is not None:
            self.seen.add(digest_of(id_))
        return known

    @property
    def is_incomplete(self) -> bool:
        """Whether the replica has items that have not been seen yet."""
        return len(self._index) > 0

    def has_met(self, id_: str) -> bool:
        """Whether an id has been seen already."""
        return digest_of(id_) in self.seen

    def is_new(self, id_: str) -> bool:
        """Whether an unknown id is seen for the first time; at the second time the item has changed."""
        digest = digest_of(id_)
        if digest in self.seen:
            self._found.differs = True
            return False
        self.seen.add(digest)
        return True

    def repeated(self, ids: Iterable[str]) -> None:
        """Forget the results of items that were deleted or read while the folder was read."""
        if any(digest_of(id_) in self.seen for id_ in ids):
            self._found.differs = True

    def left(self) -> Iterator[ReplicaItem]:
        """Return the replica's items that were not seen."""
        if len(self._index):
            for item in self._replica.items(self._found.id):
                if self._index.pop(item.source_id) is not None:
                    yield item
