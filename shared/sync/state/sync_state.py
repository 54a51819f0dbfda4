"""What the sync remembers between passes, typed, and the one codec between it and the notes of a stored cursor."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.replica.port import ContentLocation
from shared.sources.model import ContentLevel, SourceName


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """A sweep under way. `daily` when its figures are to be recorded, otherwise a changed setting asked for it."""

    daily: bool
    done: tuple[str, ...] = ()
    """Ids of the folders that are compared."""
    missing: int = 0
    extra: int = 0


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Work that takes several passes: when the first of them scanned, and the folders read to their end since."""

    since: datetime
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnsettledToken:
    """A folder's change token that a commit may hide behind, and when a scan saw it first."""

    token: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class RememberedRemoval:
    """An item that was deleted a while ago: a move's other side may come later."""

    at: datetime
    move_key: str
    content_key: str
    key: str
    source_id: str
    level: ContentLevel | None
    located: ContentLocation | None


@dataclass(frozen=True, slots=True)
class Restating:
    """A switch from `origin` to the present source, at this time, whose rows are still to be restated."""

    origin: SourceName
    at: datetime
    survey: str = ""
    """The fingerprint of the survey document that they are restated from."""
    folder_ids: Mapping[str, str] = field(default_factory=dict)
    """The present ids of the folders that had others, by these."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """Everything that a pass leaves to the next one, besides the folders' states. Immutable."""

    scope_digest: str = ""
    """Of the settings that the replica was made by."""
    issues: int = 0
    """How many open issues there are: a pass that has nothing else to do reads them only if there are any."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many items were met that do not belong in the replica, by reason."""
    unsettled: Mapping[str, UnsettledToken] = field(default_factory=dict)
    """By folder id."""
    resume: ResumePoint | None = None
    unconfirmed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folder id → keys of items that are written while the folder's state does not know them yet.

    Between an item's page and the page that moves its folder's state on, a pass may end. If the item is deleted before
    the folder is read again, the source has no reason to report that: for the state it never existed. So these are
    asked for by their ids once the folder has been read again.
    """
    to_compare: tuple[str, ...] = ()
    """Folders that lost their state, to be compared item by item once they are read to the end."""
    removed: tuple[RememberedRemoval, ...] = ()
    """The last deletions, oldest first."""
    sweep: SweepProgress | None = None
    sweep_left_out: Mapping[str, int] = field(default_factory=dict)
    """What the sweep under way has left out so far."""
    occurrences_due: bool = False
    """A calendar, or what is synced of it, changed since its occurrences were written.

    Also one whose state moved on and reported nothing: an event may have come, been expanded, and gone before that.
    """
    occurrences_digest: str = ""
    """Of the document of occurrences."""
    looks_empty_since: datetime | None = None
    """Since when the safety stop has blocked deletions."""
    folder_looks_empty_since: Mapping[str, datetime] = field(default_factory=dict)
    """The same by folder id, of folders whose comparison found much of them gone though no deletion was reported."""
    surplus: Mapping[str, int] = field(default_factory=dict)
    """By folder id, how many items more the replica has than the source counts, though compared."""
    not_provided: Mapping[str, int] = field(default_factory=dict)
    """By folder id, how many items the folder counts that its source does not give."""
    source: SourceName | None = None
    """The source whose states the cursor holds. None: EWS, as cursors of before there were two."""
    restating: Restating | None = None
    """No pass runs before this is done."""
    not_tracked: Mapping[str, datetime] = field(default_factory=dict)
    """Folder id → since when its source does not list it: its items are kept as they were."""
    read_anew: tuple[str, ...] = ()
    """Folders whose assumed contents are all downloaded by the next comparison: a move did not trust them."""
    reset_at: datetime | None = None
    """The last request to read the mailbox anew that a pass has begun to carry out."""
    keeps_left: bool = False
    """Whether there may be items that left the mailbox and are kept."""
    other: Mapping[str, object] = field(default_factory=dict)
    """Notes that this version does not know, kept as they are."""

    def with_changes(self, **changes: object) -> "SyncState":
        """The same state with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def from_notes(notes: Mapping[str, object]) -> SyncState:
    """The state that a cursor's notes hold, as every version since commit 4decee5 wrote them."""
    known = {name: decode(notes[note]) for name, (note, decode, _) in _CODECS.items() if note in notes}
    return SyncState(**known, other={note: value for note, value in notes.items() if note not in _NOTES})


def to_notes(state: SyncState) -> dict[str, object]:
    """The notes that hold a state, JSON; what is empty is left out."""
    notes = {note: encode(value) for name, (note, _, encode) in _CODECS.items() if (value := getattr(state, name))}
    return {**notes, **state.other}


def _text(note: object) -> str:
    return note if isinstance(note, str) else ""


def _number(note: object) -> int:
    return note if isinstance(note, int) else 0


def _items(note: object) -> Iterable[tuple[str, Any]]:
    return note.items() if isinstance(note, Mapping) else ()


