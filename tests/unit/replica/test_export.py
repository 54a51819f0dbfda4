"""An export: which files it writes and where, and what it never overwrites."""

import io
import mailbox
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cli import main as cli
from shared.errors import Reason, RetryLater
from shared.replica.maintenance import export_paths
from shared.replica.port import FeedChange, FeedKind, FolderState, ReplicaItem
from shared.replica.reading.reader import BlobTableReader
from shared.replica.storage_port import PACKS
from shared.replica.store import BlobTableReplica
from shared.sources.model import Content, ItemKind
from tests.unit.replica.cli_app import ID, MESSAGE, CliApp, app_with_items, files_below
from tests.unit.replica.samples import NOW, an_item, commit, created, cursor_with, folder


@pytest.fixture
def app() -> CliApp:
    return app_with_items()


def test_an_export_writes_every_item_below_its_directory_and_nowhere_else(app: CliApp, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    assert app.run("export", "--mailbox", ID, str(target)).startswith("4 written, 0 were there already, 1 without")
    files = files_below(tmp_path)
    assert all(name.startswith("deep/target/") for name in files)
    assert sorted(name.rpartition(".")[2] for name in files) == ["eml", "eml", "ics", "json"]
    assert list(files.values()).count(MESSAGE) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*"))
    assert app.one.audit == [(ID, "operator", "export")]


def test_an_export_overwrites_nothing(app: CliApp, tmp_path: Path) -> None:
    app.run("export", "--mailbox", ID, str(tmp_path))
    for path in tmp_path.rglob("*.eml"):
        path.write_bytes(b"mine")
    assert app.run("export", "--mailbox", ID, str(tmp_path)).startswith("0 written, 4 were there already")
    assert {path.read_bytes() for path in tmp_path.rglob("*.eml")} == {b"mine"}


def test_what_is_there_already_is_not_read_again(app: CliApp, tmp_path: Path) -> None:
    """An export of days that a busy moment of Storage has broken off goes on where it was."""
    app.run("export", "--mailbox", ID, str(tmp_path))
    for pack in {item.located.pack for item in app.replica.items(ID) if item.located}:
        del app.blobs.blobs[PACKS, pack]
    assert app.run("export", "--mailbox", ID, str(tmp_path)).startswith("0 written, 4 were there already")


def test_a_directory_that_cannot_be_written_to_is_said_in_one_line(
    app: CliApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for more in ([], ["--mbox"]):
        assert cli.run(["export", "--mailbox", ID, str(tmp_path / "file"), *more], app, io.StringIO()) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert files_below(tmp_path) == {"file": b""}


def test_an_mbox_is_read_back_by_any_reader(app: CliApp, tmp_path: Path) -> None:
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


def test_a_folder_named_like_an_mbox_keeps_no_message_out_of_it(app: CliApp, tmp_path: Path) -> None:
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

    app = CliApp(Obstructing)
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

    app = CliApp(Passing)
    commit(app.replica, ID, created("A", MESSAGE), after=cursor_with(folder()))
    assert app.run("export", "--mailbox", ID, str(tmp_path)).endswith(
        "0 written, 0 were there already, 0 without content, 0 damaged\n"
    )


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
    app = CliApp(Unreachable)
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
