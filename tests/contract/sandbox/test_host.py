"""The local host with a small app: what a function receives and returns, over real HTTPS and a real queue."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from sandbox.host.process import HostFailed, RunningHost, running_host, start_host
from sandbox.tls.authority import Authority
from tests.waiting import eventually

APP = Path(__file__).parent / "sample_app"
QUEUE = "host-contract"


@pytest.fixture(scope="module")
def queues(azurite: Any, azure_environment: Mapping[str, str]) -> Iterator[QueueServiceClient]:
    with QueueServiceClient(azurite.queue, credential=DefaultAzureCredential()) as service:
        yield service


@pytest.fixture(scope="module")
def queue(queues: QueueServiceClient) -> QueueClient:
    queues.create_queue(QUEUE)
    return queues.get_queue_client(QUEUE, message_encode_policy=TextBase64EncodePolicy())


@pytest.fixture(scope="module")
def settings(azurite: Any, azure_environment: Mapping[str, str]) -> dict[str, str]:
    return dict(azure_environment) | {
        "SampleStorage__queueServiceUri": azurite.queue,
        "SAMPLE_QUEUE": QUEUE,
        "SAMPLE_SCHEDULE": "0 0 0 1 1 *",
        "PYTHON_THREADPOOL_THREAD_COUNT": "4",
    }


def tls(authority: Authority) -> tuple[str, ...]:
    return ("--port", "0", "--certificate", str(authority.certificate), "--key", str(authority.key))


@pytest.fixture(scope="module")
def host(settings: dict[str, str], authority: Authority, queue: QueueClient) -> Iterator[RunningHost]:
    with running_host(APP, settings, authority.ca, *tls(authority), "--lease", "30") as running:
        yield running


@pytest.fixture
def web(host: RunningHost) -> Iterator[Callable[..., requests.Response]]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(host.ca)

        def ask(method: str, path: str, **more: Any) -> requests.Response:
            return session.request(method, host.url + path, timeout=300, allow_redirects=False, **more)

        yield ask


def said(host: RunningHost, part: str) -> list[dict[str, Any]]:
    return [line for line in host.log() if part in line["message"]]


def test_the_root_is_served(web: Callable[..., requests.Response]) -> None:
    answer = web("GET", "/")
    assert (answer.status_code, answer.text) == (200, "root")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_function_sees_the_request_as_it_was_sent(web: Callable[..., requests.Response], host: RunningHost) -> None:
    answer = web("GET", "/Echo/a%20b/c/d?x=1&x=2&empty=&y=%C3%BC", headers={"Cookie": "s=1; t=2", "X-Own": "Yes"})
    seen = answer.json()
    assert answer.headers["X-Seen"] == "yes"
    assert seen["params"] == {"name": "a b", "rest": "c/d"}
    assert seen["query"] == {"x": "1,2", "y": "ü"}
    assert (seen["headers"]["cookie"], seen["headers"]["x-own"]) == ("s=1; t=2", "Yes")
    assert seen["headers"]["x-forwarded-for"].startswith("127.0.0.1:")
    assert seen["url"].startswith(host.url + "/Echo/a%20b/c/d?")


def test_a_posted_form_and_raw_bytes_arrive_whole(web: Callable[..., requests.Response]) -> None:
    assert web("POST", "/echo/a/", data={"k": "v w"}).json()["form"] == {"k": "v w"}
    assert web("POST", "/echo/a/", data=b"\x00\xff\x80").json()["body"] == "00ff80"


def test_bytes_leave_whole(web: Callable[..., requests.Response]) -> None:
    assert web("GET", "/bytes").content == bytes(range(256))


def test_cookies_and_redirects_reach_the_browser_as_azure_writes_them(web: Callable[..., requests.Response]) -> None:
    answer = web("GET", "/cookies")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/elsewhere")
    assert answer.raw.headers.getlist("Set-Cookie") == [
        "__Host-a=x%253Dy; max-age=60; path=/; secure; samesite=none; httponly",
        "b=2; path=/; samesite=lax",
    ]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/unknown"), ("PUT", "/echo/a/"), ("POST", "/"), ("GET", "/tick")]
)
def test_what_no_route_takes_is_not_found(web: Callable[..., requests.Response], method: str, path: str) -> None:
    assert web(method, path).status_code == 404


@pytest.mark.parametrize("path", ["/breaks", "/sleeps"])
def test_a_failure_inside_is_answered_without_details(web: Callable[..., requests.Response], path: str) -> None:
    answer = web("GET", path)
    assert (answer.status_code, answer.content) == (500, b"")


def test_an_apps_log_line_carries_its_function_and_invocation(
    web: Callable[..., requests.Response], host: RunningHost
) -> None:
    invocation = web("GET", "/echo/a/b").json()["invocation"]
    line = eventually("the line", lambda: [line for line in said(host, "echoed") if line["invocation"] == invocation])
    assert line[0]["function"] == "echo"


def test_a_timer_is_fired_by_hand(host: RunningHost) -> None:
    host.fire("tick")
    assert eventually("the tick", lambda: said(host, "tick past_due=False"))


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/admin/functions/nobody", {"json": {"input": ""}}, 404),
        ("/admin/functions/tick", {"data": {"input": ""}}, 415),
        ("/admin/functions/tick", {"data": b"[]", "headers": {"Content-Type": "application/json"}}, 400),
    ],
)
def test_the_admin_door_refuses_what_it_does_not_know(
    web: Callable[..., requests.Response], path: str, sent: dict[str, Any], status: int
) -> None:
    assert web("POST", path, **sent).status_code == status


def test_a_message_runs_once_and_is_gone(host: RunningHost, queue: QueueClient) -> None:
    queue.send_message("grün")
    assert eventually("the message", lambda: said(host, "work grün, time 1"))
    eventually("an empty queue", lambda: not queue.get_queue_properties().approximate_message_count)
    assert len(said(host, "work grün")) == 1


def test_a_message_that_keeps_failing_ends_in_the_poison_queue(
    host: RunningHost, queue: QueueClient, queues: QueueServiceClient
) -> None:
    queue.send_message("fails")
    poison = queues.get_queue_client(f"{QUEUE}-poison")
    eventually("the second try", lambda: said(host, "work fails, time 2"))
    eventually("a poison queue", lambda: f"{QUEUE}-poison" in [known.name for known in queues.list_queues()])
    message = eventually("the message in it", poison.receive_message)
    assert message.content == "ZmFpbHM="


def test_a_missing_setting_stops_the_host_and_is_named(settings: dict[str, str], authority: Authority) -> None:
    with pytest.raises(HostFailed, match=r"(?s)'tick' function is in error: '%SAMPLE_SCHEDULE%' does not resolve"):
        start_host(APP, settings | {"SAMPLE_SCHEDULE": ""}, authority.ca, *tls(authority))


def test_timers_fire_by_themselves_and_the_host_ends_when_told(
    settings: dict[str, str], authority: Authority, queue: QueueClient, tmp_path: Path
) -> None:
    options = (*tls(authority), "--schedule", "tick=* * * * * *", "--timer-status", str(tmp_path / "timers.json"))
    host = start_host(APP, settings, authority.ca, *options)
    eventually("two ticks", lambda: len(said(host, "tick past_due=")) >= 2)
    host.stop()
    assert host.process.returncode == 0
    assert said(host, "Host is shutting down")


def test_the_host_ends_with_whoever_started_it(
    settings: dict[str, str], authority: Authority, queue: QueueClient
) -> None:
    host = start_host(APP, settings, authority.ca, *tls(authority))
    assert host.process.stdin is not None
    host.process.stdin.close()
    assert host.process.wait(20) == 0
    host.stop()
