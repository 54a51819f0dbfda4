"""Builds HTTP responses: pages, redirects, problems, JSON, and cookies, with the headers that all responses carry."""

import json as jsonlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.page_language import current_language
from shared.app import app
from shared.errors import SettingsInvalid
from shared.pages.languages import Language
from shared.pages.problems import problem_of

if TYPE_CHECKING:
    from shared.mailboxes.erasures.erasing import ErasureReceipt
    from shared.pages.pages import Pages

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        # Browsers check form-action for every redirect after a form, and an organization's own sign-in service may be
        # one of them. So a form that leads to Microsoft is answered with the page `interstitial`, not with a redirect.
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_COOKIE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9._~-]*")
_SAFE_URL = re.compile(r"https://[!-~]+|/(?![/\\])[!-~]*")


def html(
    template: str,
    /,
    status: int = 200,
    *,
    cookies: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> func.HttpResponse:
    """Return a page in the request's language; browsers and proxies must not store it unless `headers` says so."""
    chosen = current_language()
    body = _pages(chosen.language).render(template, **values)
    return respond(body, status, "text/html", chosen.headers() | dict(headers or {}), cookies)


def redirect(url: str, status: int = 303, *, cookies: Iterable[str] = ()) -> func.HttpResponse:
    """Redirect the browser to a path of ours or to an https URL that the caller has checked.

    Raises:
        ValueError: any other URL, which could inject a header or use another scheme.
    """
    return respond("", status, "text/plain", {"Location": _checked_url(url)}, cookies)


def interstitial(url: str, *, cookies: Iterable[str] = ()) -> func.HttpResponse:
    """Return a page that navigates to another site: a form's response instead of a redirect (see form-action)."""
    return html("interstitial", cookies=cookies, url=_checked_url(url))


def receipt(erased: "ErasureReceipt") -> func.HttpResponse:
    """Return an erasure's receipt as the response to the POST: the mailbox is gone, so no other page could show it."""
    return html(
        "receipt",
        number=erased.mailbox_id,
        address=erased.address,
        erased_at=erased.erased_at,
        gone=sorted((name, count) for name, count in erased.erased.items() if count),
        held_until=erased.held_until,
        reconnected=erased.reconnected,
        organization_copy=erased.organization_copy,
        other_copies=app().settings.organization_copies,
    )


def problem(
    code: str,
    /,
    status: int | None = None,
    *,
    cookies: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> func.HttpResponse:
    """Return the page for a problem; `code` is a shared.errors.Reason or a problem code of the catalog.

    `values` may hold `target` (where the button leads instead of the default), `support` (the vendor's error number),
    and the placeholders of the problem's sentences (`wanted`, `actual`, `retry_minutes`).
    """
    found = problem_of(code)
    return html(
        "problem",
        status or found.status,
        cookies=cookies,
        headers=headers,
        **{"support": "", "target": found.target} | values,
        code=found.code,
        values=values,
    )


def json(body: object, status: int = 200, *, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return a JSON response of the API."""
    return respond(jsonlib.dumps(body, ensure_ascii=False), status, "application/json", headers)


def problem_json(
    code: str, /, status: int | None = None, *, headers: Mapping[str, str] | None = None, **values: object
) -> func.HttpResponse:
    """Return the same problem as JSON (RFC 9457): what happened, and in `remedy` what to do."""
    found = problem_of(code)
    body = {
        "type": "about:blank",
        "title": _api_text(found.code, "title", values),
        "status": status or found.status,
        "code": found.code,
        "detail": _api_text(found.code, "happened", values),
        "remedy": _api_text(found.code, "remedy", values),
    }
    extra = {name: value for name, value in values.items() if name not in body}
    return respond(jsonlib.dumps(body | extra), status or found.status, "application/problem+json", headers)


def _api_text(code: str, part: str, values: Mapping[str, object]) -> str:
    """Return the sentence for programs: of the fault or what is missing, of the code, or else the one of the page."""
    from shared.pages.catalog import english

    fault, problem_ = f"api_problems.faults.{values.get('fault')}", f"api_problems.{code}"
    missing = f"{problem_}.missing_{values.get('missing')}.{part}"
    keys = [f"{fault}.expected.{part}", f"{fault}.{part}", missing, f"{problem_}.{part}"]
    for key in keys:
        if key in english():
            try:
                return english().text(key, **values)
            except KeyError:  # the error has no value for a placeholder
                continue
    return _pages().text(f"problems.{code}.{part}", **values)


def respond(
    body: str | bytes,
    status: int,
    mimetype: str,
    headers: Mapping[str, str] | None = None,
    cookies: Iterable[str] = (),
) -> func.HttpResponse:
    """Return any response with the headers that all carry; it is not cacheable unless `headers` says otherwise."""
    response = func.HttpResponse(
        body,
        status_code=status,
        mimetype=mimetype,
        headers={"Cache-Control": "no-store"} | _security_headers() | dict(headers or {}),
    )
    for line in cookies:
        response.headers.add("Set-Cookie", line)
    return response


def _security_headers() -> dict[str, str]:
    """Return the headers of every response. On localhost HSTS is omitted: it would force https for all other ports."""
    if _host() not in ("localhost", "127.0.0.1"):
        return SECURITY_HEADERS
    return {name: value for name, value in SECURITY_HEADERS.items() if name != "Strict-Transport-Security"}


def _host() -> str:
    """Return the app's host name; empty with invalid settings."""
    try:
        return urlsplit(app().settings.app_url).hostname or ""
    except SettingsInvalid:
        return ""


def cookie(name: str, value: str, *, max_age: int, same_site: str = "Lax") -> str:
    """Return a Set-Cookie line for this host only: the __Host- prefix, Secure, HttpOnly, Path=/; `max_age` in seconds.

    Raises:
        ValueError: a name or value that could break out of the header.
    """
    if not _COOKIE_NAME.fullmatch(name) or not _COOKIE_VALUE.fullmatch(value):
        raise ValueError("a cookie's name or value has characters it must not have")
    return f"__Host-{name}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite={same_site}"


def expired_cookie(name: str, *, same_site: str = "Lax") -> str:
    """Return a Set-Cookie line that deletes the cookie."""
    return cookie(name, "", max_age=0, same_site=same_site)


def _checked_url(url: str) -> str:
    if not _SAFE_URL.fullmatch(url):
        raise ValueError("not a path of ours nor an https URL")
    return url


def _pages(language: Language = Language.ENGLISH) -> "Pages":
    """Return the deployment's pages. With invalid settings, return default ones, which can show the error."""
    try:
        return app().pages_in(language)
    except SettingsInvalid:
        from shared.pages.catalog import catalog_of
        from shared.pages.pages import Pages

        return Pages("", catalog=catalog_of(language))
