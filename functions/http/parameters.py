"""Validates the parameters of a request: unknown names are refused, and the response names the fault."""

from collections.abc import Iterable

import azure.functions as func

from functions.http.handler import HttpError
from shared.errors import NotFound

MAX_LIST_BYTES = 256 * 1024
"""The largest body of a request that lists mailboxes."""


def malformed(parameter: str, fault: str = "wrong") -> HttpError:
    """Return the error for a wrong parameter; `fault` is a key of [api_problems.faults] in the catalog."""
    return HttpError("malformed", parameter=parameter[:100], fault=fault)


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse unknown names, so that a misspelled one is not ignored. Raises HttpError: malformed."""
    if unknown := sorted(set(given) - set(known)):
        raise malformed(unknown[0], "unknown")


def is_id(text: str) -> bool:
    """Whether a text has the format of our ids."""
    return 1 <= len(text) <= 64 and text.isascii() and text.replace("-", "").isalnum()


def id_in_path(request: func.HttpRequest, name: str = "id") -> str:
    """Return the id in the path. Raises NotFound for a text that cannot be an id."""
    given: str = request.route_params.get(name, "")
    if not is_id(given):
        raise NotFound("nothing has such an id")
    return given
