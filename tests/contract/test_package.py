"""The deployed package equals the tested code: azd's hook builds it, and a plain Python finds everything in it.

The package is built from a copy of the checkout, so these tests do not write to infra/package.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.azure_yaml import hook

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = ".python_packages/lib/site-packages"
COPIED = ("azure.yaml", "function_app.py", "host.json", "requirements.txt", "functions", "shared", "infra")

pytestmark = [
    pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the package holds bytecode of Python 3.13"),
    pytest.mark.timeout(600),
]

_IMPORT_EVERYTHING = """
import importlib, json, pathlib, sys, sysconfig
package = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(package), str(package / ".python_packages/lib/site-packages")]
for path in sorted([package / "function_app.py", *package.glob("functions/**/*.py"), *package.glob("shared/**/*.py")]):
    name = ".".join(path.relative_to(package).with_suffix("").parts)
    importlib.import_module(name.removesuffix(".__init__"))
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print(json.dumps({"files": files, "standard": sysconfig.get_paths()["stdlib"]}))
"""

_NAMES = """
import json
import function_app
print(json.dumps(sorted(str(function.get_function_name()) for function in function_app.app.get_functions())))
"""
"""Names the functions of this checkout, in a process of its own: the app can be indexed once in each process."""

_INDEX = """
import asyncio, json, pathlib, sys
package, worker = map(pathlib.Path, sys.argv[1:])
sys.path[:0] = [str(package / ".python_packages/lib/site-packages"), str(worker)]
from sandbox.host.worker import Worker
found = asyncio.run(Worker(package, 60).start())
print(json.dumps(sorted(function.name for function in found)))
sys.stdout.flush()
import os; os._exit(0)  # the worker's thread pool would keep the process
"""


def run(command: Sequence[str | Path], **more: Any) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=500, **more)  # noqa: PLW1510, S603
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout that the hook needs, as in a download of the sources."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in run(["git", "ls-files", "-z", *COPIED], cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def package(checkout: Path) -> Path:
    """The folder that azd zips, filled by the hook of azure.yaml as azd runs it, over the remains of an earlier run."""
    folder = checkout / hook("project")
    (folder / "shared").mkdir()
    (folder / "shared" / "leftover.py").touch()
    commands = folder.parent / "bin"
    commands.mkdir()
    (commands / "python3").symlink_to(sys.executable)
    path = f"{commands}:{os.environ['PATH']}"  # noqa: TID251 -- the hook's own
    run(["sh", "-c", hook("run")], cwd=folder, env={**os.environ, "PATH": path})  # noqa: TID251
    return folder


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python 3.13 without any packages."""
    home = tmp_path_factory.mktemp("bare") / "venv"
    run([Path(sys.base_prefix) / "bin" / "python3.13", "-m", "venv", "--without-pip", home])
    return home / "bin" / "python"


def test_every_module_of_ours_is_imported_from_the_package_alone(package: Path, bare_python: Path) -> None:
    report = json.loads(run([bare_python, "-I", "-c", _IMPORT_EVERYTHING, package], cwd=package.parent))
    standard = Path(report["standard"])
    elsewhere = {
        file
        for file in filter(None, report["files"].values())
        if not Path(file).is_relative_to(package)
        and (not Path(file).is_relative_to(standard) or "site-packages" in Path(file).parts)
    }
    assert elsewhere == set()
    assert "shared.sources.ews.transport.session" in report["files"]


def test_a_requirement_that_is_missing_is_noticed(package: Path, bare_python: Path, tmp_path: Path) -> None:
    for path in package.iterdir():
        if path.name != ".python_packages":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / SITE_PACKAGES).mkdir(parents=True)
    for path in (package / SITE_PACKAGES).iterdir():
        if path.name != "lxml":
            (tmp_path / SITE_PACKAGES / path.name).symlink_to(path)
    with pytest.raises(AssertionError, match="No module named 'lxml'"):
        run([bare_python, "-I", "-c", _IMPORT_EVERYTHING, tmp_path], cwd=tmp_path)


def test_the_worker_library_finds_every_function(package: Path, bare_python: Path, tmp_path: Path) -> None:
    site_packages = Path(sysconfig.get_paths()["purelib"])
    for name in ("azure_functions_runtime", "azurefunctions"):
        (tmp_path / name).symlink_to(site_packages / name)
    (tmp_path / "sandbox").mkdir()
    for name in ("__init__.py", "host"):
        (tmp_path / "sandbox" / name).symlink_to(ROOT / "sandbox" / name)
    found = json.loads(run([bare_python, "-I", "-c", _INDEX, package, tmp_path], cwd=package.parent).splitlines()[-1])
    assert found == json.loads(run([sys.executable, "-c", _NAMES], cwd=ROOT).splitlines()[-1])
    assert {"dispatch", "sync_mailbox"} <= set(found)


def test_the_package_holds_wheels_for_azure_with_bytecode(package: Path) -> None:
    extensions = [path.name for path in package.rglob("*.so")]
    assert extensions
    assert [name for name in extensions if "cpython-" in name and "cpython-313-x86_64-linux-gnu" not in name] == []
    sources = list(package.rglob("*.py"))
    compiled = set(package.rglob("*.cpython-313.pyc"))
    assert [
        path for path in sources if path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" not in compiled
    ] == []


def test_nothing_else_is_in_the_package(package: Path) -> None:
    top = {path.name for path in package.iterdir()} - {"__pycache__"}
    assert top == {
        ".funcignore",
        ".python_packages",
        "function_app.py",
        "functions",
        "host.json",
        "requirements.txt",
        "shared",
    }
    assert not (package / "shared" / "leftover.py").exists()
    assert not list(package.rglob("tests"))


def test_azd_leaves_no_file_out(package: Path) -> None:
    """azd leaves out what .funcignore names; without that file it leaves out __pycache__."""
    rules = (package / ".funcignore").read_text().splitlines()
    assert [line for line in rules if line.strip() and not line.startswith("#")] == []


def test_the_zip_of_the_workflow_has_the_same_files(package: Path, checkout: Path, tmp_path: Path) -> None:
    target = tmp_path / "mailbox-sync.zip"
    run([sys.executable, checkout / "infra" / "tools" / "package.py", target])
    with zipfile.ZipFile(target) as zipped:
        inside = {name: zipped.read(name) for name in zipped.namelist()}
    staged = {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*") if path.is_file()}
    assert inside.keys() == staged.keys() - {".funcignore"}
    assert [name for name in inside if name.endswith(".py") and inside[name] != staged[name]] == []
    _sizes_are_as_documented(target.stat().st_size, sum(map(len, inside.values())))


def _sizes_are_as_documented(zipped: int, unpacked: int) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    stated = re.search(r"(\d+) MB zipped and (\d+) MB unpacked", text)
    assert stated, "docs/deploy.md does not say how large the package is"
    assert zipped == pytest.approx(int(stated[1]) * 1e6, rel=0.1)
    assert unpacked == pytest.approx(int(stated[2]) * 1e6, rel=0.1)
