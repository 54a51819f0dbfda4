"""The command line's newer commands: content, audit, JSON, following the feed, tables, Parquet, Ctrl-C."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet
import pytest

from shared.cli import main as cli
from shared.cli.terminal import show_table
from shared.mailboxes.groups.model import GroupSettings
from shared.replica.port import FeedChange, FeedKind, ReplicaItem, item_key
from shared.replica.reading.reader import BlobTableReader
from shared.sources.model import Content, ItemKind
from tests.unit.replica.cli_app import ID, MESSAGE, CliApp, files_below
from tests.unit.replica.samples import an_item, commit, created, cursor_with, folder

STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""What rich writes for a bold heading."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def app() -> CliApp:
    app = CliApp()
    event = an_item("E", kind=ItemKind.EVENT, subject="[red]Lunch[/red]", at=None)
    sender = {"from": {"name": "Bo", "address": "bo@x.example"}, "to": [{"address": "ann@contoso.example"}]}
    commit(
        app.replica,
        ID,
        created("A", MESSAGE, metadata=sender),
        FeedChange(FeedKind.CREATE, event, Content("ics", b"BEGIN:VCALENDAR")),
        created("N", b"", subject="no content"),
        after=cursor_with(folder("inbox")),
    )
    return app


def lines_of(app: CliApp, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in app.run(*arguments).splitlines()]


def test_content_is_written_as_it_is_stored(app: CliApp) -> None:
    assert app.run("content", "--mailbox", ID, item_key("A")).encode() == MESSAGE


def test_audit_trail_is_listed_newest_first(app: CliApp) -> None:
    app.registry.record_audit(ID, "op-1", "pause")
    app.registry.record_audit(ID, "op-2", "start")
    assert [line.split()[-2:] for line in app.run("audit", "--mailbox", ID).splitlines()] == [
        ["op-2", "start"],
        ["op-1", "pause"],
    ]
    assert [line["act"] for line in lines_of(app, "audit", "--mailbox", ID, "--json", "--limit", "1")] == ["start"]


def test_mailboxes_and_issues_are_given_as_json(app: CliApp) -> None:
    (mailbox,) = lines_of(app, "mailboxes", "--json")
    assert (mailbox["id"], mailbox["items"]) == (ID, 3)
    assert "address" not in mailbox
    (named,) = lines_of(app, "mailboxes", "--json", "--addresses")
    assert named["address"] == "ann@contoso.example"
    (issue,) = lines_of(app, "issues", "--mailbox", ID, "--json")
    assert (issue["reason"], issue["folder"], issue["tries"]) == ("item_corrupt", "Inbox", 2)


def test_feed_is_followed_until_interrupted(app: CliApp) -> None:
    out, waited = io.StringIO(), []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise KeyboardInterrupt
        commit(app.replica, ID, created(f"new{len(waited)}", MESSAGE))

    assert cli.run(["feed", "--mailbox", ID, "--after", "1", "--follow", "--json"], app, out, wait=wait) == 0
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["item"]["key"] for line in found] == [item_key("new1"), item_key("new2")]
    assert [line["sequence"] for line in found] == [2, 3]


def test_table_on_a_terminal_has_headings_and_takes_no_markup(app: CliApp) -> None:
    out = Terminal()
    assert cli.run(["list", "--mailbox", ID], app, out) == 0
    heading, *rows = STYLE.sub("", out.getvalue()).splitlines()
    assert heading.split() == ["key", "date", "kind", "folder", "subject"]
    assert {row.split()[0] for row in rows} == {item_key(source) for source in "AEN"}
    shown = Terminal()
    show_table(shown, ("subject",), [("[red]Lunch[/red]",), ("\x1b[31mHi",)])
    assert "[red]Lunch[/red]" in shown.getvalue()
    assert "\x1b[31m" not in shown.getvalue()


def test_interrupted_export_is_continued_by_the_same_command(tmp_path: Path) -> None:
    class Interrupted(BlobTableReader):
        """Somebody presses Ctrl-C before the second content, once."""

        asked = 0

        def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
            for found in super().contents(mailbox_id, items):
                self.asked += 1
                if self.asked == 2:
                    raise KeyboardInterrupt
                yield found

    app = CliApp(Interrupted)
    commit(app.replica, ID, *(created(each, MESSAGE) for each in "ABC"), after=cursor_with(folder("inbox")))
    arguments = ["export", "--mailbox", ID, str(tmp_path)]
    assert cli.run(arguments, app, io.StringIO()) == cli.INTERRUPTED
    assert len(files_below(tmp_path)) == 1
    assert app.run(*arguments).startswith("2 written, 1 were there already")


def test_metadata_is_exported_as_one_parquet_file(app: CliApp, tmp_path: Path) -> None:
    arguments = ["export", "--mailbox", ID, "--format", "parquet", str(tmp_path)]
    assert app.run(*arguments) == "3 written, 0 were there already, 1 without content, 0 damaged\n"
    (path,) = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o077) == (f"{ID}.parquet", 0)
    rows = {row["key"]: row for row in pyarrow.parquet.read_table(path).to_pylist()}
    message = rows[item_key("A")]
    assert (message["folder"], message["from_address"], message["to"]) == (
        "Inbox", "bo@x.example", ["ann@contoso.example"],
    )  # fmt: skip
    assert message["content_bytes"] == len(MESSAGE)
    assert json.loads(message["metadata"])["from"]["name"] == "Bo"
    assert rows[item_key("E")]["at"] is None
    assert rows[item_key("N")]["content_form"] is None
    assert app.run(*arguments).startswith("0 written, 1 were there already")
    assert [act for _, _, act in app.one.audit] == ["export", "export"]


def test_interrupted_parquet_export_leaves_no_file(tmp_path: Path) -> None:
    class Interrupted(BlobTableReader):
        """Somebody presses Ctrl-C while items are listed."""

        def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
            yield from super().every_item(mailbox_id, left=left)
            raise KeyboardInterrupt

    app = CliApp(Interrupted)
    commit(app.replica, ID, created("A", MESSAGE), after=cursor_with(folder("inbox")))
    arguments = ["export", "--mailbox", ID, "--format", "parquet", str(tmp_path)]
    assert cli.run(arguments, app, io.StringIO()) == cli.INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_without_the_optional_packages_lists_are_plain_and_parquet_says_what_to_install() -> None:
    """In a process of its own, where rich and pyarrow cannot be imported."""
    code = (
        "import io, sys\n"
        "sys.modules['rich'] = sys.modules['pyarrow'] = None\n"
        "from shared.cli.terminal import ProgressLine, show_table\n"
        "from shared.replica.maintenance import parquet\n"
        "class Terminal(io.StringIO):\n"
        "    isatty = lambda self: True\n"
        "out = Terminal()\n"
        "show_table(out, ('a', 'b'), [('1', '2')])\n"
        "line = ProgressLine(out, 2)\n"
        "line.add(1)\n"
        "line.end()\n"
        "print(out.getvalue())\n"
        "try:\n"
        "    parquet.require()\n"
        "except parquet.PyarrowMissing as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("1  2\n")
    assert "1 of about 2 items (50 %)" in done.stdout
    assert "pip install pyarrow" in done.stdout


def test_hold_is_set_shown_and_lifted(app: CliApp, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run("hold", "--mailbox", ID) == "not on hold\n"
    assert app.run("hold", "--mailbox", ID, "--reason", "Matter 7").endswith("by operator: Matter 7\n")
    assert "on hold" in app.run("mailboxes")
    (mailbox,) = lines_of(app, "mailboxes", "--json")
    assert mailbox["hold_since"]
    assert "Matter 7" not in json.dumps(mailbox)
    assert cli.run(["hold", "--mailbox", ID, "--reason", "two\nlines"], app, io.StringIO()) == 1
    assert cli.run(["hold", "--mailbox", ID, "--reason", "Matter 8", "--lift"], app, io.StringIO()) == 2
    assert app.run("hold", "--mailbox", ID, "--lift") == "lifted\n"
    assert app.run("hold", "--mailbox", ID) == "not on hold\n"
    assert [act for _, _, act in app.one.audit] == ["hold", "lift_hold"]


def test_groups_are_listed_and_a_mailbox_is_put_into_one(app: CliApp, capsys: pytest.CaptureFixture[str]) -> None:
    settings = GroupSettings(folders_out=("junkemail", "Private"), private_items=False)
    app.group_commands.put("legal", "Matter 7", settings, "op")
    assert app.run("groups") == "default\nlegal  Matter 7  folders_out=junkemail, Private; private_items=false\n"
    own = {"folders_out": ["junkemail", "Private"], "private_items": False}
    assert [line["settings"] for line in lines_of(app, "groups", "--json")] == [{}, own]
    assert app.run("group", "--mailbox", ID) == "default\n"
    assert app.run("group", "--mailbox", ID, "--set", "legal") == "legal\n"
    assert cli.run(["group", "--mailbox", ID, "--set", "none"], app, io.StringIO()) == 1
    assert "make it first" in capsys.readouterr().err
    assert app.run("group", "--mailbox", ID, "--set", "default") == "default\n"
    assert [act for _, _, act in app.one.audit] == ["put_group", "set_group", "set_group"]
