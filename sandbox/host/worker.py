"""Microsoft's worker library, called in-process: it finds the app's functions and runs their invocations."""

import asyncio
import json
import logging
import secrets
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from sandbox.host import logs, protos

log = logging.getLogger("host.worker")


class AppInvalid(RuntimeError):
    """The app cannot be indexed. In Azure its functions would be missing without an error."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app: its name, the worker's id for it, and its bindings in the form of function.json."""

    name: str
    id: str
    trigger: Mapping[str, Any]
    outputs: Sequence[Mapping[str, Any]] = ()

    @property
    def kind(self) -> str:
        """The trigger's type: httpTrigger, timerTrigger, queueTrigger..."""
        return str(self.trigger["type"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an invocation. `value` is what the function returned, in the worker's form."""

    ok: bool
    value: Any = None


def text(value: str) -> Any:
    """A string in the worker's format."""
    return Datum(value, "string")


def as_json(value: Any) -> Any:
    """A JSON value in the worker's format."""
    return Datum(json.dumps(value), "json")


def raw(value: bytes) -> Any:
    """Bytes in the worker's format."""
    return Datum(value, "bytes")


def http(value: Mapping[str, Any]) -> Any:
    """An HTTP request in the worker's format."""
    return Datum(value, "http")


class Worker:
    """The app's worker, a library in the host's own process. Create only one: the library has global state."""

    def __init__(self, app: Path, timeout: float) -> None:
        self._app = app
        self._timeout = timeout
        self._in_flight: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.has_abandoned = False
        """Whether a function has timed out, so that its thread may still be running."""

    async def start(self) -> list[Function]:
        """Import the app and index its functions. Raises AppInvalid with the app's own error."""
        sys.path.insert(0, str(self._app))
        answer = await runtime.worker_init_request(
            _request(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(self._app)))
        )
        if answer.result.status != protos.StatusResult.Success:
            raise AppInvalid(answer.result.exception.stack_trace)
        runtime.start_threadpool_executor()
        answer = await runtime.functions_metadata_request(_request())
        return [_function(found) for found in answer.function_metadata_results or ()]

    async def invoke(
        self, function: Function, inputs: Sequence[tuple[str, Any]], metadata: Mapping[str, Any] | None = None
    ) -> Outcome:
        """Run one invocation until it ends or times out; a time-out counts as a failure.

        A timed-out function without async keeps its thread until it ends by itself: Python threads cannot be stopped.
        The real host restarts the worker then.
        """
        invocation = str(uuid.uuid4())
        started = time.monotonic()
        self._in_flight[invocation] = function.name
        self._idle.clear()
        context = runtime.invocation_id_cv.set(invocation)
        outcome = Outcome(False)
        try:
            outcome = await asyncio.wait_for(self._run(invocation, function, inputs, metadata or {}), self._limit())
        except TimeoutError:
            self.has_abandoned = True
            log.error("Timeout value of %.0f s exceeded by function %s", self._timeout, function.name)
        finally:
            took = (time.monotonic() - started) * 1000
            log.info("Executed %s (%s, %.0f ms)", function.name, "Succeeded" if outcome.ok else "Failed", took)
            runtime.invocation_id_cv.reset(context)
            del self._in_flight[invocation]
            if not self._in_flight:
                self._idle.set()
        return outcome

    def _limit(self) -> float | None:
        return None if self._timeout == float("inf") else self._timeout

    async def _run(
        self, invocation: str, function: Function, inputs: Sequence[tuple[str, Any]], metadata: Mapping[str, Any]
    ) -> Outcome:
        parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        with logs.app_traffic():
            ok, value, _outputs, _error, _traceback = await invocation_request_native(
                invocation, function.id, list(inputs), metadata, parent
            )
        return Outcome(ok, value)

    def function_of(self, invocation: str | None) -> str:
        """The name of the function that a running invocation belongs to, or an empty string."""
        return self._in_flight.get(invocation or "", "")

    @property
    def in_flight(self) -> list[str]:
        """The names of the functions with running invocations."""
        return list(self._in_flight.values())

    async def idle(self) -> None:
        """Return when no invocation is running."""
        await self._idle.wait()


def _request(**fields: Any) -> SimpleNamespace:
    """A request to the worker library, which only reads attributes."""
    return SimpleNamespace(request=SimpleNamespace(**fields), properties={"host": "127.0.0.1", "protos": protos})


def _function(found: Any) -> Function:
    bindings = [json.loads(binding) for binding in found.raw_bindings]
    trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
    outputs = tuple(binding for binding in bindings if binding["direction"] == "OUT" and binding["type"] != "http")
    return Function(found.name, found.function_id, trigger, outputs)
