"""Negotiates the language of a response: pages for people follow Accept-Language, all others are in English."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

import azure.functions as func

from shared.pages.languages import Language, preferred_language
from shared.pages.paths import OPERATOR

_ENGLISH_FOLDERS = (OPERATOR, "/api")


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """The language of the response; `negotiated` if another Accept-Language header could give another one."""

    language: Language = Language.ENGLISH
    negotiated: bool = False

    def headers(self) -> dict[str, str]:
        """Return the headers of a page: a cache must not give it to a browser that asks for another language."""
        vary = {"Vary": "Accept-Language"} if self.negotiated else {}
        return {"Content-Language": self.language.value, **vary}


_current: ContextVar[PageLanguage] = ContextVar("page_language", default=PageLanguage())  # noqa: B039 -- it is frozen


def current_language() -> PageLanguage:
    """Return the language of the pages of the request that is being handled."""
    return _current.get()


@contextmanager
def negotiated_language(request: func.HttpRequest) -> Iterator[None]:
    """Set the language of the request's pages for as long as the block lasts."""
    token = _current.set(_negotiate(request))
    try:
        yield
    finally:
        _current.reset(token)


def _negotiate(request: func.HttpRequest) -> PageLanguage:
    path = urlsplit(request.url).path
    if any(path == folder or path.startswith(f"{folder}/") for folder in _ENGLISH_FOLDERS):
        return PageLanguage()
    return PageLanguage(preferred_language(request.headers.get("Accept-Language", "")), negotiated=True)
