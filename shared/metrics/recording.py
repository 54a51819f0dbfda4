"""Records metrics: an instrument passes its values to the recorder of the process, or drops them if there is none.

Like a logger, an instrument is a constant of its module and needs no wiring. Values never raise an error, and no
metrics library is imported before the first value, or ever, in a process that sends no metrics.
"""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

OTHER = "other"
"""The value of an attribute whose own value may not be sent."""

_log = logging.getLogger(__name__)
_allowed = re.compile(r"[a-z][a-z_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is measured: the name, the unit (UCUM), what it is for, and the names of its attributes."""

    name: str
    unit: str
    purpose: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counter(Instrument):
    """A sum of amounts."""

    def add(self, amount: float = 1, **attributes: str) -> None:
        """Add an amount, if metrics are on."""
        _process.record(self, amount, attributes)


@dataclass(frozen=True, slots=True)
class Histogram(Instrument):
    """A distribution of values; `bounds` are the upper bounds of its buckets."""

    bounds: tuple[float, ...] = ()

    def record(self, value: float, **attributes: str) -> None:
        """Record one value, if metrics are on."""
        _process.record(self, value, attributes)


class Recorder(Protocol):
    """Takes the values of all instruments. Called from several threads."""

    def record(self, instrument: Instrument, value: float, attributes: Mapping[str, str]) -> None:
        """Add the value to what the instrument has measured."""
        ...


class _Process:
    """The recorder of this process, opened for the first value."""

    def __init__(self) -> None:
        self._open: Callable[[], Recorder | None] | None = None
        self._recorder: Recorder | None = None
        self._lock = threading.Lock()

    def configure(self, open_recorder: Callable[[], Recorder | None] | None) -> None:
        with self._lock:
            self._open, self._recorder = open_recorder, None

    def record(self, instrument: Instrument, value: float, attributes: Mapping[str, str]) -> None:
        recorder = self._recorder or self._opened()
        if recorder is not None:
            recorder.record(instrument, value, bounded(instrument, attributes))

    def _opened(self) -> Recorder | None:
        """Open the recorder once. A fault of it, such as an invalid setting, switches metrics off."""
        if self._open is None:
            return None
        with self._lock:
            open_recorder, self._open = self._open, None
            if open_recorder is not None:
                try:
                    self._recorder = open_recorder()
                except Exception as error:
                    _log.warning("metrics are off", exc_info=error)
            return self._recorder


_process = _Process()


def configure(open_recorder: Callable[[], Recorder | None] | None) -> None:
    """Send all values to the recorder that this returns; it is called for the first value. None: metrics are off."""
    _process.configure(open_recorder)


def bounded(instrument: Instrument, given: Mapping[str, str]) -> dict[str, str]:
    """Return the instrument's attributes, each with a value that cannot be an id or an address.

    Short lower-case words without digits pass: names of states, reasons, sources and queues. The number of time series
    is bounded too, because all values are of enumerations of this program.
    """
    return {name: _bounded(str(given.get(name, OTHER))) for name in instrument.attributes}


def _bounded(value: str) -> str:
    return value if _allowed.fullmatch(value) else OTHER
