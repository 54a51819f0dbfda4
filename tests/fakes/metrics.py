"""Reads what was recorded, through OpenTelemetry's own reader in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from shared.metrics import recording
from shared.metrics.meter import MeterRecorder
from shared.metrics.recording import Instrument


class RecordedMetrics:
    """The sums of this process since the recording began."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def points(self, instrument: Instrument) -> list[Any]:
        """The SDK's data points of one instrument."""
        data = self._reader.get_metrics_data()
        if data is None:
            return []
        metrics = [one for found in data.resource_metrics for scope in found.scope_metrics for one in scope.metrics]
        return [point for metric in metrics if metric.name == instrument.name for point in metric.data.data_points]

    def sums(self, instrument: Instrument) -> dict[tuple[str, ...], float]:
        """The sums by the values of the attributes, in the instrument's order."""
        return {
            tuple(str(point.attributes[name]) for name in instrument.attributes): (
                point.sum if isinstance(point, HistogramDataPoint) else point.value
            )
            for point in self.points(instrument)
        }


@contextmanager
def recorded_metrics() -> Iterator[RecordedMetrics]:
    """Record all metrics of this process in memory."""
    reader = InMemoryMetricReader()
    recorder = MeterRecorder(reader)
    recording.configure(lambda: recorder)
    try:
        yield RecordedMetrics(reader)
    finally:
        recording.configure(None)
        recorder.provider.shutdown()