def _list(note: object) -> list[Any]:
    return list(note) if isinstance(note, list | tuple) else []


def _time(note: object) -> datetime | None:
    return datetime.fromisoformat(note) if isinstance(note, str) else None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _counts(note: object) -> dict[str, int]:
    return {str(reason): int(number) for reason, number in _items(note)}


def _texts(note: object) -> tuple[str, ...]:
    return tuple(map(str, _list(note)))


def _tokens(note: object) -> dict[str, UnsettledToken]:
    return {str(id_): UnsettledToken(str(seen[0]), datetime.fromisoformat(seen[1])) for id_, seen in _items(note)}


def _tokens_note(tokens: Mapping[str, UnsettledToken]) -> dict[str, object]:
    return {id_: [seen.token, _iso(seen.seen_at)] for id_, seen in tokens.items()}


def _resume(note: object) -> ResumePoint | None:
    values = dict(_items(note))
    return ResumePoint(datetime.fromisoformat(values["since"]), _texts(values["read"])) if values else None


def _resume_note(resume: ResumePoint) -> dict[str, object]:
    return {"since": _iso(resume.since), "read": sorted(resume.read)}


def _sweep(note: object) -> SweepProgress | None:
    values = dict(_items(note))
    if not values:
        return None
    return SweepProgress(bool(values["daily"]), _texts(values["done"]), int(values["missing"]), int(values["extra"]))


def _sweep_note(sweep: SweepProgress) -> dict[str, object]:
    return {"daily": sweep.daily, "done": list(sweep.done), "missing": sweep.missing, "extra": sweep.extra}


def _keys(note: object) -> dict[str, tuple[str, ...]]:
    return {str(id_): _texts(keys) for id_, keys in _items(note)}


def _keys_note(keys: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    return {id_: list(each) for id_, each in keys.items()}


def _times(note: object) -> dict[str, datetime]:
    return {str(id_): datetime.fromisoformat(at) for id_, at in _items(note)}


def _times_note(times: Mapping[str, datetime]) -> dict[str, object]:
    return {id_: _iso(at) for id_, at in times.items()}


def _source(note: object) -> SourceName:
    return SourceName(str(note))


def _restating(note: object) -> Restating | None:
    values = _list(note)
    if not values:
        return None
    # A switch by an earlier version recorded no survey: its folders are compared.
    survey, folder_ids = values[2:4] or ("", {})
    return Restating(SourceName(values[0]), datetime.fromisoformat(values[1]), survey, folder_ids)


def _restating_note(restating: Restating) -> list[object]:
    return [restating.origin.value, _iso(restating.at), restating.survey, dict(restating.folder_ids)]


def _removed(note: object) -> tuple[RememberedRemoval, ...]:
    return tuple(map(_removal, _list(note)))


def _removal(entry: list[Any]) -> RememberedRemoval:
    at, move_key, content_key, key, source_id, level, located = entry
    return RememberedRemoval(
        datetime.fromisoformat(at),
        move_key,
        content_key,
        key,
        source_id,
        ContentLevel(level) if level else None,
        ContentLocation(*located) if located else None,
    )


def _removed_note(removed: Iterable[RememberedRemoval]) -> list[object]:
    return [
        [
            one.at.astimezone(UTC).isoformat(timespec="seconds"),
            one.move_key,
            one.content_key,
            one.key,
            one.source_id,
            one.level.value if one.level else "",
            list(msgspec.structs.astuple(one.located)) if one.located else None,
        ]
        for one in removed
    ]


type _Codec = tuple[str, Callable[[object], Any], Callable[[Any], object]]

_CODECS: dict[str, _Codec] = {
    "scope_digest": ("scope", _text, str),
    "issues": ("issues", _number, int),
    "left_out": ("left_out", _counts, dict),
    "unsettled": ("unsettled", _tokens, _tokens_note),
    "resume": ("part", _resume, _resume_note),
    "unconfirmed": ("loose", _keys, _keys_note),
    "to_compare": ("reread", _texts, list),
    "removed": ("deleted", _removed, _removed_note),
    "sweep": ("sweep", _sweep, _sweep_note),
    "sweep_left_out": ("sweep_left_out", _counts, dict),
    "occurrences_due": ("occurrences_due", bool, bool),
    "occurrences_digest": ("occurrences", _text, str),
    "looks_empty_since": ("safety", _time, _iso),
    "folder_looks_empty_since": ("safety_sweep", _times, _times_note),
    "surplus": ("surplus", _counts, dict),
    "not_provided": ("not_provided", _counts, dict),
    "source": ("source", _source, str),
    "restating": ("restating", _restating, _restating_note),
    "not_tracked": ("not_tracked", _times, _times_note),
    "read_anew": ("read_anew", _texts, list),
    "reset_at": ("reset", _time, _iso),
    "keeps_left": ("keeps_left", bool, bool),
}
"""Each field's name in the notes, and how its value is read from there and written there."""

_NOTES = frozenset(note for note, _, _ in _CODECS.values())
