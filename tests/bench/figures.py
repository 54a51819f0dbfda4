"""The result of a measurement."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """What one measurement found: values for the JSON line, and a table of its own."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    values: dict[str, float | None] = field(default_factory=dict)
    notes: str = ""
    """What a reader of the table has to know."""
