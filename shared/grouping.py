"""Divides elements into groups of limited size, in their order."""

import sys
from collections.abc import Iterable, Iterator


def grouped[T](sized: Iterable[tuple[T, int]], most: int, longest: int = sys.maxsize) -> Iterator[list[T]]:
    """Group elements, given with their sizes: the sizes of a group add up to `most` at most, unless it has one element.

    `longest` is the most elements of a group. No group is empty.
    """
    group: list[T] = []
    total = 0
    for element, size in sized:
        if group and (total + size > most or len(group) == longest):
            yield group
            group, total = [], 0
        group.append(element)
        total += size
    if group:
        yield group
