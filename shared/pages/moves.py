"""Computes the values of the pages about moves between EWS and Graph: sums over mailboxes, and one parity report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.mailboxes.model import Mailbox
from shared.mailboxes.moves import SAFETY
from shared.sources.port import SourceName

ROWS_SHOWN = 500
"""The most mailboxes that the page lists, and the most folders; the API returns all of them."""

COUNTS = ("same", "changed", "new", "gone", "not_given", "fields_lost")
"""The columns of every table, in their order; names of the parity report."""


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


def moves_values(mailboxes: Iterable[Mailbox], usable: Iterable[SourceName]) -> dict[str, Any]:
    """Return the values of the template `moves`: mailboxes that were compared, moved, blocked or asked to move."""
    listed = list(mailboxes)
    concerned = [mailbox for mailbox in listed if _is_concerned(mailbox)]
    concerned.sort(key=lambda mailbox: (not mailbox.move_blocked, mailbox.moving_to is None, mailbox.address))
    compared = [_parity_counts(mailbox) for mailbox in concerned]
    return {
        "columns": COUNTS,
        "sums": tuple(map(sum, zip(*compared, strict=True))) if compared else (0,) * len(COUNTS),
        "numbers": {
            "total": len(listed),
            "over_graph": sum(mailbox.source is SourceName.GRAPH for mailbox in listed),
            "asked": sum(mailbox.moving_to is not None for mailbox in listed),
            "blocked": sum(bool(mailbox.move_blocked) for mailbox in listed),
        },
        "rows": [(mailbox, _parity_counts(mailbox)) for mailbox in concerned[:ROWS_SHOWN]],
        "found": len(concerned),
        "can_move": SourceName.GRAPH in usable,
    }


def _is_concerned(mailbox: Mailbox) -> bool:
    asked = mailbox.moving_to is not None or bool(mailbox.move_blocked) or mailbox.moved_at is not None
    return asked or any(_parity_counts(mailbox))


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
    """What can be asked for now; the safety stop can be overruled only when it has blocked a move."""
    if mailbox.moving_to is None:
        return [MoveAction.SURVEY, MoveAction.MOVE]
    if mailbox.move_blocked == SAFETY:
        return [MoveAction.SURVEY, MoveAction.FORCE, MoveAction.CANCEL]
    return [MoveAction.CANCEL]


def _of_folder(folder: Mapping[str, Any]) -> CountRow:
    """One folder's numbers, summed over kinds."""
    kinds = [_counts(numbers) for numbers in folder["kinds"].values()]
    return CountRow(folder["path"], tuple(map(sum, zip(*kinds, strict=True))) if kinds else (0,) * len(COUNTS))


def _counts(numbers: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(numbers.get(name, 0) for name in COUNTS)
