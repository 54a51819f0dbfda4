"""Calls a function for each of many elements from a few threads, which begin with the elements in their order."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor


def call_in_order[T](act: Callable[[T], object], elements: Iterable[T], threads: int) -> int:
    """Call `act` with each element, at most `threads` calls at a time; return the number of calls.

    Raises: the error of a call, after the calls in progress have ended. No other call is begun after it.
    """
    calls = _Calls(act, elements)
    if threads < 2:
        return calls.run()
    with ThreadPoolExecutor(threads, thread_name_prefix="calls") as pool:
        return sum(pool.map(lambda _: calls.run(), range(threads)))


class _Calls[T]:
    """The calls that are left. Several threads run them."""

    def __init__(self, act: Callable[[T], object], elements: Iterable[T]) -> None:
        self._act = act
        self._elements = iter(elements)
        self._lock = threading.Lock()
        self._failed = False

    def run(self) -> int:
        """Make one call after the other until none is left or one has failed; return how many."""
        done = 0
        try:
            while (element := self._next()) is not None:
                self._act(element[0])
                done += 1
        except BaseException:
            self._failed = True
            raise
        return done

    def _next(self) -> tuple[T] | None:
        """Take the next element; None after the last one."""
        with self._lock:
            return None if self._failed else next(((element,) for element in self._elements), None)
