"""Comparing a folder's items one by one with the replica's, and repairing what differs.

The daily sweep does it for every folder, a folder whose sync state was lost gets it once, and so does everything when
a setting changed that decides item by item. Differences go through the same plans as ordinary changes. A listing is
read page by page while people work in the folder, so an item may slip through between two pages: what the listing
lacks is asked for by its id, and only what the source then says is gone is deleted. After the listing the folder is
read on: so its state knows whatever was listed and is still there, and will report it when it goes.

Of a listing only hashes are kept. If some of it is not in the replica, the folder is listed once more, for their ids.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

from shared.errors import Reason
from shared.replica.port import ReplicaItem
from shared.sources.port import ContentLevel, Folder, Item, ItemFailure
from shared.sync.apply import Applier
from shared.sync.desk import Desk, add_left_out
from shared.sync.items import change_dropping_content, deletion
from shared.sync.plan import Group, Plan
from shared.sync.scope import LeftOut, kept_of
from shared.sync.seen import Listed, version_mark

AT_ONCE = 500
"""Differences repaired in one plan."""


@dataclass(slots=True)
class Difference:
    """What one folder's comparison found, as source ids: a folder may differ in every item."""

    items: int = 0
    """How many of the folder's items the replica has, before anything is repaired."""
    missing: list[str] = field(default_factory=list)
    """In the folder, not in the replica: never seen, or left out of it."""
    changed: list[str] = field(default_factory=list)
    """In both, at different versions or kept to another extent than the settings want."""
    assumed: list[str] = field(default_factory=list)
    """In both, at the same version, with an assumed content: as many as one comparison downloads."""
    extra: list[str] = field(default_factory=list)
    """In the replica, not in the listing."""
    out: list[str] = field(default_factory=list)
    """In the replica, but not in scope any more."""
    stripped: list[str] = field(default_factory=list)
    """In both, of which only the metadata is to be kept from now on."""
    unlisted: list[str] = field(default_factory=list)
    """With an open issue, and not in the listing."""
    passed_by: int = 0
    """Listed, but too old to be asked for."""


def compare(desk: Desk, folder: Folder, read_on: Callable[[Folder], None]) -> Difference:
    """List the folder, read it to its end and go through the replica's items of it once.

    Open issues have their own time and are let be.
    """
    now = desk.clock()
    expected = folder.total or 0
    listed, old = Listed(expected), Listed(expected)
    for ref in desk.source.list_items(folder):
        (old if desk.scope.passes_by(folder, ref, now) else listed).put(ref.id, ref.version)
    read_on(folder)
    difference = Difference()
    difference.unlisted = [id_ for id_ in desk.issues.of_folder(folder.id) if id_ not in listed and id_ not in old]
    for item in desk.items(folder.id):
        difference.items += 1
        version, older = listed.take(item.source_id), old.take(item.source_id)
        _judge(desk, item, older if version is None else version, difference, now)
    difference.passed_by = len(old)
    difference.missing.extend(_missing(desk, folder, listed))
    return difference


def _missing(desk: Desk, folder: Folder, listed: Listed) -> Iterator[str]:
    """The ids of what is left of a listing: what has gone since is not missing."""
    for ref in desk.source.list_items(folder) if listed else ():
        if listed.take(ref.id) is not None and ref.id not in desk.issues:
            yield ref.id
        if not listed:
            return


def _judge(desk: Desk, item: ReplicaItem, version: int | None, difference: Difference, now: datetime) -> None:
    if not desk.scope.still_has(item, now):
        difference.out.append(item.source_id)
    elif version is None:
        difference.extra.append(item.source_id)
    elif item.source_id in desk.issues:
        return
    elif version != version_mark(item.version):
        difference.changed.append(item.source_id)
    elif desk.scope.is_outdated(item):
        less = desk.scope.level(item.size) is ContentLevel.METADATA
        (difference.stripped if less else difference.changed).append(item.source_id)
    elif kept_of(item).assumed and len(difference.assumed) < desk.limits.confirmed_a_folder:
        difference.assumed.append(item.source_id)


def confirm_gone(desk: Desk, folder: Folder, extra: list[str]) -> list[str]:
    """Those among the extra items that the source says are gone, or in another folder by now.

    One that it cannot tell of becomes an issue: it is asked again, and goes then if it is gone.
    """
    gone: list[str] = []
    for result in desk.fetch(folder, extra, ContentLevel.METADATA) if extra else ():
        if source_id := _gone_from(folder, result):
            gone.append(source_id)
        elif isinstance(result, ItemFailure):
            desk.failed(folder.id, result)
    return gone


def _gone_from(folder: Folder, result: Item | ItemFailure) -> str:
    """The item's id if it is certainly not in the folder. Where ids survive moves a moved item still answers."""
    if isinstance(result, ItemFailure):
        return result.item_id if result.reason is Reason.ITEM_GONE else ""
    return result.id if result.folder_id not in ("", folder.id) else ""


def has_lost(desk: Desk, folder: Folder, keys: list[str]) -> bool:
    """Whether the source says of any of a folder's loose items that it is gone, after the folder was read again."""
    items = [item for item in map(desk.item, keys) if item is not None and item.folder_id == folder.id]
    return bool(confirm_gone(desk, folder, [item.source_id for item in items]))


def repair(
    desk: Desk, applier: Applier, folder: Folder, difference: Difference, *, note: str, done: Callable[[], None]
) -> None:
    """Make the replica equal to the folder; `note` names where to count what is left out.

    `done` is called when the last repair is on its page. What was left out is counted then: a repair that takes several
    passes meets it again in each.
    """
    left_out = Counter({LeftOut.OLD: difference.passed_by})

    def finished(_: Group) -> None:
        for reason, number in (+left_out).items():
            add_left_out(desk.ledger, note, reason, number)
        done()

    group = Group(finished, listed=True)
    for plan in _plans(desk, folder, difference, group):
        plan.left_out = lambda reason: left_out.update((reason,))
        applier.run(plan)
    group.end()


def _plans(desk: Desk, folder: Folder, difference: Difference, group: Group) -> Iterator[Plan]:
    """Missing items together with extra ones, so that an item whose id changed is not downloaded again."""
    assumed = frozenset(difference.assumed)
    arriving = list(batched([*difference.missing, *difference.changed, *assumed], AT_ONCE, strict=False))
    leaving = list(batched(difference.extra, AT_ONCE, strict=False))
    for number in range(max(len(arriving), len(leaving))):
        plan = Plan(look_first=True)
        wanted = list(arriving[number]) if number < len(arriving) else []
        gone = list(leaving[number]) if number < len(leaving) else []
        known = desk.find(wanted + gone)
        for item_id in wanted:
            plan.want(folder, item_id, group, known.get(item_id), to_confirm=item_id in assumed)
        for item_id in gone:
            if item_id in known:
                plan.let_go(known[item_id], group)
        yield plan
    strip = frozenset(difference.stripped)
    for ids in batched(difference.out + difference.stripped, AT_ONCE, strict=False):
        known = desk.find(list(ids))
        plan = Plan()
        for item in known.values():
            plan.write(change_dropping_content(item) if item.source_id in strip else deletion(item), group)
        yield plan
