"""`python -m tests.mutants [MINUTES] [PATH...]`: which protections no unit test holds.

Each mutant runs in a process of its own, forked with the vendors' packages already loaded, so that one takes a second
or two. The order is shuffled by a fixed seed, and what there is no time for is counted. Survivors are listed in
build/mutants.txt; those of a security check are covered by a test, or named in docs/security.md.
"""

import ast
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import CodeType, ModuleType

from tests.mutants.mutations import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "build" / "mutants.txt"
SEED = 20261128
MINUTES = 20.0
SECONDS_UNCHANGED = 600.0
"""How long the tests may take without a mutant."""
TIMES_LONGER = 10
"""A mutant with which the tests take so many times longer than without one never ends, and counts as found."""

TESTS = {
    "shared/authorization/identity/": (
        *("tests/unit/authorization/test_id_token.py", "tests/unit/security/test_keys.py"),
        *("tests/unit/authorization/test_entra_errors.py", "tests/unit/security/test_operators.py"),
    ),
    "shared/authorization/sessions/": (
        *("tests/unit/authorization/test_sessions.py", "tests/unit/security/test_signing_keys.py"),
        "tests/unit/security/test_ended_sessions.py",
    ),
    "shared/authorization/onboarding/": (
        *("tests/unit/authorization/test_sign_in.py", "tests/unit/authorization/test_activation.py"),
        "tests/unit/authorization/test_invited_sign_in.py",
        *("tests/unit/authorization/test_invitations.py", "tests/unit/authorization/test_admin_consent.py"),
        *("tests/unit/authorization/test_one_mailbox.py", "tests/unit/authorization/test_shared_mailboxes.py"),
        *("tests/unit/security/test_waiting_for_approval.py", "tests/unit/security/test_ended_sessions.py"),
        *("tests/unit/security/test_tokens_left_behind.py", "tests/unit/security/test_service_accounts.py"),
        *("tests/unit/security/test_shared_authorizations.py", "tests/unit/security/test_lists.py"),
        *("tests/unit/security/test_start_limit.py", "tests/unit/security/test_erasure.py"),
    ),
    "shared/authorization/": (
        "tests/unit/authorization",
        *("tests/unit/security/test_waiting_for_approval.py", "tests/unit/security/test_ended_sessions.py"),
        *("tests/unit/security/test_tokens_left_behind.py", "tests/unit/security/test_service_accounts.py"),
        *("tests/unit/security/test_shared_authorizations.py", "tests/unit/security/test_lists.py"),
        *("tests/unit/security/test_start_limit.py", "tests/unit/security/test_erasure.py"),
    ),
    "shared/sync/planning/": (
        *(
            "tests/unit/sync/test_changes.py",
            "tests/unit/sync/test_first_sync.py",
            "tests/unit/sync/test_same_content.py",
        ),
        *("tests/unit/sync/test_issues.py", "tests/unit/sync/test_scope.py", "tests/unit/sync/test_disorder.py"),
        *("tests/unit/sync/test_isolated_failures.py", "tests/unit/sync/test_folder_issues.py"),
        "tests/unit/sync/test_items_not_found.py",
        *("tests/unit/sync/test_sweep.py", "tests/unit/sync/test_moving.py", "tests/unit/sync/test_model.py"),
    ),
    "shared/replica/maintenance/compaction.py": ("tests/unit/replica/test_compaction.py",),
    "shared/replica/maintenance/export.py": ("tests/unit/replica/test_export.py",),
    "shared/replica/maintenance/export_paths.py": ("tests/unit/replica/test_export.py",),
    "shared/replica/maintenance/file_writer.py": ("tests/unit/replica/test_export.py",),
    "shared/replica/maintenance/mbox.py": ("tests/unit/replica/test_mbox.py",),
    "shared/replica/maintenance/feed_state.py": ("tests/unit/replica/test_verify.py",),
    "shared/replica/maintenance/verify.py": ("tests/unit/replica/test_verify.py",),
    "shared/replica/encoding/": ("tests/unit/replica/test_round_trips.py", "tests/unit/replica/test_crashes.py"),
    "shared/replica/": (
        *("tests/unit/replica/test_crashes.py", "tests/unit/replica/test_compaction.py"),
        *("tests/unit/replica/test_verify.py", "tests/unit/replica/test_content_reader.py"),
        *("tests/unit/replica/test_cursors_read.py", "tests/unit/replica/test_row_lookup.py"),
        *(
            "tests/unit/replica/test_cli.py",
            "tests/unit/replica/test_export.py",
            "tests/unit/replica/test_round_trips.py",
        ),
    ),
}
"""What is mutated, and the tests that have to notice. The first that fits counts."""

