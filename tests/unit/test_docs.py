"""What the documents say of the code is what the code says. `python -m tests.unit.test_docs` writes it in anew."""

import re
from collections import defaultdict
from pathlib import Path

from shared.sources.ews.errors import table

DOCS = Path(__file__).parents[2] / "docs"
MARKS = re.compile(r"(<!-- fault table: begin -->\n).*?(<!-- fault table: end -->)", re.DOTALL)


def fault_table() -> str:
    """The rules, each with all the answers that lead to it, in the table's own order."""
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in table():
        grouped[row.actor, row.reason, row.of_item].append(row.answer)
    lines = ["| who acts | reason | one item | answers |", "|---|---|---|---|"]
    for (actor, reason, of_item), answers in grouped.items():
        lines.append(f"| {actor} | `{reason}` | {f'`{of_item}`' if of_item else ''} | {', '.join(answers)} |")
    return "\n".join(lines) + "\n"


def with_fault_table(text: str) -> str:
    return MARKS.sub(lambda found: found[1] + fault_table() + found[2], text)


def test_the_operations_page_has_the_fault_table_that_decides() -> None:
    text = (DOCS / "operations.md").read_text()
    assert MARKS.search(text)
    assert text == with_fault_table(text)


if __name__ == "__main__":
    page = DOCS / "operations.md"
    page.write_text(with_fault_table(page.read_text()))
