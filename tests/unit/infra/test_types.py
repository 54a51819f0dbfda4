"""infra/ makes what Azure's published types allow, and each kind of mistake would be noticed."""

import json
from pathlib import Path

import pytest

from tests.unit.infra.bicep import BicepFile, declarations
from tests.unit.infra.bodies import UNKNOWN, Choice, Literal, resources
from tests.unit.infra.type_checks import TYPES, published, type_findings

INFRA = Path(__file__).parents[3] / "infra"


def file(text: str) -> BicepFile:
    return BicepFile(Path("planted.bicep"), text, {}, declarations(text))


@pytest.mark.parametrize("path", sorted(INFRA.rglob("*.bicep")), ids=lambda path: str(path.name))
def test_every_resource_is_as_published(path: Path) -> None:
    assert list(type_findings({path.name: file(path.read_text())}, INFRA)) == []


@pytest.mark.parametrize(
    ("module", "old", "new", "finding"),
    [
        ("app", "httpsOnly: true", "httpOnly: true", "app.properties.httpOnly is unknown"),
        ("app", "triggers: { http:", "triggers: { https:", ".triggers.https is unknown"),
        ("app", "reserved: true\n", "reserved: true\n    status: 'Ready'\n", "plan.properties.status is read-only"),
        ("app", "type: 'blobContainer'", "type: 'blob'", ".storage.type may not be blob"),
        ("app", "name: 'python', version", "name: 'snake', version", ".runtime.name may not be snake"),
        ("app", "minTlsVersion: '1.2'", "minTlsVersion: '1.9'", ".minTlsVersion may not be 1.9"),
        ("app", "instanceMemoryMB: 2048", "instanceMemoryMB: '2048'", ".instanceMemoryMB has to be int"),
        ("app", "name: 'http', instanceCount", "nam: 'http', instanceCount", ".alwaysReady[0].nam is unknown"),
        ("app", "properties: { allow: false }", "properties: { allow: 'no' }", ".allow has to be bool"),
        ("app", "properties: { allow: false }", "properties: {}", "publishing.properties.allow is missing"),
        ("app", "name: 'appsettings'", "name: 'appsetting'", "settings.name may not be appsetting"),
        ("storage", "  kind: 'StorageV2'\n", "", "mail.kind is missing"),
        ("storage", "accessTier: 'Hot'", "accessTier: 'Warm'", ".accessTier may not be Warm"),
        ("storage", "'Standard_ZRS' : 'Standard_LRS'", "'Standard_XRS' : 'Standard_LRS'", "may not be Standard_XRS"),
        ("storage", "enabled: true, days: 7", "enabled: true, days: 400", ".days may not be 400"),
        ("storage", "blobTypes: ['blockBlob']", "blobTypes: 'blockBlob'", ".blobTypes may not be blockBlob"),
        ("storage", "storageAccounts@2026-04-01' = {", "storageAccounts@2099-01-01' = {", "is not in tests/unit"),
        ("storage", "level: 'CanNotDelete'", "level: 'CannotDelete'", ".level may not be CannotDelete"),
        ("storage", "    principalId: readerId\n", "", "readerBlobRole.properties.principalId is missing"),
        ("vault", "sku: { family: 'A'", "sku: { family: 'B'", ".sku.family may not be B"),
        ("network", "addressPrefixes: ['10.40.0.0/16']", "addressPrefixes: '10.40.0.0/16'", "may not be 10.40.0.0/16"),
        ("network", "subnets: [", "subnet: [", ".subnet is unknown"),
        ("endpoints", "groupIds: [target.kind]", "groupIDs: [target.kind]", ".groupIDs is unknown"),
        ("alerts", "Azure.Monitor.Single", "Azure.Monitor.Simple", "criteria.odata.type may not be"),
        ("alerts", "criterionType: 'StaticThresholdCriterion'\n", "", "criterionType is missing"),
        ("alerts", "timeAggregation: 'Count'", "timeAggregation: 'Number'", ".timeAggregation may not be Number"),
        ("action_group", "serviceUri: webhook, ", "", "webhookReceivers[0].serviceUri is missing"),
        ("monitoring", "retentionInDays: retentionDays", "retentionInDays: 'x'", ".retentionInDays has to be int"),
        ("mail_service", "'AzureManaged'\n", "'AzureOwned'\n", ".domainManagement may not be AzureOwned"),
        ("mail_service", "linkedDomains: [domain.id]", "linkedDomain: [domain.id]", ".linkedDomain is unknown"),
        ("mail_service", "properties: { dataLocation: dataLocation }", "properties: {}", ".dataLocation is missing"),
        ("registration", "redirectUris: [", "redirectUrls: [", "web.redirectUrls is unknown"),
        ("registration", "  displayName: displayName\n  sign", "  sign", "application.displayName is missing"),
        ("exposed_api", "{ appId: azureCli,", "{ applicationId: azureCli,", "[0].applicationId is unknown"),
    ],
)
def test_a_planted_mistake_is_found(module: str, old: str, new: str, finding: str) -> None:
    text = (INFRA / "modules" / f"{module}.bicep").read_text()
    assert old in text, "the mistake has no place to be planted"
    found = list(type_findings({module: file(text.replace(old, new, 1))}, INFRA))
    assert any(finding in one for one in found), found


def test_a_property_used_for_the_first_time_asks_for_its_type() -> None:
    text = (
        (INFRA / "modules" / "app.bicep")
        .read_text()
        .replace("httpsOnly: true", "httpsOnly: true\n    hostNamesDisabled: true")
    )
    (found,) = type_findings({"app": file(text)}, INFRA)
    assert found.endswith(".hostNamesDisabled is used for the first time: make tests/unit/infra/types anew")


def test_what_a_body_says_is_read_with_both_branches_and_without_guesses() -> None:
    text = """
var shared = { a: 1, b: 'x' }
resource one 'T@1' = if (!empty(x)) {
  properties: union(shared, { b: 'it\\\\'s', c: later.properties.id })
  either: flag == 0 ? [] : [{ n: true }] // a comment
  computed: '${name}-1'
  nothing: null
}
resource two 'T@1' = [for (item, index) in list: {
  name: item
}]
resource three 'T@1' existing = {
  name: 'x'
}
"""
    first, second = resources(file(text.replace("\\\\", "\\")))
    assert first.body == {
        "properties": {"a": Literal(1), "b": Literal("it's"), "c": UNKNOWN},
        "either": Choice(([], [{"n": Literal(True)}])),
        "computed": UNKNOWN,
        "nothing": Literal(None),
    }
    assert second.body == {"name": UNKNOWN}


def test_every_type_on_file_is_used_and_tells_its_source() -> None:
    made = {one.type for path in INFRA.rglob("*.bicep") for one in resources(file(path.read_text()))}
    assert made == set(published())
    assert "tests.unit.infra.types.reduce" in (TYPES / "README.md").read_text()
    for path in TYPES.glob("*.json"):
        provider, _, version = path.stem.partition("-")
        for name in json.loads(path.read_text()):
            assert name.lower().startswith(provider)
            assert name.partition("@")[2] == version
