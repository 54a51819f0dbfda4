"""Logs: one JSON line per event, with its mailbox and invocation, and nothing secret or personal.

Log calls pass a constant sentence, and values (ids, counts, reasons) in `extra`. Only allowed kinds of values are
output: the message template, short scalar values, and an exception's type and location. An exception's text is never
output, because a vendor's exception may quote a request, an address or a token.
"""

import functools
import json
import logging
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from shared.errors import ActionNeeded, ItemUnusable, MailboxSyncError, SettingsInvalid

OWN_LOGGERS = ("shared", "functions", "mailbox_sync")
NOISY_LOGGERS = (
    "azure",
    "msal",
    "exchangelib",
    "urllib3",
    "requests",
    "requests_oauthlib",
    "oauthlib",
    "opentelemetry",
    "httpx",
    "asyncio",
)
"""Vendors' loggers, which quote URLs, tokens and request bodies. Their warnings and errors reach us as exceptions."""

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_context: ContextVar[dict[str, str]] = ContextVar("bound", default={})  # noqa: B039 -- replaced, never changed


class InvocationFailed(MailboxSyncError):
    """Raised by a function instead of the exception that ended it: its type and reason, without its text."""


@contextmanager
def log_context(**values: str) -> Iterator[None]:
    """Add these ids to every line logged inside the block."""
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def add_log_context(**values: str) -> None:
    """Add these ids to every line that is logged until the triggered function ends, also to the line of its error."""
    _context.set({**_context.get(), **values})


def configure() -> None:
    """Format our loggers' records as JSON and silence the vendors' loggers. Safe to repeat."""
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if not isinstance(logging.getLogRecordFactory(), _Structured):
        logging.setLogRecordFactory(_Structured(logging.getLogRecordFactory()))
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


class _Structured:
    """A record factory that turns our own records into JSON before any handler can see their parts."""

    def __init__(self, base: Callable[..., logging.LogRecord]) -> None:
        self._base = base

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._base(*args, **kwargs)
        if record.name.split(".")[0] in OWN_LOGGERS:
            record.__class__ = _StructuredRecord
        return record


class _StructuredRecord(logging.LogRecord):
    """One of our records. The line is built late, in getMessage, because `extra` is added after the factory has run."""

    def getMessage(self) -> str:
        """Return the whole line as JSON."""
        error = self.exc_info[1] if self.exc_info else None
        self.exc_info, self.exc_text = None, None
        line: dict[str, object] = {"event": str(self.msg), "level": self.levelname, **_context.get()}
        line |= {
            key: _loggable(value) for key, value in self.__dict__.items() if key not in _STANDARD and key[0] != "_"
        }
        if error is not None:
            self.__dict__["_error"] = describe_error(error)
        if "_error" in self.__dict__:
            line["error"] = self.__dict__["_error"]
        return json.dumps(line, ensure_ascii=True, default=lambda value: type(value).__name__)


def _loggable(value: object) -> object:
    """A value that may be logged: numbers, booleans and short strings pass; anything else becomes its type's name."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and len(value) <= 80 and "@" not in value:
        return value
    return type(value).__name__


def describe_error(error: BaseException) -> dict[str, object]:
    """What a log may contain of an exception: its type, reason, vendor's code, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    description: dict[str, object] = {
        "type": type(error).__name__,
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]],
    }
    if isinstance(error, ActionNeeded | ItemUnusable):
        description |= {"reason": error.reason.value, "support": _loggable(error.support)}
    if isinstance(error, SettingsInvalid):
        description["problems"] = list(error.problems)
    if error.__cause__ is not None:
        description["cause"] = type(error.__cause__).__name__
    return description


def redact_errors[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Make a triggered function fail without revealing anything but the error's type and reason to the host.

    The host logs the text and stack of an exception that leaves a function, so no vendor's exception may leave it.
    Nested wrappers log a failure only once. Ids added by `add_log_context` are removed when the function ends.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with log_context():
            try:
                return function(*args, **kwargs)
            except InvocationFailed:
                raise
            except Exception as error:
                failure = _failure(error)
        raise InvocationFailed(failure)

    return wrapper


def redact_async_errors[**P, R](
    function: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Do the same for a coroutine function."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with log_context():
            try:
                return await function(*args, **kwargs)
            except InvocationFailed:
                raise
            except Exception as error:
                failure = _failure(error)
        raise InvocationFailed(failure)

    return wrapper


def _failure(error: Exception) -> str:
    """Log the error; return what the host may know of it."""
    logging.getLogger("mailbox_sync").error("invocation failed", exc_info=error)
    description = describe_error(error)
    return f"{description['type']} {description.get('reason', '')}".strip()
