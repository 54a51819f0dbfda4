"""The identity endpoint issues tokens only to callers with its secret header, and only for known resources."""

from collections.abc import Mapping
from typing import Any

import jwt
import pytest
import requests
from azure.identity import DefaultAzureCredential

from sandbox.local.sandbox_process import Sandbox


def ask(sandbox: Sandbox, header: str = "", **query: str) -> requests.Response:
    identity = sandbox.endpoints["identity"]
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            identity["endpoint"],
            params={"api-version": "2019-08-01", "resource": "https://storage.azure.com"} | query,
            headers={"X-IDENTITY-HEADER": header or identity["header"]},
            verify=sandbox.endpoints["ca"],
            timeout=300,
        )


def test_an_unmodified_credential_gets_a_token_that_says_whose_it_is(azure_environment: Mapping[str, str]) -> None:
    token = DefaultAzureCredential().get_token("https://storage.azure.com/.default").token
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "https://storage.azure.com"
    assert claims["iss"].startswith("https://sts.windows.net/")
    assert claims["appid"] == azure_environment["AZURE_CLIENT_ID"]


def test_the_token_exchange_assertion_fits_a_federated_credential(
    sandbox: Sandbox, azure_environment: Mapping[str, str]
) -> None:
    token = DefaultAzureCredential().get_token("api://AzureADTokenExchange/.default").token
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == f"{sandbox.endpoints['entra']}/{claims['tid']}/v2.0"
    assert claims["sub"] == claims["oid"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"header": "guessed"}, 401),
        ({"resource": "https://example.com"}, 400),
        ({"client_id": "another"}, 400),
        ({"api-version": "2018-02-01"}, 400),
    ],
)
def test_anything_wrong_is_refused(sandbox: Sandbox, wrong: dict[str, str], status: int) -> None:
    assert ask(sandbox, **wrong).status_code == status


@pytest.mark.parametrize(
    "bent",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"unknown_key": True},
        {"headers": {"kid": "another"}},
        {"lifetime": -300},
        {"claims": {"nbf": 4000000000}},
        {"claims": {"iss": "https://sts.example.com/"}},
        {"claims": {"aud": "https://storage.azure.com"}},
        {"drop": ["tid"]},
    ],
)
def test_a_forged_token_opens_nothing(sandbox: Sandbox, bent: dict[str, Any]) -> None:
    vault = sandbox.endpoints["key_vault"]
    resource = "https://0.0.1:" + vault.rpartition(":")[2]
    good, bad = (sandbox.control.post("/tokens", {"identity": resource} | more)["token"] for more in ({}, bent))
    with requests.Session() as session:
        session.trust_env = False
        answers = [
            session.get(
                f"{vault}/secrets?api-version=7.6",
                headers={"Authorization": f"Bearer {token}"},
                verify=sandbox.endpoints["ca"],
                timeout=300,
            ).status_code
            for token in (good, bad)
        ]
    assert answers == [200, 401]
