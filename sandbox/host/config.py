"""The host's configuration: host.json, and the settings that bindings refer to as %NAME%."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_SETTING = re.compile(r"%([^%]+)%")


class ConfigInvalid(ValueError):
    """host.json, a setting or a binding cannot be used."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """host.json, extensions.queues, with the real host's defaults. Times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    retry_delay: float = 0.0
    longest_poll: float = 60.0
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostFile:
    """The parts of host.json that this host supports."""

    route_prefix: str = "api"
    queues: QueueSettings = QueueSettings()
    function_timeout: float = 1800.0
    log_levels: Mapping[str, str] = field(default_factory=dict)


def read_host_file(path: Path) -> HostFile:
    """Read host.json; a missing file gives the defaults. Raises ConfigInvalid."""
    try:
        text: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"version": "2.0"}
    except ValueError as problem:
        raise ConfigInvalid(f"{path.name} is not JSON: {problem}") from problem
    if text.get("version") != "2.0":
        raise ConfigInvalid(f'{path.name} needs "version": "2.0"')
    extensions = text.get("extensions", {})
    return HostFile(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
        queues=_queues(extensions.get("queues", {})),
        function_timeout=seconds(text.get("functionTimeout", "00:30:00")),
        log_levels=text.get("logging", {}).get("logLevel", {}),
    )


def with_longest_poll(host: HostFile, longest: float | None) -> HostFile:
    """The same with another longest poll, in seconds; None leaves it as it is."""
    return host if longest is None else replace(host, queues=replace(host.queues, longest_poll=longest))


def _queues(text: Mapping[str, Any]) -> QueueSettings:
    batch_size = int(text.get("batchSize", 16))
    if not 1 <= batch_size <= 32:
        raise ConfigInvalid("extensions.queues.batchSize must be from 1 to 32")
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=int(text.get("newBatchThreshold", batch_size // 2)),
        max_dequeue_count=int(text.get("maxDequeueCount", 5)),
        retry_delay=seconds(text.get("visibilityTimeout", "00:00:00")),
        longest_poll=seconds(text.get("maxPollingInterval", "00:01:00")),
        base64=text.get("messageEncoding", "base64") == "base64",
    )


def seconds(text: str) -> float:
    """A .NET time span, [days.]hh:mm:ss[.fraction], in seconds; "-1" means unlimited."""
    if text == "-1":
        return float("inf")
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)", text)
    if not match:
        raise ConfigInvalid(f"{text!r} is not a time span such as 00:05:00")
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace each %NAME% with its setting. Raises ConfigInvalid, which names a setting that is not set."""

    def value(match: re.Match[str]) -> str:
        if not settings.get(match[1]):
            raise ConfigInvalid(f"'%{match[1]}%' does not resolve to a value")
        return settings[match[1]]

    return _SETTING.sub(value, text)
