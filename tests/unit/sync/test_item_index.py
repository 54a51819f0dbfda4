"""Which ids have been seen, and which are listed at which version, a few bytes each."""

import tracemalloc

import pytest

from shared.sync.reading.item_index import ListedItems, SeenIds, version_mark


def test_an_id_is_new_once() -> None:
    seen = SeenIds(["a", "b"])
    assert [seen.add(item_id) for item_id in ("a", "c", "c", "A", "")] == [False, True, False, True, True]


def test_many_ids_are_told_apart() -> None:
    seen = SeenIds()
    assert all(seen.add(f"AAMk{number:08d}") for number in range(20_000))
    assert not any(seen.add(f"AAMk{number:08d}") for number in range(20_000))
    assert seen.add("AAMk99999999")


@pytest.mark.memory
def test_a_hundred_thousand_ids_take_little_more_than_a_megabyte() -> None:
    tracemalloc.start()
    try:
        seen = SeenIds(str(number) for number in range(100_000))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not seen.add("0")
    assert size < 1_500_000


@pytest.mark.parametrize("expected", [-1, 0, 12, 3000, 20_000_000])
def test_what_is_listed_is_taken_out_once_with_the_mark_of_its_version(expected: int) -> None:
    listed = ListedItems(expected)
    for number in range(3000):
        listed.put(f"AAMk{number:08d}", f"v{number}")
    assert len(listed) == 3000
    assert listed.take("AAMk99999999") is None
    assert all(listed.take(f"AAMk{number:08d}") == version_mark(f"v{number}") for number in reversed(range(3000)))
    assert len(listed) == 0
    assert listed.take("AAMk00000007") is None


def test_what_is_listed_twice_has_its_later_version() -> None:
    listed = ListedItems()
    listed.put("a", "1")
    listed.put("b", "1")
    listed.put("a", "2")
    assert len(listed) == 2
    assert listed.take("a") == version_mark("2") != version_mark("1")
    assert listed.take("b") == version_mark("1")


@pytest.mark.memory
def test_listing_of_a_hundred_thousand_takes_about_two_megabytes() -> None:
    tracemalloc.start()
    try:
        listed = ListedItems(100_000)
        for number in range(100_000):
            listed.put(str(number), f"version {number}")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(listed) == 100_000
    assert size < 2_500_000
