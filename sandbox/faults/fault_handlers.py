"""What each fault does to a request: the ways in which servers, proxies and networks fail.

With "handled": true the request takes effect and only its answer is lost, the case in which retries duplicate work.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Mapping[str, Any]

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
_TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
_ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
_ITEM_ID = re.compile(rb"<(?:\w+:)?ItemId[ >/]")
_LONGEST_SECONDS = 600
_TRANSFER_HEADERS = frozenset(("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"))


async def play(
    fault: Fault, request: web.Request, handler: Handler, operation: str, removed: asyncio.Event
) -> web.StreamResponse:
    """Apply a fault to a request. A delay ends early when `removed` says that the fault's rule is gone."""
    kind = fault["kind"]
    if fault.get("handled") and kind not in _AFTER:
        await handler(request)
    if kind in _AFTER:
        return await _AFTER[kind](fault, request, await handler(request))
    if kind == "delay":
        with suppress(TimeoutError):
            await asyncio.wait_for(removed.wait(), _seconds(fault))
        return await handler(request)
    if kind == "graph":
        # Graph's own service plays these faults: it knows Graph's errors, delta rounds and links.
        request["graph_fault"] = dict(fault)
        return await handler(request)
    return await _INSTEAD[kind](fault, request, operation)


def _seconds(fault: Fault) -> float:
    return min(float(fault.get("seconds", 60)), _LONGEST_SECONDS)


# ---------------------------------------------------------------- instead of an answer


