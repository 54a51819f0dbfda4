"""The host's log: one JSON line for each record on stdout, with the invocation and the function it belongs to."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_own: ContextVar[bool] = ContextVar("own", default=False)


@contextmanager
def own_traffic() -> Iterator[None]:
    """Within this context the SDKs work for the host itself: their records below WARNING are dropped."""
    token = _own.set(True)
    try:
        yield
    finally:
        _own.reset(token)


@contextmanager
def app_traffic() -> Iterator[None]:
    """Within this context the app runs: all its records are kept."""
    token = _own.set(False)
    try:
        yield
    finally:
        _own.reset(token)


def _is_wanted(record: logging.LogRecord) -> bool:
    return not (_own.get() and record.name.startswith("azure.") and record.levelno < logging.WARNING)


class _Lines(logging.Formatter):
    """Formats records as JSON lines."""

    def __init__(self, function_of: Callable[[str | None], str]) -> None:
        super().__init__()
        self._function_of = function_of

    def format(self, record: logging.LogRecord) -> str:
        """One line. The app's exceptions are included in full, as in the real host."""
        invocation = invocation_id_cv.get()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "function": self._function_of(invocation),
            "invocation": invocation or "",
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({key: value for key, value in line.items() if value != ""}, ensure_ascii=False)


def configure(levels: Mapping[str, str], function_of: Callable[[str | None], str]) -> None:
    """Send every record to stdout, at host.json's levels: "default", and the loggers named there."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines(function_of))
    handler.addFilter(_is_wanted)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[levels.get("default", "Information").lower()])
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
