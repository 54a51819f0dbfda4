"""The host itself: starts the worker, serves the app's functions, and shuts down in an orderly way."""

import asyncio
import logging
import os
import signal
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from sandbox.host import logs
from sandbox.host.admin_api import AdminApi
from sandbox.host.config import read_host_file, with_longest_poll
from sandbox.host.http_trigger import MAX_BODY_BYTES, HttpTrigger
from sandbox.host.timers import TimerStatus
from sandbox.host.triggers import TriggerFactory, Triggers
from sandbox.host.worker import Worker

log = logging.getLogger("host")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: the app's folder, where to listen (port 0: any), and what differs from the real host.

    `drain` and `lease` in seconds: how long running invocations may take at the end, and how long a received message
    stays hidden without renewal. The real host's lease is 600; a shorter one makes the messages of a killed host
    visible again sooner. `longest_poll`: seconds between two polls of an empty queue, at most; None: as in host.json.
    """

    app: Path
    port: int
    certificate: Path
    key: Path
    schedules: Mapping[str, str] = field(default_factory=dict)
    timer_status: Path | None = None
    drain: float = 10.0
    lease: float = 600.0
    longest_poll: float | None = None
    tethered: bool = False
    """End when standard input closes: the process that started us may be killed with SIGKILL."""


class Host:
    """One run of one app."""

    def __init__(self, options: Options, settings: Mapping[str, str]) -> None:
        """Raises ConfigInvalid when host.json cannot be used."""
        self._options = options
        self._settings = settings
        self._file = with_longest_poll(read_host_file(options.app / "host.json"), options.longest_poll)
        self._worker = Worker(options.app, self._file.function_timeout)
        self._listening: list[asyncio.Task[None]] = []

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT; returns whether all running invocations ended in time.

        Raises AppInvalid, ConfigInvalid, OSError (the port is in use).
        """
        logs.configure(self._file.log_levels, self._worker.function_of)
        triggers = await self._triggers()
        site = await self._serve(triggers)
        self._listen(triggers)
        await _wait_for_stop(self._options.tethered)
        log.info("Host is shutting down")
        return await self._stop(site, triggers)

    async def _triggers(self) -> Triggers:
        functions = await self._worker.start()
        factory = TriggerFactory(
            self._worker,
            self._file,
            settings=self._settings,
            schedules=self._options.schedules,
            status=TimerStatus(self._options.timer_status),
            lease=self._options.lease,
        )
        triggers = factory.triggers(functions)
        log.info("Found functions: %s", ", ".join(f"{found.name} ({found.kind})" for found in functions))
        return triggers

    async def _serve(self, triggers: Triggers) -> web.AppRunner:
        trigger = HttpTrigger(self._worker, triggers.http, self._file)
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.add_routes(AdminApi(self._worker, triggers).routes())
        application.router.add_route("*", "/{path:.*}", trigger.serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=self._options.drain)
        await runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self._options.certificate, self._options.key)
        await web.TCPSite(runner, "127.0.0.1", self._options.port, ssl_context=tls).start()
        log.info("Host started: https://localhost:%d", runner.addresses[0][1])
        return runner

    def _listen(self, triggers: Triggers) -> None:
        with logs.own_traffic():
            runs = [timer.run() for timer in triggers.timers.values()]
            runs += [queue.run() for queue in triggers.queues.values()]
            self._listening = [asyncio.create_task(run) for run in runs]

    async def _stop(self, site: web.AppRunner, triggers: Triggers) -> bool:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        ended = await self._drained(site, triggers)
        for service in triggers.services.values():
            await service.close()
        return ended

    async def _drained(self, site: web.AppRunner, triggers: Triggers) -> bool:
        """Let running invocations end, within the drain time."""
        queues = (queue.drain() for queue in triggers.queues.values())
        ending = asyncio.gather(site.cleanup(), self._worker.idle(), *queues)
        try:
            await asyncio.wait_for(ending, self._options.drain)
        except TimeoutError:
            log.warning("Still running at the end: %s", ", ".join(self._worker.in_flight))
            return False
        return not self._worker.has_abandoned


async def _wait_for_stop(tethered: bool) -> None:
    """Return at the first SIGTERM or SIGINT or, when tethered, when standard input closes."""
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_requested.set)
    if tethered:
        loop.add_reader(sys.stdin.fileno(), _set_at_end_of_input, stop_requested)
    await stop_requested.wait()
    if tethered:
        loop.remove_reader(sys.stdin.fileno())


def _set_at_end_of_input(stop_requested: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stop_requested.set()
