"""What leaves over HTTP carries the headers that protect people, and nothing can be smuggled into them."""

import json

import pytest

from functions.http import responses
from functions.http.responses import (
    SECURITY_HEADERS,
    cookie,
    expired_cookie,
    html,
    interstitial,
    problem,
    problem_json,
    redirect,
)


def test_every_answer_carries_the_security_headers_and_is_not_stored() -> None:
    for answer in (
        html("signed_out"),
        problem("not_found"),
        redirect("/my-sync"),
        responses.json({}),
        problem_json("internal"),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_policy_forbids_inline_script_foreign_origins_and_framing() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example",
        "/\\evil.example",
        "http://login.example/",
        "javascript:alert(1)",
        "/my-sync\r\nSet-Cookie: a=b",
        "https://a.example/\nX: y",
        "https://",
        "",
        "my-sync",
        "/a b",
    ],
)
def test_nobody_is_sent_to_another_scheme_or_by_a_broken_header(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        redirect(url)
    with pytest.raises(ValueError, match="https"):
        interstitial(url)


@pytest.mark.parametrize("url", ["/", "/my-sync?done=pause", "https://login.example/authorize?a=b&c=d%20e"])
def test_people_are_sent_on_with_see_other(url: str) -> None:
    answer = redirect(url)
    assert answer.status_code == 303
    assert answer.headers["Location"] == url


def test_a_form_leads_to_another_site_by_an_interstitial_page() -> None:
    page = interstitial("https://login.example/authorize?a=b&c=d").get_body().decode()
    assert 'content="0;url=https://login.example/authorize?a=b&amp;c=d"' in page
    assert 'href="https://login.example/authorize?a=b&amp;c=d"' in page


def test_a_cookie_is_for_this_host_alone() -> None:
    assert cookie("session", "abc.def", max_age=60) == (
        "__Host-session=abc.def; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
    )
    assert "SameSite=None" in cookie("binding", "x", max_age=60, same_site="None")


def test_an_expired_cookie_is_empty_and_over() -> None:
    assert expired_cookie("session").startswith("__Host-session=; Path=/; Max-Age=0;")


@pytest.mark.parametrize(
    ("name", "value"), [("a;b", "x"), ("a", "x; Domain=evil"), ("a", "x\r\nY: z"), ("", "x"), ("a", '"')]
)
def test_a_cookie_cannot_break_out_of_its_header(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        cookie(name, value, max_age=1)


def test_several_cookies_become_several_lines() -> None:
    answer = redirect("/", cookies=[cookie("a", "1", max_age=1), cookie("b", "2", max_age=1)])
    assert len(answer.headers.get_all("Set-Cookie")) == 2


def test_a_problem_page_has_the_problem_s_status_unless_told_otherwise() -> None:
    assert problem("not_found").status_code == 404
    assert problem("wrong_account", wanted="a@b.example").status_code == 403
    assert problem("internal", 502).status_code == 502


def test_a_problem_page_escapes_what_it_is_given() -> None:
    page = problem("wrong_account", wanted="<b>x</b>", support="<i>y</i>").get_body().decode()
    assert "<b>x</b>" not in page
    assert "<i>y</i>" not in page


def test_a_json_problem_names_the_code_what_happened_and_what_to_do() -> None:
    answer = problem_json("malformed", field="address")
    body = json.loads(answer.get_body())
    assert answer.mimetype == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"], body["field"]) == (400, 400, "malformed", "address")
    assert body["title"]
    assert body["detail"]
    assert body["remedy"]


def test_localhost_gets_no_strict_transport_security(monkeypatch: pytest.MonkeyPatch) -> None:
    """U13: it would make the browser want https of everything else there."""
    monkeypatch.setattr(responses, "_host", lambda: "localhost")
    answer = html("signed_out")
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["X-Frame-Options"] == "DENY"
    monkeypatch.setattr(responses, "_host", lambda: "sync.contoso.example")
    assert "Strict-Transport-Security" in html("signed_out").headers
