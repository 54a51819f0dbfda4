"""Compares the contents of both sources for a few items of each kind.

Messages are equal when their bytes are, or the headers that people read and the decoded parts. Files that we write
ourselves are equal by their lines; a line that only the stored file has is a field that the other source lacks. Lines
that only the other source can give are no change either: the stored file is kept until the item is changed.
"""

import hashlib
import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.errors import MessageError
from enum import StrEnum

from shared.replica.port import ReplicaItem
from shared.sources.coverage import adds_property
from shared.sources.model import Content, ContentLevel, Folder, Item, SourceName
from shared.sources.port import MailSource
from shared.sync.moving.survey import Survey
from shared.sync.moving.surveyed_replica import SurveyedReplica
from shared.sync.planning.item_changes import content_to_store

_FOLD = re.compile(rb"\r?\n[ \t]")
_NAME = re.compile(rb"[;:]")
_OF_THE_SAVE = frozenset({"DTSTAMP", "LAST-MODIFIED", "REV"})
"""The properties that give the time of the last save, which the survey has compared."""
_HEADERS = ("from", "to", "cc", "subject", "date", "message-id")


class SampleResult(StrEnum):
    """The result of comparing the contents of a kind, the worst last."""

    SAME = "same"
    FIELDS_LOST = "fields_lost"
    """The other source has less content, so the stored content is kept."""
    DIFFERENT = "different"
    """The contents differ: all contents of this kind are downloaded and compared."""


def compare_samples(
    survey: Survey, source: MailSource, folders: Mapping[str, Folder], replica: SurveyedReplica, level: ContentLevel
) -> None:
    """Fetch the sampled items of each kind that has not been compared, and record the results.

    Raises: as the source does.
    """
    for kind, samples in survey.samples.items():
        if kind in survey.sampled or level is ContentLevel.METADATA:
            continue
        contents = [
            _contents(source, replica, level, folders[folder_id], (item_id, key, _version_of(survey, key)))
            for folder_id, item_id, key in samples
            if folder_id in folders
        ]
        found = [compare_contents(*each, survey.target) for each in contents if each is not None]
        survey.sampled[kind] = max(found, key=list(SampleResult).index, default=SampleResult.SAME).value


def _version_of(survey: Survey, key: str) -> str:
    """Return the version that the survey has found of an item; empty if it is the replica's."""
    found = (folder.restated[key][1] for folder in survey.folders.values() if key in folder.restated)
    return next(found, "")


def _contents(
    source: MailSource, replica: SurveyedReplica, level: ContentLevel, folder: Folder, sample: tuple[str, str, str]
) -> tuple[ReplicaItem, bytes, Content] | None:
    """Return an item with its stored and its fetched content.

    None if one of the contents cannot be fetched, or the item has changed in the meantime.
    """
    item_id, key, version = sample
    stored = replica.item(key) if key else replica.find([item_id]).get(item_id)
    if stored is None or stored.located is None:
        return None
    for fetched in source.fetch(folder, [item_id], level):
        if isinstance(fetched, Item) and fetched.lacking is None and _is_unchanged(fetched, stored, version):
            content, data = content_to_store(fetched, stored.key), replica.content(stored)
            if content is not None and data is not None:
                return stored, data, content
    return None


def _is_unchanged(item: Item, stored: ReplicaItem, version: str) -> bool:
    """Whether nobody has saved an item since it was compared, when the other source gave it this version."""
    here, there = stored.metadata.get("modified"), item.metadata.get("modified")
    return not here or not there or here == there or bool(version and item.version == version)


def compare_contents(item: ReplicaItem, stored: bytes, fetched: Content, target: SourceName) -> SampleResult:
    """Compare the stored content of an item with the one that the other source, `target`, gives."""
    if stored == fetched.data:
        return SampleResult.SAME
    if item.located is None or item.located.form != fetched.form:
        return SampleResult.DIFFERENT
    if fetched.form == "eml":
        return SampleResult.SAME if _readable(stored) == _readable(fetched.data) else SampleResult.DIFFERENT
    added = _lines(fetched.data) - _lines(stored)
    names = {_property_of(line) for line in added} - _OF_THE_SAVE
    is_same = all(adds_property(target, item.kind, name) for name in names)
    return SampleResult.FIELDS_LOST if is_same else SampleResult.DIFFERENT


def _lines(data: bytes) -> frozenset[bytes]:
    """Return a file's lines, unfolded (RFC 5545, 3.1), without differences in spaces."""
    return frozenset(b" ".join(line.split()) for line in _FOLD.sub(b"", data).splitlines())


def _property_of(line: bytes) -> str:
    """Return the name of the property that a line gives."""
    return _NAME.split(line, maxsplit=1)[0].decode(errors="replace").upper()


def _readable(data: bytes) -> tuple[object, ...]:
    """Return what a reader sees of a message: unfolded headers, and digests of the decoded parts."""
    try:
        message = message_from_bytes(data, policy=policy.compat32)
        headers = tuple(" ".join(str(message.get(name, "")).split()) for name in _HEADERS)
        parts = [part for part in message.walk() if not part.is_multipart()]
        return headers, tuple(_digest(part.get_payload(decode=True)) for part in parts)
    except (MessageError, ValueError, LookupError):
        return ("unreadable", data)


def _digest(payload: object) -> str:
    data = payload if isinstance(payload, bytes) else b""
    return hashlib.sha256(data.replace(b"\r\n", b"\n").strip()).hexdigest()
