"""Builds the deployment package: our code and its pinned requirements, compiled, and nothing else.

    python infra/tools/package.py [build/mailbox-sync.zip]

The zip is what Azure Functions unpacks: function_app.py and host.json at the top, the requirements under
.python_packages/lib/site-packages. Bytecode is compiled in (unchecked: the files do not change after unpacking), which
makes cold imports several times faster. Files are zipped in order and with one date, so that the same commit gives the
same package.
"""

import compileall
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("function_app.py", "host.json", "requirements.txt", "functions", "shared")
SITE_PACKAGES = ".python_packages/lib/site-packages"
PLATFORM = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
EPOCH = (2020, 1, 1, 0, 0, 0)
LEFT_OUT = ("/tests/", "/test/", "/bin/", ".dist-info/RECORD", ".dist-info/REQUESTED")


def build(target: Path) -> None:
    """Make the package and say how large it is."""
    with tempfile.TemporaryDirectory() as scratch:
        stage = Path(scratch)
        _copy_ours(stage)
        _install_requirements(stage / SITE_PACKAGES)
        compileall.compile_dir(
            stage, quiet=1, ddir="", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, workers=0
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        unpacked = _zip(stage, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, unpacked {unpacked / 1e6:.1f} MB")


def _copy_ours(stage: Path) -> None:
    """The files that git knows, so that nothing lying about is shipped."""
    listed = subprocess.run(  # noqa: S603 -- fixed arguments
        ["git", "ls-files", "-z", *OURS],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        copy = stage / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())


def _install_requirements(into: Path) -> None:
    """The pinned wheels for the platform that Azure runs, their hashes checked."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
    wheels = ["--only-binary=:all:", "--python-version=3.13", "--implementation=cp", "--no-compile"]
    platforms = [f"--platform={name}" for name in PLATFORM]
    requirements = ["-r", str(ROOT / "requirements.txt"), f"--target={into}"]
    subprocess.run([*pip, *wheels, *platforms, *requirements], check=True)  # noqa: S603 -- fixed arguments


def _zip(stage: Path, target: Path) -> int:
    """Zip the stage reproducibly; gives the unpacked size in bytes."""
    unpacked = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for path in sorted(stage.rglob("*")):
            name = path.relative_to(stage).as_posix()
            if path.is_dir() or any(part in f"/{name}" for part in LEFT_OUT):
                continue
            data = path.read_bytes()
            unpacked += len(data)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            package.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return unpacked


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "mailbox-sync.zip")
