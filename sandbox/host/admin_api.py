"""The /admin API of the real host: its status, and firing a function by hand.

Any caller that reaches it can fire functions. It therefore listens on this machine only and requires a JSON body, which
a web page of another origin cannot post without a CORS preflight.
"""

import asyncio
import json
import logging

from aiohttp import web

from sandbox.host.triggers import Triggers, invoke_with_message
from sandbox.host.worker import Worker

log = logging.getLogger("host.admin")


class AdminApi:
    """Serves /admin."""

    def __init__(self, app: Worker, triggers: Triggers) -> None:
        self._app = app
        self._triggers = triggers
        self._fired: set[asyncio.Task[object]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        return [
            web.get("/admin/host/status", self.status),
            web.post("/admin/functions/{name}", self.fire),
        ]

    async def status(self, _request: web.Request) -> web.Response:
        """The host's state and the functions that are running now."""
        return web.json_response({"state": "Running", "in_flight": self._app.in_flight})

    async def fire(self, request: web.Request) -> web.Response:
        """Fire a timer, or run a queue function on {"input": text}; answers 202 at once."""
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        try:
            given = str(json.loads(await request.text()).get("input") or "")
        except (ValueError, AttributeError):
            return web.json_response({"error": 'send {"input": ""}'}, status=400)
        name = request.match_info["name"]
        if name in self._triggers.timers:
            self._start(asyncio.create_task(self._triggers.timers[name].fire()))
        elif name in self._triggers.queue_functions:
            self._start(
                asyncio.create_task(invoke_with_message(self._app, self._triggers.queue_functions[name], given))
            )
        else:
            return web.json_response({"error": "no timer or queue function of that name"}, status=404)
        return web.Response(status=202)

    def _start(self, task: "asyncio.Task[object] | asyncio.Task[bool] | asyncio.Task[None]") -> None:
        """Start a task and keep a reference while it runs: the event loop itself keeps only a weak one."""
        self._fired.add(task)
        task.add_done_callback(self._fired.discard)
