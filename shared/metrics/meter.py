"""The recorder on OpenTelemetry's SDK, which adds the values up and hands the sums to an exporter once a minute."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from shared.metrics.instruments import ALL
from shared.metrics.recording import Counter, Histogram, Instrument
from shared.version import VERSION

EXPORT_MILLISECONDS = 60_000.0
SERVICE = "mailbox-sync"


class MeterRecorder:
    """Implements Recorder. The provider flushes what is left when the process ends."""

    def __init__(self, reader: MetricReader) -> None:
        self.provider = MeterProvider(
            [reader],
            Resource({"service.name": SERVICE, "service.version": VERSION}),
            exemplar_filter=AlwaysOffExemplarFilter(),
        )
        meter = self.provider.get_meter(SERVICE, VERSION)
        self._record: dict[Instrument, Any] = {}
        for one in ALL:
            if isinstance(one, Counter):
                self._record[one] = meter.create_counter(one.name, one.unit, one.purpose).add
            elif isinstance(one, Histogram):
                self._record[one] = meter.create_histogram(
                    one.name, one.unit, one.purpose, explicit_bucket_boundaries_advisory=one.bounds
                ).record

    def record(self, instrument: Instrument, value: float, attributes: Mapping[str, str]) -> None:
        """Pass the value to the SDK's instrument."""
        self._record[instrument](value, attributes)
