"""msal, unmodified, signs people in at the sandbox's Entra ID, and receives Entra's errors."""

import re
import uuid
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import jwt
import msal
import pytest
import requests

from sandbox.local.sandbox_process import Sandbox

EWS = "https://outlook.office365.com/EWS.AccessAsUser.All"
MAIL = "https://graph.microsoft.com/Mail.Read"
APP = "https://localhost:7071"
CALLBACK = APP + "/sign-in/callback"
APPROVAL = APP + "/approval/callback"


pytestmark = pytest.mark.usefixtures("azure_environment")


class Page(HTMLParser):
    """One page: its heading, and its first form with the fields that have values already."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.url, self.status = answer.url, answer.status_code
        self.action, self.text = "", answer.text
        self.fields: dict[str, str] = {}
        self.feed(answer.text)
        heading = re.search(r"<h1>(.*?)</h1>", answer.text)
        self.heading = heading[1] if heading else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and not self.action:
            self.action = given["action"] or ""
        elif tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"] or ""] = given.get("value") or ""


class Browser:
    """A browser without scripts that stops at the app's callback and stores its parameters in `answer`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = sandbox.endpoints["ca"]
        self.answer: dict[str, str] = {}

    def open(self, url: str) -> Page:
        return self._land(self.session.get(url, allow_redirects=False, timeout=300))

    def post(self, page: Page, to: str = "", **fields: str) -> Page:
        action = page.action.rpartition("/")[0] + "/" + to if to else page.action
        url = urljoin(page.url, action)
        return self._land(self.session.post(url, data=page.fields | fields, allow_redirects=False, timeout=300))

    def sign_in(self, page: Page, person: Mapping[str, Any]) -> Page:
        return self.post(page, username=person["address"], password=person["password"])

    def _land(self, answer: requests.Response) -> Page:
        page = Page(answer)
        if "Location" in answer.headers:
            self.answer = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        elif page.action.startswith(APP):
            self.answer = page.fields
        return page


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[Browser]:
    made = Browser(sandbox)
    yield made
    made.session.close()


@pytest.fixture
def person(sandbox: Sandbox) -> Any:
    """A new person of Contoso that no other test uses."""
    return someone(sandbox)


def someone(sandbox: Sandbox, **policy: Any) -> Any:
    name = uuid.uuid4().hex
    return sandbox.control.post(
        "/people", {"address": f"{name}@contoso.example", "password": "pw", "has_mailbox": False} | policy
    )


def assertion(sandbox: Sandbox) -> str:
    return str(sandbox.control.post("/tokens", {"identity": "api://AzureADTokenExchange"})["token"])


def client(sandbox: Sandbox, tenant: str = "organizations", credential: Any = None) -> Any:
    return msal.ConfidentialClientApplication(
        sandbox.endpoints["client_id"],
        authority=f"{sandbox.endpoints['entra']}/{tenant}",
        instance_discovery=False,
        client_credential=credential or {"client_assertion": lambda: assertion(sandbox)},
    )


def begin(app: Any, **more: Any) -> Any:
    return app.initiate_auth_code_flow([EWS, MAIL], redirect_uri=CALLBACK, response_mode="form_post", **more)


def sign_in(sandbox: Sandbox, browser: Browser, person: Mapping[str, Any], **more: Any) -> tuple[Any, Any]:
    """Run the complete flow: sign in, accept, and redeem the code for Exchange."""
    app = client(sandbox)
    flow = begin(app, **more)
    page = browser.sign_in(browser.open(flow["auth_uri"]), person)
    if page.heading == "Permissions requested":
        browser.post(page, answer="accept")
    return app, app.acquire_token_by_auth_code_flow(flow, browser.answer, scopes=[EWS])


