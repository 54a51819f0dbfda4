"""infra/ keeps its promises, and each check would notice if it did not."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.azure_yaml import values
from tests.unit.infra.checks import findings

ROOT = Path(__file__).parents[3]
OF_AZD = {"AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
"""What azd looks up itself, whatever the environment says."""
INFRA, SOURCES = ROOT / "infra", ROOT / "shared"


def copy_of_infra(to: Path) -> Path:
    """infra/ without the staged package."""
    shutil.copytree(INFRA, to / "infra", ignore=shutil.ignore_patterns("package", "tools"))
    return to / "infra"


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
            "[for site in ['ftp', 'scm']:",
            "[for site in items(platformSettings):",
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
        (
            "modules/app.bicep",
            "  tags: tags\n  kind: 'functionapp'\n",
            "  tags: union(tags, { 'azd-service-name': 'app' })\n  kind: 'functionapp'\n",
            "not on the site alone",
        ),
        ("modules/app.bicep", "'azd-service-name': 'app'", "'azd-service': 'app'", "azd-service-name is on nothing"),
        (
            "modules/app.bicep",
            "__blobServiceUri: hostBlobUrl",
            "__accountName: hostBlobUrl",
            "__accountName is unexpected",
        ),
        (
            "modules/storage.bicep",
            "    principalId: principalId\n",
            "    principalId: somebodyId\n",
            "to somebody else than the app",
        ),
        (
            "modules/storage.bicep",
            "= if (!empty(readerId)) {\n  name: guid(mail.id, readerId, blob",
            "= {\n  name: guid(mail.id, readerId, blob",
            "to somebody else than the app",
        ),
        ("modules/registration.bicep", "audiences: [federationAudience]", "audiences: ['api://x']", "is not kept"),
        ("main.bicep", "deployerReadsData ? principalId : ''", "principalId", "is not kept"),
        ("main.bicep", "@metadata({ azd: { type: 'location' } })\n", "", "is not kept"),
        ("main.bicep", "@maxValue(1000)\n", "", "is not kept"),
        ("main.bicep", "dailyLogsGb: logsGb", "dailyLogsGb: 10", "is not kept"),
        ("modules/alerts.bicep", "failures > ${failuresInHalfAnHour}", "failures > 20", "is not kept"),
        ("modules/alerts.bicep", "late * 100 > mailboxes * ${latePercent}", "late > 0", "is not kept"),
        ("modules/alerts.bicep", "waiting * 100 > mailboxes * ${signInPercent}", "waiting > 0", "is not kept"),
        ("modules/alerts.bicep", "failed > ${failuresInHalfAnHour} and", "failed > 0 and", "is not kept"),
        ("modules/alerts.bicep", "suspended > ${suspendedInAnHour}", "suspended > 0", "is not kept"),
        ("modules/alerts.bicep", "threshold: vaultRefusals", "threshold: 20", "is not kept"),
        ("modules/vault.bicep", "= if (protectData)", "= if (false)", "is not kept"),
        ("main.bicep", "= if (!empty(mailDataLocation))", "= if (true)", "is not kept"),
        ("modules/mail_service.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "is not kept"),
        ("modules/mail_service.bicep", "scope: communication\n", "scope: email\n", "not on communication"),
        ("modules/app.bicep", "MAIL_SENDER: mailSender", "MAIL_SENDR: mailSender", "MAIL_SENDER is missing"),
        ("modules/identity.bicep", "param name string", "@secure()\nparam name string", "takes a secret"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: Path, file: str, old: str, new: str, finding: str) -> None:
    planted = copy_of_infra(tmp_path)
    text = (planted / file).read_text()
    assert old in text, "the mistake has no place to be planted"
    (planted / file).write_text(text.replace(old, new, 1))
    assert any(finding in found for found in findings(planted, SOURCES)), findings(planted, SOURCES)


def test_an_sdk_without_a_role_is_found(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("from azure.servicebus import ServiceBusClient\n")
    assert findings(INFRA, tmp_path) == ["the code calls azure.servicebus, for which no role is known"]


def test_a_module_nobody_uses_is_found(tmp_path: Path) -> None:
    planted = copy_of_infra(tmp_path)
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
    wanted = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text())) - OF_AZD
    deploy = (ROOT / ".github" / "workflows" / "ci.yml").read_text().partition("\n  deploy:\n")[2]
    assert wanted - set(re.findall(r"^      (\w+): \$\{\{ vars\.\1\b", deploy, re.MULTILINE)) == set()


def test_the_documents_put_a_package_into_the_service_that_azd_knows() -> None:
    services = {
        name.split(".")[1] for name in values((ROOT / "azure.yaml").read_text()) if name.startswith("services.")
    }
    said = re.findall(r"azd deploy( \w+)? --from-package", (ROOT / "docs" / "deploy.md").read_text())
    assert {name.strip() for name in said} == services


def test_every_abbreviation_is_used() -> None:
    text = (INFRA / "main.bicep").read_text()
    for name in json.loads((INFRA / "abbreviations.json").read_text()):
        assert f"abbreviations.{name}" in text, name


def azure_yaml_problems(text: str) -> list[str]:
    """What would have azd build in Azure, with another Python and other packages than those tested."""
    found = values(text)
    wanted = {
        "services.app.remoteBuild": "false",
        "services.app.host": "function",
        "services.app.project": "infra/package",
        "requiredVersions.azd": ">= 1.23.5",
    }
    problems = [f"{name} is not {value}" for name, value in wanted.items() if found.get(name) != value]
    for system in ("posix", "windows"):
        if "package.py --stage ." not in found.get(f"services.app.hooks.prepackage.{system}.run", ""):
            problems.append(f"no hook makes the package on {system}")
    return problems


def test_azd_deploys_the_package_that_the_hook_makes() -> None:
    assert azure_yaml_problems((ROOT / "azure.yaml").read_text()) == []
    assert (INFRA / "package" / ".funcignore").is_file(), "a hook of a service runs in its folder, which must be there"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("remoteBuild: false", "remoteBuild: true", "services.app.remoteBuild is not false"),
        ("project: infra/package", "project: .", "services.app.project is not infra/package"),
        ('azd: ">= 1.23.5"', 'azd: ">= 1.20"', "requiredVersions.azd is not >= 1.23.5"),
        ("python3 ../tools/package.py --stage .", "true", "no hook makes the package on posix"),
    ],
)
def test_a_mistake_in_azure_yaml_is_found(old: str, new: str, problem: str) -> None:
    text = (ROOT / "azure.yaml").read_text()
    assert old in text
    assert azure_yaml_problems(text.replace(old, new)) == [problem]


def test_azd_down_says_first_that_every_copy_goes() -> None:
    found = values((ROOT / "azure.yaml").read_text())
    for system in ("posix", "windows"):
        command = found[f"hooks.predown.{system}.run"]
        assert "every copy" in (ROOT / command.split()[-1]).read_text()
        assert found[f"hooks.predown.{system}.interactive"] == "true", "azd hides the output of other hooks"


@pytest.mark.parametrize(
    ("wanted", "az", "asked", "told"),
    [
        ("false", "exit 0", False, ""),
        ("true", "exit 0", True, ""),
        ("true", "exit 1", True, "az provider register --namespace Microsoft.App --subscription sub-1 --wait"),
    ],
    ids=["not wanted", "registered", "refused"],
)
def test_private_networking_registers_its_provider(
    tmp_path: Path, wanted: str, az: str, asked: bool, told: str
) -> None:
    (tmp_path / "az").write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/asked"\n{az}\n')
    (tmp_path / "az").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "VNET_ENABLED": wanted, "AZURE_SUBSCRIPTION_ID": "sub-1"}
    command = [str(INFRA / "scripts" / "before_provision.sh")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
    assert (tmp_path / "asked").exists() is asked
    assert told in ended.stdout


def test_every_script_that_a_hook_names_is_there() -> None:
    found = values((ROOT / "azure.yaml").read_text())
    for name, command in found.items():
        if name.startswith("hooks.") and name.endswith(".run"):
            assert (ROOT / command.split()[-1]).is_file(), name


def test_the_deployment_page_lists_every_value_with_its_default() -> None:
    given = re.findall(r"\$\{(\w+)(?:=([^}]*))?\}", (INFRA / "main.parameters.json").read_text())
    wanted = {name: default for name, default in given if not name.startswith("AZURE_")}
    page = (ROOT / "docs" / "deploy.md").read_text().partition("### Values of an environment")[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", page, re.MULTILINE))
    assert rows.keys() == wanted.keys()
    told = {name: rows[name].strip("`") for name in rows}
    in_words = {"empty": "", "nobody": "", "this tenant": "", "the default one": "", "{}": ""}
    assert {name: in_words.get(default, default) for name, default in told.items()} == wanted


def test_the_log_cap_that_the_page_tells_is_the_one_that_is_deployed() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    formula = re.search(r"expectedMailboxes \* (\d+) \* (\d+) \* (\d+)\n", (INFRA / "main.bicep").read_text())
    assert formula
    kilobytes = int(formula[1]) * int(formula[2]) * int(formula[3])
    caps = {mailboxes: max(1, (mailboxes * kilobytes + 999_999) // 1_000_000) for mailboxes in (2_083, 10_000, 50_000)}
    for mailboxes, gigabytes in re.findall(r"(\d+) GB (?:up to|for) ([\d,]+)", page):
        assert caps[int(gigabytes.replace(",", ""))] == int(mailboxes)


def actions_that_are_not_pinned(workflow: str) -> list[str]:
    """The actions of a workflow that whoever owns them can change, or that do not say their version."""
    used = re.findall(r"uses: (\S+)(.*)$", workflow, re.MULTILINE)
    return [name for name, rest in used if not re.search(r"@[0-9a-f]{40}$", name) or not re.match(r" # v\d", rest)]


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(workflow: Path) -> None:
    text = workflow.read_text()
    assert actions_that_are_not_pinned(text) == []
    planted = re.sub(r"(actions/checkout|actions/download-artifact)@\S+ # (v\d)", r"\1@\2", text, count=1)
    assert len(actions_that_are_not_pinned(planted)) == 1


def bicep_step() -> str:
    """The script of the workflow that compiles infra/."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    found = re.search(r"- name: Compile infra/.*?run: \|\n((?: {10}[^\n]*\n)+)", text, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("said", "status", "passes"),
    [
        ("", 0, True),
        ("WARNING: A new Bicep release is available: v0.99.0.", 0, True),
        (
            "WARNING: /infra/main.bicep(12,7) : Warning no-unused-params: Parameter x is declared but never used.",
            0,
            False,
        ),
        ("ERROR: /infra/main.bicep(12,7) : Error BCP057: The name x does not exist.", 1, False),
    ],
)
def test_a_warning_of_the_bicep_compiler_fails_the_workflow(
    tmp_path: Path, said: str, status: int, passes: bool
) -> None:
    (tmp_path / "az").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {status}\n")
    (tmp_path / "az").chmod(0o755)
    command = ["bash", "-e", "-c", bicep_step()]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)  # noqa: PLW1510, S603
    assert (ended.returncode == 0) is passes
    assert said in ended.stdout
