"""The state folder: certificates, logs, and stored mail while a sandbox runs. One sandbox at a time uses it."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORAGE = "azurite"
"""The subfolder with Storage's data: everything that was synced."""

_LOCK = "sandbox.lock"


class AlreadyRunning(RuntimeError):
    """Another sandbox uses the folder; nothing in it was changed."""


@contextmanager
def claimed(state: Path) -> Iterator[None]:
    """Lock the folder for one sandbox: readable by its owner only, and stored mail deleted before and afterward.

    The lock is the operating system's and ends with the process, so a killed sandbox does not block the next one, which
    deletes what the killed one left.

    Raises:
        AlreadyRunning: another process holds the lock.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"A sandbox is already running in {state}.") from None
        state.chmod(0o700)
        _forget_mail(state)
        try:
            yield
        finally:
            _forget_mail(state)


def is_claimed(state: Path) -> bool:
    """Whether a sandbox uses the folder now."""
    try:
        with (state / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _forget_mail(state: Path) -> None:
    shutil.rmtree(state / STORAGE, ignore_errors=True)
