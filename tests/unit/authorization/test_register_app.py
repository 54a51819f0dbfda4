"""The registration script, run with a stand-in for the Azure CLI that writes down what it was asked."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from shared.pages.paths import APPROVAL_CALLBACK, SIGN_IN_CALLBACK

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "infra" / "scripts"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
IDENTITY = "11111111-2222-3333-4444-555555555555"
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

AZ = f"""#!{sys.executable}
import json, os, sys
asked = sys.argv[1:]
files = {{word[1:]: open(word[1:]).read() for word in asked if word.startswith("@")}}
with open(os.environ["ASKED"], "a") as log:
    log.write(json.dumps([asked, list(files.values())]) + "\\n")
words = " ".join(asked)
known = os.environ["KNOWN"] == "yes"
if words.startswith("ad app list"):
    print("client-id" if known else "")
elif words.startswith("ad app create"):
    print("client-id")
elif words.startswith("ad app federated-credential list"):
    print("federation-id" if known else "")
elif words.startswith("ad sp list"):
    print("service-principal" if known else "")
elif words.startswith("account show"):
    print("tenant-id")
elif words.startswith("cloud show --query endpoints.activeDirectory"):
    print("https://login.microsoftonline.com")
elif words.startswith("cloud show --query endpoints.microsoftGraphResourceId"):
    print("https://graph.microsoft.com/")
