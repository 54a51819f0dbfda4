"""The app's functions grouped by trigger: routes, timers, queues."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azure.storage.queue.aio import QueueServiceClient

from sandbox.host import worker
from sandbox.host.config import ConfigInvalid, HostFile, resolve
from sandbox.host.queues import Message, QueueListener
from sandbox.host.storage_queue import StorageQueue, service
from sandbox.host.timers import Timer, TimerStatus
from sandbox.host.worker import Function, Worker
from shared.scheduling.ncrontab import Schedule


@dataclass(slots=True)
class Triggers:
    """What the host serves. `services`: one client for each connection, to be closed at the end."""

    http: list[Function] = field(default_factory=list)
    timers: dict[str, Timer] = field(default_factory=dict)
    queues: dict[str, QueueListener] = field(default_factory=dict)
    queue_functions: dict[str, Function] = field(default_factory=dict)
    services: dict[str, QueueServiceClient] = field(default_factory=dict)


class TriggerFactory:
    """Creates the triggers from the functions' bindings."""

    def __init__(
        self,
        app: Worker,
        host: HostFile,
        *,
        settings: Mapping[str, str],
        schedules: Mapping[str, str],
        status: TimerStatus,
        lease: float,
    ) -> None:
        """`schedules`: other schedules for timers, by function name; `lease`: see QueueListener."""
        self._app = app
        self._host = host
        self._settings = settings
        self._schedules = schedules
        self._status = status
        self._lease = lease

    def triggers(self, functions: Iterable[Function]) -> Triggers:
        """All triggers. Raises ConfigInvalid, which names the function that cannot be served."""
        found = Triggers()
        for function in functions:
            try:
                self._add(function, found)
            except ValueError as problem:
                raise ConfigInvalid(f"The '{function.name}' function is in error: {problem}") from problem
        return found

    def _add(self, function: Function, found: Triggers) -> None:
        if function.outputs:
            raise ConfigInvalid("output bindings are not served by this host")
        if function.kind == "httpTrigger":
            found.http.append(function)
        elif function.kind == "timerTrigger":
            found.timers[function.name] = self._timer(function)
        elif function.kind == "queueTrigger":
            found.queue_functions[function.name] = function
            found.queues[function.name] = self._queue(function, found)
        else:
            raise ConfigInvalid(f"{function.kind} is not served by this host")

    def _timer(self, function: Function) -> Timer:
        expression = self._schedules.get(function.name) or resolve(str(function.trigger["schedule"]), self._settings)

        async def fire(information: dict[str, object]) -> object:
            return await self._app.invoke(function, [(str(function.trigger["name"]), worker.as_json(information))])

        return Timer(function.name, Schedule.parse(expression), fire, self._status)

    def _queue(self, function: Function, found: Triggers) -> QueueListener:
        connection = str(function.trigger.get("connection") or "AzureWebJobsStorage")
        if connection not in found.services:
            found.services[connection] = service(connection, self._settings)
        name = resolve(str(function.trigger["queueName"]), self._settings)
        queue = StorageQueue(found.services[connection], name)

        async def handle(message: Message, text: str) -> bool:
            return await invoke_with_message(self._app, function, text, message)

        return QueueListener(queue, self._host.queues, handle, self._lease)


async def invoke_with_message(app: Worker, function: Function, text: str, message: Message | None = None) -> bool:
    """Run a queue function on a message's text; returns whether it succeeded."""
    metadata = _metadata(message) if message else {"Id": worker.text("manual"), "DequeueCount": worker.text("1")}
    outcome = await app.invoke(function, [(str(function.trigger["name"]), worker.text(text))], metadata)
    return outcome.ok


def _metadata(message: Message) -> dict[str, object]:
    return {
        "Id": worker.text(message.id),
        "DequeueCount": worker.text(str(message.dequeue_count)),
        "PopReceipt": worker.text(message.receipt),
        "InsertionTime": worker.as_json(message.inserted_on.isoformat()),
        "ExpirationTime": worker.as_json(message.expires_on.isoformat()),
        "NextVisibleTime": worker.as_json(message.next_visible_on.isoformat()),
    }
