"""The license check lets through what is allowed and nothing else."""

import importlib.util
from importlib.metadata import Distribution
from importlib.metadata._meta import SimplePath
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def licenses() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licenses", ROOT / "infra" / "tools" / "licenses.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("license", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("Proprietary", False),
        ("Proprietary (limited use)", False),
        ("MIT-like, but not for profit", False),
        ("BSD-4-Clause", False),
        ("Apache-2.0 AND (GPL-3.0-only OR ISC)", True),
        ("(MIT OR GPL-3.0-only) AND (BSD-3-Clause OR GPL-2.0-only)", True),
        ("MIT AND (GPL-3.0-only", False),
        ("(MIT", False),
        ("MIT OR", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("mit", True),
        ("", False),
    ],
)
def test_a_license_is_allowed_only_when_every_part_of_an_alternative_is(
    licenses: ModuleType, license: str, allowed: bool
) -> None:
    assert licenses.is_allowed(license) is allowed


class Metadata(Distribution):
    """A package that says no more than what a test gives it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> SimplePath:
        raise FileNotFoundError(path)


@pytest.mark.parametrize(
    ("said", "license_"),
    [
        ("License-Expression: MIT\nLicense: GPL\n", "MIT"),
        ("Classifier: License :: OSI Approved :: MIT License\nLicense: whatever\n", "MIT"),
        ("Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: X\n", "MIT AND X"),
        ("License: BSD-3-Clause\n", "BSD-3-Clause"),
        ("Name: x\n", ""),
    ],
)
def test_a_license_is_read_from_what_is_most_exact(licenses: ModuleType, said: str, license_: str) -> None:
    assert licenses.license_of(Metadata(said)) == license_


def test_every_shipped_package_has_an_allowed_license(licenses: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert licenses.main() == 0, capsys.readouterr().out
    assert "exchangelib" in licenses.shipped((ROOT / "requirements.txt").read_text())
