"""The JSON that is written into Storage, and what msgspec and the json module read and write differently."""

import json

import pytest

from shared.storage.compact_json import dump, load


class Text(str):
    """Text of a type that msgspec does not take."""

    __slots__ = ()


VALUES: list[object] = [
    {"subject": "Caf\u00e9 \u2028 \U0001f600", "size": 1, "nested": [None, True, 1.5, {"a": "b"}]},
    {"half a pair": "\ud83d"},
    [Text("x"), {Text("k"): Text("v")}],
    'quote " and backslash \\ and \x00 \x7f',
    10**30,
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_is_ascii_without_line_ends_and_reads_back_the_same(value: object) -> None:
    text = dump(value)
    assert text.isascii()
    assert text.splitlines() == [text]
    assert json.loads(text) == load(text) == load(text.encode()) == value


@pytest.mark.parametrize("text", ['"\\ud83d"', '["\\udc00", "\\ud83d\\ude00"]', " [1] ", '{"a":1,"a":2}'])
def test_what_is_read_is_what_the_json_module_reads(text: str) -> None:
    assert load(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", "<html>", b"\xff\xff", b'"\xff"'])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(text)
