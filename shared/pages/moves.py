"""Computes the values of the pages about moves between EWS and Graph: sums over mailboxes, and one parity report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.mailboxes.moves import SAFETY
from shared.mailboxes.summary.counting import PARITY as COUNTS
from shared.mailboxes.summary.model import Totals
from shared.sources.model import SourceName

ROWS_SHOWN = 500
"""The most mailboxes that the page of moves lists, and the most folders of a report."""


class MoveAction(StrEnum):
    """What an operator can ask for on the pages."""

    SURVEY = "survey"
    """A dry run: compare, and move nothing."""
    MOVE = "move"
    FORCE = "force"
    """Move although the safety stop blocks it."""
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class CountRow:
    """One line of a table: a kind, a folder, or a mailbox, with its numbers in the order of COUNTS."""

    name: str
    counts: tuple[int, ...]


def moves_values(totals: Totals, concerned: Iterable[Mailbox], usable: Iterable[SourceName]) -> dict[str, Any]:
    """Return the values of the template `moves`; `concerned` are the mailboxes that the totals name."""
    moves, counts = totals.counts.moves, totals.counts
    rows = sorted(concerned, key=lambda mailbox: (not mailbox.move_blocked, mailbox.moving_to is None, mailbox.address))
    return {
        "columns": COUNTS,
        "sums": tuple(getattr(moves, name) for name in COUNTS),
        "numbers": {
            "total": counts.mailboxes,
            "over_graph": counts.by_source.get(SourceName.GRAPH.value, 0),
            "asked": moves.asked,
            "blocked": moves.blocked,
        },
        "rows": [(mailbox, _parity_counts(mailbox)) for mailbox in rows],
        "found": moves.mailboxes,
        "counted_at": totals.counted_at,
        "missing": totals.missing,
        "can_move": SourceName.GRAPH in usable,
    }


def _parity_counts(mailbox: Mailbox) -> tuple[int, ...]:
    return tuple(getattr(mailbox, f"parity_{name}") for name in COUNTS)


def parity_values(mailbox: Mailbox, report: Mapping[str, Any], usable: Iterable[SourceName]) -> dict[str, Any]:
    """Return the values of the template `parity`: one mailbox's last report (empty: none) and what can be asked for."""
    target = other_source(mailbox)
    folders = report.get("folders", ())
    return {
        "mailbox": mailbox,
        "report": report,
        "report_at": datetime.fromisoformat(report["at"]) if report else None,
        "columns": COUNTS,
        "totals": _counts(report.get("total", {})),
        "kinds": [CountRow(kind, _counts(numbers)) for kind, numbers in report.get("kinds", {}).items()],
        "folders": [_of_folder(folder) for folder in folders[:ROWS_SHOWN]],
        "folders_found": len(folders),
        "target": target,
        "actions": _actions(mailbox) if target in usable else [],
    }


def other_source(mailbox: Mailbox) -> SourceName:
    """Return the source that a mailbox could be moved to."""
    return SourceName.EWS if mailbox.source is SourceName.GRAPH else SourceName.GRAPH


def _actions(mailbox: Mailbox) -> Sequence[MoveAction]:
    """What can be asked for now, the mildest first. The safety stop is overruled only when it has blocked a move."""
    if mailbox.moving_to is None:
        return [MoveAction.SURVEY, MoveAction.MOVE]
    if mailbox.move_blocked == SAFETY:
        return [MoveAction.SURVEY, MoveAction.CANCEL, MoveAction.FORCE]
    return [MoveAction.CANCEL]


def _of_folder(folder: Mapping[str, Any]) -> CountRow:
    """One folder's numbers, summed over kinds."""
    kinds = [_counts(numbers) for numbers in folder["kinds"].values()]
    return CountRow(folder["path"], tuple(map(sum, zip(*kinds, strict=True))) if kinds else (0,) * len(COUNTS))


def _counts(numbers: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(numbers.get(name, 0) for name in COUNTS)
