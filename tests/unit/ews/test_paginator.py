"""Lists that shrink while they are read."""

from random import Random

import pytest

from shared.sources.ews.fetching.paginator import Paginator

PAGE = 10


def read(there: list[int], deletions: int, luck: Random) -> tuple[set[int], int]:
    """Everything that was given, and the requests it took; so many are deleted before each page after the first."""
    paginator, more, given, requests = Paginator(), True, set[int](), 0
    while more:
        for _ in range(min(deletions, len(there)) if requests else 0):
            del there[luck.randrange(len(there))]
        page = there[paginator.offset : paginator.offset + PAGE]
        end = paginator.offset + len(page)
        given |= set(page)
        requests += 1
        more = paginator.advance(len(page), len(there), end if end < len(there) else None)
    return given, requests


@pytest.mark.parametrize("deletions", [0, 1, 2, 5, 30])
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_deleted_meanwhile_all_that_stays_is_given(seed: int, deletions: int) -> None:
    there = list(range(200))

    given, _ = read(there, deletions, Random(seed))  # noqa: S311 -- no secret

    assert set(there) <= given


def test_a_list_that_stays_as_it_is_costs_no_request_more_than_its_pages() -> None:
    assert read(list(range(95)), 0, Random(0)) == (set(range(95)), 10)  # noqa: S311 -- no secret


def test_deletions_that_go_on_do_not_keep_the_reader_from_advancing() -> None:
    _, requests = read(list(range(200)), 1, Random(0))  # noqa: S311 -- no secret

    assert requests < 40


def test_a_server_that_counts_nothing_is_believed() -> None:
    paginator = Paginator()

    assert paginator.advance(2, 6, 2)
    assert paginator.offset == 2
    assert paginator.advance(2, 0, 4)
    assert paginator.offset == 4
    assert not paginator.advance(2, 0, None)
