"""The replica from a terminal: what it prints and writes, and what it refuses to."""

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from shared.cli import main as cli
from shared.cli.terminal import show_table
from shared.mailboxes.model import Status
from shared.replica.port import FeedChange, FeedKind, FolderState, ReplicaItem, item_key
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import PACKS
from tests.unit.replica.cli_app import ID, MESSAGE, CliApp, app_with_items
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with


@pytest.fixture
def app() -> CliApp:
    return app_with_items()


def test_mailboxes_are_listed_without_addresses_unless_asked(app: CliApp) -> None:
    assert app.run("mailboxes") == f"{ID}  active  ews  3 items  complete as of not yet\n"
    assert "ann@contoso.example" in app.run("mailboxes", "--addresses")


def test_a_list_is_ordered_and_no_control_sequence_reaches_the_terminal(app: CliApp) -> None:
    lines = app.run("list", "--mailbox", ID).splitlines()
    assert lines[0].startswith(item_key("E"))
    assert len(lines) == 4
    assert "\x1b" not in app.run("list", "--mailbox", ID)


class Large(BlobTableReader):
    """Five thousand items with four kilobytes of metadata each, made when they are asked for."""

    def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
        for number in range(5_000):
            yield an_item(f"{number}", metadata={"to": f"{number:08d}" * 500})


@pytest.mark.memory
def test_a_list_holds_its_lines_and_not_what_else_is_known_of_the_items() -> None:
    app = CliApp(Large)
    tracemalloc.start()
    try:
        lines = app.run("list", "--mailbox", ID).splitlines()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(lines) == 5_000
    assert most < 10_000_000


def test_a_list_can_be_narrowed_to_a_folder_and_a_kind(app: CliApp) -> None:
    everything_below = app.run("list", "--mailbox", ID, "--folder", "inbox", "--json").splitlines()
    assert {json.loads(line)["key"] for line in everything_below} == {item_key(source) for source in "ABN"}
    events = app.run("list", "--mailbox", ID, "--kind", "event", "--json").splitlines()
    assert [json.loads(line)["content"]["form"] for line in events] == ["ics"]


def test_an_unknown_folder_item_or_mailbox_is_said_in_one_line(app: CliApp, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["list", "--mailbox", ID, "--folder", "Nowhere"],
        ["show", "--mailbox", ID, "nothing"],
        ["list", "--mailbox", "mailbox-2"],
        ["verify", "--mailbox", "mailbox-2"],
    ):
        assert cli.run(arguments, app, io.StringIO()) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit):
        cli.run(["list", "--mailbox", "../other"], app, io.StringIO())


def test_one_item_is_shown_with_its_metadata_or_as_it_is(app: CliApp) -> None:
    shown = json.loads(app.run("show", "--mailbox", ID, item_key("A")))
    assert (shown["folder"], shown["subject"], shown["metadata"]["categories"]) == (
        "Inbox",
        "../../etc/passwd",
        ["a", "ü"],
    )
    assert app.run("show", "--mailbox", ID, item_key("A"), "--content").encode() == MESSAGE


def test_a_terminal_that_lacks_a_letter_gets_the_rest(app: CliApp) -> None:
    shown = io.BytesIO()
    out = io.TextIOWrapper(shown, encoding="ascii")
    commit(app.replica, ID, created("G", b"", subject="Gr\u00fc\u00dfe"))
    assert cli.run(["list", "--mailbox", ID], app, out) == 0
    out.flush()
    assert b"Gr??e" in shown.getvalue()


def test_a_change_names_its_folder(app: CliApp) -> None:
    """U10: the path, as list gives it."""
    known = {json.loads(line)["folder"] for line in app.run("list", "--mailbox", ID, "--json").splitlines()}
    lines = [json.loads(line)["item"]["folder"] for line in app.run("feed", "--mailbox", ID, "--json").splitlines()]
    assert set(lines) & known
    assert "" not in lines


def test_the_feed_is_replayed_in_order(app: CliApp) -> None:
    commit(app.replica, ID, FeedChange(FeedKind.DELETE, app.replica.item(ID, item_key("A"))))
    lines = [json.loads(line) for line in app.run("feed", "--mailbox", ID, "--json").splitlines()]
    assert [(line["sequence"], line["change"]) for line in lines] == [(1, "create")] * 4 + [(2, "delete")]
    assert app.run("feed", "--mailbox", ID, "--after", "1").split()[:2] == ["2", "delete"]


def test_verifying_finds_a_content_that_is_gone(app: CliApp) -> None:
    assert app.run("verify", "--mailbox", ID) == (
        "4 items, 3 contents, 0 damaged or missing\nfeed against items: 0 different, 0 only in the feed\n"
    )
    located = app.replica.item(ID, item_key("A")).located
    assert located is not None
    del app.blobs.blobs[PACKS, located.pack]
    out = io.StringIO()
    assert cli.run(["verify", "--mailbox", ID], app, out) == 1
    assert "3 damaged" in out.getvalue()


