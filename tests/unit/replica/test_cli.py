"""The replica from a terminal: what it prints and writes, and what it refuses to."""

import io
import json
import mailbox
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.authorization.port import Revocations
from shared.cli import main as cli
from shared.errors import NotFound, Reason, RetryLater
from shared.mailboxes.commands import MailboxCommands
from shared.mailboxes.directory.port import MailboxDirectory
from shared.mailboxes.groups.commands import GroupCommands
from shared.mailboxes.groups.model import ScopeSettings
from shared.mailboxes.holds import HoldCommands
from shared.mailboxes.model import Mailbox, Status
from shared.mailboxes.move_commands import MoveCommands
from shared.mailboxes.port import AuditEntry, ItemIssue, MailboxRegistry
from shared.replica.maintenance import export_paths
from shared.replica.port import FeedChange, FeedKind, FolderState, ReplicaItem, item_key
from shared.replica.reading.port import ReplicaReader
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import PACKS, Blobs, Rows
from shared.replica.store import BlobTableReplica
from shared.sources.port import AccessMode, Content, ItemKind
from tests.fakes.groups import MemoryGroups
from tests.fakes.leases import FakeLeases
from tests.fakes.queue import FakeQueue
from tests.fakes.storage import MemoryBlobs, MemoryRows
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with, folder

ID = "mailbox-1"
MESSAGE = b"From: ann@contoso.example\r\nSubject: hi\r\n\r\nFrom here\r\n>From there\r\n"


class OneMailbox:
    """As much of a registry as the commands use."""

    def __init__(self) -> None:
        self.audit: list[tuple[str, str, str]] = []
        self.changed = Mailbox(ID, 0, "t", "o", "ann@contoso.example", "Ann", "a", AccessMode.DELEGATED, NOW, items=3)

    def all(self) -> Iterator[Mailbox]:
        """The one."""
        yield self.changed

    def get(self, mailbox_id: str) -> Mailbox:
        """The one, or none."""
        if mailbox_id != ID:
            raise NotFound("not there")
        return next(self.all())

    def change(self, mailbox_id: str, change: Callable[[Mailbox], Mailbox]) -> Mailbox:
        """What it is from now on."""
        self.changed = change(self.get(mailbox_id))
        return self.changed

    def issues(self, mailbox_id: str) -> list[ItemIssue]:
        """One, of an item of which much is known."""
        return [ItemIssue(ID, "x", "f", "item_corrupt", "ErrorX", 2, NOW, NOW, "Inbox", "\x1b[31mHi", NOW)]

    def audit_trail(self, mailbox_id: str, after: str = "", limit: int = 100) -> list[AuditEntry]:
        """What was remembered, newest first."""
        return [AuditEntry("k", NOW, actor, act) for _, actor, act in reversed(self.audit)][:limit]

    def record_audit(self, mailbox_id: str, actor: str, act: str) -> None:
        """Remember."""
        self.audit.append((mailbox_id, actor, act))


@dataclass
class House:
    reader_kind: Callable[[Blobs, Rows], ReplicaReader] = BlobTableReader
    one: OneMailbox = field(default_factory=OneMailbox)
    queue: FakeQueue = field(default_factory=FakeQueue)
    groups: MemoryGroups = field(default_factory=MemoryGroups)

    def __post_init__(self) -> None:
        self.blobs, self.rows = MemoryBlobs(clock=lambda: NOW), MemoryRows()
        self.replica = BlobTableReplica(self.blobs, self.rows)
        self.replica_reader = self.reader_kind(self.blobs, self.rows)

    @property
    def group_commands(self) -> GroupCommands:
        directory = cast("MailboxDirectory", None)  # no command of this suite counts mailboxes
        return GroupCommands(self.groups, self.registry, directory, ScopeSettings(), lambda: NOW)

    @property
    def registry(self) -> MailboxRegistry:
        return cast("MailboxRegistry", self.one)

    @property
    def mailbox_commands(self) -> MailboxCommands:
        return MailboxCommands(
            registry=self.registry, replica=self.replica, leases=FakeLeases(), queue=self.queue,
            revocations=cast("Revocations", None), clock=lambda: NOW, wait=lambda seconds: None,
        )  # fmt: skip

    @property
    def move_commands(self) -> MoveCommands:
        return MoveCommands(self.registry, lambda source: True)

    @property
    def hold_commands(self) -> HoldCommands:
        return HoldCommands(self.registry, lambda: NOW)

    def run(self, *arguments: str) -> str:
        out = io.StringIO()
        assert cli.run(arguments, self, out) == 0
        return out.getvalue()


