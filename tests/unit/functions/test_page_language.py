"""A response is in the language its request asks for, and a cache keeps the languages apart."""

import json

import azure.functions as func
import pytest

from functions.http.handler import HttpError, http_handler
from functions.http.page_language import current_language
from functions.http.responses import html, problem_json, redirect
from shared.pages.languages import Language

GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}


def request_for(path: str, headers: dict[str, str] | None = None) -> func.HttpRequest:
    return func.HttpRequest("GET", f"https://sync.contoso.example{path}", headers=headers or {}, body=b"")


@http_handler("GET")
def page(request: func.HttpRequest) -> func.HttpResponse:
    return html("signed_out", headers={"Cache-Control": "public, max-age=60"})


@http_handler("GET")
def failing(request: func.HttpRequest) -> func.HttpResponse:
    raise HttpError("not_found")


@http_handler("GET")
def redirecting(request: func.HttpRequest) -> func.HttpResponse:
    return redirect("/my-sync")


@http_handler("GET", api=True)
def api(request: func.HttpRequest) -> func.HttpResponse:
    return problem_json("not_found")


def test_a_page_is_in_the_language_of_the_browser() -> None:
    german, english = page(request_for("/", GERMAN)), page(request_for("/"))
    assert "Sie sind abgemeldet" in german.get_body().decode()
    assert "You are signed out" in english.get_body().decode()
    assert (german.headers["Content-Language"], english.headers["Content-Language"]) == ("de", "en")


def test_a_cached_page_varies_by_language() -> None:
    for headers in (GERMAN, {}):
        response = page(request_for("/", headers))
        assert response.headers["Vary"] == "Accept-Language"
        assert response.headers["Cache-Control"] == "public, max-age=60"


def test_a_problem_is_in_the_language_of_the_browser() -> None:
    response = failing(request_for("/nowhere", GERMAN))
    assert response.status_code == 404
    assert "Seite nicht gefunden" in response.get_body().decode()
    assert response.headers["Vary"] == "Accept-Language"


def test_a_refused_method_is_in_the_language_of_the_browser() -> None:
    post = func.HttpRequest("POST", "https://sync.contoso.example/", headers=GERMAN, body=b"")
    assert "Diese Anforderung ist hier nicht möglich" in page(post).get_body().decode()


@pytest.mark.parametrize("path", ["/operator", "/operator/mailboxes/x", "/api/docs", "/api/v1/mailboxes"])
def test_the_console_and_the_api_are_english_for_everybody(path: str) -> None:
    response = page(request_for(path, GERMAN))
    assert '<html lang="en">' in response.get_body().decode()
    assert response.headers["Content-Language"] == "en"
    assert "Vary" not in response.headers


def test_a_path_that_only_begins_like_the_console_is_for_people() -> None:
    assert '<html lang="de">' in page(request_for("/operators", GERMAN)).get_body().decode()


def test_the_problems_of_the_api_stay_english() -> None:
    body = json.loads(api(request_for("/", GERMAN)).get_body())
    assert body["title"] == "Not found"


def test_what_is_no_page_has_no_language() -> None:
    response = redirecting(request_for("/", GERMAN))
    assert "Content-Language" not in response.headers
    assert "Vary" not in response.headers


def test_a_language_ends_with_its_request() -> None:
    page(request_for("/", GERMAN))
    failing(request_for("/", GERMAN))
    assert current_language().language is Language.ENGLISH
