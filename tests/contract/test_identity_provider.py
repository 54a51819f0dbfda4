"""The identity provider as built in production, against a server that behaves like Entra ID."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from sandbox.local.sandbox_process import Sandbox
from sandbox.tls.authority import Authority
from shared.authorization.errors import AccountRefused, SignInRefused, TokenInvalid
from shared.authorization.identity import credentials
from shared.authorization.identity.entra import EntraIdentityProvider, fetch_published_keys
from shared.authorization.identity.id_token import PublishedKeys, TokenValidator
from shared.authorization.identity.operators import ApiAuthenticator
from shared.authorization.model import Identity, Tokens
from shared.authorization.tokens.key_vault import read_secret, secret_client
from shared.errors import AdministratorMustAct, OperatorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.sources.model import SourceName
from tests.conftest import Faults
from tests.contract.rogue_server import RogueServer, http, rogue_server
from tests.contract.sandbox.test_entra import CALLBACK, Browser, someone

EWS = "https://outlook.office365.com/EWS.AccessAsUser.All"
GRAPH = "https://graph.microsoft.com/Mail.Read"


def utc_now() -> datetime:
    return datetime.now(UTC)


def validator(sandbox: Sandbox) -> TokenValidator:
    authority = str(sandbox.endpoints["entra"])
    keys = PublishedKeys(lambda: fetch_published_keys(authority, "organizations"), time.monotonic)
    return TokenValidator(authority, str(sandbox.endpoints["client_id"]), keys, utc_now)


@pytest.fixture
def provide(
    sandbox: Sandbox, azure_environment: Mapping[str, str], credential: DefaultAzureCredential
) -> Callable[..., EntraIdentityProvider]:
    def provider(
        tenants: Sequence[str] = ("organizations",), client_credential: Callable[[], Mapping[str, object]] | None = None
    ) -> EntraIdentityProvider:
        return EntraIdentityProvider(
            authority=str(sandbox.endpoints["entra"]),
            client_id=str(sandbox.endpoints["client_id"]),
            tenants=tenants,
            scopes=[EWS, GRAPH],
            mail_scopes={SourceName.EWS: (EWS,), SourceName.GRAPH: (GRAPH,)},
            app_scopes={
                SourceName.EWS: "https://outlook.office365.com/.default",
                SourceName.GRAPH: "https://graph.microsoft.com/.default",
            },
            client_credential=client_credential
            or (lambda: credentials.federated(credential, "api://AzureADTokenExchange/.default")),
            validator=validator(sandbox),
            clock=utc_now,
        )

    return provider


@pytest.fixture
def provider(provide: Callable[..., EntraIdentityProvider]) -> EntraIdentityProvider:
    return provide()


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[Browser]:
    made = Browser(sandbox)
    yield made
    made.session.close()


def through(
    provider: EntraIdentityProvider, browser: Browser, person: Mapping[str, Any], consent: str = "accept", **more: Any
) -> tuple[Mapping[str, object], dict[str, str]]:
    """Sign a person in on Entra ID's pages; returns the stored flow and the callback's parameters."""
    url, flow = provider.begin(redirect_uri=CALLBACK, **more)
    page = browser.sign_in(browser.open(url), person)
    if page.heading == "Permissions requested":
        browser.post(page, answer=consent)
    return flow, dict(browser.answer)


def signed_in(provider: EntraIdentityProvider, browser: Browser, person: Mapping[str, Any]) -> tuple[Identity, Tokens]:
    return provider.redeem(*through(provider, browser, person))


def test_a_person_signs_in_and_the_token_is_for_exchange(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    person = someone(sandbox)
    identity, tokens = signed_in(provider, browser, person)
    assert (identity.address, identity.owner_id, identity.tenant_id) == (
        person["address"],
        person["oid"],
        person["tenant_id"],
    )
    claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    assert (claims["aud"], claims["scp"]) == ("https://outlook.office365.com", "EWS.AccessAsUser.All")
    assert tokens.refresh_token
    assert tokens.expires_at > utc_now()


def test_the_request_asks_for_everything_at_once_by_posted_form_and_pkce(provider: EntraIdentityProvider) -> None:
    url, flow = provider.begin(redirect_uri=CALLBACK, login_hint="a@b.example", prompt="select_account", claims="{}")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (query["response_mode"], query["code_challenge_method"], query["response_type"]) == (
        "form_post",
        "S256",
        "code",
    )
    assert {EWS, GRAPH, "offline_access", "openid"} <= set(query["scope"].split())
    assert (query["login_hint"], query["prompt"], query["claims"]) == ("a@b.example", "select_account", "{}")
    assert (query["state"], query["nonce"]) == (flow["state"], flow["nonce_sent"])
    assert "auth_uri" not in flow
    assert str(flow["code_verifier"]) not in url


def test_looking_at_ones_settings_asks_for_no_mail(provider: EntraIdentityProvider) -> None:
    url, _ = provider.begin(redirect_uri=CALLBACK, mail=False)
    assert EWS not in parse_qs(urlsplit(url).query)["scope"][0]


def test_refreshing_rotates_the_token_and_leaves_the_old_one_good(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    identity, first = signed_in(provider, browser, someone(sandbox))
    second = provider.refresh(identity.tenant_id, first.refresh_token)
    assert second.refresh_token not in ("", first.refresh_token)
    assert second.access_token != first.access_token
    assert provider.refresh(identity.tenant_id, first.refresh_token).access_token


def test_one_refresh_token_serves_both_sources(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    identity, first = signed_in(provider, browser, someone(sandbox))

    graph = provider.refresh(identity.tenant_id, first.refresh_token, SourceName.GRAPH)
    ews = provider.refresh(identity.tenant_id, graph.refresh_token, SourceName.EWS)

    assert _audience(graph.access_token) == "https://graph.microsoft.com"
    assert _audience(ews.access_token) == "https://outlook.office365.com"


def _audience(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


@pytest.mark.parametrize(
    ("act", "reason"),
    [("revoke_grants", Reason.GRANT_REVOKED), ("expire_refresh_tokens", Reason.GRANT_EXPIRED)],
)
def test_a_dead_refresh_token_asks_the_person(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox, act: str, reason: Reason
) -> None:
    person = someone(sandbox)
    identity, tokens = signed_in(provider, browser, person)
    sandbox.control.patch(f"/people/{person['address']}", {act: True})
    for _ in range(2):
        with pytest.raises(PersonMustSignIn) as caught:
            provider.refresh(identity.tenant_id, tokens.refresh_token)
        assert caught.value.reason is reason
        assert caught.value.support.startswith("AADSTS")


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (50076, PersonMustSignIn, Reason.INTERACTION_REQUIRED),
        (50057, PersonMustSignIn, Reason.ACCOUNT_DISABLED),
        (65001, PersonMustSignIn, Reason.CONSENT_REQUIRED),
        (53003, AdministratorMustAct, Reason.CONDITIONAL_ACCESS),
        (50105, AdministratorMustAct, Reason.NOT_ASSIGNED),
        (700016, AdministratorMustAct, Reason.APP_NOT_IN_TENANT),
        (7000222, OperatorMustAct, Reason.OUR_CREDENTIAL),
    ],
)
def test_each_refusal_of_a_refresh_says_who_acts(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox, *, number: int, kind: type, reason: Reason
) -> None:
    person = someone(sandbox)
    identity, tokens = signed_in(provider, browser, person)
    sandbox.control.patch(f"/people/{person['address']}", {"token_error": number})
    with pytest.raises(kind) as caught:
        provider.refresh(identity.tenant_id, tokens.refresh_token)
    assert caught.value.reason is reason  # type: ignore[attr-defined]
    sandbox.control.patch(f"/people/{person['address']}", {"token_error": 0})
    assert provider.refresh(identity.tenant_id, tokens.refresh_token).access_token


def test_our_own_broken_credential_blames_nobody_else_and_heals(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    identity, tokens = signed_in(provider, browser, someone(sandbox))
    sandbox.control.patch("/app", {"broken": 7000222})
    try:
        with pytest.raises(OperatorMustAct) as caught:
            provider.refresh(identity.tenant_id, tokens.refresh_token)
        assert caught.value.reason is Reason.OUR_CREDENTIAL
    finally:
        sandbox.control.patch("/app", {"broken": 0})
    assert provider.refresh(identity.tenant_id, tokens.refresh_token).access_token


def test_a_demand_for_another_factor_carries_its_challenge(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    person = someone(sandbox, mfa="step_up")
    with pytest.raises(PersonMustSignIn) as caught:
        signed_in(provider, browser, person)
    assert caught.value.reason is Reason.INTERACTION_REQUIRED
    assert caught.value.claims.startswith("{")


def test_declining_ends_this_sign_in(provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox) -> None:
    flow, answer = through(provider, browser, someone(sandbox), consent="decline")
    with pytest.raises(SignInRefused) as caught:
        provider.redeem(flow, answer)
    assert caught.value.code == "declined"


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (90094, AdministratorMustAct, Reason.ADMIN_CONSENT_REQUIRED),
        (65001, PersonMustSignIn, Reason.CONSENT_REQUIRED),
        (53003, AdministratorMustAct, Reason.CONDITIONAL_ACCESS),
        (50105, AdministratorMustAct, Reason.NOT_ASSIGNED),
    ],
)
def test_each_refusal_in_the_browser_says_who_acts(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox, *, number: int, kind: type, reason: Reason
) -> None:
    flow, answer = through(provider, browser, someone(sandbox, authorize_error=number))
    with pytest.raises(kind) as caught:
        provider.redeem(flow, answer)
    assert caught.value.reason is reason  # type: ignore[attr-defined]


def test_a_code_is_redeemed_once(provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox) -> None:
    flow, answer = through(provider, browser, someone(sandbox))
    provider.redeem(flow, answer)
    with pytest.raises(SignInRefused):
        provider.redeem(flow, answer)


def test_a_code_of_another_sign_in_is_not_redeemed(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox
) -> None:
    _, stolen = through(provider, browser, someone(sandbox))
    _, own = provider.begin(redirect_uri=CALLBACK)
    for answer in (stolen, stolen | {"state": str(own["state"])}, {"state": str(own["state"])}):
        with pytest.raises(SignInRefused):
            provider.redeem(own, answer)


def test_a_foreign_nonce_is_refused(provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox) -> None:
    for name in ("nonce", "nonce_sent"):
        flow, answer = through(provider, browser, someone(sandbox))
        browser.session.cookies.clear()
        with pytest.raises(SignInRefused) as caught:
            provider.redeem({**flow, name: "another"}, answer)
        assert caught.value.code == "sign_in_failed"


def test_another_tenant_is_refused_when_there_is_a_list(
    provide: Callable[..., EntraIdentityProvider], browser: Browser, sandbox: Sandbox
) -> None:
    person = someone(sandbox)
    others = ("1b671a64-40d5-491e-99b0-da01ff1f3341", "6f9619ff-8b86-4011-b42d-00c04fc964ff")
    with pytest.raises(AccountRefused) as caught:
        signed_in(provide(tenants=others), browser, person)
    assert caught.value.code == "tenant_not_allowed"
    browser.session.cookies.clear()
    assert signed_in(provide(tenants=(*others, person["tenant_id"])), browser, person)[0].owner_id == person["oid"]


def test_a_new_signing_key_is_learnt(provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox) -> None:
    sandbox.control.post("/entra/rotate-key", {})
    assert signed_in(provider, browser, someone(sandbox))[0].address


def test_a_certificate_serves_as_well(
    provide: Callable[..., EntraIdentityProvider],
    browser: Browser,
    sandbox: Sandbox,
    azure_environment: Mapping[str, str],
    credential: DefaultAzureCredential,
) -> None:
    name = azure_environment.get("ENTRA_CERTIFICATE_SECRET", "client-certificate")
    with secret_client(azure_environment["KEY_VAULT_URL"], credential) as vault:
        named = _certificate(vault, name)
        by_certificate = provide(client_credential=lambda: credentials.certificate(lambda: named))
        assert signed_in(by_certificate, browser, someone(sandbox))[0].address


def _certificate(vault: SecretClient, name: str) -> str:
    names = [secret.name or "" for secret in vault.list_properties_of_secrets()]
    found = name if name in names else next(one for one in names if "certificate" in one)
    return read_secret(vault, found)


def test_an_unusable_certificate_is_ours_to_mend(provide: Callable[..., EntraIdentityProvider]) -> None:
    for pem in ("", "not a PEM", "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"):
        broken = provide(client_credential=lambda pem=pem: credentials.certificate(lambda: pem))
        with pytest.raises(OperatorMustAct):
            broken.begin(redirect_uri=CALLBACK)


def test_the_app_gets_its_own_token_where_an_administrator_granted_it(
    provider: EntraIdentityProvider, sandbox: Sandbox
) -> None:
    tenant = next(one for one in sandbox.control.get("/tenants") if one["name"] == "Fabrikam")
    with pytest.raises((AdministratorMustAct, OperatorMustAct)):
        provider.app_token(tenant["id"])
    sandbox.control.patch(f"/tenants/{tenant['domain']}", {"app_known": True, "app_roles": ["full_access_as_app"]})
    try:
        tokens = provider.app_token(tenant["id"])
    finally:
        sandbox.control.patch(f"/tenants/{tenant['domain']}", {"app_known": False, "app_roles": []})
    assert jwt.decode(tokens.access_token, options={"verify_signature": False})["roles"] == ["full_access_as_app"]
    assert tokens.refresh_token == ""


def test_a_tenant_that_is_not_there_any_more_is_its_administrators_affair(
    provide: Callable[..., EntraIdentityProvider],
) -> None:
    gone = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(AdministratorMustAct) as caught:
        provide().refresh(gone, "a token")
    assert (caught.value.reason, caught.value.support) == (Reason.APP_NOT_IN_TENANT, "AADSTS90002")
    with pytest.raises(OperatorMustAct) as ours:
        provide(tenants=[gone]).refresh(gone, "a token")
    assert ours.value.reason is Reason.OUR_CONFIGURATION


def _token(name: str, value: object) -> str:
    """A token response with one field of another value."""
    return json.dumps({"access_token": "x", "expires_in": 3600, "token_type": "Bearer", name: value})


@pytest.mark.parametrize("body", ["no such tenant", "[]", "null", "1"])
def test_discovery_answered_with_anything_is_an_outage(
    provider: EntraIdentityProvider, faults: Faults, body: str
) -> None:
    faults.add("entra", {"kind": "status", "status": 200, "body": body}, match={"path": ".*openid-configuration"})
    with pytest.raises(RetryLater):
        provider.refresh("organizations", "a token")


def test_refresh_token_that_is_no_text_does_not_replace_the_stored_one(
    provider: EntraIdentityProvider, browser: Browser, sandbox: Sandbox, faults: Faults
) -> None:
    identity, tokens = signed_in(provider, browser, someone(sandbox))
    answer = {"kind": "status", "status": 200, "body": _token("refresh_token", None)}
    faults.add("entra", answer, match={"path": ".*/token"}, times=1)
    refreshed = provider.refresh(identity.tenant_id, tokens.refresh_token)
    assert (refreshed.access_token, refreshed.refresh_token) == ("x", "")


@pytest.mark.parametrize("body", ["[]", "{}", '{"keys": null}', '{"keys": {}}', '{"keys": 1}', "<html>"])
def test_published_keys_of_another_kind_are_an_outage(sandbox: Sandbox, faults: Faults, body: str) -> None:
    faults.add("entra", {"kind": "status", "status": 200, "body": body}, match={"path": ".*/keys"}, times=1)
    with pytest.raises(RetryLater):
        fetch_published_keys(str(sandbox.endpoints["entra"]), "organizations")


@pytest.mark.parametrize("body", ["no such tenant", "[]", '{"error": "temporarily_unavailable"}'])
def test_a_refused_discovery_that_names_no_tenant_is_an_outage(
    provider: EntraIdentityProvider, faults: Faults, body: str
) -> None:
    faults.add("entra", {"kind": "status", "status": 400, "body": body}, match={"path": ".*openid-configuration"})
    with pytest.raises(RetryLater):
        provider.refresh("organizations", "a token")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "7"}}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, Reason.THROTTLED),
        ({"kind": "reset"}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": "<html>a captive portal</html>"}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": "[]"}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": "null"}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": _token("expires_in", "9" * 20)}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": _token("id_token", "a.b.c")}, Reason.UNAVAILABLE),
        ({"kind": "status", "status": 200, "body": _token("id_token", "abc")}, Reason.UNAVAILABLE),
    ],
    ids=["503", "429", "reset", "captive portal", "list", "null", "long", "id_token", "one_part"],
)
def test_an_outage_is_retried_at_the_next_call_and_not_remembered(
    provider: EntraIdentityProvider,
    browser: Browser,
    sandbox: Sandbox,
    faults: Faults,
    *,
    fault: dict[str, Any],
    reason: Reason,
) -> None:
    identity, tokens = signed_in(provider, browser, someone(sandbox))
    faults.add("entra", fault, match={"path": ".*/token"}, times=1)
    with pytest.raises(RetryLater) as caught:
        provider.refresh(identity.tenant_id, tokens.refresh_token)
    assert caught.value.reason is reason
    assert caught.value.retry_after == (7 if "headers" in fault else None)
    assert provider.refresh(identity.tenant_id, tokens.refresh_token).access_token


@pytest.fixture
def elsewhere(authority: Authority) -> Iterator[RogueServer]:
    """A server that would receive redirected requests and answers like Entra ID."""
    stolen = {"access_token": "stolen", "expires_in": 3600, "keys": []}
    with rogue_server(authority) as server:
        server.answers(http(json.dumps(stolen).encode(), content_type="application/json"))
        yield server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_our_credential(
    provider: EntraIdentityProvider, sandbox: Sandbox, faults: Faults, elsewhere: RogueServer, status: int
) -> None:
    """S15: no request reaches the target of the redirect, and its response would not be accepted."""
    tenant = str(someone(sandbox)["tenant_id"])
    redirect = {"kind": "status", "status": status, "headers": {"Location": elsewhere.url}}
    faults.add("entra", redirect, match={"path": ".*/token"}, times=1)
    with pytest.raises(RetryLater):
        provider.refresh(tenant, "a refresh token")
    assert elsewhere.requests == []


def test_a_redirect_is_not_followed_to_other_keys(
    provider: EntraIdentityProvider, sandbox: Sandbox, faults: Faults, elsewhere: RogueServer
) -> None:
    """S15: the environment of `provider` trusts the other server too."""
    redirect = {"kind": "status", "status": 302, "headers": {"Location": elsewhere.url}}
    faults.add("entra", redirect, match={"path": ".*/keys"}, times=1)
    with pytest.raises(RetryLater):
        fetch_published_keys(str(sandbox.endpoints["entra"]), "organizations")
    assert elsewhere.requests == []


def test_the_api_admits_operators_of_the_home_tenant_only(sandbox: Sandbox) -> None:
    robin = sandbox.control.get("/people/robin@contoso.example")

    def token(**asked: Any) -> str:
        return f"Bearer {sandbox.control.post('/tokens', {'person': robin['address'], 'kind': 'api'} | asked)['token']}"

    operators = ApiAuthenticator(validator(sandbox), robin["tenant_id"])
    assert operators.authenticate(token(), ["Operator"]).object_id == robin["oid"]
    for header in (
        "",
        "Bearer",
        "Basic x",
        token(person="bo@contoso.example"),
        token(kind="id"),
        token(kind="exchange"),
        token(lifetime=-300),
        token(alg="none"),
        token(alg="HS256"),
        token(unknown_key=True),
        token(claims={"aud": "another"}),
        token(claims={"iss": "https://elsewhere.example"}),
        token(claims={"tid": "1b671a64-40d5-491e-99b0-da01ff1f3341"}),
        token(drop=["exp"]),
    ):
        with pytest.raises(TokenInvalid):
            operators.authenticate(header, ["Operator"])
    with pytest.raises(TokenInvalid):
        ApiAuthenticator(validator(sandbox), "1b671a64-40d5-491e-99b0-da01ff1f3341").authenticate(token(), ["Operator"])
    with pytest.raises(TokenInvalid):
        ApiAuthenticator(validator(sandbox), "").authenticate(token(), ["Operator"])
