"""What infra/ promises, as checks that give their findings in sentences; none means all is well."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from shared.settings import Settings
from shared.storage import storage_layout
from tests.unit.infra.bicep import FUNCTIONS, KEYWORDS, BicepFile, block, keys, load, loop_names, references
from tests.unit.infra.type_checks import type_findings

API_VERSIONS = {
    "Microsoft.Web": "2025-03-01",
    "Microsoft.Storage": "2026-04-01",
    "Microsoft.KeyVault": "2026-02-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.OperationalInsights": "2026-03-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/scheduledQueryRules": "2026-03-01",
    "Microsoft.Communication": "2026-03-18",
    "Microsoft.Network/virtualNetworks": "2025-09-01",
    "Microsoft.Network/privateEndpoints": "2025-09-01",
}

ROLES = {
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ("Storage Blob Data Contributor", "mail"),
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": ("Storage Table Data Contributor", "mail"),
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": ("Storage Queue Data Contributor", "mail"),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": ("Storage Blob Data Owner", "host"),
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": ("Key Vault Secrets Officer", "vault"),
    "3913510d-42f4-4e42-8a64-420c390055eb": ("Monitoring Metrics Publisher", "insights"),
    "09976791-48a7-449e-bb21-39d1a415f350": ("Communication and Email Service Owner", "communication"),
}
"""The least the app can do with: each role, and the one resource it is given on."""

READER_ROLES = frozenset({"Storage Blob Data Contributor", "Storage Table Data Contributor"})
"""What whoever deploys gets for the command line, unless that is switched off."""

SDK_NEEDS = {
    "azure.storage.blob": "Storage Blob Data Contributor",
    "azure.data.tables": "Storage Table Data Contributor",
    "azure.storage.queue": "Storage Queue Data Contributor",
    "azure.keyvault.secrets": "Key Vault Secrets Officer",
    "azure.communication.email": "Communication and Email Service Owner",
}
NO_ROLE_NEEDED = frozenset({"azure.core", "azure.identity", "azure.functions"})
"""Packages that call no resource of the deployment."""

PLATFORM_SETTINGS = frozenset(
    {
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__clientId",
        "MailboxStorage__credential",
        "MailboxStorage__clientId",
        "AzureWebJobsDisableHomepage",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "MALLOC_ARENA_MAX",
        "PYTHON_THREADPOOL_THREAD_COUNT",
    }
)

FORBIDDEN = {
    r"\blist(Keys|Account|Service|Secrets|Connection|Credentials)|\.list[A-Z]\w*\(": "lists keys or secrets",
    r"AccountKey|SharedAccessKey|InstrumentationKey": "names an account key",
    r"passwordCredentials|clientSecret|CLIENT_SECRET": "gives the app a secret",
    r"allowedIPs? *: *'\*'|sourceAddressPrefix: '\*'": "opens a port to everybody",
}

PROMISES = {
    "modules/storage.bicep": [
        r"allowSharedKeyAccess: false",
        r"allowBlobPublicAccess: false",
        r"minimumTlsVersion: 'TLS1_2'",
        r"supportsHttpsTrafficOnly: true",
        r"publicNetworkAccess: publicAccess \? 'Enabled' : 'Disabled'",
        r"defaultAction: publicAccess \? 'Allow' : 'Deny'",
        r"publicAccess: 'None'",
        r"deleteRetentionPolicy: \{ enabled: false \}",
        r"isVersioningEnabled: false",
        r"resource mailLock 'Microsoft\.Authorization/locks@[\d-]+' = if \(protectData\)",
    ],
    "modules/vault.bicep": [
        r"enableRbacAuthorization: true",
        r"enableSoftDelete: true",
        r"enablePurgeProtection: true",
        r"resource lock 'Microsoft\.Authorization/locks@[\d-]+' = if \(protectData\)",
        r"publicNetworkAccess: publicAccess \? 'Enabled' : 'Disabled'",
    ],
    "modules/monitoring.bicep": [r"disableLocalAuth: true", r"DisableLocalAuth: true"],
    "modules/mail_service.bicep": [
        r"disableLocalAuth: true",
        r"domainManagement: 'AzureManaged'",
        r"userEngagementTracking: 'Disabled'",
    ],
    "modules/app.bicep": [
        r"httpsOnly: true",
        r"minTlsVersion: '1.2'",
        r"ftpsState: 'Disabled'",
        r"version: '3.13'",
        r"properties: \{ allow: false \}",
    ],
    "modules/registration.bicep": [r"enableAccessTokenIssuance: false", r"audiences: \[federationAudience\]"],
    "modules/alerts.bicep": [
        r"toint\(line\.late\) > \$\{lateInShard\}",
        r"failures > \$\{failuresInHalfAnHour\}",
        r"late \* 100 > mailboxes \* \$\{latePercent\}",
        r"waiting \* 100 > mailboxes \* \$\{signInPercent\}",
        r"failed > \$\{failuresInHalfAnHour\} and failed \* 100 > passes \* \$\{failingPercent\}",
        r"suspended > \$\{suspendedInAnHour\}",
        r"suspendedInAnHour = expectedMailboxes / \d+",
        r"threshold: storageRefusals",
        r"threshold: vaultRefusals",
    ],
    "main.bicep": [
        r"dailyLogsGb: logsGb",
        r"publicAccess: !vnetEnabled",
        r"@allowed\(\[\n(?:  '[a-z0-9]+'\n){20,}\]\)\n@metadata\(\{ azd: \{ type: 'location' \} \}\)\nparam location ",
        r"@minValue\(1\)\n@maxValue\(1000\)\n@description\([^\n]+\)\nparam maximumInstances ",
        r"federationAudience string = 'api://AzureADTokenExchange'",
        r"module mailService 'modules/mail_service\.bicep' = if \(!empty\(mailDataLocation\)\)",
        r"param mailDataLocation string = ''",
        r"readerId: deployerReadsData \? principalId : ''",
    ],
}


def findings(infra: Path, sources: Path) -> list[str]:
    """Everything that is wrong with the files under `infra`, given the program under `sources`."""
    files: dict[str, BicepFile] = {}
    problems: list[str] = []
    for path in sorted(infra.rglob("*.bicep")):
        name = path.relative_to(infra).as_posix()
        try:
            files[name] = load(path)
        except Exception as error:  # pycep lets many of its parser's types through
            problems.append(f"{name}: does not parse ({type(error).__name__})")
    checks = (_names, _loops, _modules, _settings, _storage, _roles, _secrets, _promises, _versions, _reached, _service)
    for check in (*checks, type_findings):
        problems += check(files, sources)
    return problems


def _names(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """Every name used is declared, every name declared is used."""
    for name, file in files.items():
        declared = {item.name for item in file.declarations if item.kind != "output"}
        used: set[str] = set()
        for item in file.declarations:
            found = references(item.text) - KEYWORDS - FUNCTIONS - loop_names(item.text)
            yield from (
                f"{name}:{item.line} {item.name} uses {unknown}" for unknown in sorted(found - declared - {item.name})
            )
            used |= found - {item.name}
        for item in file.declarations:
            if item.kind in ("param", "var") and item.name not in used:
                yield f"{name}:{item.line} {item.kind} {item.name} is never used"


def _loops(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """What a loop goes over is known when the deployment starts: the compiler refuses anything else (BCP178)."""
    for name, file in files.items():
        for item in file.declarations:
            for over in re.findall(r"\[for +[^\n]*? in (.+?): *[{(]", item.text):
                yield from (
                    f"{name}:{item.line} {item.name} loops over what {late} tells only later"
                    for late in sorted(_told_later(file, over))
                )


def _told_later(file: BicepFile, expression: str) -> set[str]:
    """The resources and modules of which an expression needs more than is known at the start, through variables too."""
    late = set()
    for kind in ("resource", "module"):
        for name in file.named(kind):
            if re.search(rf"\b{name}(?:\[[^\]]*\])?[!?]?\.(?!id\b|name\b|type\b|apiVersion\b)\w+", expression):
                late.add(name)
    variables = file.named("var")
    for name in references(expression) & set(variables):
        late |= _told_later(file, variables[name].text.partition("=")[2])
    return late


def _modules(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """Every module exists, gets just the parameters it declares, and has the outputs that are read of it."""
    for name, file in files.items():
        for module in file.named("module").values():
            path = re.search(r"module \w+ '([^']+)'", module.text)
            target = (Path(name).parent / path[1]).as_posix() if path else ""
            if target not in files:
                yield f"{name}: module {module.name} is not at {target}"
                continue
            yield from _module_parameters(name, module.name, module.text, files[target])
            for output in set(re.findall(rf"\b{module.name}!?\.outputs\.(\w+)", file.text)):
                if output not in files[target].named("output"):
                    yield f"{name}: {module.name} has no output {output}"


def _module_parameters(name: str, module: str, text: str, target: BicepFile) -> Iterator[str]:
    given = set(keys(block(text, "params")))
    declared = target.named("param")
    needed = {parameter for parameter, item in declared.items() if "=" not in item.text.splitlines()[0]}
    yield from (f"{name}: {module} is given {extra}, which it does not take" for extra in sorted(given - set(declared)))
    yield from (f"{name}: {module} is not given {missing}" for missing in sorted(needed - given))


def _settings(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """The app's settings are those of shared/settings.py, both ways, with the same defaults, and the platform's."""
    text = files["modules/app.bicep"].text if "modules/app.bicep" in files else ""
    given = keys(block(text, "var programSettings"))
    declared = {item.metadata["name"]: item.metadata["default"] for item in fields(Settings)}
    yield from (f"app.bicep: setting {name} is missing" for name in sorted(set(declared) - set(given)))
    yield from (f"app.bicep: setting {name} is unknown to the program" for name in sorted(set(given) - set(declared)))
    for name in sorted(set(given) & set(declared)):
        literal = re.fullmatch(r"'([^'$]*)'", given[name])
        if literal and literal[1] != declared[name]:
            yield f"app.bicep: setting {name} differs from its default"
    platform = set(keys(block(text, "var platformSettings")))
    yield from (f"app.bicep: platform setting {name} is unexpected" for name in sorted(platform ^ PLATFORM_SETTINGS))


def _storage(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """Containers, tables and queues are those the code expects."""
    text = files["modules/storage.bicep"].text if "modules/storage.bicep" in files else ""
    for kind, expected in (
        ("containers", storage_layout.CONTAINERS),
        ("tables", storage_layout.TABLES),
        ("queues", storage_layout.QUEUES),
    ):
        listed = re.search(rf"^var {kind} = \[([^\]]*)\]", text, re.MULTILINE)
        made = set(re.findall(r"'([^']+)'", listed[1])) if listed else set()
        yield from (f"storage.bicep: {kind} differ in {name}" for name in sorted(made ^ set(expected)))


def _roles(files: dict[str, BicepFile], sources: Path) -> Iterator[str]:
    """Every assignment is on the list, on its own resource, for the app; and every SDK the code uses is covered."""
    granted: set[str] = set()
    for name, file in files.items():
        variables = dict(re.findall(r"^var (\w+) = '([0-9a-f-]{36})'", file.text, re.MULTILINE))
        for item in file.named("resource").values():
            if "Microsoft.Authorization/roleAssignments" not in item.text.splitlines()[0]:
                continue
            role = re.search(r"roleDefinitions', (\w+)\)", item.text)
            scope = re.search(r"^  scope: (\w+)", item.text, re.MULTILINE)
            known = ROLES.get(variables.get(role[1], "") if role else "")
            if known is None:
                yield f"{name}:{item.line} assigns a role that is not on the list"
            elif scope is None or scope[1] != known[1]:
                yield f"{name}:{item.line} gives {known[0]} on {scope[1] if scope else 'everything'}, not on {known[1]}"
            elif re.search(r"^    principalId: principalId$", item.text, re.MULTILINE):
                granted.add(known[0])
            elif "= if (!empty(readerId))" not in item.text or known[0] not in READER_ROLES:
                yield f"{name}:{item.line} gives {known[0]} to somebody else than the app"
    used = set(
        re.findall(r"from (azure(?:\.\w+)+) import", "\n".join(path.read_text() for path in sources.rglob("*.py")))
    )
    for package in sorted(used):
        known_package = next((key for key in SDK_NEEDS if package.startswith(key)), None)
        if known_package is None and not any(package.startswith(free) for free in NO_ROLE_NEEDED):
            yield f"the code calls {package}, for which no role is known"
        elif known_package and SDK_NEEDS[known_package] not in granted:
            yield f"the code calls {package} without {SDK_NEEDS[known_package]}"


def _secrets(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """No key, secret or connection string is listed, made or output."""
    for name, file in files.items():
        for pattern, what in FORBIDDEN.items():
            if re.search(pattern, file.text):
                yield f"{name}: {what}"
        for output in file.named("output").values():
            if re.search(r"key\b|secret|connectionString|password|token\b", output.text.splitlines()[0], re.IGNORECASE):
                yield f"{name}:{output.line} output {output.name} may carry a secret"
        if "@secure()" in file.text:
            yield f"{name}: takes a secret as a parameter"


def _promises(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """The flags that keep things shut are as promised, and their opposites nowhere."""
    for name, patterns in PROMISES.items():
        for pattern in patterns:
            if name in files and not re.search(pattern, files[name].text):
                yield f"{name}: {pattern} is not kept"
    for name, file in files.items():
        for broken in re.findall(
            r"allowSharedKeyAccess: true|allowBlobPublicAccess: true|publicAccess: (?:true|'Blob'|'Container')",
            file.text,
        ):
            yield f"{name}: {broken}"


def _versions(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """API versions are the reviewed ones."""
    for name, file in files.items():
        for kind, version in re.findall(r"'(Microsoft\.[\w./]+)@([\w.-]+)'", file.text):
            expected = next(
                (v for prefix, v in API_VERSIONS.items() if kind == prefix or kind.startswith(prefix + "/")), None
            )
            if expected and version != expected:
                yield f"{name}: {kind} is at {version}, reviewed is {expected}"


def _service(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """One resource alone carries the tag by which azd finds the service."""
    tagged = [
        f"{name}:{item.name}"
        for name, file in files.items()
        for item in file.declarations
        if "'azd-service-name'" in item.text
    ]
    if tagged != ["modules/app.bicep:app"]:
        yield f"azd-service-name is on {', '.join(tagged) or 'nothing'}, not on the site alone"


def _reached(files: dict[str, BicepFile], _: Path) -> Iterator[str]:
    """No module lies about unused."""
    used = {
        (Path(name).parent / path).as_posix()
        for name, file in files.items()
        for path in re.findall(r"module \w+ '([^']+)'", file.text)
    }
    yield from (f"{name}: no file uses it" for name in sorted(set(files) - used - {"main.bicep"}))
