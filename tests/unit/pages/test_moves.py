"""The numbers and the choices on the pages about moves between EWS and Graph."""

import pytest

from shared.mailboxes.model import Mailbox
from shared.mailboxes.moves import SAFETY
from shared.pages.moves import MoveAction, other_source, parity_values
from shared.pages.pages import Pages
from shared.sources.model import ItemKind, SourceName
from shared.sync.moving.content_sample import SampleResult
from shared.sync.moving.parity import MoveOutcome
from shared.sync.moving.survey import KindCounts
from tests.unit.pages.move_samples import BOTH, REPORT, moves_of
from tests.unit.pages.samples import MAILBOX

EWS, GRAPH = SourceName.EWS, SourceName.GRAPH
PAGES = Pages("Contoso Ltd", "help@contoso.example")
SURVEY, MOVE, FORCE, CANCEL = MoveAction


def test_sums_are_those_of_all_mailboxes() -> None:
    compared = MAILBOX.with_changes(parity_same=10, parity_gone=1)
    moved = MAILBOX.with_changes(id="b", source=GRAPH, moved_at=MAILBOX.created_at, parity_same=5, parity_not_given=2)
    values = moves_of([compared, moved, MAILBOX], BOTH)
    assert dict(zip(values["columns"], values["sums"], strict=True)) == {
        "same": 15, "changed": 0, "new": 0, "gone": 1, "not_given": 2, "fields_lost": 0,
    }  # fmt: skip
    assert values["numbers"] == {"total": 3, "over_graph": 1, "asked": 0, "blocked": 0}
    assert values["found"] == 2


def test_nothing_compared_gives_sums_of_nothing() -> None:
    assert set(moves_of([MAILBOX], BOTH)["sums"]) == {0}


@pytest.mark.parametrize(
    ("mailbox", "actions"),
    [
        (MAILBOX, [SURVEY, MOVE]),
        (MAILBOX.with_changes(source=GRAPH), [SURVEY, MOVE]),
        (MAILBOX.with_changes(moving_to=GRAPH), [CANCEL]),
        (MAILBOX.with_changes(moving_to=GRAPH, move_blocked=SAFETY), [SURVEY, CANCEL, FORCE]),
        (MAILBOX.with_changes(moving_to=GRAPH, move_blocked="access_denied"), [CANCEL]),
    ],
)
def test_what_can_be_asked_for_follows_the_state(mailbox: Mailbox, actions: list[MoveAction]) -> None:
    assert parity_values(mailbox, {}, BOTH)["actions"] == actions


def test_a_deployment_of_one_source_offers_no_move() -> None:
    assert parity_values(MAILBOX, {}, [EWS])["actions"] == []
    assert moves_of([MAILBOX], [EWS])["can_move"] is False


def test_a_mailbox_moves_to_its_other_source() -> None:
    assert other_source(MAILBOX) is GRAPH
    assert other_source(MAILBOX.with_changes(source=GRAPH)) is EWS


def test_folders_are_summed_over_kinds() -> None:
    both = {"message": REPORT["kinds"]["message"], "event": REPORT["kinds"]["event"]}
    (row,) = parity_values(MAILBOX, {**REPORT, "folders": [{"path": "Inbox", "kinds": both}]}, BOTH)["folders"]
    assert (row.name, row.counts[0]) == ("Inbox", 11_364)


def test_every_word_of_a_report_has_its_sentence() -> None:
    known = PAGES.catalog.keys
    assert set(known("parity.outcomes")) == {each.value for each in MoveOutcome}
    assert set(known("parity.kinds")) == {each.value for each in ItemKind}
    assert set(known("parity.sample_results")) == {each.value for each in SampleResult}
    assert set(known("moves.counts")) == set(KindCounts.__dataclass_fields__)
    assert set(known("moves.done")) == {each.value for each in MoveAction}


def test_a_report_is_escaped() -> None:
    hostile = {**REPORT, "kept_folders": ["<script>alert(1)</script>"]}
    values = parity_values(MAILBOX, hostile, BOTH)
    assert "<script>alert" not in PAGES.render("parity", csrf="c", done="", **values)
