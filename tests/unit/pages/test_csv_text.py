"""CSV files of hostile texts: one record a row, and no cell that a spreadsheet program would calculate."""

import csv
import io

import pytest

from shared.pages.console.csv_text import csv_text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_cell_that_could_be_a_formula_begins_with_an_apostrophe(sign: str) -> None:
    (_, row) = csv.reader(io.StringIO(csv_text(["name"], [[f"{sign}1+1"]]), newline=""))
    assert row == [f"'{sign}1+1"]


@pytest.mark.parametrize("text", ['a"b', "a,b", "a\r\nb", "\u202eabc", "'", "", "a;b"])
def test_text_comes_back_as_one_cell(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(csv_text(["name", "items"], [[text, 7]]), newline=""))
    assert row == [text, "7"]
