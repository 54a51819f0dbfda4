"""Sends several GETs in one HTTP request ($batch); each is answered, throttled, and refused separately.

A batch saves connections and latency and no quota: the service counts every part.
https://learn.microsoft.com/graph/json-batching
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import batched, chain

import msgspec

from shared.sources.graph.faults.errors import AskForLess, JsonFault, of_fault
from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.client import GraphClient, Part

MOST = 20
"""The number of parts of one batch."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET: a path below the service's root, and its Prefer header."""

    path: str
    prefer: tuple[str, ...] = ()
    with_state: bool = False
    """Whether it carries a delta token, which may be the cause of an error."""


class _Request(msgspec.Struct, omit_defaults=True):
    id: str
    url: str
    method: str
    headers: dict[str, str] = {}


class _Response(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str | None] | None = None
    body: msgspec.Raw = msgspec.Raw()


class _Responses(msgspec.Struct):
    responses: list[_Response]


class Batches:
    """Sends the batches of one mailbox. Safe to use from several threads."""

    def __init__(self, client: GraphClient, pool: Callable[[], Executor]) -> None:
        self._client = client
        self._pool = pool

    def ask(self, asks: Sequence[Ask]) -> list[Part]:
        """Return the result of each part, in the given order; several batches are sent at a time.

        Raises: what is wrong with a batch as a whole.
        """
        parts = [list(part) for part in batched(asks, MOST, strict=False)]
        if len(parts) < 2:
            return self._batch(parts[0]) if parts else []
        return list(chain.from_iterable(self._pool().map(self._batch, parts)))

    def _batch(self, asks: Sequence[Ask]) -> list[Part]:
        """Send one batch, in halves if it is too large."""
        try:
            return self._renewed(asks, *self._sent(asks))
        except AskForLess:
            if len(asks) < 2:
                raise
        middle = len(asks) // 2
        return self._batch(asks[:middle]) + self._batch(asks[middle:])

    def _renewed(self, asks: Sequence[Ask], token: str, parts: list[Part]) -> list[Part]:
        """Repeat the parts whose token was rejected: a batch has status 200 whatever its parts have."""
        rejected = [number for number, part in enumerate(parts) if part.refusal and part.refusal.status == 401]
        if not rejected or not self._client.renewed(token):
            return parts
        _, again = self._sent([asks[number] for number in rejected])
        for number, part in zip(rejected, again, strict=True):
            parts[number] = part
        return parts

    def _sent(self, asks: Sequence[Ask]) -> tuple[str, list[Part]]:
        """Return the token with which it was sent, and the result of each part."""
        token = self._client.token
        body = self._client.post("/$batch", _written(asks))
        answers = {each.id: each for each in decoded(_Responses, body).responses}
        return token, [self._part(ask, answers.get(str(number))) for number, ask in enumerate(asks)]

    def _part(self, ask: Ask, answer: _Response | None) -> Part:
        if answer is None:
            raise of_fault(JsonFault.UNEXPECTED)
        if 200 <= answer.status < 300:
            return Part(bytes(answer.body))
        refusal = self._client.refusal(answer.status, _lower(answer.headers), bytes(answer.body))
        return Part(refusal=refusal, with_state=ask.with_state)


def _written(asks: Sequence[Ask]) -> bytes:
    requests = [
        _Request(str(number), ask.path, "GET", {"Prefer": ", ".join(ask.prefer)} if ask.prefer else {})
        for number, ask in enumerate(asks)
    ]
    return msgspec.json.encode({"requests": requests})


def _lower(headers: Mapping[str, str | None] | None) -> dict[str, str]:
    return dict(_lowered(headers or {}))


def _lowered(headers: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if value is not None:
            yield name.lower(), value