WITHOUT_UNIT_TESTS = (
    "table.py",
    "blob.py",
    "key_vault.py",
    "storage.py",
    "entra.py",
    "http_client.py",
    "credentials.py",
)
"""Adapters, which the contract suites hold: too slow for this."""

VENDORS = (
    *("azure.data.tables", "azure.functions", "azure.storage.blob", "cryptography.hazmat.primitives.asymmetric.rsa"),
    *("hypothesis.stateful", "icalendar", "jinja2", "jwt", "lxml.etree", "msal", "pytest", "requests", "vobject"),
)
"""Loaded once, before the processes are forked."""


@dataclass(frozen=True, slots=True)
class Job:
    """One mutant of one file."""

    path: str
    mutant: Mutant

    @property
    def module(self) -> str:
        """The name that it is imported by."""
        return self.path.removesuffix(".py").replace("/", ".")


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module as its mutant."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Only that module is ours."""
        if name != self._job.module:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(ROOT / self._job.path))

    def get_code(self, fullname: str) -> CodeType:
        """The mutant, compiled."""
        return compile(self._job.mutant.tree, str(ROOT / self._job.path), "exec")

    def get_source(self, fullname: str) -> str:
        """For tracebacks."""
        return ast.unparse(self._job.mutant.tree)

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 -- the mutant


def jobs(paths: Sequence[str]) -> list[Job]:
    """Every mutant of the files below the paths, in a fixed disorder."""
    found = [
        Job(path, mutant) for path in sorted(_files(paths)) for mutant in mutants_of((ROOT / path).read_text("utf-8"))
    ]
    Random(SEED).shuffle(found)  # noqa: S311 -- repeatable on purpose
    return found


def _files(paths: Sequence[str]) -> Iterable[str]:
    for path in paths:
        whole = ROOT / path
        for file in [whole] if whole.is_file() else whole.rglob("*.py"):
            if file.name not in WITHOUT_UNIT_TESTS and file.name not in ("__init__.py", "port.py"):
                yield str(file.relative_to(ROOT))


def tests_for(path: str) -> list[str]:
    """The tests that have to notice a mutant of this file, as far as they are there."""
    named = next(tests for prefix, tests in TESTS.items() if path.startswith(prefix))
    return [one for one in named if (ROOT / one).exists()]


def tried(job: Job, seconds: float) -> str:
    """What became of a mutant within so many seconds: found, survived, or loops."""
    child = os.fork()
    if child == 0:
        _run(job)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "found"
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "loops"


def seconds_without_mutant(path: str) -> float:
    """How long the tests of a file take. Ends the program if they fail, for then they would fail with every mutant."""
    began = time.monotonic()
    unchanged = Job(path, Mutant(0, "nothing", ast.parse((ROOT / path).read_text("utf-8"))))
    if tried(unchanged, SECONDS_UNCHANGED) != "survived":
        raise SystemExit(f"the tests of {path} fail without any mutant")
    return time.monotonic() - began


def _run(job: Job) -> None:
    """In the child: the tests over the mutant. Never returns."""
    import pytest

    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    sys.meta_path.insert(0, Mutated(job))
    options = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        "--noconftest",
        "--assert=plain",
    ]
    os._exit(int(pytest.main([*options, *tests_for(job.path)])))


def main() -> None:
    """Try as many mutants as there is time for, and list those that survived."""
    given = sys.argv[1:]
    minutes = float(given.pop(0)) if given and given[0].replace(".", "").isdigit() else MINUTES
    for vendor in VENDORS:
        __import__(vendor)
    planned, counts, survivors = jobs(given or list(TESTS)), Counter[str](), list[Job]()
    ends = time.monotonic() + minutes * 60
    limits = {
        tuple(tests_for(path)): seconds_without_mutant(path) * TIMES_LONGER
        for path in {tuple(tests_for(job.path)): job.path for job in planned}.values()
    }
    for job in planned:
        if time.monotonic() > ends:
            break
        became = tried(job, limits[tuple(tests_for(job.path))])
        counts[became] += 1
        survivors += [job] if became == "survived" else []
    lines = sorted(f"{job.path}:{job.mutant}" for job in survivors)
    summary = f"{counts.total()} of {len(planned)} mutants: " + ", ".join(f"{n} {what}" for what, n in counts.items())
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join([*lines, summary, ""]), "utf-8")
    print("\n".join([*lines, summary]))


if __name__ == "__main__":
    main()
