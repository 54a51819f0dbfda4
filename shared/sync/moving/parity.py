"""The parity report: what a move found and did, by kind and folder, without a name, subject or address of an item."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.sources.model import SourceName
from shared.sync.moving.survey import KindCounts, Survey

DOCUMENT = "parity"
"""The derived document's name."""


class MoveOutcome(StrEnum):
    """How a move ended."""

    MOVED = "moved"
    SURVEYED = "surveyed"
    """A dry run."""
    BLOCKED = "blocked"
    """The safety stop."""


def report(survey: Survey, outcome: MoveOutcome, origin: SourceName, at: str) -> dict[str, Any]:
    """The report; folders are named by their paths, items by their keys."""
    return {
        "outcome": outcome.value,
        "from": origin.value,
        "to": survey.target.value,
        "begun_at": survey.begun_at,
        "at": at,
        "total": asdict(survey.total()),
        "kinds": {kind: asdict(counts) for kind, counts in sorted(survey.by_kind().items())},
        "folders": [_of_folder(folder.path, folder.kinds) for folder in survey.folders.values()],
        "kept_folders": sorted(survey.kept.values()),
        "examples": _examples(survey),
        "samples": dict(survey.sampled),
        "requests": survey.requests,
        "bytes": survey.bytes_received,
    }


def _of_folder(path: str, kinds: Mapping[str, KindCounts]) -> dict[str, Any]:
    return {"path": path, "kinds": {kind: asdict(counts) for kind, counts in kinds.items()}}


def _examples(survey: Survey) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for folder in survey.folders.values():
        for outcome, keys in folder.examples.items():
            found.setdefault(outcome, []).extend(keys)
    return {outcome: keys[:20] for outcome, keys in found.items()}


def encode(values: Mapping[str, Any]) -> bytes:
    """Encode the report."""
    return json.dumps(values, separators=(",", ":")).encode()


def decode(data: bytes) -> dict[str, Any]:
    """Decode a stored report; empty if there is none."""
    try:
        values = json.loads(data)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def with_numbers(mailbox: Mailbox, values: Mapping[str, Any]) -> Mailbox:
    """Return the mailbox with the report's numbers, which are summed over mailboxes."""
    total: Mapping[str, int] = values.get("total", {})
    return mailbox.with_changes(
        parity_same=total.get("same", 0),
        parity_changed=total.get("changed", 0),
        parity_new=total.get("new", 0),
        parity_gone=total.get("gone", 0),
        parity_not_given=total.get("not_given", 0),
        parity_fields_lost=total.get("fields_lost", 0),
    )
