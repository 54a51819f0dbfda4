"""Stand-ins for the worker's protobuf messages: the worker library only uses their attributes."""

from typing import Any


class Message:
    """A message with any fields; a field that was not given is None."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class StatusResult(Message):
    """How a request to the worker ended."""

    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    """One binding's type and direction."""

    out, inout, undefined = 1, 2, 0


class FunctionMetadataResponse(Message):
    """The functions that the worker found."""


class RpcException(Message):
    """An error reported by the worker."""


class RpcFunctionMetadata(Message):
    """One function that the worker found."""


class RpcRetryOptions(Message):
    """A function's own retry policy."""


class WorkerInitResponse(Message):
    """The answer to starting the worker."""


class WorkerMetadata(Message):
    """The worker's name and version."""
