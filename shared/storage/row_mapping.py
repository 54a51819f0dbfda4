"""Maps dataclasses to table rows and back. A row is a dict of str, int, bool, and aware datetimes.

An int beyond 32 bits is a pair of its value and a type name, because Table Storage keeps it as a different type.
"""

import functools
import logging
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.errors import OperatorMustAct, Reason

_log = logging.getLogger(__name__)


def to_row(value: Any, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A dataclass's fields as properties. None is left out, because Table Storage has no null."""
    entity = {}
    for declared in fields(value):
        content = getattr(value, declared.name)
        if declared.name not in without and content is not None:
            entity[declared.name] = _property(content)
    return entity


def _property(content: Any) -> Any:
    """A field's value as a property."""
    if isinstance(content, StrEnum):
        return content.value
    if isinstance(content, int) and not -(2**31) <= content < 2**31:
        return content, "Edm.Int64"
    return content


def from_row[T](kind: type[T], entity: Mapping[str, Any], **given: object) -> T:
    """Create the dataclass from a row. Unknown properties (of a newer version) are ignored; missing ones take defaults.

    Raises:
        OperatorMustAct: our_storage, for this row alone: a newer version wrote a value that this one cannot read.
    """
    with reading_one_row():
        known = {
            name: read(entity[name])
            for name, read in _readers(typing.cast(Any, kind)).items()
            if name in entity and name not in given
        }
        return kind(**known, **given)


@contextmanager
def reading_one_row() -> Iterator[None]:
    """Translate what reading a property raises.

    Raises:
        OperatorMustAct: our_storage, for this row alone: this version cannot read a value.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        detail = "a row cannot be read by this version"
        raise OperatorMustAct(Reason.OUR_STORAGE, detail, support="RowNotReadable", of_one=True) from error


def readable[R, T](read: Callable[[R], T], rows: Iterable[R]) -> Iterator[T]:
    """Read rows one by one, without those that this version cannot read: one of them must not stop all others."""
    for row in rows:
        try:
            found = read(row)
        except OperatorMustAct as error:
            if not error.of_one:
                raise
            _log.error("row not readable", exc_info=error)
        else:
            yield found


@functools.cache
def _readers(kind: type) -> Mapping[str, Callable[[Any], Any]]:
    """What reads each field's property. Computed once: the hints of a dataclass take longer than reading a row."""
    hints = typing.get_type_hints(kind)
    return {declared.name: _reader(hints[declared.name]) for declared in fields(typing.cast(Any, kind))}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return a function that converts a property's value to this type; it raises ValueError if it does not fit."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    classes = tuple(option for option in options if isinstance(option, type))
    has_time = datetime in classes
    enum = next((option for option in classes if issubclass(option, StrEnum)), None)

    def read(content: Any) -> Any:
        if isinstance(content, tuple):
            return content[0]
        if isinstance(content, datetime) and has_time:
            return content if type(content) is datetime and content.tzinfo is UTC else _plain_time(content)
        if enum is not None:
            return enum(content)
        if not isinstance(content, classes):
            raise ValueError("a property of another type")
        return content

    return read


def _plain_time(moment: datetime) -> datetime:
    """The time as a plain datetime in UTC: the SDKs return one of their own."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)
