"""docs/ say of the deployment what infra/ does: locks, national clouds, and who may read the copies."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from shared.settings import Settings

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "infra" / "modules"
OF_THE_PUBLIC_CLOUD = ("outlook.office365.com", "graph.microsoft.com")


def page(name: str, heading: str = "") -> str:
    """A page of docs/, or the section below one of its headings."""
    text = (ROOT / "docs" / name).read_text()
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text


def locks(text: str) -> set[tuple[str, str]]:
    """The name of each lock of a module, and the type of the resource that it protects."""
    resources = dict(re.findall(r"^resource (\w+) '([\w./]+)@", text, re.MULTILINE))
    found = re.findall(r"Microsoft\.Authorization/locks@.*?name: '([^']+)'\n  scope: (\w+)", text, re.DOTALL)
    return {(name, resources[scope]) for name, scope in found}


def test_every_lock_can_be_removed_by_the_command_that_is_told() -> None:
    made = {lock for path in MODULES.glob("*.bicep") for lock in locks(path.read_text())}
    told = re.findall(r"az lock delete --name (\S+) .*?--resource-type (\S+)", page("deploy.md", "Taking it down"))
    assert made
    assert set(told) == made


def test_a_lock_that_the_page_does_not_name_would_be_found() -> None:
    text = (MODULES / "vault.bicep").read_text()
    assert locks(text.replace("keep-tokens", "keep-secrets")) == {("keep-secrets", "Microsoft.KeyVault/vaults")}


@pytest.mark.parametrize("cloud", ["Azure Government", "Azure China"])
def test_every_endpoint_of_the_public_cloud_is_overridden_in_others(cloud: str) -> None:
    section = page("deploy.md", "National clouds")
    rows = {row.split("|")[1].strip(): row for row in section.splitlines() if row.startswith("| Azure")}
    told = rows[cloud].replace("the same", rows["Azure Government"])
    for item in fields(Settings):
        default = str(item.metadata["default"])
        if any(host in default for host in OF_THE_PUBLIC_CLOUD):
            assert f"`{item.metadata['name']}`" in told, item.metadata["name"]


def test_the_deploy_page_prices_just_the_log_alerts_that_there_are() -> None:
    rules = re.findall(r"^    query: '", (MODULES / "alerts.bicep").read_text(), re.MULTILINE)
    numbers = {"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16}
    (told,) = re.findall(r"(\w+) log alerts at", page("deploy.md"))
    assert numbers[told] == len(rules)


def test_the_security_page_says_that_who_deploys_may_read_the_copies() -> None:
    assert "`DEPLOYER_READS_DATA`" in page("security.md")


def test_the_operations_page_says_what_the_freshness_threshold_is() -> None:
    """It is the one of alerts.bicep: mailboxes divided by a hundred and by the shards."""
    found = re.search(
        r"^var lateInShard = expectedMailboxes / (\d+)$", (MODULES / "alerts.bicep").read_text(), re.MULTILINE
    )
    assert found
    shards = next(item.metadata["default"] for item in fields(Settings) if item.metadata["name"] == "SYNC_SHARDS")
    assert int(found[1]) == 100 * int(shards)
    row = next(line for line in page("operations.md").splitlines() if line.startswith("| freshness |"))
    assert f"{int(found[1]):,}" in row
    assert "`EXPECTED_MAILBOXES`" in row


def test_no_certificate_is_promised_that_flex_consumption_does_not_take() -> None:
    """https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#considerations"""
    section = page("deploy.md", "Your own domain")
    assert "Front" in section
    assert "managed certificate" not in section
    assert "az functionapp config" not in section
