"""Decodes an API request to move mailboxes between EWS and Microsoft Graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.http.parameters import is_id, malformed, one_of, refuse_unknown

if TYPE_CHECKING:
    from shared.sources.port import SourceName

_CHOICES = ("mailboxes", "tenant", "all")
_FLAGS = ("dry_run", "force")


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """Which mailboxes are to be moved, and to which source; without a source, what was asked for is taken back."""

    target: "SourceName | None"
    mailboxes: tuple[str, ...] | None
    """None: the tenant's, or all."""
    tenant: str = ""
    """Empty: all tenants."""
    dry_run: bool = False
    force: bool = False


def read_move_request(body: Mapping[str, Any]) -> MoveRequest:
    """Decode a request's JSON object. Raises HttpError: malformed, with the field at fault."""
    refuse_unknown(body, {"to", *_CHOICES, *_FLAGS})
    name, value = one_of(body, *_CHOICES)
    if not _is_choice(name, value):
        raise malformed(name)
    if "to" not in body:
        raise malformed("to", "missing")
    if wrong := [flag for flag in _FLAGS if not isinstance(body.get(flag, False), bool)]:
        raise malformed(wrong[0])
    return MoveRequest(
        _target(body["to"]),
        tuple(value) if name == "mailboxes" else None,
        value if name == "tenant" else "",
        body.get("dry_run", False),
        body.get("force", False),
    )


def _is_choice(name: str, value: object) -> bool:
    match name, value:
        case "mailboxes", list(ids):
            return all(isinstance(each, str) and is_id(each) for each in ids)
        case "tenant", str(tenant):
            return is_id(tenant)
        case "all", True:
            return True
    return False


def _target(value: object) -> "SourceName | None":
    from shared.sources.port import SourceName

    if value == "":
        return None
    if not isinstance(value, str) or value not in SourceName:
        raise malformed("to")
    return SourceName(value)
