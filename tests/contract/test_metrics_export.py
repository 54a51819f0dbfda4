"""Metrics as Application Insights receives them: real requests over TLS to a server on this machine."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from sandbox.tls.authority import Authority
from shared.app import App
from shared.metrics import recording
from shared.metrics.application_insights import ApplicationInsightsExporter, Target, open_recorder, target_of
from shared.metrics.instruments import PASSES, QUEUE_AGE
from shared.metrics.meter import MeterRecorder
from shared.version import VERSION
from tests.contract.rogue_server import RESET, RogueServer, http, rogue_server

KEY = "00000000-0000-0000-0000-000000000000"
ACCEPTED = http(b'{"itemsReceived":1,"itemsAccepted":1,"errors":[]}', content_type="application/json")
MANY_SECONDS = 1e6


class Identity:
    """A credential that notes what it was asked for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("a-token", 0)


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[RogueServer]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
    with rogue_server(authority) as server:
        server.answers(ACCEPTED)
        yield server


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def recorder(server: RogueServer, identity: Identity) -> Iterator[MeterRecorder]:
    """A recorder that sends when it is told to."""
    exporter = ApplicationInsightsExporter(target_of(connection_string(server)), identity)
    recorder = MeterRecorder(PeriodicExportingMetricReader(exporter, MANY_SECONDS))
    recording.configure(lambda: recorder)
    yield recorder
    recording.configure(None)
    recorder.provider.shutdown()


def connection_string(server: RogueServer) -> str:
    return f"InstrumentationKey={KEY};IngestionEndpoint={server.url.rpartition('/EWS')[0]}/;ApplicationId=x"


def sent(request: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head, json.loads(body)


def figures(request: bytes) -> list[tuple[str, float]]:
    measured = [envelope["data"]["baseData"]["metrics"][0] for envelope in sent(request)[1]]
    return [(one["name"].removeprefix("mailbox_sync."), one["value"]) for one in measured]


def test_envelopes_are_those_that_microsofts_exporter_sends(server: RogueServer, recorder: MeterRecorder) -> None:
    """Compared with azure-monitor-opentelemetry-exporter 1.0.0b58, whose tags tell more of the machine."""
    PASSES.add(3, outcome="done", source="ews", kind="pass")
    QUEUE_AGE.record(4.5, queue="jobs")
    QUEUE_AGE.record(1, queue="jobs")
    recorder.provider.force_flush()

    head, envelopes = sent(server.requests[0])
    assert head.startswith(b"POST /v2.1/track HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    times = [envelope.pop("time") for envelope in envelopes]
    assert all(len(time) == 20 and time.endswith("Z") for time in times)
    common = {
        "name": "Microsoft.ApplicationInsights.Metric",
        "iKey": KEY,
        "tags": {"ai.cloud.role": "mailbox-sync", "ai.application.ver": VERSION},
    }
    counter = {"name": "mailbox_sync.passes", "value": 3, "count": 1}
    histogram = {"name": "mailbox_sync.queue_age", "value": 5.5, "count": 2, "min": 1, "max": 4.5}
    assert [envelope.pop("data") for envelope in envelopes] == [
        {
            "baseType": "MetricData",
            "baseData": {
                "ver": 2,
                "metrics": [counter],
                "properties": {"outcome": "done", "source": "ews", "kind": "pass"},
            },
        },
        {"baseType": "MetricData", "baseData": {"ver": 2, "metrics": [histogram], "properties": {"queue": "jobs"}}},
    ]
    assert envelopes == [common, common]


def test_app_proves_itself_with_its_identity(server: RogueServer, recorder: MeterRecorder, identity: Identity) -> None:
    PASSES.add(outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    assert b"Authorization: Bearer a-token" in server.requests[0]
    assert identity.scopes == ["https://monitor.azure.com//.default"]


def test_each_export_has_what_was_added_since_the_last(server: RogueServer, recorder: MeterRecorder) -> None:
    PASSES.add(2, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    PASSES.add(5, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    recorder.provider.force_flush()
    assert [figures(request) for request in server.requests] == [[("passes", 2)], [("passes", 5)]]


@pytest.mark.parametrize("fault", [http(b"", 503), http(b"", 429), RESET], ids=["unavailable", "throttled", "reset"])
def test_figures_that_cannot_be_sent_are_sent_with_the_next(
    server: RogueServer, recorder: MeterRecorder, fault: bytes
) -> None:
    server.answers(fault, ACCEPTED)
    PASSES.add(2, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    PASSES.add(5, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    assert figures(server.requests[-1]) == [("passes", 2), ("passes", 5)]


def test_figures_that_are_refused_are_not_sent_again(
    server: RogueServer, recorder: MeterRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(http(b"a secret", 400), ACCEPTED)
    PASSES.add(2, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    PASSES.add(5, outcome="done", source="ews", kind="pass")
    recorder.provider.force_flush()
    assert figures(server.requests[-1]) == [("passes", 5)]
    assert [record.msg for record in caplog.records] == ["metrics not accepted"]


def test_last_figures_are_sent_when_the_process_ends(server: RogueServer) -> None:
    recorder = open_recorder(connection_string(server), None)
    recording.configure(lambda: recorder)
    PASSES.add(outcome="done", source="ews", kind="pass")
    recording.configure(None)
    recorder.provider.shutdown()
    assert [figures(request) for request in server.requests] == [[("passes", 1)]]
    assert b"Authorization" not in server.requests[0]


def test_app_sends_with_its_managed_identity_to_what_its_settings_name(
    server: RogueServer, azure_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", "https://mailbox-sync.example")
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", connection_string(server))
    recorder = App().open_metrics()
    assert isinstance(recorder, MeterRecorder)
    recording.configure(lambda: recorder)
    PASSES.add(outcome="done", source="ews", kind="pass")
    recording.configure(None)
    recorder.provider.shutdown()
    assert figures(server.requests[0]) == [("passes", 1)]
    assert b"\r\nAuthorization: Bearer " in server.requests[0]


def test_app_without_a_target_sends_nothing(
    azure_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", "https://mailbox-sync.example")
    assert App().open_metrics() is None


def test_national_cloud_has_an_audience_of_its_own() -> None:
    found = target_of(
        f"InstrumentationKey={KEY};IngestionEndpoint=https://x.example;AADAudience=https://monitor.azure.us/"
    )
    assert found == Target(KEY, "https://x.example", "https://monitor.azure.us/")
    assert found.scope == "https://monitor.azure.us//.default"


@pytest.mark.parametrize("text", ["", "InstrumentationKey=secret", f"InstrumentationKey={KEY}", "x"])
def test_connection_string_that_names_nothing_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not valid") as raised:
        target_of(text)
    assert "secret" not in str(raised.value)
