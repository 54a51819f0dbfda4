"""Makes the next part of a sequence while the current one is used: reading waits for storage, using it does not."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

_END = object()


def read_ahead[T](parts: Iterator[T]) -> Generator[T]:
    """The same parts, each made in a thread while the one before is used. Two of them are in memory at a time.

    An error of the making is raised in the part's place. Whoever stops early waits for the part under way.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        following = pool.submit(next, parts, _END)
        while (part := following.result()) is not _END:
            following = pool.submit(next, parts, _END)
            yield part  # type: ignore[misc]
