"""The control port's routes for Graph: how a mailbox misbehaves, and the limits on requests."""

import dataclasses
from typing import Any

from aiohttp import web

from sandbox.graph.behavior import SMIME, Behavior
from sandbox.graph.service import GraphService
from sandbox.graph.throttle import Limits


class GraphControl:
    """The handlers of the routes."""

    def __init__(self, service: GraphService) -> None:
        self._service = service

    async def change_behavior(self, request: web.Request) -> web.Response:
        """Set switches of one mailbox; those that are not named stay."""
        person = self._service.store.address_book.by_address(request.match_info["address"])
        if person is None:
            raise web.HTTPNotFound(reason="no such person")
        behavior = self._service.behavior(person.address)
        _change(behavior, await _object(request))
        if behavior.opaque_smime not in SMIME:
            raise web.HTTPBadRequest(reason=f"opaque_smime must be one of {', '.join(SMIME)}")
        return web.json_response(dataclasses.asdict(behavior))

    async def change_limits(self, request: web.Request) -> web.Response:
        """Set limits; those that are not named stay."""
        _change(self._service.throttle.limits, await _object(request))
        return web.json_response(dataclasses.asdict(self._service.throttle.limits))


def routes(service: GraphService) -> list[web.RouteDef]:
    """Every route."""
    control = GraphControl(service)
    return [
        web.patch("/mailboxes/{address}/graph", control.change_behavior),
        web.patch("/graph/limits", control.change_limits),
    ]


def _change(thing: Behavior | Limits, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if name not in {field.name for field in dataclasses.fields(thing)}:
            raise ValueError(f"{name} cannot be changed")
        setattr(thing, name, type(getattr(thing, name))(value))


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.json() if request.can_read_body else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body
