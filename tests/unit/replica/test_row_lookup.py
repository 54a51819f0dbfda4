"""Rows are found by key whichever way they are looked for, and many in few requests where that is cheaper."""

import pytest

from shared.replica.port import item_key
from shared.replica.row_lookup import RowLookup, estimate_rows
from shared.replica.storage_port import Row, RowChange, Verb
from tests.fakes.storage import MemoryRows


class CountingRows(MemoryRows):
    """Counts the point reads."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.reads = 0
        for number in range(rows):
            self.transact("m", [RowChange(Verb.INSERT, item_key(str(number)), {"number": number})])

    def get(self, mailbox_id: str, key: str) -> tuple[Row, str] | None:
        self.reads += 1
        return super().get(mailbox_id, key)


def numbers(found: list[Row | None]) -> list[int | None]:
    return [int(row["number"]) if row else None for row in found]


@pytest.mark.parametrize(
    ("rows", "keys", "reads"),
    [(0, 150, range(1)), (50, 3, range(3, 4)), (1500, 150, range(1)), (4000, 150, range(50, 140))],
    ids=["nothing there", "few keys", "many keys of few rows", "many keys of more rows"],
)
def test_each_key_gets_its_row_or_none(rows: int, keys: int, reads: range) -> None:
    table = CountingRows(rows)
    lookup = RowLookup(table)
    asked = [str(number) for number in range(0, keys * 2, 2)]
    found = lookup.by_key("m", [item_key(name) for name in asked])
    lookup.close()
    assert numbers(found) == [int(name) if int(name) < rows else None for name in asked]
    assert table.reads in reads


@pytest.mark.parametrize("rows", [2_000, 20_000, 200_000])
def test_the_first_rows_tell_how_many_there_are(rows: int) -> None:
    last = sorted(item_key(str(number)) for number in range(rows))[999]
    assert estimate_rows(1000, last) == pytest.approx(rows, rel=0.15)
