"""What the sync remembers between passes, and the notes that it is stored in."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.sync.state.sync_state import SyncState, from_notes, to_notes

STORED = sorted((Path(__file__).parent / "stored").glob("*.json"))

NOTES = {
    "scope", "issues", "left_out", "unsettled", "part", "loose", "reread", "deleted", "sweep", "sweep_left_out",
    "occurrences_due", "occurrences", "safety", "safety_sweep",
}  # fmt: skip
"""Every note that commit 4decee5 could write."""


def stored_notes(path: Path) -> dict[str, object]:
    """The notes in a cursor that commit 4decee5 wrote."""
    (cursor,) = [json.loads(text) for kind, name, text, *_ in json.loads(path.read_text())["blobs"] if kind == "cursors"
                 and "/" not in name]  # fmt: skip
    return dict(cursor["notes"])


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_notes_are_read_and_written_as_they_were(path: Path) -> None:
    notes = stored_notes(path)
    state = from_notes(notes)
    assert state.other == {}
    assert to_notes(state) == notes


def test_the_stored_cursors_have_every_note() -> None:
    assert set().union(*map(stored_notes, STORED)) == NOTES


def test_reset_is_kept_in_a_note_of_its_own() -> None:
    state = SyncState(reset_at=datetime(2026, 11, 23, 12, 0, 0, 250, tzinfo=UTC))
    assert to_notes(state) == {"reset": "2026-11-23T12:00:00.000250+00:00"}
    assert from_notes(to_notes(state)) == state


def test_an_empty_state_has_no_notes() -> None:
    assert to_notes(SyncState()) == {}
    assert from_notes({}) == SyncState()


def test_notes_of_a_later_version_are_kept() -> None:
    assert to_notes(from_notes({"issues": 2, "invented": [1]})) == {"issues": 2, "invented": [1]}


def test_notes_of_another_form_are_passed_over() -> None:
    broken: dict[str, object] = {
        "issues": "two",
        "loose": [1],
        "part": None,
        "sweep": "yes",
        "deleted": {},
        "safety": 5,
        "scope": 1,
    }
    assert from_notes(broken) == SyncState()
