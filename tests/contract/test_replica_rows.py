"""The rows of a mailbox, on the fake and on Table Storage: what a query of the whole mailbox returns."""

import uuid
from collections.abc import Iterator

import pytest

from shared.replica.encoding.item_rows import FENCE
from shared.replica.port import item_key
from shared.replica.storage_port import RowChange, Rows, Verb
from shared.replica.table import AzureRows
from tests.fakes.storage import MemoryRows

KEYS = sorted([*(item_key(str(number)) for number in range(40)), "2" * 32, "z" * 32])


@pytest.fixture(params=["fake", "azure"])
def rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    if request.param == "fake":
        yield MemoryRows()
        return
    azure = AzureRows(request.getfixturevalue("storage").table, request.getfixturevalue("credential"))
    yield azure
    azure.close()


def test_a_query_returns_every_row_except_the_fence(rows: Rows) -> None:
    mailbox = uuid.uuid4().hex
    fence = RowChange(Verb.INSERT, FENCE, {"sequence": 1, "state": "applied"})
    rows.transact(mailbox, [fence, *(RowChange(Verb.INSERT, key, {"kind": "message", "folder": "f"}) for key in KEYS)])
    assert [row["RowKey"] for row in rows.query(mailbox)] == KEYS
    assert [row["RowKey"] for row in rows.query(mailbox, only=("kind",))] == KEYS
    assert [row["RowKey"] for row in rows.query(mailbox, folders=["f"])] == KEYS
    found = rows.get(mailbox, FENCE)
    assert found is not None
    assert found[0]["state"] == "applied"
