"""Calendars in the sandbox's Graph: events, series with exceptions, deltas, views, zones, attachments."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.graph.wire.ids import rest_id
from sandbox.mailboxes import deletion
from sandbox.mailboxes.calendar.events import between, occurrences, zone_of
from sandbox.mailboxes.calendar.zones import ZONES
from sandbox.mailboxes.fragments import tag
from sandbox.mailboxes.item_parts import Attachment
from sandbox.mailboxes.samples import item_samples
from sandbox.mailboxes.store import Item
from tests.contract.exchange_server import ALEX
from tests.contract.graph_client import Graph, delegated, graph_over

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DELTA = "/v1.0/me/events/delta"


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with graph_over() as served:
        box = served.mailbox()
        for item in item_samples.events(START):
            box.insert(box.distinguished["calendar"], item)
        yield served


def events(graph: Graph) -> list[Item]:
    return list(graph.mailbox().distinguished["calendar"].items.values())


def series(graph: Graph) -> Item:
    """The series with moved, renamed and deleted occurrences."""
    return next(item for item in events(graph) if item.exceptions)


def named(graph: Graph, subject: str) -> Item:
    return next(item for item in events(graph) if item.text("Subject") == subject)


async def event(graph: Graph, item: Item, options: str = "", **headers: str) -> dict[str, Any]:
    body: dict[str, Any] = await graph.get(f"/v1.0/me/events/{rest_id(item.id)}{options}", "event", **headers)
    return body


async def test_calendars_are_listed_wherever_they_lie(graph: Graph) -> None:
    box = graph.mailbox()
    own = box.add_folder(box.distinguished["calendar"], "Crew", "IPF.Appointment")
    box.add_folder(box.distinguished["deleteditems"], "Thrown away", "IPF.Appointment")
    body = await graph.get("/v1.0/me/calendars", "calendar")
    assert [one["name"] for one in body["value"]] == ["Calendar", "Crew"]
    assert [one["isDefaultCalendar"] for one in body["value"]] == [True, False]
    assert (await graph.get("/v1.0/me/calendar", "calendar"))["id"] == rest_id(box.distinguished["calendar"].id)
    assert (await graph.get(f"/v1.0/me/calendars/{rest_id(own.id)}/events"))["value"] == []


async def test_every_event_fits_the_metadata(graph: Graph) -> None:
    body = await graph.get("/v1.0/me/events?$top=100", "event")
    assert len(body["value"]) == len(events(graph))
    kinds = {one["type"] for one in body["value"]}
    assert kinds == {"singleInstance", "seriesMaster"}
    for item in events(graph):
        await event(graph, item, "?$expand=attachments")


async def test_delta_gives_ids_types_and_times_alone(graph: Graph) -> None:
    found, link = await graph.round(DELTA, "event", Prefer="odata.maxpagesize=7")
    assert {one["id"] for one in found} == {rest_id(item.id) for item in events(graph)}
    assert set(found[0]) == {"@odata.etag", "id", "type", "start", "end"}
    assert {one["type"] for one in found} == {"singleInstance", "seriesMaster"}
    gone = events(graph)[0]
    gone_id, changed = rest_id(gone.id), events(graph)[1]
    deletion.delete_item(gone, "HardDelete")
    graph.mailbox().touch(changed)
    found, _ = await graph.round(link, "event")
    assert {one["id"]: "@removed" in one for one in found} == {gone_id: True, rest_id(changed.id): False}


async def test_a_changed_occurrence_reports_its_master(graph: Graph) -> None:
    _, link = await graph.round(f"{DELTA}?$select=id")
    master = series(graph)
    deletion.delete_occurrence(master, next(occurrences(master)))
    found, _ = await graph.round(link)
    assert [one["id"] for one in found] == [rest_id(master.id)]


@pytest.mark.parametrize("option", ["$select=subject", "$expand=attachments", "$filter=isAllDay eq true", "$top=5"])
async def test_delta_takes_no_options(graph: Graph, option: str) -> None:
    assert await graph.code(f"{DELTA}?{option}") == (400, "ErrorInvalidUrlQuery")


async def test_delta_can_begin_at_a_time(graph: Graph) -> None:
    found, _ = await graph.round(f"{DELTA}?startDateTime=2026-03-01T00:00:00Z", "event")
    singles = [one for one in found if one["type"] == "singleInstance"]
    assert singles
    assert all(one["end"]["dateTime"] >= "2026-03-01" for one in singles)


async def test_big_pages_answer_503_without_a_body(graph: Graph) -> None:
    graph.service.behavior(ALEX.address).largest_events_page = 10
    status, body, _ = await graph.ask("GET", DELTA, Prefer="odata.maxpagesize=50")
    assert (status, body) == (503, b"")
    assert (await graph.ask("GET", DELTA, Prefer="odata.maxpagesize=10"))[0] == 200


async def test_times_are_utc_or_in_the_preferred_zone(graph: Graph) -> None:
    item = named(graph, "Review with guests")
    utc = await event(graph, item)
    assert utc["start"] == {"dateTime": "2026-03-05T13:00:00.0000000", "timeZone": "UTC"}
    assert utc["originalStartTimeZone"] == "W. Europe Standard Time"
    for zone in ("W. Europe Standard Time", "Europe/Berlin"):
        local = await event(graph, item, Prefer=f'outlook.timezone="{zone}"')
        assert local["start"] == {"dateTime": "2026-03-05T14:00:00.0000000", "timeZone": zone}
    path = f"/v1.0/me/events/{rest_id(item.id)}"
    assert await graph.code(path, Prefer='outlook.timezone="Nowhere"') == (400, "TimeZoneNotSupportedException")


async def test_all_day_events_go_from_midnight_to_midnight(graph: Graph) -> None:
    found = await event(graph, named(graph, "Fair in 東京"))
    assert found["isAllDay"] is True
    assert (found["start"]["dateTime"][:19], found["end"]["dateTime"][:19]) == (
        "2026-03-22T00:00:00",
        "2026-03-25T00:00:00",
    )


async def test_a_custom_zone_has_a_name_that_says_nothing(graph: Graph) -> None:
    found = await event(graph, named(graph, "Watch"))
    assert found["originalStartTimeZone"] == "tzone://Microsoft/Custom"
    assert found["recurrence"]["range"]["recurrenceTimeZone"] == "tzone://Microsoft/Custom"


async def test_a_series_tells_its_pattern_range_and_exceptions(graph: Graph) -> None:
    master = series(graph)
    plain = await event(graph, master)
    assert plain["recurrence"]["pattern"]["daysOfWeek"] == ["monday", "tuesday", "wednesday", "thursday", "friday"]
    assert plain["recurrence"]["range"]["type"] == "noEnd"
    assert "cancelledOccurrences" not in plain
    options = "?$select=subject,type,cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences"
    found = await event(graph, master, options)
    days = sorted(zone_of(master).wall(moment) for moment in master.deleted)
    assert found["cancelledOccurrences"] == [f"OID.{rest_id(master.id)}.{day:%Y-%m-%d}" for day in days]
    moved, renamed = found["exceptionOccurrences"]
    assert (moved["type"], moved["location"]["displayName"]) == ("exception", "Canteen")
    assert renamed["subject"] == "Stand-up, with cake"
    assert moved["seriesMasterId"] == rest_id(master.id)
    assert moved["originalStart"] != moved["start"]["dateTime"]
    assert (await graph.get(f"/v1.0/me/events/{moved['id']}", "event"))["location"]["displayName"] == "Canteen"


async def test_exceptions_are_for_a_single_master_that_selects_them(graph: Graph) -> None:
    path = f"/v1.0/me/events/{rest_id(series(graph).id)}"
    assert (await graph.code(f"{path}?$expand=exceptionOccurrences"))[0] == 400
    assert (await graph.code("/v1.0/me/events?$select=cancelledOccurrences"))[0] == 400


@pytest.mark.parametrize(
    ("subject", "kind", "extent"),
    [
        ("Course", "daily", "numbered"),
        ("Board", "relativeMonthly", "endDate"),
        ("Closing of the books", "absoluteMonthly", "noEnd"),
        ("Sauna", "weekly", "noEnd"),
        ("Ada’s birthday", "absoluteYearly", "noEnd"),
    ],
)
async def test_every_pattern_is_told(graph: Graph, subject: str, kind: str, extent: str) -> None:
    found = (await event(graph, named(graph, subject)))["recurrence"]
    assert (found["pattern"]["type"], found["range"]["type"]) == (kind, extent)


async def test_a_calendar_view_expands_series(graph: Graph) -> None:
    start, end = "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"
    path = f"/v1.0/me/calendarView?startDateTime={start}&endDateTime={end}"
    body = await graph.get(f"{path}&$top=100", "event")
    wanted = sum(
        len(between(item, START.replace(hour=0), START.replace(hour=0) + timedelta(days=7))) for item in events(graph)
    )
    assert len(body["value"]) == wanted
    assert {"occurrence", "singleInstance"} <= {one["type"] for one in body["value"]}
    occurrence = next(one for one in body["value"] if one["type"] == "occurrence")
    assert (await graph.get(f"/v1.0/me/events/{occurrence['id']}", "event"))["start"] == occurrence["start"]
    assert await graph.code("/v1.0/me/calendarView") == (400, "ErrorInvalidParameter")
    assert (await graph.code(f"{path[:-20]}2036-01-01T00:00:00Z"))[0] == 400


async def test_instances_are_those_of_one_series(graph: Graph) -> None:
    master = series(graph)
    times = "startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-09T00:00:00Z"
    body = await graph.get(f"/v1.0/me/events/{rest_id(master.id)}/instances?{times}", "event")
    assert {one["seriesMasterId"] for one in body["value"]} == {rest_id(master.id)}
    assert len({one["iCalUId"] for one in body["value"]}) == len(body["value"])


async def test_attendees_bodies_and_links_come_as_they_are(graph: Graph) -> None:
    found = await event(graph, named(graph, "Review with guests"))
    assert [one["emailAddress"]["address"] for one in found["attendees"]] == [
        f"guest{number}@guests.example" for number in range(3)
    ]
    assert found["body"]["contentType"] == "html"
    assert (found["responseStatus"]["response"], found["isOrganizer"]) == ("organizer", True)
    text = await event(graph, named(graph, "Review with guests"), Prefer='outlook.body-content-type="text"')
    assert text["body"] == {"contentType": "text", "content": "Bring figures, &c."}
    online = named(graph, "Planning 0")
    online.properties["IsOnlineMeeting"] = tag("IsOnlineMeeting", "true")
    online.properties["JoinOnlineMeetingUrl"] = tag("JoinOnlineMeetingUrl", "https://teams.example/1")
    found = await event(graph, online)
    assert (found["isOnlineMeeting"], found["onlineMeeting"]) == (True, {"joinUrl": "https://teams.example/1"})


async def test_events_have_attachments_of_their_own(graph: Graph) -> None:
    item = named(graph, "Planning 0")
    item.attachments.append(Attachment("agenda.txt", "text/plain", b"1. Figures"))
    path = f"/v1.0/me/events/{rest_id(item.id)}"
    assert (await graph.get(path, "event"))["hasAttachments"] is True
    (one,) = (await graph.get(f"{path}/attachments", "attachment"))["value"]
    assert base64.b64decode(one["contentBytes"]) == b"1. Figures"
    assert await graph.get(f"{path}/attachments/{one['id']}/$value") == b"1. Figures"


async def test_series_and_zones_are_had_as_exchange_keeps_them(graph: Graph) -> None:
    appointment = "{00062002-0000-0000-C000-000000000046}"
    asked = " or ".join(
        f"id eq 'Binary {appointment} Id {which}'" for which in ("0x8216", "0x8233", "0x825E", "0x8260")
    )
    options = f"?$expand=singleValueExtendedProperties($filter={asked} or id eq 'Integer 0x36')"
    found = await event(graph, series(graph), options)
    values = {one["id"]: one["value"] for one in found["singleValueExtendedProperties"]}
    assert list(values)[:2] == [f"Binary {appointment.lower()} Id 0x8216", f"Binary {appointment.lower()} Id 0x8233"]
    blob = base64.b64decode(values[f"Binary {appointment.lower()} Id 0x8216"])
    assert blob[:8] == b"\x04\x30\x04\x30\x0b\x20\x01\x00"
    assert "Stand-up, with cake".encode("utf-16-le") in blob
    zone = base64.b64decode(values[f"Binary {appointment.lower()} Id 0x8260"])
    assert "W. Europe Standard Time".encode("utf-16-le") in zone
    assert (
        int.from_bytes(base64.b64decode(values[f"Binary {appointment.lower()} Id 0x8233"])[:4], "little", signed=True)
        == -60
    )
    assert ZONES["W. Europe Standard Time"].standard == 60


async def test_calendars_need_their_own_permission(graph: Graph) -> None:
    graph.token = delegated(ALEX, "Mail.Read")
    assert await graph.code("/v1.0/me/calendars") == (403, "ErrorAccessDenied")
    assert await graph.code(DELTA) == (403, "ErrorAccessDenied")
