"""Validates the parameters and fields of an API call: unknown names are refused, and the response names the fault."""

from collections.abc import Iterable, Mapping
from typing import Any

from functions.http.handler import HttpError

MAX_LIST_BYTES = 256 * 1024
"""The largest body of a request that lists mailboxes."""


def malformed(parameter: str, fault: str = "wrong") -> HttpError:
    """Return the error for a wrong parameter; `fault` is a key of [problem.parameters] in the catalog."""
    return HttpError("malformed", parameter=parameter[:100], fault=fault)


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse unknown names, so that a misspelled one is not ignored. Raises HttpError: malformed."""
    if unknown := sorted(set(given) - set(known)):
        raise malformed(unknown[0], "unknown")


def string_fields(body: Mapping[str, Any], required: set[str], optional: set[str]) -> dict[str, str]:
    """Return the string fields of a body; required ones must exist, and no others may. Raises HttpError: malformed."""
    refuse_unknown(body, required | optional)
    if missing := sorted(required - body.keys()):
        raise malformed(missing[0], "missing")
    if wrong := sorted(name for name, value in body.items() if not isinstance(value, str)):
        raise malformed(wrong[0])
    return dict(body)


def one_of(body: Mapping[str, Any], *names: str) -> tuple[str, Any]:
    """Return the only one of these fields that a body has, with its value. Raises HttpError: malformed."""
    found = [name for name in names if name in body]
    if len(found) != 1:
        raise malformed(", ".join(names), "one_of")
    return found[0], body[found[0]]


def is_id(text: str) -> bool:
    """Whether a text has the format of our ids."""
    return 1 <= len(text) <= 64 and text.isascii() and text.replace("-", "").isalnum()
