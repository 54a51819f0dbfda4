"""The ways in which a call of the API is refused. The HTTP layer maps each to a status and a problem document."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from shared.errors import MailboxSyncError, NotFound


class Refused(MailboxSyncError):
    """The call is refused: `code` is the problem's code, `parameter` the parameter or field at fault, if one is.

    `fault` says what is wrong with it: unknown, missing, wrong, one_of, or url; or, with the whole request, not_json,
    no_body, or content_type. `expected` is what the parameter may be, or where the fault lies.
    """

    def __init__(self, code: str, parameter: str = "", fault: str = "", expected: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.parameter = parameter
        self.fault = fault
        self.expected = expected

    @property
    def values(self) -> dict[str, str]:
        """The values of the problem document."""
        if self.fault:
            expected = {"expected": self.expected} if self.expected else {}
            return {"parameter": self.parameter, "fault": self.fault} | expected
        return {"parameter": self.parameter} if self.parameter else {}


class Malformed(Refused):
    """A parameter or a field of the body is wrong."""

    def __init__(self, parameter: str, fault: str = "wrong", expected: str = "") -> None:
        super().__init__("malformed", parameter[:100], fault, expected)


class AlreadyExists(Refused):
    """There is one with this value of a parameter already; `existing` is its id."""

    def __init__(self, code: str, parameter: str, existing: str) -> None:
        super().__init__(code, parameter)
        self.existing = existing

    @property
    def values(self) -> dict[str, str]:
        """The values of the problem document."""
        return super().values | {"existing": self.existing}


class Forbidden(Refused):
    """The caller's roles do not allow the operation. `roles` are those that do."""

    def __init__(self, roles: Collection[str]) -> None:
        super().__init__("role_missing")
        self.roles = ", ".join(sorted(roles))

    @property
    def values(self) -> dict[str, str]:
        """The values of the problem document."""
        return {"roles": self.roles}


class Missing(NotFound):
    """What the request names does not exist, or the caller may not read it; `name` says which part of it, in a word."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no such {name}")
        self.name = name


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Say of a NotFound of the block that this was not found. Raises Missing."""
    try:
        yield
    except Missing:
        raise
    except NotFound as exc:
        raise Missing(name) from exc
