"""The routes of the local host."""

import pytest

from sandbox.host.config import ConfigInvalid
from sandbox.host.routes import Route, RouteTable


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/", "/", {}),
        ("", "/", {}),
        ("my-sync", "/My-Sync/", {}),
        ("my-sync/{action}", "/my-sync/pause", {"action": "pause"}),
        ("invitation/{token}", "/invitation/a%20b%2Fc", {"token": "a b/c"}),
        ("static/{*file}", "/static/site/a.css", {"file": "site/a.css"}),
        ("static/{*file}", "/static", {"file": ""}),
        ("{*path:regex(^(?!static/|api).+)}", "/other/place", {"path": "other/place"}),
        ("list/{page:int?}", "/list", {}),
        ("list/{page:int?}", "/list/3", {"page": "3"}),
        ("code/{id:length(2,4):alpha}", "/code/abc", {"id": "abc"}),
        ("id/{id:guid}", "/id/6f9619ff-8b86-d011-b42d-00c04fc964ff", {"id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"}),
    ],
)
def test_a_path_gives_the_templates_parameters(template: str, path: str, values: dict[str, str]) -> None:
    assert Route.parse(template).match(path) == values


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("my-sync/{action}", "/my-sync"),
        ("my-sync", "/my-sync/pause"),
        ("list/{page:int}", "/list/three"),
        ("code/{id:length(2,4)}", "/code/a"),
        ("id/{id:guid}", "/id/17"),
        ("/", "/anything"),
        ("{*path:regex(^(?!static/|api).+)}", "/static/a.css"),
        ("{*path:regex(^(?!static/|api).+)}", "/"),
    ],
)
def test_a_path_that_does_not_fit_is_not_taken(template: str, path: str) -> None:
    assert Route.parse(template).match(path) is None


@pytest.mark.parametrize("template", ["a/{b", "{*rest}/b", "a/{b:weekday}", "a/x{b}"])
def test_a_template_that_cannot_be_served_is_refused(template: str) -> None:
    with pytest.raises(ConfigInvalid):
        Route.parse(template)


def test_the_most_particular_route_takes_the_request() -> None:
    table = RouteTable(
        [
            ("{*rest}", [], "rest"),
            ("api/{id}", ["GET"], "one"),
            ("api/{id:int}", ["GET"], "number"),
            ("api/new", [], "new"),
        ]
    )
    found = {path: table.find("GET", path) for path in ("/api/new", "/api/7", "/api/x", "/api/x/y")}
    assert {path: entry and entry[0] for path, entry in found.items()} == {
        "/api/new": "new",
        "/api/7": "number",
        "/api/x": "one",
        "/api/x/y": "rest",
    }


def test_a_method_that_a_route_does_not_take_is_not_found() -> None:
    table = RouteTable([("sign-in", ["get"], "page"), ("sign-in", ["POST"], "post")])
    assert table.find("POST", "/sign-in") == ("post", {})
    assert table.find("GET", "/sign-in") == ("page", {})
    assert table.find("PUT", "/sign-in") is None
