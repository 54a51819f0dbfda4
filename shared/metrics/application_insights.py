"""Sends metrics to Application Insights: an exporter for OpenTelemetry's SDK that needs nothing but HTTPS and JSON.

Microsoft's own exporter is not used. In a new process it costs three times the SDK's import, loads 480 more modules,
and reports its own use to Microsoft. The service's protocol is one request with a list of envelopes:
https://github.com/microsoft/ApplicationInsights-Home/blob/master/EndpointSpecs/ENDPOINT-PROTOCOL.md
"""

import logging
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)

from shared.errors import MailboxSyncError
from shared.machine_settings import machine_settings
from shared.metrics.meter import EXPORT_MILLISECONDS, SERVICE, MeterRecorder
from shared.sources.https_pool import HttpsPool, RequestLimits, TransportFailed
from shared.storage.azure_errors import translate_errors
from shared.version import VERSION

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

PUBLIC_AUDIENCE = "https://monitor.azure.com/"
PATH = "/v2.1/track"
BATCHES_KEPT = 10
"""How many minutes of figures are kept in memory while the service cannot be reached."""
TRY_LATER = frozenset({408, 429, 439, 500, 502, 503, 504})
"""HTTP statuses after which the same figures are sent again with the next ones."""
LIMITS = RequestLimits(connect=5.0, silence=10.0, total=20.0, answer_bytes=1 << 20)

_log = logging.getLogger(__name__)
_key = re.compile(r"[0-9a-fA-F-]{36}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where metrics go: the resource's key (an id, not a secret), the endpoint, and the audience of its tokens."""

    key: str
    endpoint: str
    audience: str

    @property
    def scope(self) -> str:
        """The scope to request a token with. The double slash of the public cloud's scope is meant."""
        return f"{self.audience}/.default"


def target_of(connection_string: str) -> Target:
    """Read a connection string. Raises ValueError, without its text, for one that names no resource or no endpoint."""
    pairs = (pair.partition("=") for pair in connection_string.split(";"))
    found = {name.strip().lower(): value.strip() for name, _, value in pairs}
    key, endpoint = found.get("instrumentationkey", ""), found.get("ingestionendpoint", "").rstrip("/")
    if not _key.fullmatch(key) or not endpoint.startswith("https://"):
        raise ValueError("the connection string of Application Insights is not valid")
    return Target(key, endpoint, found.get("aadaudience") or PUBLIC_AUDIENCE)


def open_recorder(connection_string: str, credential: "TokenCredential | None") -> MeterRecorder:
    """Return a recorder that sends its sums every minute, from a thread of its own. Raises ValueError."""
    exporter = ApplicationInsightsExporter(target_of(connection_string), credential)
    return MeterRecorder(PeriodicExportingMetricReader(exporter, EXPORT_MILLISECONDS))


class ApplicationInsightsExporter(MetricExporter):
    """Sends each minute's sums. What cannot be sent now is sent with the next sums, for ten minutes."""

    def __init__(self, target: Target, credential: "TokenCredential | None") -> None:
        super().__init__({Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA})
        self._target = target
        self._credential = credential
        self._waiting: deque[list[dict[str, Any]]] = deque(maxlen=BATCHES_KEPT)
        self._lock = threading.Lock()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Send these sums and those that wait. Never raises: the SDK would log the error's text."""
        with self._lock:
            if batch := list(envelopes(metrics_data, self._target.key)):
                self._waiting.append(batch)
            if not self._waiting:
                return MetricExportResult.SUCCESS
            try:
                status = self._post([envelope for waiting in self._waiting for envelope in waiting])
            except (MailboxSyncError, TransportFailed, OSError) as error:
                _log.warning("metrics not sent", exc_info=error)
                return MetricExportResult.FAILURE
            if status not in TRY_LATER:
                self._waiting.clear()
        if status != 200:
            _log.warning("metrics not accepted", extra={"status": status})
        return MetricExportResult.SUCCESS if status == 200 else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is buffered but what could not be sent."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Do nothing: every connection is closed after its request."""

    def _post(self, batch: list[dict[str, Any]]) -> int:
        """Send one request over a connection of its own; return the status."""
        pool = HttpsPool(self._target.endpoint, LIMITS, 1, machine_settings(self._target.endpoint))
        try:
            return pool.send("POST", PATH, self._headers(), msgspec.json.encode(batch)).status
        finally:
            pool.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._credential is not None:
            with translate_errors():
                headers["Authorization"] = f"Bearer {self._credential.get_token(self._target.scope).token}"
        return headers


def envelopes(data: MetricsData, key: str) -> Iterator[dict[str, Any]]:
    """Return an envelope for each point. A counter's point has its sum as the value of one measurement."""
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    yield _envelope(metric.name, point, key)


def _envelope(name: str, point: Any, key: str) -> dict[str, Any]:
    properties: Mapping[str, Any] = point.attributes or {}
    return {
        "name": "Microsoft.ApplicationInsights.Metric",
        "time": f"{datetime.fromtimestamp(point.time_unix_nano // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "iKey": key,
        "tags": {"ai.cloud.role": SERVICE, "ai.application.ver": VERSION},
        "data": {
            "baseType": "MetricData",
            "baseData": {"ver": 2, "metrics": [{"name": name} | _measurement(point)], "properties": dict(properties)},
        },
    }


def _measurement(point: Any) -> dict[str, float]:
    if isinstance(point, HistogramDataPoint):
        return {"value": point.sum, "count": point.count, "min": point.min, "max": point.max}
    return {"value": point.value, "count": 1}
