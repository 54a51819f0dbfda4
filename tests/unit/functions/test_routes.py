"""The routes of all handlers suit the Functions host: none in its reserved space, and no two that match one path."""

import re
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from function_app import app
from shared.pages import paths


@cache
def triggers() -> list[dict[str, Any]]:
    """Every HTTP trigger; the app lists its functions only once."""
    bindings = [function.get_trigger() for function in app.get_functions()]
    found = [trigger.get_dict_repr() for trigger in bindings if trigger]
    return [trigger for trigger in found if trigger["type"] == "httpTrigger"]


def templates() -> list[str]:
    return [trigger["route"].strip("/") for trigger in triggers()]


def pattern(template: str) -> re.Pattern[str]:
    """The paths that a template matches."""
    parts = []
    for literal, rest, constraint in re.findall(r"([^{}]+)|\{(\*?)\w+(?::regex\((.*)\))?\}", template):
        parts.append(
            re.escape(literal) if literal else constraint.strip("^") if constraint else ".*" if rest else "[^/]+"
        )
    return re.compile("".join(parts), re.IGNORECASE)


def sample(template: str) -> str:
    """A path that a template matches, its parameters filled with something no literal is."""
    return re.sub(r"\{.*?\}+(?=/|$)", "0a1b2c", template)


def test_no_route_begins_with_what_the_host_keeps_for_itself() -> None:
    assert [template for template in templates() if template.lower().startswith(("admin", "runtime"))] == []


def test_no_two_routes_match_one_path_because_the_host_takes_either() -> None:
    both = [(one, other) for one, other in permutations(templates(), 2) if pattern(other).fullmatch(sample(one))]
    assert both == []


def test_every_route_leaves_refusing_a_method_to_its_door() -> None:
    assert [trigger["route"] for trigger in triggers() if len(trigger.get("methods", [])) < 7] == []


@pytest.mark.parametrize("path", ["nope", "operator/nope", "api/nope", "approval/x", "invitation", "healthy", "static"])
def test_an_address_that_only_begins_like_one_of_ours_is_answered_too(path: str) -> None:
    elsewhere = next(template for template in templates() if template.startswith("{*"))
    assert pattern(elsewhere).fullmatch(path)


def test_route_paths_hold_nothing_special_to_route_templates() -> None:
    assert set("".join(paths.RESERVED)).isdisjoint("{}[]:=")
