"""Faults on request: which requests fail, and how. The control port adds rules, and a middleware applies them.

A rule: {"service": "exchange", "match": {"method": "POST", "path": "regex", "operation": "GetItem"},
"skip": 2, "times": 1, "fault": {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}}}.
See sandbox/README.md for every kind.
"""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.faults.fault_handlers import KINDS, Handler, play

SERVICES = ("entra", "exchange", "graph", "key_vault", "blob", "queue", "table", "identity", "mail")
OperationOf = Callable[[web.Request], Awaitable[str]]


@dataclass(slots=True)
class Rule:
    """One rule, with how often it has matched and struck. `times` None: forever."""

    id: str
    service: str
    fault: Mapping[str, Any]
    method: str = ""
    path: re.Pattern[str] | None = None
    operation: re.Pattern[str] | None = None
    skip: int = 0
    times: int | None = 1
    matched: int = 0
    hits: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the rule is removed; requests that it delays go on then."""

    def matches(self, method: str, path: str, operation: str) -> bool:
        """Whether a request matches the rule."""
        return (
            self.method in ("", method)
            and (self.path is None or bool(self.path.search(path)))
            and (self.operation is None or bool(self.operation.fullmatch(operation)))
        )

    def strikes(self) -> bool:
        """Count a match; returns whether the fault strikes this request."""
        self.matched += 1
        if self.matched <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The rule as the control port returns it."""
        return {
            "id": self.id,
            "service": self.service,
            "fault": dict(self.fault),
            "matched": self.matched,
            "hits": self.hits,
        }


@dataclass(slots=True)
class FaultPlan:
    """All rules, in the order they were added, and how many requests each service had."""

    rules: list[Rule] = field(default_factory=list)
    requests: dict[str, Counter[str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, given: Mapping[str, Any]) -> Rule:
        """Add a rule. Raises ValueError when the rule is invalid."""
        match, fault = given.get("match") or {}, given.get("fault") or {}
        if unknown := set(given) - {"service", "match", "skip", "times", "fault"}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if given.get("service") not in SERVICES:
            raise ValueError(f"service must be one of {', '.join(SERVICES)}")
        if unknown := set(match) - {"method", "path", "operation"}:
            raise ValueError(f"unknown in match: {', '.join(sorted(unknown))}")
        if fault.get("kind") not in KINDS:
            raise ValueError(f"fault.kind must be one of {', '.join(KINDS)}")
        rule = Rule(
            id=str(next(self._numbers)),
            service=given["service"],
            fault=fault,
            method=match.get("method", ""),
            path=re.compile(match["path"]) if "path" in match else None,
            operation=re.compile(match["operation"]) if "operation" in match else None,
            skip=int(given.get("skip", 0)),
            times=None if given.get("times", 1) is None else int(given.get("times", 1)),
        )
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: str = "") -> None:
        """Remove one rule, or all of them."""
        for rule in self.rules:
            if rule_id in ("", rule.id):
                rule.removed.set()
        self.rules = [rule for rule in self.rules if not rule.removed.is_set()]

    def count(self, service: str, operation: str) -> None:
        """Count a request to a service."""
        self.requests.setdefault(service, Counter())[operation] += 1

    def strike(self, service: str, method: str, path: str, operation: str) -> Rule | None:
        """The first rule that strikes this request, or None."""
        for rule in self.rules:
            if rule.service == service and rule.matches(method, path, operation) and rule.strikes():
                return rule
        return None

    def guard(self, service: str, application: web.Application, operation_of: OperationOf) -> web.Application:
        """Put this plan in front of a service."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            operation = await operation_of(request)
            self.count(service, operation)
            rule = self.strike(service, request.method, request.raw_path, operation)
            if rule is None:
                return await handler(request)
            return await play(rule.fault, request, handler, operation, rule.removed)

        application.middlewares.insert(0, guard)
        return application
