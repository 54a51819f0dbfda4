"""Waits for a state that is certain to come."""

import time
from collections.abc import Callable

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 0.4
"""Seconds between two looks, at first and at most: a look costs the processor time that the awaited work needs."""


def eventually[T](
    what: str, look: Callable[[], T | None], seconds: float = 180, longest_pause: float = LONGEST_PAUSE
) -> T:
    """Call `look` until it returns something true, and return that. Fails with what was waited for.

    `longest_pause` is in seconds: less for a state that lasts only for a moment.
    """
    deadline, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
        pause = min(pause * 1.5, longest_pause)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")
