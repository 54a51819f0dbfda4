"""docs/security.md names a test for each answer: every one of them has to be there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = sorted(
    set(
        re.findall(
            r"`((?:unit|contract|e2e)/[\w/]+\.py)(?:::(\w+))?`", (TESTS.parent / "docs" / "security.md").read_text()
        )
    )
)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_an_answer_of_the_threat_model_is_held_by_a_test(file: str, name: str) -> None:
    text = (TESTS / file).read_text()
    assert f"def {name}(" in text if name else "def test_" in text


def test_every_row_of_a_threat_names_a_test() -> None:
    lines = (TESTS.parent / "docs" / "security.md").read_text().splitlines()
    threats = [line for line in lines if re.match(r"\| [STRIDE](, [STRIDE])? \|", line)]
    assert len(threats) > 35
    assert [line for line in threats if not re.search(r"`(unit|contract|e2e)/", line)] == []
