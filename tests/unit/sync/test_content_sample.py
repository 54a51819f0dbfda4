"""Comparing the stored content of an item with the one that the other source gives."""

import pytest

from shared.replica.port import ContentLocation, ReplicaItem
from shared.sources.model import Content, ItemKind, SourceName
from shared.sync.moving.content_sample import SampleResult, compare_contents

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
STORED = b"SUMMARY:Renew the passport\r\nCLASS:PRIVATE\r\nPERCENT-COMPLETE:50\r\n"


def _compared(kind: ItemKind, fetched: bytes, target: SourceName = GRAPH) -> SampleResult:
    located = ContentLocation("pack", 0, len(STORED), "ics", "")
    item = ReplicaItem("key", "id", "version", "folder", kind, "", located=located)
    return compare_contents(item, STORED, Content("ics", fetched), target)


@pytest.mark.parametrize(
    ("fetched", "result"),
    [
        (STORED, SampleResult.SAME),
        (b"SUMMARY:Renew the passport\r\n", SampleResult.FIELDS_LOST),
        (b"SUMMARY:Renew  the\r\n  passport \r\n", SampleResult.FIELDS_LOST),
        (b"SUMMARY:Renew the passport\r\nCLASS:PUBLIC\r\n", SampleResult.FIELDS_LOST),
        (STORED + b"X-CHECKLIST-ITEM;STATUS=COMPLETED:Photo\r\nURL:https://x.example\r\n", SampleResult.FIELDS_LOST),
        (b"SUMMARY:Renew passport\r\n", SampleResult.DIFFERENT),
        (STORED + b"STATUS:COMPLETED\r\n", SampleResult.DIFFERENT),
    ],
)
def test_task_over_graph_is_the_same_but_for_what_one_source_gives(fetched: bytes, result: SampleResult) -> None:
    assert _compared(ItemKind.TASK, fetched) is result


def test_sensitivity_of_an_event_is_compared() -> None:
    assert _compared(ItemKind.EVENT, b"SUMMARY:Renew the passport\r\nCLASS:PUBLIC\r\n") is SampleResult.DIFFERENT


def test_what_ews_adds_to_a_task_is_read_again() -> None:
    """The stored file comes from Graph, and EWS gives more."""
    fetched = STORED.replace(b"PRIVATE", b"CONFIDENTIAL")
    assert _compared(ItemKind.TASK, fetched, EWS) is SampleResult.DIFFERENT
