"""Converts ids between EWS and Graph: the same bytes in two alphabets, checked by the service's own translation.

A Graph id (restId) is the EWS id with "/" written "-" and "+" written "_". That needs no request, works when EWS is
off, and holds for folders too. Ids are case-sensitive. https://learn.microsoft.com/graph/api/user-translateexchangeids
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

import msgspec

from shared.sources.graph.transport.answers import decoded
from shared.sources.graph.transport.client import GraphClient
from shared.sources.model import SourceName

MOST = 1_000
"""Ids of one translation request."""


def graph_id(ews_id: str) -> str:
    """The Graph id of an EWS id."""
    return ews_id.replace("/", "-").replace("+", "_")


def ews_id(identifier: str) -> str:
    """The EWS id of a (default, not immutable) Graph id."""
    return identifier.replace("-", "/").replace("_", "+")


@dataclass(frozen=True, slots=True)
class Translated:
    """The service's result for one id: the other id, or a code for why there is none (a deleted item)."""

    source: str
    target: str
    error: str = ""


class _Detail(msgspec.Struct):
    code: str | None = None


class _Result(msgspec.Struct, rename="camel"):
    source_id: str
    target_id: str | None = None
    error_details: _Detail | None = None


class _Results(msgspec.Struct):
    value: list[_Result]


def translate(client: GraphClient, ids: Iterable[str], to: SourceName) -> Iterator[Translated]:
    """Ids of the other source translated by the service, 1,000 a request.

    Needs User.Read (User.Read.All for an app by itself).
    """
    source, target = ("ewsId", "restId") if to is SourceName.GRAPH else ("restId", "ewsId")
    for part in batched(ids, MOST, strict=False):
        body = msgspec.json.encode({"inputIds": part, "sourceIdType": source, "targetIdType": target})
        answer = client.post(f"{client.mailbox}/translateExchangeIds", body)
        for each in decoded(_Results, answer).value:
            error = (each.error_details.code or "unknown") if each.error_details else ""
            yield Translated(each.source_id, "" if error else each.target_id or "", error)
