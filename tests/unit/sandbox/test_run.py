"""What make run and make demo show and decide, without starting anything."""

import inspect
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox import cli, run
from sandbox.cli import environment_of
from sandbox.local.form_browser import Page
from sandbox.local.local_stack import MESSAGE_LEASE
from sandbox.local.progress_board import Board, board, progress_of, status_of
from sandbox.options import parse
from sandbox.run import schedule_settings
from sandbox.state_folder import STORAGE, AlreadyRunning, claimed, is_claimed
from shared.mailboxes.blob import BlobLeases
from shared.mailboxes.model import Mailbox, Status
from shared.scheduling.ncrontab import ScheduleInvalid
from shared.sources.model import AccessMode

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def mailbox(**more: Any) -> Mailbox:
    usual: dict[str, Any] = {"id": "box", "shard": 1, "tenant_id": "t", "owner_id": "o", "address": "a@b.example"}
    usual |= {"display_name": "Alex", "authorization_id": "x", "mode": AccessMode.DELEGATED, "created_at": NOW}
    return Mailbox(**usual | more)


@pytest.mark.parametrize("expression", ["0 * * * * *", "*/10 * * * * *"])
def test_another_schedule_is_a_setting(expression: str) -> None:
    assert schedule_settings(expression) == {"SYNC_SCHEDULE": expression}


def test_without_a_schedule_nothing_is_changed() -> None:
    assert schedule_settings(None) == {}


def test_a_schedule_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ScheduleInvalid):
        schedule_settings("every minute")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0, 1)),
        ({"items": 10, "in_scope": 40}, (10, 40)),
        ({"items": 41, "in_scope": 40}, (41, 41)),
        ({"items": 39, "in_scope": 40, "first_sync_done": True}, (39, 39)),
    ],
)
def test_the_bar_is_full_once_the_first_sync_is_done(given: dict[str, Any], expected: tuple[int, int]) -> None:
    assert progress_of(mailbox(**given)) == expected


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({}, "waiting for its first sync"),
        ({"syncing_since": NOW}, "syncing since"),
        ({"last_success_at": NOW}, "synced at"),
        ({"status": Status.NEEDS_SIGN_IN, "reason": "grant_revoked"}, "needs_sign_in (grant_revoked)"),
    ],
)
def test_a_status_is_told_in_words(given: dict[str, Any], begins: str) -> None:
    assert status_of(mailbox(**given))[0].startswith(begins)


def test_a_mailbox_that_is_gone_leaves_the_board() -> None:
    progress = board()
    lines = Board(progress)
    lines.show([mailbox(), mailbox(id="other")])
    lines.show([mailbox(items=3)])
    assert [task.fields["count"] for task in progress.tasks] == ["3 items"]


def test_a_page_is_read_as_a_browser_without_script_reads_it() -> None:
    page = Page(
        """<h1>Sign  in</h1><a href="/sign-in">Go</a>
        <form method="POST" action="/next"><input name="a" value="1"><input type="password" name="p">
        <input type="checkbox" name="c"><button name="answer" value="yes">Accept <b>it</b></button></form>"""
    )
    (form,) = page.forms
    assert (page.heading, page.links) == ("Sign in", [("/sign-in", "Go")])
    assert (form.action, form.method, form.fields) == ("/next", "post", {"a": "1", "p": ""})
    assert form.buttons == [("answer", "yes", "Accept it")]


def test_the_command_line_finds_the_app_of_a_sandbox_under_way(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(
        json.dumps({"app_environment": {"KEY_VAULT_URL": "https://vault.example"}})
    )
    assert environment_of(tmp_path)["KEY_VAULT_URL"] == "https://vault.example"


def test_the_command_line_says_when_no_sandbox_is_under_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--state", str(tmp_path), "mailboxes"]) == 1
    assert "start one with make run" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--mbox", "--maildir"])
def test_mail_that_is_not_there_is_refused_before_anything_starts(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse([option, str(tmp_path / "nothing")])
    assert f"{option}: " in capsys.readouterr().err


def test_the_command_line_explains_itself_without_a_sandbox_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["sandbox.cli"])
    with pytest.raises(SystemExit) as ended:
        cli.main(["--state", str(tmp_path), "--help"])
    assert ended.value.code == 0
    assert "export" in capsys.readouterr().out


def test_a_second_sandbox_in_a_folder_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    """U5."""
    state = tmp_path / "state"
    with claimed(state):
        kept = state / STORAGE / "mail"
        kept.parent.mkdir()
        kept.write_text("mail")
        with pytest.raises(AlreadyRunning, match="already running"), claimed(state):
            pass
        assert kept.read_text() == "mail"
        assert is_claimed(state)
    assert not is_claimed(state)


def test_the_state_folder_is_its_owners_and_keeps_no_mail(tmp_path: Path) -> None:
    """U3."""
    state = tmp_path / "state"
    (state / STORAGE).mkdir(parents=True, mode=0o755)
    (state / STORAGE / "left-by-a-killed-run").write_text("mail")
    with claimed(state):
        assert state.stat().st_mode & 0o777 == 0o700
        assert not (state / STORAGE).exists()
        (state / STORAGE).mkdir()
    assert not (state / STORAGE).exists()


def test_make_run_says_that_it_runs_already(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """U5."""
    with claimed(tmp_path):
        assert run.main(["--state", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "already running" in shown.replace("\n", " ")
    assert "make run ARGS='--state .sandbox-2'" in shown, "a command that is broken across lines cannot be copied"
    assert not is_claimed(tmp_path / "never-used")


def test_the_message_of_a_killed_pass_comes_after_its_lease_has_ended() -> None:
    """A message that finds the mailbox leased ends, and the first sync waited for the next dispatch."""
    assert inspect.signature(BlobLeases.acquire).parameters["seconds"].default < MESSAGE_LEASE


@pytest.mark.parametrize("given", ["-5", "many"])
def test_a_count_of_messages_is_a_whole_number(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """U13."""
    with pytest.raises(SystemExit):
        parse([f"--messages={given}"])
    assert "whole number" in capsys.readouterr().err
