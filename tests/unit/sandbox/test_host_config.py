"""host.json and the settings in bindings, as the local host reads them."""

from pathlib import Path

import pytest

from sandbox.host.config import (
    ConfigInvalid,
    HostFile,
    QueueSettings,
    read_host_file,
    resolve,
    seconds,
    with_longest_poll,
)


def test_the_apps_own_host_file_is_read() -> None:
    host = read_host_file(Path(__file__).parents[3] / "host.json")
    assert host.route_prefix == ""
    assert host.queues == QueueSettings(
        batch_size=8, new_batch_threshold=4, max_dequeue_count=5, retry_delay=180, longest_poll=5, base64=True
    )
    assert host.function_timeout == 1800


def test_queues_can_be_polled_more_often_than_the_host_file_says() -> None:
    host = HostFile(queues=QueueSettings(batch_size=8, longest_poll=5))
    assert with_longest_poll(host, 0.5).queues == QueueSettings(batch_size=8, longest_poll=0.5)
    assert with_longest_poll(host, None) is host


def test_the_host_logs_no_invocations_and_passes_on_the_apps_lines() -> None:
    levels = read_host_file(Path(__file__).parents[3] / "host.json").log_levels

    def level(category: str) -> str:
        """Of the rules that the category begins with, the longest one holds."""
        return levels[max((rule for rule in levels if category.startswith(rule)), key=len, default="default")]

    functions = ("dispatch", "dispatch_shard", "daily", "sync_mailbox", "landing")
    assert {level(f"Function.{name}.User") for name in functions} == {"Information"}
    assert [name for name in functions if level(f"Function.{name}") == "Warning"] == ["sync_mailbox"]


def test_without_a_host_file_the_real_hosts_defaults_hold(tmp_path: Path) -> None:
    assert read_host_file(tmp_path / "host.json") == HostFile()


@pytest.mark.parametrize("text", ["{", '{"version": "1.0"}', '{"version": "2.0", "functionTimeout": "5 minutes"}'])
def test_a_host_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(ConfigInvalid):
        read_host_file(tmp_path / "host.json")


@pytest.mark.parametrize(
    ("text", "expected"), [("00:00:05", 5), ("01:02:03.5", 3723.5), ("2.00:00:00", 172800), ("-1", float("inf"))]
)
def test_time_spans_are_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_settings_are_put_in_the_place_of_their_names() -> None:
    assert resolve("%A%-%B%", {"A": "sync", "B": "shards"}) == "sync-shards"


def test_a_setting_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigInvalid, match="%SYNC_SCHEDULE%"):
        resolve("%SYNC_SCHEDULE%", {})
