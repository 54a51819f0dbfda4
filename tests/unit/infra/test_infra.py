"""infra/ keeps its promises, and each check would notice if it did not."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.unit.infra.checks import findings

ROOT = Path(__file__).parents[3]
INFRA, SOURCES = ROOT / "infra", ROOT / "shared"


def test_nothing_is_wrong() -> None:
    assert findings(INFRA, SOURCES) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        (
            "main.bicep",
            "params: {\n    name: '${abbreviations.managedIdentity}",
            "params {\n name: '${x",
            "does not parse",
        ),
        ("main.bicep", "location: location\n  tags: tags", "location: locatoin\n  tags: tags", "uses locatoin"),
        ("main.bicep", "identity.outputs.principalId", "identity.outputs.princpalId", "no output princpalId"),
        ("main.bicep", "'modules/vault.bicep'", "'modules/vaults.bicep'", "is not at modules/vaults.bicep"),
        ("main.bicep", "    vaultUrl: vault.outputs.url\n", "", "app is not given vaultUrl"),
        (
            "main.bicep",
            "    vaultUrl: vault.outputs.url\n",
            "    vaultUrl: vault.outputs.url\n    x: 1\n",
            "is given x",
        ),
        ("main.bicep", "publicAccess: !vnetEnabled", "publicAccess: true", "main.bicep: publicAccess: true"),
        ("modules/vault.bicep", "param location string", "param location string\nparam idle string", "never used"),
        ("modules/app.bicep", "  SYNC_SHARDS: '16'\n", "", "SYNC_SHARDS is missing"),
        ("modules/app.bicep", "SYNC_SHARDS: '16'", "SYNC_SHARDS: '17'", "SYNC_SHARDS differs"),
        (
            "modules/app.bicep",
            "  SYNC_SHARDS: '16'\n",
            "  SYNC_SHARDS: '16'\n  SYNC_MAGIC: '1'\n",
            "SYNC_MAGIC is unknown",
        ),
        (
            "modules/app.bicep",
            "  AzureWebJobsDisableHomepage: 'true'\n",
            "",
            "AzureWebJobsDisableHomepage is unexpected",
        ),
        (
            "modules/app.bicep",
            "[for door in ['ftp', 'scm']:",
            "[for door in items(platformSettings):",
            "loops over what",
        ),
        ("modules/app.bicep", "httpsOnly: true", "httpsOnly: false", "httpsOnly"),
        ("modules/storage.bicep", "'leases']", "'lease']", "containers differ"),
        (
            "modules/storage.bicep",
            "'ba92f5b4-2d11-453d-a403-e96b0029c9fe'",
            "'8e3af657-a8ff-443c-a75c-2fe8c4bcb635'",
            "not on the list",
        ),
        ("modules/storage.bicep", "scope: host\n", "scope: mail\n", "not on host"),
        ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess"),
        ("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'", "minimumTlsVersion"),
        (
            "modules/storage.bicep",
            "output mailAccountId string = mail.id",
            "output mailAccountId string = mail.id\noutput leak string = mail.listKeys().keys[0].value",
            "lists keys",
        ),
        ("modules/vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: false", "enablePurgeProtection"),
        ("modules/vault.bicep", "vaults@2026-02-01", "vaults@2023-07-01", "reviewed is 2026-02-01"),
        (
            "modules/vault.bicep",
            "output url string",
            "output signingKey string = 'x'\noutput url string",
            "may carry a secret",
        ),
        ("modules/monitoring.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "disableLocalAuth"),
        ("modules/identity.bicep", "param name string", "@secure()\nparam name string", "takes a secret"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: Path, file: str, old: str, new: str, finding: str) -> None:
    planted = tmp_path / "infra"
    shutil.copytree(INFRA, planted)
    text = (planted / file).read_text()
    assert old in text, "the mistake has no place to be planted"
    (planted / file).write_text(text.replace(old, new, 1))
    assert any(finding in found for found in findings(planted, SOURCES)), findings(planted, SOURCES)


def test_an_sdk_without_a_role_is_found(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("from azure.servicebus import ServiceBusClient\n")
    assert findings(INFRA, tmp_path) == ["the code calls azure.servicebus, for which no role is known"]


def test_a_module_nobody_uses_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "infra"
    shutil.copytree(INFRA, planted)
    (planted / "modules" / "spare.bicep").write_text("param x string\noutput y string = x\n")
    assert findings(planted, SOURCES) == ["modules/spare.bicep: no file uses it"]


def test_the_parameters_file_gives_just_the_parameters_there_are() -> None:
    given = set(json.loads((INFRA / "main.parameters.json").read_text())["parameters"])
    text = (INFRA / "main.bicep").read_text()
    declared = {line.split()[1] for line in text.splitlines() if line.startswith("param ")}
    assert given <= declared
    assert {"environmentName", "location"} <= given


def test_what_the_workflow_deploys_has_every_value_that_azd_up_has() -> None:
    """A value that it lacked would fall back to its default, and open again what was shut."""
    wanted = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    deploy = (ROOT / ".github" / "workflows" / "ci.yml").read_text().partition("\n  deploy:\n")[2]
    assert wanted - set(re.findall(r"^      (\w+): \$\{\{ vars\.\1\b", deploy, re.MULTILINE)) == set()


def test_the_documents_put_a_package_into_the_service_that_azd_knows() -> None:
    services = re.findall(r"^  (\w+):$", (ROOT / "azure.yaml").read_text().partition("services:")[2], re.MULTILINE)
    said = re.findall(r"azd deploy( \w+)? --from-package", (ROOT / "docs" / "deploy.md").read_text())
    assert [name.strip() for name in said] == services


def test_every_abbreviation_is_used() -> None:
    text = (INFRA / "main.bicep").read_text()
    for name in json.loads((INFRA / "abbreviations.json").read_text()):
        assert f"abbreviations.{name}" in text, name