@pytest.fixture
def app() -> House:
    app = House()
    folders = cursor_with(
        FolderState("inbox", "Inbox"), FolderState("sub", "Inbox/../..%2Fetc"), FolderState("cal", "Calendar")
    )
    event = an_item("E", kind=ItemKind.EVENT, folder_id="cal", subject="\x1b[31mLunch", at=None)
    commit(
        app.replica,
        ID,
        created("A", MESSAGE, subject="../../etc/passwd"),
        created("B", MESSAGE, folder_id="sub", subject="CON", at=datetime(2001, 2, 3, tzinfo=UTC)),
        FeedChange(FeedKind.CREATE, event, Content("ics", b"BEGIN:VCALENDAR")),
        created("N", b"", subject="no content"),
        after=folders,
    )
    return app


def files_below(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_mailboxes_are_listed_without_addresses_unless_asked(app: House) -> None:
    assert app.run("mailboxes") == f"{ID}  active  ews  3 items  complete as of not yet\n"
    assert "ann@contoso.example" in app.run("mailboxes", "--addresses")


def test_a_list_is_ordered_and_no_control_sequence_reaches_the_terminal(app: House) -> None:
    lines = app.run("list", "--mailbox", ID).splitlines()
    assert lines[0].startswith(item_key("E"))
    assert len(lines) == 4
    assert "\x1b" not in app.run("list", "--mailbox", ID)


class Large(BlobTableReader):
    """Five thousand items with four kilobytes of metadata each, made when they are asked for."""

    def every_item(self, mailbox_id: str, *, left: bool = False) -> Iterator[ReplicaItem]:
        for number in range(5_000):
            yield an_item(f"{number}", metadata={"to": f"{number:08d}" * 500})


def test_a_list_holds_its_lines_and_not_what_else_is_known_of_the_items() -> None:
    app = House(Large)
    tracemalloc.start()
    try:
        lines = app.run("list", "--mailbox", ID).splitlines()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(lines) == 5_000
    assert most < 10_000_000


def test_a_list_can_be_narrowed_to_a_folder_and_a_kind(app: House) -> None:
    everything_below = app.run("list", "--mailbox", ID, "--folder", "inbox", "--json").splitlines()
    assert {json.loads(line)["key"] for line in everything_below} == {item_key(source) for source in "ABN"}
    events = app.run("list", "--mailbox", ID, "--kind", "event", "--json").splitlines()
    assert [json.loads(line)["content"]["form"] for line in events] == ["ics"]


def test_an_unknown_folder_item_or_mailbox_is_said_in_one_line(app: House, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_one_item_is_shown_with_its_metadata_or_as_it_is(app: House) -> None:
    shown = json.loads(app.run("show", "--mailbox", ID, item_key("A")))
    assert (shown["folder"], shown["subject"], shown["metadata"]["categories"]) == (
        "Inbox",
        "../../etc/passwd",
        ["a", "ü"],
    )
    assert app.run("show", "--mailbox", ID, item_key("A"), "--content").encode() == MESSAGE


def test_an_export_writes_every_item_below_its_directory_and_nowhere_else(app: House, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    assert app.run("export", "--mailbox", ID, str(target)).startswith("4 written, 0 were there already, 1 without")
    files = files_below(tmp_path)
    assert all(name.startswith("deep/target/") for name in files)
    assert sorted(name.rpartition(".")[2] for name in files) == ["eml", "eml", "ics", "json"]
    assert list(files.values()).count(MESSAGE) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*"))
    assert app.one.audit == [(ID, "operator", "export")]


def test_an_export_overwrites_nothing(app: House, tmp_path: Path) -> None:
    app.run("export", "--mailbox", ID, str(tmp_path))
    for path in tmp_path.rglob("*.eml"):
        path.write_bytes(b"mine")
    assert app.run("export", "--mailbox", ID, str(tmp_path)).startswith("0 written, 4 were there already")
    assert {path.read_bytes() for path in tmp_path.rglob("*.eml")} == {b"mine"}


def test_what_is_there_already_is_not_read_again(app: House, tmp_path: Path) -> None:
    """An export of days that a busy moment of Storage has broken off goes on where it was."""
    app.run("export", "--mailbox", ID, str(tmp_path))
    for pack in {item.located.pack for item in app.replica.items(ID) if item.located}:
        del app.blobs.blobs[PACKS, pack]
    assert app.run("export", "--mailbox", ID, str(tmp_path)).startswith("0 written, 4 were there already")


def test_a_directory_that_cannot_be_written_to_is_said_in_one_line(
    app: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for more in ([], ["--mbox"]):
        assert cli.run(["export", "--mailbox", ID, str(tmp_path / "file"), *more], app, io.StringIO()) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert files_below(tmp_path) == {"file": b""}


def test_an_mbox_is_read_back_by_any_reader(app: House, tmp_path: Path) -> None:
    commit(app.replica, ID, created("A2", MESSAGE.rstrip(b"\r\n")))
    app.run("export", "--mailbox", ID, "--mbox", str(tmp_path))
    box = mailbox.mbox(tmp_path / "Inbox.mbox")
    try:
        assert [message["Subject"] for message in box] == ["hi", "hi"]
        assert next(iter(box)).get_payload() == ">From here\n>>From there\n"
    finally:
        box.close()
    assert len(list(tmp_path.rglob("*.ics"))) == 1
    assert app.run("export", "--mailbox", ID, "--mbox", str(tmp_path)).startswith("0 written, 5 were there already")


def test_a_folder_named_like_an_mbox_keeps_no_message_out_of_it(app: House, tmp_path: Path) -> None:
    """Its other items and its folders need a directory of its name."""
    folders = cursor_with(folder("inbox"), folder("box", path="Inbox.mbox"), folder("below", path="Inbox.mbox/Below"))
    event = an_item("aa first of all", kind=ItemKind.EVENT, folder_id="box")
    for change in (
        FeedChange(FeedKind.CREATE, event, Content("ics", b"BEGIN")),
        created("M", MESSAGE, folder_id="below"),
    ):
        commit(app.replica, ID, change, after=folders)
    app.run("export", "--mailbox", ID, "--mbox", "--kind", "event", str(tmp_path / "after events"))
    for target in (tmp_path / "after events", tmp_path / "new"):
        assert app.run("export", "--mailbox", ID, "--mbox", "--kind", "message", str(target)).startswith("4 written, 0")
    assert not list(tmp_path.rglob("*.part"))


def test_boxes_that_cannot_get_their_names_leave_nothing_behind(tmp_path: Path) -> None:
    class Obstructing(BlobTableReader):
        """Somebody makes a directory of the box's name while its messages are read."""

        def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
            (tmp_path / "Inbox.mbox").mkdir()
            return super().contents(mailbox_id, items)

    app = House(Obstructing)
    commit(app.replica, ID, created("A", MESSAGE), after=cursor_with(folder()))
    assert cli.run(["export", "--mailbox", ID, "--mbox", str(tmp_path)], app, io.StringIO()) == 1
    assert files_below(tmp_path) == {}


def test_an_item_that_a_pass_deletes_during_an_export_is_not_damaged(tmp_path: Path) -> None:
    class Passing(BlobTableReader):
        """A pass deletes everything, and its content is swept, before the first content is read."""

        def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
            replica = BlobTableReplica(self._blobs, self._rows)
            commit(replica, mailbox_id, *(FeedChange(FeedKind.DELETE, each) for each in self.every_item(mailbox_id)))
            replica.compact(mailbox_id, NOW + timedelta(days=9), 7)
            assert not list(self._blobs.list(PACKS, mailbox_id))
            return super().contents(mailbox_id, items)

    app = House(Passing)
    commit(app.replica, ID, created("A", MESSAGE), after=cursor_with(folder()))
    assert app.run("export", "--mailbox", ID, str(tmp_path)).endswith(
        "0 written, 0 were there already, 0 without content, 0 damaged\n"
    )


def test_a_terminal_that_lacks_a_letter_gets_the_rest(app: House) -> None:
    shown = io.BytesIO()
    out = io.TextIOWrapper(shown, encoding="ascii")
    commit(app.replica, ID, created("G", b"", subject="Gr\u00fc\u00dfe"))
    assert cli.run(["list", "--mailbox", ID], app, out) == 0
    out.flush()
    assert b"Gr??e" in shown.getvalue()


class Unreachable(BlobTableReader):
    """Storage that cannot be reached from the second content on, once."""

    asked = 0

    def contents(self, mailbox_id: str, items: Sequence[ReplicaItem]) -> Iterator[tuple[ReplicaItem, bytes | None]]:
        for found in super().contents(mailbox_id, items):
            self.asked += 1
            if self.asked == 2:
                raise RetryLater(Reason.UNAVAILABLE)
            yield found


def test_an_export_that_broke_off_is_made_whole_by_the_next(tmp_path: Path) -> None:
    app = House(Unreachable)
    commit(app.replica, ID, *(created(each, MESSAGE) for each in "ABC"), after=cursor_with(folder("inbox")))
    arguments = ["export", "--mailbox", ID, "--mbox", str(tmp_path)]
    assert cli.run(arguments, app, io.StringIO()) == 1
    assert set(files_below(tmp_path)) == {"Inbox.mbox.part", "Inbox.mbox.index"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    assert app.one.audit == [(ID, "operator", "export")]
    assert app.run(*arguments).startswith("2 written, 1 were there already")
    (box,) = files_below(tmp_path)
    assert box == "Inbox.mbox"
    assert (tmp_path / box).stat().st_mode & 0o077 == 0
    assert (tmp_path / box).read_bytes().count(b"From MAILER-DAEMON") == 3


def test_a_change_names_its_folder(app: House) -> None:
    """U10: the path, as list gives it."""
    known = {json.loads(line)["folder"] for line in app.run("list", "--mailbox", ID, "--json").splitlines()}
    lines = [json.loads(line)["item"]["folder"] for line in app.run("feed", "--mailbox", ID, "--json").splitlines()]
    assert set(lines) & known
    assert "" not in lines


def test_the_feed_is_replayed_in_order(app: House) -> None:
    commit(app.replica, ID, FeedChange(FeedKind.DELETE, app.replica.item(ID, item_key("A"))))
    lines = [json.loads(line) for line in app.run("feed", "--mailbox", ID, "--json").splitlines()]
    assert [(line["sequence"], line["change"]) for line in lines] == [(1, "create")] * 4 + [(2, "delete")]
    assert app.run("feed", "--mailbox", ID, "--after", "1").split()[:2] == ["2", "delete"]


def test_verifying_finds_a_content_that_is_gone(app: House) -> None:
    assert app.run("verify", "--mailbox", ID) == (
        "4 items, 3 contents, 0 damaged or missing\nfeed against items: 0 different, 0 only in the feed\n"
    )
    located = app.replica.item(ID, item_key("A")).located
    assert located is not None
    del app.blobs.blobs[PACKS, located.pack]
    out = io.StringIO()
    assert cli.run(["verify", "--mailbox", ID], app, out) == 1
    assert "3 damaged" in out.getvalue()


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_becomes_one_harmless_component(text: str) -> None:
    name = export_paths.safe_name(text)
    assert 0 < len(name.encode()) <= 81
    assert not set(name) & set('/\\:*?"<>|\0\n\r')
    assert name not in (".", "..")
    assert not name.startswith(".")


def test_folders_that_differ_by_case_alone_keep_apart() -> None:
    found = export_paths.folder_paths({each.id: each for each in (folder("a"), folder("b"), folder("c", path="A"))})
    assert len({str(path).casefold() for path in found.values()}) == 3


def test_folders_that_become_one_name_keep_what_lies_in_them_apart() -> None:
    """M7: each below its own parent."""
    paths = {"star": "Q1*", "mark": "Q1?", "mark-2025": "Q1?/2025", "star-2025": "Q1*/2025"}
    parents = {"mark-2025": "mark", "star-2025": "star"}
    folders = {id_: FolderState(id_, path, parents.get(id_, "")) for id_, path in paths.items()}

    found = export_paths.folder_paths(folders)

    assert len({str(path).casefold() for path in found.values()}) == 4
    assert found["mark-2025"].parent == found["mark"]
    assert found["star-2025"].parent == found["star"]


def test_folder_whose_parent_is_not_synced_keeps_its_place() -> None:
    """M7: its parent is out of scope, so its name is all that is known of it."""
    found = export_paths.folder_paths({"b": FolderState("b", "Projects/2025", "elsewhere")})

    assert found["b"] == Path("Projects/2025")


def test_online_archive_has_a_root_of_its_own() -> None:
    """M7: it repeats the tree of the mailbox."""
    folders = {
        "a": FolderState("a", "Inbox"),
        "b": FolderState("b", "Inbox/2019", "a"),
        "c": FolderState("c", "Inbox", archive=True),
        "d": FolderState("d", "Inbox/2019", "c", archive=True),
    }

    found = export_paths.folder_paths(folders)

    assert {id_: path.as_posix() for id_, path in found.items()} == {
        "a": "Inbox",
        "b": "Inbox/2019",
        "c": "Online Archive/Inbox",
        "d": "Online Archive/Inbox/2019",
    }


@pytest.mark.parametrize(
    ("folder", "subjects"), [("Inbox", {"mine"}), ("Online Archive", {"old"}), ("online archive/inbox", {"old"})]
)
def test_folder_option_tells_online_archive_apart(folder: str, subjects: set[str]) -> None:
    app = House()
    folders = cursor_with(FolderState("a", "Inbox"), FolderState("b", "Inbox", archive=True))
    mine, old = created("A", subject="mine", folder_id="a"), created("B", subject="old", folder_id="b")
    commit(app.replica, ID, mine, old, after=folders)

    told = app.run("list", "--mailbox", ID, "--folder", folder, "--json")

    assert {json.loads(line)["subject"] for line in told.splitlines()} == subjects


def test_move_is_asked_for_one_mailbox_or_all(app: House) -> None:
    assert app.run("move", "--mailbox", ID, "--dry-run") == "1 mailbox\n"
    assert app.one.changed.move_dry
    assert app.run("move", "--all", "--to", "graph") == "1 mailbox\n"
    assert app.one.changed.moving_to == "graph"
    assert not app.one.changed.move_dry
    assert app.run("move", "--all", "--to", "nothing") == "1 mailbox\n"
    assert app.one.changed.moving_to is None
    assert [act for _, _, act in app.one.audit] == ["survey", "move", "cancel_move"]


def test_reset_is_asked_for_and_refused_for_a_paused_mailbox(app: House) -> None:
    assert app.run("reset", "--mailbox", ID) == "read anew by the next pass\n"
    assert (app.one.changed.reset_at, app.one.audit[-1]) == (NOW, (ID, "operator", "reset"))
    assert not app.queue.mailboxes  # an operator's identity need not be able to write to the queue
    app.one.changed = app.one.changed.with_changes(status=Status.NEEDS_SIGN_IN)
    assert app.run("reset", "--mailbox", ID) == "read anew after the person has signed in\n"
    app.one.changed = app.one.changed.with_changes(status=Status.PAUSED, reset_at=None)
    assert cli.run(["reset", "--mailbox", ID], app, io.StringIO()) == 1
    assert app.one.changed.reset_at is None


def test_mailbox_that_was_never_moved_says_how_to_ask(app: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["parity", "--mailbox", ID], app, io.StringIO()) == 1
    assert capsys.readouterr().err == "no move and no dry run was made; ask for one: move --mailbox ID --dry-run\n"
    app.run("move", "--mailbox", ID, "--dry-run")
    assert cli.run(["parity", "--mailbox", ID], app, io.StringIO()) == 1
    assert capsys.readouterr().err == "it was asked for, and no pass has made it yet\n"


def test_parity_report_is_shown(app: House) -> None:
    app.replica.put_derived(ID, "parity", b'{"outcome": "moved"}')

    assert json.loads(app.run("parity", "--mailbox", ID)) == {"outcome": "moved"}


@pytest.mark.parametrize("named", [ID, "ANN@contoso.example", ID[:7]])
def test_a_mailbox_is_found_by_id_address_or_beginning(app: House, named: str) -> None:
    """U13."""
    assert len(app.run("list", "--mailbox", named).splitlines()) == 4


def test_an_item_is_found_by_the_beginning_of_its_key(app: House) -> None:
    """U13: of a length that a person can type; too short a one finds nothing."""
    key = item_key("A")
    assert json.loads(app.run("show", "--mailbox", ID, key[:8]))["key"] == key
    assert cli.run(["show", "--mailbox", ID, key[:3]], app, io.StringIO()) == 1


def test_a_list_can_be_narrowed(app: House) -> None:
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


def test_usage_lines_name_the_program_that_was_called(app: House, capsys: pytest.CaptureFixture[str]) -> None:
    """U13."""
    with pytest.raises(SystemExit):
        cli.run(["--help"], app, io.StringIO(), "python -m sandbox.cli")
    assert "usage: python -m sandbox.cli" in capsys.readouterr().out


def test_a_heading_stands_over_mailboxes_on_a_terminal_alone(
    app: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """U13."""
    app.run("mailboxes")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    app.run("mailboxes", "--addresses")
    assert capsys.readouterr().err.split() == ["id", "status", "source", "items", "complete", "as", "of", "address"]


def test_issues_name_their_items(app: House) -> None:
    """U9."""
    (line,) = app.run("issues", "--mailbox", ID).splitlines()
    assert line.startswith(f"item_corrupt  ErrorX  Inbox  {NOW:%Y-%m-%d %H:%M}  ")
    assert "Hi" in line
    assert "\x1b" not in line