def test_a_person_signs_in_consents_and_the_code_is_redeemed(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    _, tokens = sign_in(sandbox, browser, person)
    access = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (access["aud"], access["scp"], access["upn"]) == (
        "https://outlook.office365.com",
        "EWS.AccessAsUser.All",
        person["address"],
    )
    keys = browser.session.get(f"{sandbox.endpoints['entra']}/common/discovery/v2.0/keys", timeout=300).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(tokens["id_token"])["kid"]]
    claims = jwt.decode(tokens["id_token"], key.key, algorithms=["RS256"], audience=sandbox.endpoints["client_id"])
    assert claims["iss"] == f"{sandbox.endpoints['entra']}/{person['tenant_id']}/v2.0"
    assert (claims["oid"], claims["preferred_username"]) == (person["oid"], person["address"])


def test_the_consent_page_lists_what_is_asked_in_plain_words(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    page = browser.sign_in(browser.open(begin(client(sandbox))["auth_uri"]), person)
    assert page.heading == "Permissions requested"
    assert "Access your mailbox as you" in page.text
    assert "Read your mail" in page.text
    assert "on behalf of your organization" not in page.text


def test_consent_is_asked_once_and_a_signed_in_browser_is_not_asked(
    sandbox: Sandbox, browser: Browser, person: Any
) -> None:
    sign_in(sandbox, browser, person)
    page = browser.open(begin(client(sandbox))["auth_uri"])
    assert page.heading == "One moment"
    assert "code" in browser.answer


def test_the_time_of_the_password_stays_that_of_the_browsers_session(
    sandbox: Sandbox, browser: Browser, person: Any
) -> None:
    """S14: an app that asks for a recent sign-in looks at `auth_time`, which a signed-in browser does not renew."""
    app, first = sign_in(sandbox, browser, person)
    proved = first["id_token_claims"]["auth_time"]
    assert proved <= first["id_token_claims"]["iat"]
    flow = begin(app)
    browser.open(flow["auth_uri"])
    again = app.acquire_token_by_auth_code_flow(flow, browser.answer, scopes=[EWS])
    assert again["id_token_claims"]["auth_time"] == proved
    flow = begin(app, prompt="login")
    asked = browser.open(flow["auth_uri"])
    assert asked.heading == "Sign in"
    browser.sign_in(asked, person)
    last = app.acquire_token_by_auth_code_flow(flow, browser.answer, scopes=[EWS])
    assert last["id_token_claims"]["auth_time"] >= again["id_token_claims"]["iat"] - 1


def test_select_account_offers_the_accounts_that_are_signed_in(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    sign_in(sandbox, browser, person)
    page = browser.open(begin(client(sandbox), prompt="select_account")["auth_uri"])
    assert page.heading == "Pick an account"
    assert person["address"] in page.text
    assert browser.post(page, account=person["oid"]).heading == "One moment"
    again = browser.open(begin(client(sandbox), prompt="select_account")["auth_uri"])
    assert browser.post(again, account="").heading == "Sign in"


def test_a_login_hint_fills_in_the_account(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    page = browser.open(begin(client(sandbox), login_hint=person["address"])["auth_uri"])
    assert f'value="{person["address"]}"' in page.text


def test_a_wrong_password_shows_the_page_again(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    page = browser.open(begin(client(sandbox))["auth_uri"])
    again = browser.post(page, username=person["address"], password="no")
    assert again.heading == "Sign in"
    assert "AADSTS50126" in again.text
    assert "AADSTS50034" in browser.post(again, username="nobody@contoso.example", password="no").text


def test_declining_goes_back_as_access_denied_with_the_state(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    flow = begin(client(sandbox))
    browser.post(browser.sign_in(browser.open(flow["auth_uri"]), person), answer="cancel")
    assert browser.answer["error"] == "access_denied"
    assert "AADSTS65004" in browser.answer["error_description"]
    assert browser.answer["state"] == flow["state"]


def test_refresh_tokens_rotate_and_the_earlier_one_stays_good(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    app, tokens = sign_in(sandbox, browser, person)
    second = app.acquire_token_by_refresh_token(tokens["refresh_token"], scopes=[EWS])
    assert second["refresh_token"] != tokens["refresh_token"]
    assert "access_token" in app.acquire_token_by_refresh_token(tokens["refresh_token"], scopes=[EWS])
    assert "access_token" in app.acquire_token_by_refresh_token(second["refresh_token"], scopes=[MAIL])


def redeem(sandbox: Sandbox, **fields: str) -> Any:
    """Send a token request directly, for requests that msal would never send."""
    form = {
        "client_id": sandbox.endpoints["client_id"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(sandbox),
        "grant_type": "authorization_code",
    } | fields
    with requests.Session() as session:
        session.trust_env = False
        url = sandbox.endpoints["entra"] + "/organizations/oauth2/v2.0/token"
        return session.post(url, data=form, verify=sandbox.endpoints["ca"], timeout=300).json()


def test_a_code_is_good_once_with_its_verifier_and_redirect_uri(
    sandbox: Sandbox, browser: Browser, person: Any
) -> None:
    sign_in(sandbox, browser, person)

    def fresh() -> Any:
        flow = begin(client(sandbox))
        browser.open(flow["auth_uri"])
        return {
            "code": browser.answer["code"],
            "code_verifier": flow["code_verifier"],
            "redirect_uri": CALLBACK,
            "scope": EWS,
        }

    good = fresh()
    assert "access_token" in redeem(sandbox, **good)
    assert redeem(sandbox, **good)["error_codes"] == [54005]
    assert redeem(sandbox, **fresh() | {"code_verifier": "x" * 43})["error_codes"] == [501481]
    assert redeem(sandbox, **fresh() | {"redirect_uri": APPROVAL})["error_codes"] == [50011]
    assert redeem(sandbox, **fresh() | {"scope": f"{EWS} {MAIL}"})["error_codes"] == [28000]
    assert redeem(sandbox, **fresh() | {"grant_type": "password"})["error_codes"] == [70003]


def test_requests_without_pkce_or_registered_redirect_are_refused(sandbox: Sandbox, browser: Browser) -> None:
    url = begin(client(sandbox))["auth_uri"]
    browser.open(re.sub("code_challenge=[^&]*", "", url))
    assert "AADSTS9002325" in browser.answer["error_description"]
    browser.open(url.replace("code_challenge_method=S256", "code_challenge_method=plain"))
    assert "AADSTS501491" in browser.answer["error_description"]
    browser.answer = {}
    page = browser.open(url.replace("callback", "callback%2F..%2Fevil"))
    assert (page.status, browser.answer) == (400, {})
    assert "AADSTS50011" in page.text


def test_silence_is_possible_only_for_who_is_signed_in(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    browser.open(begin(client(sandbox), prompt="none")["auth_uri"])
    assert browser.answer["error"] == "login_required"
    sign_in(sandbox, browser, person)
    browser.open(begin(client(sandbox), prompt="none")["auth_uri"])
    assert "code" in browser.answer


def test_a_person_who_needs_an_administrator_may_go_back_or_wait(sandbox: Sandbox, browser: Browser) -> None:
    kim = {"address": "kim@northwind.example", "password": sandbox.password("kim@northwind.example")}
    sandbox.control.patch("/tenants/northwind.example", {"forget_consent": True, "consent_requests": True})
    page = browser.sign_in(browser.open(begin(client(sandbox))["auth_uri"]), kim)
    assert page.heading == "Need admin approval"
    browser.answer = {}
    assert browser.post(page, reason="For my mail").heading == "Request sent"
    assert browser.answer == {}
    sandbox.control.patch("/tenants/northwind.example", {"consent_requests": False})
    page = browser.open(begin(client(sandbox))["auth_uri"])
    browser.post(page, to="leave")
    assert browser.answer["error"] == "consent_required"
    assert "AADSTS90094" in browser.answer["error_description"]


def test_an_administrator_consents_for_everybody_and_nobody_else_can(sandbox: Sandbox, browser: Browser) -> None:
    url = (
        f"{sandbox.endpoints['entra']}/organizations/v2.0/adminconsent?client_id={sandbox.endpoints['client_id']}"
        f"&redirect_uri={APPROVAL}&state=s1&scope={EWS}%20{MAIL}"
    )
    lee, kim = (
        {"address": address, "password": sandbox.password(address)}
        for address in ("lee@northwind.example", "kim@northwind.example")
    )
    page = browser.sign_in(browser.open(url), kim)
    assert "administrator" in page.text
    browser.post(page, to="leave")
    assert (browser.answer["error"], browser.answer["admin_consent"]) == ("consent_required", "True")
    page = browser.sign_in(browser.post(browser.open(url), account=""), lee)
    assert page.heading == "Permissions requested for your organization"
    browser.post(page, answer="accept")
    assert browser.answer["tenant"] == sandbox.endpoints["tenants"]["Northwind"]
    assert (browser.answer["state"], browser.answer["admin_consent"]) == ("s1", "True")
    page = browser.sign_in(browser.open(begin(client(sandbox), prompt="login")["auth_uri"]), kim)
    assert page.heading == "One moment"
    sandbox.control.patch("/tenants/northwind.example", {"forget_consent": True})


def test_conditional_access_bars_the_way_on_a_page_that_leads_back(sandbox: Sandbox, browser: Browser) -> None:
    page = browser.sign_in(browser.open(begin(client(sandbox))["auth_uri"]), someone(sandbox, blocked=True))
    assert page.heading == "You cannot access this right now"
    browser.post(page, to="leave")
    assert "AADSTS53003" in browser.answer["error_description"]


def test_a_person_of_another_tenant_is_refused_by_a_tenant(sandbox: Sandbox, browser: Browser) -> None:
    jo = {"address": "jo@fabrikam.example", "password": sandbox.password("jo@fabrikam.example")}
    page = browser.sign_in(browser.open(begin(client(sandbox, "contoso.example"))["auth_uri"]), jo)
    assert "AADSTS50020" in page.text


def test_step_up_sends_a_claims_challenge_which_the_next_sign_in_satisfies(sandbox: Sandbox, browser: Browser) -> None:
    dana = someone(sandbox, mfa="step_up")
    app, refused = sign_in(sandbox, browser, dana)
    assert (refused["error"], refused["error_codes"]) == ("interaction_required", [50076])
    flow = begin(app, claims_challenge=refused["claims"])
    page = browser.open(flow["auth_uri"])
    assert page.heading == "Verify your identity"
    assert browser.post(page, code="000000").heading == "Verify your identity"
    assert browser.post(page, code="246810").heading == "One moment"
    tokens = app.acquire_token_by_auth_code_flow(flow, browser.answer, scopes=[EWS])
    assert "access_token" in app.acquire_token_by_refresh_token(tokens["refresh_token"], scopes=[EWS])


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"revoke_grants": True}, 50173),
        ({"expire_refresh_tokens": True}, 700082),
        ({"disabled": True}, 50057),
        ({"assigned": False}, 50105),
        ({"blocked": True}, 53003),
        ({"mfa": "step_up"}, 50076),
        ({"forget_consent": True}, 65001),
        *(({"token_error": number}, number) for number in (50079, 70008, 90094, 53000, 50055)),
    ],
)
def test_a_refresh_is_refused_by_number(
    sandbox: Sandbox, browser: Browser, person: Any, change: Mapping[str, Any], number: int
) -> None:
    app, tokens = sign_in(sandbox, browser, person)
    sandbox.control.patch(f"/people/{person['address']}", dict(change))
    refused = app.acquire_token_by_refresh_token(tokens["refresh_token"], scopes=[EWS])
    assert refused["error_codes"] == [number]
    assert refused["error_description"].startswith(f"AADSTS{number}: ")
    assert ("claims" in refused) == (number in (50076, 50079))


def test_a_transient_error_comes_as_one_of_the_server(sandbox: Sandbox, browser: Browser, person: Any) -> None:
    app, tokens = sign_in(sandbox, browser, person)
    sandbox.control.patch(f"/people/{person['address']}", {"token_error": 90033})
    with pytest.raises(msal.exceptions.MsalServiceError, match="503"):
        app.acquire_token_by_refresh_token(tokens["refresh_token"], scopes=[EWS])


def test_any_refusal_can_be_played_at_the_sign_in(sandbox: Sandbox, browser: Browser) -> None:
    page = browser.sign_in(browser.open(begin(client(sandbox))["auth_uri"]), someone(sandbox, authorize_error=90094))
    assert page.heading == "One moment"
    assert "AADSTS90094" in browser.answer["error_description"]


def test_a_certificate_proves_the_app_as_well(sandbox: Sandbox) -> None:
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    with SecretClient(sandbox.endpoints["key_vault"], DefaultAzureCredential()) as vault:
        pem = vault.get_secret("entra-certificate").value or ""
    certificate = pem[pem.index("-----BEGIN CERTIFICATE") :]
    app = client(sandbox, "contoso.example", {"private_key": pem, "public_certificate": certificate})
    assert "access_token" in app.acquire_token_for_client(["https://outlook.office365.com/.default"])


def test_an_app_alone_gets_roles_where_it_is_known_and_nothing_elsewhere(sandbox: Sandbox) -> None:
    scope = ["https://outlook.office365.com/.default"]
    token = client(sandbox, "contoso.example").acquire_token_for_client(scope)["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["roles"] == ["full_access_as_app"]
    assert "upn" not in claims
    assert client(sandbox, "fabrikam.example").acquire_token_for_client(scope)["error_codes"] == [700016]
    anywhere = redeem(sandbox, grant_type="client_credentials", scope=scope[0])
    assert anywhere["error_codes"] == [50059]


def test_our_own_credential_failing_is_an_invalid_client(sandbox: Sandbox) -> None:
    scope = ["https://outlook.office365.com/.default"]
    sandbox.control.patch("/app", {"broken": 7000222})
    try:
        refused = client(sandbox, "contoso.example").acquire_token_for_client(scope)
    finally:
        sandbox.control.patch("/app", {"broken": 0})
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000222])


def test_a_secret_or_somebody_elses_assertion_is_not_believed(sandbox: Sandbox) -> None:
    scope = ["https://outlook.office365.com/.default"]
    storage = sandbox.control.post("/tokens", {"identity": "https://storage.azure.com"})["token"]
    stranger = {"identity": "api://AzureADTokenExchange", "claims": {"sub": "another identity"}}
    forged = {"identity": "api://AzureADTokenExchange", "unknown_key": True}
    tokens = [storage, *(sandbox.control.post("/tokens", asked)["token"] for asked in (stranger, forged))]
    answers = [client(sandbox, "contoso.example", "a secret").acquire_token_for_client(scope)]
    for token in tokens:
        app = client(sandbox, "contoso.example", {"client_assertion": lambda token=token: token})
        answers.append(app.acquire_token_for_client(scope))
    assert [answer["error_codes"] for answer in answers] == [[7000215], [700027], [700213], [700027]]
    assert {answer["error"] for answer in answers} == {"invalid_client"}


def test_keys_rotate_and_the_earlier_ones_can_be_withdrawn(sandbox: Sandbox, browser: Browser) -> None:
    def published() -> set[str]:
        url = f"{sandbox.endpoints['entra']}/common/discovery/v2.0/keys"
        return {key["kid"] for key in browser.session.get(url, timeout=300).json()["keys"]}

    before = published()
    newest = sandbox.control.post("/entra/rotate-key", {})["kid"]
    assert published() == before | {newest}


def test_a_parameter_that_entra_does_not_know_is_noted(sandbox: Sandbox, browser: Browser) -> None:
    browser.open(begin(client(sandbox))["auth_uri"] + "&favourite_colour=blue")
    assert "entra authorize: unknown parameter favourite_colour" in sandbox.control.get("/notes")
