"""A row of the tables of errors in docs/operations.md, for every source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row as text: what the server answers, who has to act, why, and the reason if it concerns one item."""

    answer: str
    actor: str
    reason: str
    of_item: str
