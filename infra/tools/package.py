"""Builds the deployment package: our code and its pinned requirements, compiled, and nothing else.

    python infra/tools/package.py [build/mailbox-sync.zip]
    python infra/tools/package.py --stage infra/package

The first form writes a zip. The second fills a folder with the same files for `azd`, which zips the folder itself.
Azure Functions expects function_app.py and host.json at the top and the requirements under
.python_packages/lib/site-packages. Nothing is built in Azure: the wheels are those of requirements.txt, their hashes
checked, for the platform and the Python version that the app runs on.

The package contains bytecode (unchecked: the files do not change after unpacking), which makes cold imports several
times faster. Files are zipped in order and with one date, so that the same commit gives the same package.

Any Python can start this program. Python 3.13 does the work, because bytecode depends on the Python version.
"""

import argparse
import compileall
import importlib.util
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("function_app.py", "host.json", "requirements.txt", "functions", "shared")
SITE_PACKAGES = ".python_packages/lib/site-packages"
VERSION = (3, 13)
"""The Python version in infra/modules/app.bicep."""

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
EPOCH = (2020, 1, 1, 0, 0, 0)
KEPT_IN_STAGE = ".funcignore"
"""azd omits __pycache__ from a Python package unless the folder has a file of this name."""

SOURCES_OF_WHEELS = (".pyi", ".pyx", ".pxd", ".pxi", ".h", ".c")
RECORDS = ("RECORD", "REQUESTED", "INSTALLER", "direct_url.json")
FOLDERS_LEFT_OUT = ("tests", "test", "bin", "cffi", "pycparser")
"""cffi and its parser build extension modules. Extension modules need only _cffi_backend, which stays."""

LEXER_IMPORTS = ("pygments", "pygments.formatters.terminal", "pygments.lexers.html")
"""What exchangelib imports of pygments, without 8 MB of lexers for other languages."""


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    if sys.version_info[:2] != VERSION:
        return _run_with_required_python()
    given = _parser().parse_args(arguments)
    if given.stage:
        print(f"{given.stage}: {stage(given.stage) / 1e6:.1f} MB")
        return 0
    unpacked = build(given.zip)
    print(f"{given.zip}: {given.zip.stat().st_size / 1e6:.1f} MB, unpacked {unpacked / 1e6:.1f} MB")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Build the deployment package.")
    parser.add_argument("zip", nargs="?", type=Path, default=ROOT / "build" / "mailbox-sync.zip")
    parser.add_argument("--stage", type=Path, metavar="FOLDER", help="fill this folder instead of writing a zip")
    return parser


def build(target: Path) -> int:
    """Write the package as a zip; returns its unpacked size in bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = stage(Path(scratch))
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(scratch).resolve()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
            for path in _files(folder):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                entry.external_attr = 0o644 << 16
                package.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return unpacked


def stage(folder: Path) -> int:
    """Empty the folder and fill it with the package's files; returns their size in bytes."""
    folder = folder.resolve()
    _empty(folder)
    _copy_ours(folder)
    packages = folder / SITE_PACKAGES
    _install_requirements(packages)
    _remove_unused(packages)
    compileall.compile_dir(
        folder, quiet=1, ddir="", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, workers=0
    )
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != KEPT_IN_STAGE]


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != KEPT_IN_STAGE:
            path.unlink()


def _copy_ours(folder: Path) -> None:
    for name in _our_files():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())


def _our_files() -> list[str]:
    """The files that git tracks, so that no leftover file is shipped; outside a checkout all files."""
    if not (ROOT / ".git").exists():
        found = [path for name in OURS for path in ([ROOT / name] if "." in name else (ROOT / name).rglob("*"))]
        kept = (path.relative_to(ROOT) for path in found if path.is_file())
        return sorted(path.as_posix() for path in kept if "__pycache__" not in path.parts)
    command = ["git", "ls-files", "-z", *OURS]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    return [name for name in listed.stdout.split("\0") if name]


def _install_requirements(into: Path) -> None:
    """Install the pinned wheels for Azure's platform, with their hashes checked."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = [_python_with_pip(Path(scratch)), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        wheels = ["--require-hashes", "--only-binary=:all:", "--implementation=cp", "--no-compile"]
        target = [f"--python-version={VERSION[0]}.{VERSION[1]}", *(f"--platform={name}" for name in PLATFORMS)]
        requirements = ["-r", str(ROOT / "requirements.txt"), f"--target={into}"]
        subprocess.run([*pip, *wheels, *target, *requirements], check=True)  # noqa: S603 -- fixed arguments


def _python_with_pip(scratch: Path) -> str:
    """This Python if it has pip, else one in a virtual environment that has it."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    venv.create(scratch / "venv", with_pip=True)
    return str(next((scratch / "venv").glob("*/python*")))


def _remove_unused(packages: Path) -> None:
    """Remove what production never imports."""
    for path in sorted(packages.rglob("*")):
        if path.is_dir() and path.name in FOLDERS_LEFT_OUT:
            shutil.rmtree(path)
        elif path.suffix in SOURCES_OF_WHEELS or (path.name in RECORDS and path.parent.suffix == ".dist-info"):
            path.unlink(missing_ok=True)
    imported = _imported_of_pygments(packages)
    for path in (packages / "pygments").rglob("*.py"):
        if path not in imported:
            path.unlink()


def _imported_of_pygments(packages: Path) -> set[Path]:
    """The files that importing LEXER_IMPORTS reads. pygments is pure Python, so this works on every platform."""
    code = f"import sys, {', '.join(LEXER_IMPORTS)}\nfor name in sorted(sys.modules): print(name)"
    environment = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: TID251
    command = [sys.executable, "-S", "-c", code]
    listing = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    named = (packages / name.replace(".", "/") for name in listing.stdout.split() if name.startswith("pygments"))
    return {path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for path in named}


def _run_with_required_python() -> int:
    """Run this program again with Python 3.13, wherever it is installed."""
    for command in _candidates():
        if shutil.which(command[0]) and _is_required_version(command):
            return subprocess.run([*command, *sys.argv]).returncode  # noqa: PLW1510, S603 -- our own script
    wanted = ".".join(map(str, VERSION))
    print(
        f"Python {wanted} is needed to build the package, since bytecode is of one version; this is "
        f"{sys.version.split()[0]}.\nInstall it (python.org/downloads, pyenv install {wanted}, or "
        f"uv python install {wanted}) and try again.",
        file=sys.stderr,
    )
    return 1


def _candidates() -> list[list[str]]:
    wanted = ".".join(map(str, VERSION))
    found = [[str(ROOT / ".venv" / "bin" / "python")], [f"python{wanted}"], ["py", f"-{wanted}"], ["python3"]]
    uv = shutil.which("uv")
    if uv:
        listing = subprocess.run([uv, "python", "find", "--no-project", wanted], capture_output=True, text=True)  # noqa: PLW1510, S603
        found += [[line] for line in listing.stdout.split()]
    return found + [[str(path)] for path in Path.home().glob(f".pyenv/versions/{wanted}.*/bin/python")]


def _is_required_version(command: list[str]) -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {VERSION})"
    return subprocess.run([*command, "-c", code], capture_output=True).returncode == 0  # noqa: PLW1510, S603


if __name__ == "__main__":
    sys.exit(main())
