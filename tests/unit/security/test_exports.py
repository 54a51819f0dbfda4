"""Strangers' words on the operator's disk and terminal: names of folders, subjects, and messages in an mbox."""

import mailbox
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.replica.maintenance.export_paths import folder_paths, safe_name
from shared.replica.maintenance.mbox import mboxrd
from shared.replica.port import FolderState

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["-rf", "--checkpoint-action=exec=sh x", "~root", "~", "-"])
def test_no_name_is_taken_for_an_option_or_a_home_directory(text: str) -> None:
    assert safe_name(text)[0] not in "-~"


@pytest.mark.parametrize("code", [0x1B, 0x7F, 0x85, 0x9B, 0x061C, 0x200B, 0x200E, 0x202E, 0x2066, 0xFEFF, 0xE0041])
def test_no_name_carries_what_cannot_be_seen_or_steers_a_terminal(code: int) -> None:
    assert chr(code) not in safe_name(f"invoice{chr(code)}fdp.exe")


@pytest.mark.parametrize("text", ["con", "Aux.txt", "NUL .txt", "COM1", "COM¹", "lpt³.x", "CONIN$", "conout$"])
def test_no_name_is_a_device_of_windows(text: str) -> None:
    assert safe_name(text) == f"_{text}"


def test_the_deepest_folder_has_a_path_that_a_file_system_allows() -> None:
    """Three hundred levels, each as long as a name may be; macOS allows 1,024 bytes in all, its own part included."""
    levels = [FolderState(f"id{depth}", "/".join(["Ünder" * 50] * depth)) for depth in range(1, 301)]
    found = folder_paths({each.id: each for each in levels})
    assert max(len(str(path).encode()) for path in found.values()) <= 700
    assert len(set(found.values())) == 300


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_message_cannot_smuggle_another_into_its_mbox(tmp_path: Path, end: bytes) -> None:
    """`From ` at the beginning of a line begins a message, and so it would with a line that is quoted already."""
    forged = end.join([b"From boss@contoso.example Mon Nov 23 00:00:00 2026", b"Subject: pay", b"", b"now"])
    message = end.join([b"Subject: hello", b"", b"text", b"", forged, b">From below", b""])
    box = tmp_path / "inbox.mbox"
    box.write_bytes(mboxrd(message, AT) * 2)
    read = mailbox.mbox(box, create=False)
    assert [one["Subject"] for one in read] == ["hello", "hello"]
    read.close()
