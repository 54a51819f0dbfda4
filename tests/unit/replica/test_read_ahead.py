"""Reading a part ahead: the order stays, an error keeps its place, and no more than one part is made in advance."""

import threading
from collections.abc import Iterator

import pytest

from shared.replica.reading.read_ahead import read_ahead


class Parts:
    """Five parts, and an error in place of one of them; `made` are those that were begun, and their threads."""

    def __init__(self, error_at: int = -1) -> None:
        self.error_at = error_at
        self.made: list[int] = []
        self.threads: set[str] = set()

    def __iter__(self) -> Iterator[int]:
        for number in range(5):
            self.made.append(number)
            self.threads.add(threading.current_thread().name)
            if number == self.error_at:
                raise OSError("storage is gone")
            yield number


def test_parts_come_in_order_from_another_thread() -> None:
    parts = Parts()
    assert list(read_ahead(iter(parts))) == [0, 1, 2, 3, 4]
    assert threading.current_thread().name not in parts.threads
    assert list(read_ahead(iter(list[int]()))) == []


def test_error_comes_in_the_place_of_its_part() -> None:
    found: list[int] = []
    with pytest.raises(OSError, match="storage is gone"):
        found.extend(read_ahead(iter(Parts(error_at=3))))
    assert found == [0, 1, 2]


def test_one_part_is_made_in_advance() -> None:
    parts = Parts()
    ahead = read_ahead(iter(parts))
    assert next(ahead) == 0
    ahead.close()
    assert parts.made == [0, 1]