"""


type Call = tuple[list[str], list[str]]
"""What the CLI was asked, and the files it was given."""


def run(
    tmp_path: Path, *options: str, known: bool = False, bash: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[Call]]:
    """The script's end, and every call of the CLI with the files it was given."""
    az, asked = tmp_path / "az", tmp_path / "asked"
    az.write_text(AZ)
    az.chmod(0o755)
    asked.write_text("")
    environment = {
        "PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin",
        "ASKED": str(asked),
        "KNOWN": "yes" if known else "no",
        "BASH_COMPAT": bash,
    }
    command = ["bash", str(SCRIPTS / "register_app.sh"), *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    return ended, [cast(Call, json.loads(line)) for line in asked.read_text().splitlines()]


OPTIONS = ("--url", "https://sync.example/", "--identity", IDENTITY)


def call(calls: list[Call], start: str) -> Call:
    return next(asked for asked in calls if " ".join(asked[0]).startswith(start))


def test_a_new_registration_has_the_doors_the_program_has(tmp_path: Path) -> None:
    ended, calls = run(tmp_path, *OPTIONS)
    assert ended.returncode == 0, ended.stderr
    assert "ENTRA_CLIENT_ID=client-id" in ended.stdout
    words, files = call(calls, "ad app update")
    at = words.index("--web-redirect-uris")
    assert words[at + 1 : at + 3] == [f"https://sync.example{path}" for path in (SIGN_IN_CALLBACK, APPROVAL_CALLBACK)]
    assert "api.requestedAccessTokenVersion=2" in words
    access, roles = (json.loads(text) for text in files)
    assert [len(one["resourceAccess"]) for one in access] == [1, 8]
    assert [role["value"] for role in roles] == ["Operator", "Operator.Read", "Replica.Read"]
    federation = json.loads(call(calls, "ad app federated-credential create")[1][0])
    assert (federation["subject"], federation["issuer"]) == (
        IDENTITY,
        "https://login.microsoftonline.com/tenant-id/v2.0",
    )


def test_the_azure_cli_gets_a_token_for_the_api_without_consent(tmp_path: Path) -> None:
    """Its scope first: a client can be pre-authorized only for a scope that is there."""
    _, calls = run(tmp_path, *OPTIONS)
    words, _ = call(calls, "ad app update")
    assert words[words.index("--identifier-uris") + 1] == "api://client-id"
    patches = [json.loads(files[0])["api"] for asked, files in calls if asked[0] == "rest"]
    assert ["preAuthorizedApplications" in patch for patch in patches] == [False, True]
    (scope,) = patches[0]["oauth2PermissionScopes"]
    assert scope["value"] == "user_impersonation"
    assert patches[1]["oauth2PermissionScopes"] == [scope]
    assert patches[1]["preAuthorizedApplications"] == [{"appId": AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}]
    assert any("graph.microsoft.com/v1.0/applications(appId='client-id')" in " ".join(asked) for asked, _ in calls)


def test_a_national_cloud_names_its_own_audience(tmp_path: Path) -> None:
    _, calls = run(tmp_path, *OPTIONS, "--audience", "api://AzureADTokenExchangeUSGov")
    federation = json.loads(call(calls, "ad app federated-credential create")[1][0])
    assert federation["audiences"] == ["api://AzureADTokenExchangeUSGov"]


def test_app_only_asks_for_graph_as_well(tmp_path: Path) -> None:
    _, calls = run(tmp_path, *OPTIONS, "--app-only")
    _, graph = json.loads(call(calls, "ad app update")[1][0])
    assert [entry["type"] for entry in graph["resourceAccess"]].count("Role") == 5


def test_no_secret_is_ever_made(tmp_path: Path) -> None:
    _, calls = run(tmp_path, *OPTIONS, "--app-only")
    assert not any("credential reset" in " ".join(asked[0]) or "password" in str(asked) for asked in calls)


def test_running_it_again_makes_nothing_new(tmp_path: Path) -> None:
    ended, calls = run(tmp_path, *OPTIONS, known=True)
    assert ended.returncode == 0, ended.stderr
    assert not any("create" in asked[0] for asked in calls)


def test_app_only_and_several_tenants_are_asked_for_by_name(tmp_path: Path) -> None:
    _, calls = run(tmp_path, *OPTIONS, "--app-only", "--multi-tenant", "--no-graph", "--name", "O'Sync")
    words, files = call(calls, "ad app update")
    access = json.loads(files[0])
    assert [entry["type"] for entry in access[0]["resourceAccess"]] == ["Scope", "Role"]
    assert len(access) == 1
    assert words[words.index("--sign-in-audience") + 1] == "AzureADMultipleOrgs"
    assert "displayName eq 'O''Sync'" in call(calls, "ad app list")[0]


def test_an_old_bash_doubles_the_quote_in_a_name_too(tmp_path: Path) -> None:
    _, calls = run(tmp_path, *OPTIONS, "--name", "O'Sync", bash="3.2")
    assert "displayName eq 'O''Sync'" in call(calls, "ad app list")[0]


@pytest.mark.parametrize(
    "options",
    [(), ("--url", "http://sync.example", "--identity", IDENTITY), ("--url", "https://x.example"), (*OPTIONS, "--wat")],
    ids=["nothing", "http", "no identity", "unknown"],
)
def test_wrong_options_are_refused_before_anything_is_asked(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended, calls = run(tmp_path, *options)
    assert ended.returncode == 2
    assert "register_app.sh:" in ended.stderr
    assert calls == []


def test_both_scripts_and_the_deployment_ask_for_the_same(tmp_path: Path) -> None:
    shell, powershell = ((SCRIPTS / f"register_app.{kind}").read_text() for kind in ("sh", "ps1"))
    modules = ROOT / "infra" / "modules"
    bicep = (modules / "registration.bicep").read_text() + (modules / "exposed_api.bicep").read_text()
    own = set(GUID.findall(shell))
    assert own == set(GUID.findall(powershell)) - {"00000000-0000-0000-0000-000000000000"}
    assert set(GUID.findall(bicep)) <= own
    roles = [
        re.findall(r"value['\"]?[:=] ?['\"]((?:Operator|Replica)[.\w]*)", text.replace(" = ", "="))
        for text in (shell, powershell, bicep)
    ]
    assert roles[0] == roles[1] == roles[2] == ["Operator", "Operator.Read", "Replica.Read"]
    assert set(GUID.findall(shell)) - set(GUID.findall(bicep)) == set(re.findall(r'_(?:role|scope)="([^"$]+)"', shell))
