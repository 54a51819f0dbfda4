"""What the docs say of the code is what the code says. `python -m tests.architecture.test_docs` writes the tables."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from shared.sources.ews.faults import rules as ews
from shared.sources.graph import errors as graph

DOCS = Path(__file__).parents[2] / "docs"
TABLES: Mapping[str, Callable[[], Iterable[ews.RuleRow | graph.Row]]] = {
    "fault table": ews.table,
    "graph fault table": graph.table,
}
"""Each table by the name of its marks in operations.md."""


def marks_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)


def fault_table(rows: Iterable[ews.RuleRow | graph.Row]) -> str:
    """The rules, each with all the answers that lead to it, in the table's own order."""
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        grouped[row.actor, row.reason, row.of_item].append(row.answer)
    lines = ["| who acts | reason | one item | answers |", "|---|---|---|---|"]
    for (actor, reason, of_item), answers in grouped.items():
        lines.append(f"| {actor} | `{reason}` | {f'`{of_item}`' if of_item else ''} | {', '.join(answers)} |")
    return "\n".join(lines) + "\n"


def with_fault_tables(text: str) -> str:
    for name, table in TABLES.items():
        written = fault_table(table())
        text = marks_of(name).sub(lambda found, written=written: found[1] + written + found[2], text)  # type: ignore[misc]
    return text


def test_operations_page_has_the_fault_tables_that_decide() -> None:
    text = (DOCS / "operations.md").read_text()
    assert all(marks_of(name).search(text) for name in TABLES)
    assert text == with_fault_tables(text)


if __name__ == "__main__":
    page = DOCS / "operations.md"
    page.write_text(with_fault_tables(page.read_text()))
