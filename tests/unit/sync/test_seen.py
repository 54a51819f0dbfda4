"""Which ids have been seen, a few bytes each."""

import tracemalloc

from shared.sync.seen import SeenIds


def test_an_id_is_new_once() -> None:
    seen = SeenIds(["a", "b"])
    assert [seen.add(item_id) for item_id in ("a", "c", "c", "A", "")] == [False, True, False, True, True]


def test_many_ids_are_told_apart() -> None:
    seen = SeenIds()
    assert all(seen.add(f"AAMk{number:08d}") for number in range(20_000))
    assert not any(seen.add(f"AAMk{number:08d}") for number in range(20_000))
    assert seen.add("AAMk99999999")


def test_a_hundred_thousand_ids_take_little_more_than_a_megabyte() -> None:
    tracemalloc.start()
    try:
        seen = SeenIds(str(number) for number in range(100_000))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not seen.add("0")
    assert size < 1_500_000
