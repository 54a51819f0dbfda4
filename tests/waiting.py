"""Waits for a state that is certain to come."""

import time
from collections.abc import Callable


def eventually[T](what: str, look: Callable[[], T | None], seconds: float = 180) -> T:
    """Call `look` until it returns something true, and return that. Fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")