async def _status(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    headers = {str(name): str(value) for name, value in (fault.get("headers") or {}).items()}
    body = fault.get("body", "")
    if "Content-Type" not in headers:
        headers["Content-Type"] = "text/html" if isinstance(body, str) else "application/json"
    if isinstance(body, str):
        return web.Response(status=int(fault.get("status", 500)), text=body, headers=headers)
    return web.Response(status=int(fault.get("status", 500)), body=web.json_response(body).body, headers=headers)


async def _expired_token(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    challenge = 'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", token_types="app_asserted_user_v1", '
    challenge += 'error="invalid_token", error_description="The token has expired."'
    return web.Response(status=401, headers={"WWW-Authenticate": challenge})


async def _reset(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    hang_up(request)
    return web.Response(status=500)


async def _silence(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    await asyncio.sleep(_seconds(fault))
    hang_up(request)
    return web.Response(status=500)


async def _ews(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    """An EWS response code: in a 200 as one response message for each item, or as a SOAP fault with HTTP 500."""
    code, back_off = str(fault.get("code", "ErrorServerBusy")), fault.get("back_off_ms")
    value = "" if back_off is None else f'<t:Value Name="BackOffMilliseconds">{int(back_off)}</t:Value>'
    status = int(fault.get("status", 200))
    if status != 200:
        return _xml(_soap_fault(code, value), status)
    item_count = len(_ITEM_ID.findall(await request.read())) if operation == "GetItem" else 1
    message = (
        f'<m:{operation}ResponseMessage ResponseClass="Error"><m:MessageText>The sandbox was told to fail.'
        f"</m:MessageText><m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"
        + (f"<m:MessageXml>{value}</m:MessageXml>" if value else "")
        + f"</m:{operation}ResponseMessage>"
    )
    messages = f"<m:ResponseMessages>{message * max(item_count, 1)}</m:ResponseMessages>"
    return _xml(_envelope(f'<m:{operation}Response xmlns:m="{_MESSAGES}">{messages}</m:{operation}Response>'))


def _soap_fault(code: str, value: str) -> str:
    detail = f'<e:ResponseCode xmlns:e="{_ERRORS}">{code}</e:ResponseCode>'
    detail += f'<e:Message xmlns:e="{_ERRORS}">The sandbox was told to fail.</e:Message>'
    detail += f"<t:MessageXml>{value}</t:MessageXml>" if value else ""
    return _envelope(
        f'<s:Fault><faultcode xmlns:a="{_TYPES}">a:{code}</faultcode>'
        f'<faultstring xml:lang="en-US">The sandbox was told to fail.</faultstring><detail>{detail}</detail></s:Fault>'
    )


def _envelope(body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}" xmlns:t="{_TYPES}"><s:Body>{body}'
        "</s:Body></s:Envelope>"
    )


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/xml")


async def _entity_bomb(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    """A billion laughs attack: an answer of a kilobyte that a careless parser expands to gigabytes."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    envelope = _envelope(f'<m:{operation}Response xmlns:m="{_MESSAGES}">&l9;</m:{operation}Response>')
    return _xml(_with_doctype(envelope, f'<!ENTITY l0 "lol">{entities}'))


async def _external_entity(fault: Fault, request: web.Request, operation: str) -> web.StreamResponse:
    """An answer that makes a careless parser include one of its own files."""
    envelope = _envelope(f'<m:{operation}Response xmlns:m="{_MESSAGES}">&file;</m:{operation}Response>')
    return _xml(_with_doctype(envelope, '<!ENTITY file SYSTEM "file:///etc/hostname">'))


def _with_doctype(envelope: str, entities: str) -> str:
    declaration, mark, rest = envelope.partition("?>")
    return f"{declaration}{mark}<!DOCTYPE s:Envelope [{entities}]>{rest}"


# ---------------------------------------------------------------- after the request was handled


async def _cut(fault: Fault, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send the right headers and the first bytes of the right body, then close the connection."""
    body = _body(response)
    kept = min(int(fault.get("after", len(body) // 2)), max(len(body) - 1, 0))
    sent = await _announce(request, response, len(body))
    await sent.write(body[:kept])
    hang_up(request, abruptly=False)
    return sent


async def _drip(fault: Fault, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send the right answer a few bytes at a time."""
    body, size = _body(response), max(int(fault.get("bytes", 64)), 1)
    sent = await _announce(request, response, len(body))
    for start in range(0, len(body), size):
        await sent.write(body[start : start + size])
        await asyncio.sleep(min(float(fault.get("seconds", 0.1)), 60))
    await sent.write_eof()
    return sent


async def _malformed_xml(fault: Fault, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """XML that is well-formed up to about the middle; its Content-Length is correct."""
    body = _body(response)
    return web.Response(status=200, body=body[: len(body) // 2] + b"</unopened><", content_type="text/xml")


async def _content_type(fault: Fault, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Another content type; with `body` also another body, as a captive portal sends."""
    kind = {"Content-Type": str(fault.get("value", "text/html"))}
    if "body" in fault:
        return web.Response(status=response.status, body=str(fault["body"]).encode(), headers=kind)
    return web.Response(status=response.status, body=_body(response), headers=_headers(response) | kind)


def _body(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _headers(response: web.StreamResponse) -> dict[str, str]:
    """An answer's headers without those about the transfer."""
    return {name: value for name, value in response.headers.items() if name.lower() not in _TRANSFER_HEADERS}


async def _announce(request: web.Request, response: web.StreamResponse, length: int) -> web.StreamResponse:
    sent = web.StreamResponse(status=response.status, headers=_headers(response))
    sent.content_length = length
    await sent.prepare(request)
    return sent


def hang_up(request: web.Request, *, abruptly: bool = True) -> None:
    """Close the connection; if abrupt, with a TCP reset, without even a TLS close notification."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if abruptly and raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


_INSTEAD: dict[str, Callable[[Fault, web.Request, str], Awaitable[web.StreamResponse]]] = {
    "status": _status,
    "expired_token": _expired_token,
    "reset": _reset,
    "silence": _silence,
    "ews": _ews,
    "entity_bomb": _entity_bomb,
    "external_entity": _external_entity,
}
_AFTER: dict[str, Callable[[Fault, web.Request, web.StreamResponse], Awaitable[web.StreamResponse]]] = {
    "cut": _cut,
    "drip": _drip,
    "malformed_xml": _malformed_xml,
    "content_type": _content_type,
}
KINDS = (*_INSTEAD, *_AFTER, "delay", "graph")