@pytest.mark.parametrize(
    ("folder", "subjects"), [("Inbox", {"mine"}), ("Online Archive", {"old"}), ("online archive/inbox", {"old"})]
)
def test_folder_option_tells_online_archive_apart(folder: str, subjects: set[str]) -> None:
    app = CliApp()
    folders = cursor_with(FolderState("a", "Inbox"), FolderState("b", "Inbox", archive=True))
    mine, old = created("A", subject="mine", folder_id="a"), created("B", subject="old", folder_id="b")
    commit(app.replica, ID, mine, old, after=folders)

    told = app.run("list", "--mailbox", ID, "--folder", folder, "--json")

    assert {json.loads(line)["subject"] for line in told.splitlines()} == subjects


def test_move_is_asked_for_one_mailbox_or_all(app: CliApp) -> None:
    assert app.run("move", "--mailbox", ID, "--dry-run") == "1 mailbox\n"
    assert app.one.changed.move_dry
    assert app.run("move", "--all", "--to", "graph") == "1 mailbox\n"
    assert app.one.changed.moving_to == "graph"
    assert not app.one.changed.move_dry
    assert app.run("move", "--all", "--to", "nothing") == "1 mailbox\n"
    assert app.one.changed.moving_to is None
    assert [act for _, _, act in app.one.audit] == ["survey", "move", "cancel_move"]


def test_reset_is_asked_for_and_refused_for_a_paused_mailbox(app: CliApp) -> None:
    assert app.run("reset", "--mailbox", ID) == "read anew by the next pass\n"
    assert (app.one.changed.reset_at, app.one.audit[-1]) == (NOW, (ID, "operator", "reset"))
    assert not app.queue.mailboxes  # an operator's identity need not be able to write to the queue
    app.one.changed = app.one.changed.with_changes(status=Status.NEEDS_SIGN_IN)
    assert app.run("reset", "--mailbox", ID) == "read anew after the person has signed in\n"
    app.one.changed = app.one.changed.with_changes(status=Status.PAUSED, reset_at=None)
    assert cli.run(["reset", "--mailbox", ID], app, io.StringIO()) == 1
    assert app.one.changed.reset_at is None


def test_mailbox_that_was_never_moved_says_how_to_ask(app: CliApp, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["parity", "--mailbox", ID], app, io.StringIO()) == 1
    assert capsys.readouterr().err == "no move and no dry run was made; ask for one: move --mailbox ID --dry-run\n"
    app.run("move", "--mailbox", ID, "--dry-run")
    assert cli.run(["parity", "--mailbox", ID], app, io.StringIO()) == 1
    assert capsys.readouterr().err == "it was asked for, and no pass has made it yet\n"


def test_parity_report_is_shown(app: CliApp) -> None:
    app.replica.put_derived(ID, "parity", b'{"outcome": "moved"}')

    assert json.loads(app.run("parity", "--mailbox", ID)) == {"outcome": "moved"}


@pytest.mark.parametrize("named", [ID, "ANN@contoso.example", ID[:7]])
def test_a_mailbox_is_found_by_id_address_or_beginning(app: CliApp, named: str) -> None:
    """U13."""
    assert len(app.run("list", "--mailbox", named).splitlines()) == 4


def test_an_item_is_found_by_the_beginning_of_its_key(app: CliApp) -> None:
    """U13: of a length that a person can type; too short a one finds nothing."""
    key = item_key("A")
    assert json.loads(app.run("show", "--mailbox", ID, key[:8]))["key"] == key
    assert cli.run(["show", "--mailbox", ID, key[:3]], app, io.StringIO()) == 1


def test_a_list_can_be_narrowed(app: CliApp) -> None:
    """U13: by date, by sender, by number of lines."""
    commit(app.replica, ID, created("F", MESSAGE, metadata={"from": {"name": "Bo", "address": "bo@x.example"}}))
    everything = app.run("list", "--mailbox", ID).splitlines()
    assert app.run("list", "--mailbox", ID, "--limit", "2").splitlines() == everything[:2]
    (from_bo,) = app.run("list", "--mailbox", ID, "--from", "BO@").splitlines()
    assert from_bo.startswith(item_key("F"))
    since = app.run("list", "--mailbox", ID, "--since", "2002-01-01").splitlines()
    assert {line for line in everything if "2001-02-03" in line}.isdisjoint(since)
    assert since
    with pytest.raises(SystemExit):
        app.run("list", "--mailbox", ID, "--since", "yesterday")


def test_usage_lines_name_the_program_that_was_called(app: CliApp, capsys: pytest.CaptureFixture[str]) -> None:
    """U13."""
    with pytest.raises(SystemExit):
        cli.run(["--help"], app, io.StringIO(), "python -m sandbox.cli")
    assert "usage: python -m sandbox.cli" in capsys.readouterr().out


def test_a_heading_stands_over_mailboxes_on_a_terminal_alone(
    app: CliApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """U13."""
    app.run("mailboxes")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    app.run("mailboxes", "--addresses")
    assert capsys.readouterr().err.split() == ["id", "status", "source", "items", "complete", "as", "of", "address"]


def test_a_list_without_rows_says_so_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    show_table(out, ("id",), iter(()))
    assert out.getvalue() == ""
    assert capsys.readouterr().err == "there are none\n"


def test_issues_name_their_items(app: CliApp) -> None:
    """U9."""
    (line,) = app.run("issues", "--mailbox", ID).splitlines()
    assert line.startswith(f"item_corrupt  ErrorX  Inbox  {NOW:%Y-%m-%d %H:%M}  ")
    assert "Hi" in line
    assert "\x1b" not in line
