"""Writes what the documents repeat from the code: `python -m tests.architecture.generated_docs`, or `make docs`.

The README's settings table, the settings block of infra/modules/app.bicep, the fault tables of docs/operations.md, the
API's codes in docs/api.md, and
the API's description, docs/openapi.json.
`test_docs.py` compares them, so that a forgotten run is noticed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from shared.api.openapi import document
from shared.pages.catalog import english
from shared.pages.problems import PROBLEMS
from shared.settings import Settings
from shared.sources.ews.faults import rules as ews
from shared.sources.fault_table import FaultRow
from shared.sources.graph.faults import errors as graph

ROOT = Path(__file__).parents[2]
DEPLOYED = {
    "APP_URL": "appUrl",
    "ORGANIZATION": "organization",
    "SUPPORT_CONTACT": "supportContact",
    "ENTRA_CLIENT_ID": "clientId",
    "ENTRA_AUTHORITY": "environment().authentication.loginEndpoint",
    "ENTRA_TENANTS": "tenants",
    "OPERATOR_TENANT": "tenant().tenantId",
    "ENTRA_ASSERTION_SCOPE": "'${federationAudience}/.default'",
    "AZURE_CLIENT_ID": "identityClientId",
    "KEY_VAULT_URL": "vaultUrl",
    "MailboxStorage__blobServiceUri": "blobUrl",
    "MailboxStorage__queueServiceUri": "queueUrl",
    "MailboxStorage__tableServiceUri": "tableUrl",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "insights.properties.ConnectionString",
    "MAIL_ENDPOINT": "mailEndpoint",
    "MAIL_SENDER": "mailSender",
    "MAIL_OPERATORS": "mailOperators",
}
"""Settings that a deployment gives another value than their default, and the Bicep expression of that value."""


def settings_table() -> str:
    """The README's table of settings."""
    lines = ["| setting | default | what it is for |", "|---|---|---|"]
    for declared in fields(Settings):
        default = declared.metadata["default"]
        shown = "**required**" if default is None else f"`{default}`" if default else "empty"
        lines.append(f"| `{declared.metadata['name']}` | {shown} | {declared.metadata['purpose']} |")
    return "\n".join(lines) + "\n"


def bicep_settings() -> str:
    """The members of `programSettings` in infra/modules/app.bicep."""
    lines = []
    for declared in fields(Settings):
        name, default = declared.metadata["name"], declared.metadata["default"]
        lines.append(f"  {name}: {DEPLOYED.get(name) or _bicep_text(default)}")
    return "\n".join(lines) + "\n"


def _bicep_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def fault_table(rows: Iterable[FaultRow]) -> str:
    """The rules, each with all the answers that lead to it, in the table's own order."""
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        grouped[row.actor, row.reason, row.of_item].append(row.answer)
    lines = ["| who acts | reason | one item | answers |", "|---|---|---|---|"]
    for (actor, reason, of_item), answers in grouped.items():
        lines.append(f"| {actor} | `{reason}` | {f'`{of_item}`' if of_item else ''} | {', '.join(answers)} |")
    return "\n".join(lines) + "\n"


API_CODES = [
    "unauthenticated",
    "role_missing",
    "malformed",
    "not_found",
    "method_not_allowed",
    "too_large",
    "range_not_satisfiable",
    "position_expired",
    "idempotency_key_reused",
    "idempotency_key_in_use",
    "too_many_requests",
    "too_soon",
    "not_while_stopped",
    "already_connected",
    "still_under_way",
    "on_hold",
    "erasure_begun",
    "still_in_use",
    "group_in_use",
    "return_url_not_allowed",
    "no_parity_report",
    "parity_report_pending",
    "webhook_exists",
    "too_many_webhooks",
    "item_too_large",
    "not_now",
    "our_configuration",
    "our_storage",
    "internal",
]
"""The codes of the API's problems that do not come from the mail server or from signing in."""


def problem_table() -> str:
    """The codes of the API's problems."""
    lines = ["| `code` | status | meaning |", "|---|---|---|"]
    for code in API_CODES:
        title = f"api_problems.{code}.title"
        text = english().text(title if title in english() else f"problems.{code}.title")
        lines.append(f"| `{code}` | {PROBLEMS[code].status} | {text} |")
    return "\n".join(lines) + "\n"


BLOCKS: Mapping[str, Mapping[str, tuple[str, Callable[[], str]]]] = {
    "README.md": {"settings": ("<!-- {}: {} -->\n", settings_table)},
    "infra/modules/app.bicep": {"settings": ("  // {}: {}\n", bicep_settings)},
    "docs/api.md": {"problem table": ("<!-- {}: {} -->\n", problem_table)},
    "docs/operations.md": {
        "fault table": ("<!-- {}: {} -->\n", lambda: fault_table(ews.table())),
        "graph fault table": ("<!-- {}: {} -->\n", lambda: fault_table(graph.table())),
    },
}
"""For each file, its generated blocks: the form of the marks around a block, and what writes it."""


API_DESCRIPTION = "docs/openapi.json"
"""A file that is generated as a whole, from the API's operations."""


def written(path: str, text: str) -> str:
    """The text of a file with its generated blocks as they should be. Raises ValueError when a mark is missing."""
    for name, (mark, write) in BLOCKS[path].items():
        begin, end = mark.format(name, "begin"), mark.format(name, "end")
        block = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not block.search(text):
            raise ValueError(f"{path} has no block {name}")
        replacement = begin + write() + end
        text = block.sub(lambda _, replacement=replacement: replacement, text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    for path in BLOCKS:
        page = ROOT / path
        page.write_text(written(path, page.read_text()))
    (ROOT / API_DESCRIPTION).write_bytes(document())
