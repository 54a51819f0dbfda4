"""The house's rules that no linter knows: vendors in their rooms, one reader of the environment, one path."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = sorted([ROOT / "function_app.py", *(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")])
ROOMS = {
    "msal": {"entra"},
    "exchangelib": {"ews"},
    "lxml": {"ews"},
    "azure.keyvault": {"key_vault", "azure_clients"},
    "azure.data.tables": {"table", "azure_clients"},
    "azure.storage.blob": {"blob", "azure_clients"},
    "azure.storage.queue": {"queue", "azure_clients"},
    "azure.identity": {"azure_clients"},
    "rich": {"terminal"},
    "pyarrow": {"parquet"},
    "standardwebhooks": {"signing"},
    "opentelemetry": {"meter", "application_insights"},
    "azure.functions": {"functions", "function_app"},
}
"""Where each vendor's package may be imported: in files of that name, or anywhere in a folder of that name."""

AT_START = {
    "shared",
    "shared.app",
    "shared.app.authorization",
    "shared.app.base",
    "shared.app.mailboxes",
    "shared.app.monitoring",
    "shared.app.notices",
    "shared.app.onboarding",
    "shared.app.scheduling",
    "shared.app.sources",
    "shared.app.stores",
    "shared.app.sync",
    "shared.authorization",
    "shared.app.events",
    "shared.app.webhooks",
    "shared.app.jobs",
    "shared.authorization.onboarding.sign_in_outcome",
    "shared.authorization.errors",
    "shared.authorization.identity",
    "shared.authorization.onboarding",
    "shared.authorization.sessions",
    "shared.mailboxes",
    "shared.mailboxes.errors",
    "shared.storage",
    "shared.authorization.identity.operators",
    "shared.authorization.sessions.sessions",
    "shared.authorization.sessions.signing",
    "shared.authorization.onboarding.authorize_redirect",
    "shared.storage.azure_clients",
    "shared.storage.azure_errors",
    "shared.errors",
    "shared.http_headers",
    "shared.logs",
    "shared.pages",
    "shared.pages.languages",
    "shared.pages.mailbox_actions",
    "shared.pages.privacy_summary",
    "shared.pages.paths",
    "shared.api",
    "shared.api.errors",
    "shared.api.routes",
    "shared.app.api",
    "shared.pages.problems",
    "shared.version",
}
"""The modules that a cold start loads. What does the work is imported with the first message or request."""

_LOADED = """
import sys, azure.functions
before = set(sys.modules)
import function_app
print(*set(sys.modules) - before)
"""


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def strays(path: Path, source: str) -> list[str]:
    """The vendors' packages that a file imports outside their rooms."""
    places = {*path.relative_to(ROOT).parts[:-1], path.stem}
    return [
        module
        for module in imported(source)
        for vendor, rooms in ROOMS.items()
        if (module == vendor or module.startswith(vendor + ".")) and not places & rooms
    ]


@pytest.mark.parametrize("path", PRODUCTION, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_program_keeps_the_rules(path: Path) -> None:
    source = path.read_text()
    assert strays(path, source) == []
    # "sandbox; default-src" is a content security policy.
    assert not re.search("sandbox(?!; default-src)|azurite|devstoreaccount", source, re.IGNORECASE)
    assert path.name == "settings.py" or not re.search(r"os\.environ|getenv", source)


def test_a_vendor_import_outside_its_files_is_found() -> None:
    assert strays(ROOT / "shared" / "sync" / "engine.py", "def f():\n    from exchangelib import Account") == [
        "exchangelib"
    ]
    assert strays(ROOT / "shared" / "sources" / "ews" / "session.py", "import exchangelib.protocol") == []


def test_a_cold_start_loads_the_entry_points_only() -> None:
    words = [sys.executable, "-c", _LOADED]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 -- ourselves
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("shared")} - AT_START == set()
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {
        "function_app",
        "functions",
        "shared",
    }
