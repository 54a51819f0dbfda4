"""The folder where one sandbox at a time keeps certificates, logs and, while it runs, copies of mail."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORAGE = "azurite"
"""The subfolder with what Storage holds: everything that was synced."""

_LOCK = "sandbox.lock"


class AlreadyRunning(RuntimeError):
    """Another sandbox uses the folder; nothing in it was touched."""


@contextmanager
def claimed(state: Path) -> Iterator[None]:
    """Hold the folder for one sandbox: readable by its owner alone, without stored mail before and afterward.

    The lock is the operating system's and ends with the process, so a sandbox that was killed blocks nobody; what it
    left is removed by the next one.

    Raises:
        AlreadyRunning: another process holds the folder.
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
    """Whether a sandbox runs in the folder now."""
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
