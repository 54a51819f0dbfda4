"""Serves every page with its sample values on this machine alone, with the headers the app would send.

`python -m tests.e2e.gallery` serves them until Ctrl-C; the first page is a list of all.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from functions.http.responses import SECURITY_HEADERS
from shared.pages.brand import Brand
from shared.pages.catalog import catalog_of
from shared.pages.languages import Language, preferred_language
from shared.pages.pages import Pages, static_file
from tests.unit.pages.brand_samples import png
from tests.unit.pages.samples import all_pages, live, person_pages

BRAND = Brand("#7a0026", png())
"""The German pages have a color and a logo of the organization, the English ones have not."""
PAGES = {
    Language.ENGLISH: Pages("Contoso Ltd", "help@contoso.example"),
    Language.GERMAN: Pages("Contoso GmbH", "hilfe@contoso.example", catalog_of(Language.GERMAN), BRAND),
}
_TYPES = {"css": "text/css", "js": "text/javascript", "png": "image/png", "svg": "image/svg+xml"}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        if path.startswith("static/"):
            name = path.removeprefix("static/")
            self._answer(static_file(name) or BRAND.file(name), _TYPES[path.rpartition(".")[2]])
        elif path in all_pages():
            template, values = all_pages()[path]
            self._answer(self._pages(path).render(template, **values).encode(), "text/html; charset=utf-8")
        elif path == "my-sync/progress":
            self._answer(self._pages().render("_live", **live("up-to-date")).encode(), "text/html; charset=utf-8")
        else:
            links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in sorted(all_pages()))
            self._answer(f"<ul>{links}</ul>".encode(), "text/html; charset=utf-8")

    def _pages(self, name: str = "") -> Pages:
        for_people = not name or name in person_pages()
        accepted = self.headers.get("Accept-Language", "") if for_people else ""
        return PAGES[preferred_language(accepted)]

    def _answer(self, body: bytes | None, kind: str) -> None:
        self.send_response(200 if body is not None else 404)
        for name, value in {"Content-Type": kind, **SECURITY_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is theirs."""


@contextmanager
def gallery(port: int = 0) -> Iterator[str]:
    """The URL at which the pages are served, for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


if __name__ == "__main__":
    with gallery() as url:
        print(url)
        threading.Event().wait()
