"""What `make` hands on to the set-up: what a person says in the environment is what the set-up hears."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("as_argument", [False, True])
def test_the_python_that_a_person_names_reaches_the_set_up(tmp_path: Path, as_argument: bool) -> None:
    shown = tmp_path / "shown.mk"
    shown.write_text('shown:\n\t@echo "$$PYTHON"\n')
    command = ["make", "-s", "-f", "Makefile", "-f", str(shown), "shown"]
    named = "/opt/python3.13/bin/python3.13"
    environment = {"PATH": os.environ["PATH"]} | ({} if as_argument else {"PYTHON": named})  # noqa: TID251 -- make's own
    ended = subprocess.run(  # noqa: S603 -- fixed arguments
        [*command, f"PYTHON={named}"] if as_argument else command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == named
