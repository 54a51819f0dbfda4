"""Rules of the sandbox's Graph: ids, permissions, limits, batches, and errors."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.graph.wire.ids import rest_id
from sandbox.mailboxes import deletion, incidents
from sandbox.mailboxes.item_parts import Corruption
from sandbox.mailboxes.samples import message_samples
from sandbox.mailboxes.store import Item, Mailbox
from tests.contract.exchange_server import ALEX, BO
from tests.contract.graph_client import Graph, app_only, delegated, graph_over

DELTA = "/v1.0/me/mailFolders/inbox/messages/delta"


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    async with graph_over() as served:
        yield served


def put(mailbox: Mailbox, number: int = 1, folder: str = "inbox") -> Item:
    """A synthetic message in a folder."""
    return mailbox.insert(mailbox.distinguished[folder], message_samples.synthetic(number, 2000, mailbox.clock()))


# Ids


async def test_immutable_ids_survive_a_move(graph: Graph) -> None:
    box, prefer = graph.mailbox(), 'IdType="ImmutableId"'
    item = put(box)
    (before,), _ = await graph.round(DELTA, "message", Prefer=prefer)
    moved = deletion.move_item(item, box.distinguished["archive"])
    copied = deletion.copy_item(moved, box.distinguished["archive"])
    found = await graph.get(f"/v1.0/me/messages/{before['id']}", "message", Prefer=prefer)
    assert found["id"] == before["id"]
    assert len(before["id"]) < len(rest_id(item.id))
    assert (await graph.get(f"/v1.0/me/messages/{before['id']}"))["id"] == rest_id(moved.id)
    (first, second), _ = await graph.round("/v1.0/me/mailFolders/archive/messages/delta", Prefer=prefer)
    assert before["id"] in (first["id"], second["id"])
    assert first["id"] != second["id"]
    assert copied.search_key == moved.search_key


@pytest.mark.parametrize("prefer", ["", 'IdType="ImmutableId"'])
async def test_an_item_that_comes_back_is_lost_with_immutable_ids_alone(graph: Graph, prefer: str) -> None:
    """A move from A to B and back between rounds: github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/72."""
    box = graph.mailbox()
    item = put(box)
    _, link = await graph.round(DELTA, Prefer=prefer)
    back = deletion.move_item(deletion.move_item(item, box.distinguished["archive"]), box.distinguished["inbox"])
    found, link = await graph.round(link, Prefer=prefer)
    assert ["@removed" in one for one in found] == ([True] if prefer else [True, False])
    assert (await graph.round(link, Prefer=prefer))[0] == []
    box.touch(back)
    assert len((await graph.round(link, Prefer=prefer))[0]) == 1


async def test_ids_are_translated_between_all_formats(graph: Graph) -> None:
    box = graph.mailbox()
    item, gone = put(box), put(box, 2)
    given, form, gone_id = item.id, "ewsId", gone.id
    deletion.delete_item(gone, "HardDelete")
    for target in ("restId", "entryId", "restImmutableEntryId", "immutableEntryId", "ewsId"):
        status, body, _ = await graph.ask(
            "POST",
            "/v1.0/me/translateExchangeIds",
            {"inputIds": [given], "sourceIdType": form, "targetIdType": target},
        )
        assert status == 200
        assert list(body["value"][0]) == ["sourceId", "targetId"]
        given, form = body["value"][0]["targetId"], target
    assert given == item.id
    asked = {"inputIds": [gone_id, "rubbish", item.folder.id], "sourceIdType": "ewsId", "targetIdType": "restId"}
    _, body, _ = await graph.ask("POST", "/v1.0/me/translateExchangeIds", asked)
    codes = [one.get("errorDetails", {}).get("code") for one in body["value"]]
    assert codes == ["ErrorItemNotFound", "ErrorInvalidIdMalformed", None]
    assert body["value"][2]["targetId"] == rest_id(item.folder.id)
    status, _, _ = await graph.ask("POST", "/v1.0/me/translateExchangeIds", asked | {"inputIds": ["x"] * 1001})
    assert status == 400


# Permissions


async def test_a_token_is_needed_with_the_path_s_permission(graph: Graph) -> None:
    status, body, headers = await graph.ask("GET", "/v1.0/me/messages", Authorization="")
    assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert headers["WWW-Authenticate"].startswith("Bearer realm=")
    graph.token = delegated(ALEX, "Calendars.Read User.Read")
    assert await graph.code("/v1.0/me/messages") == (403, "ErrorAccessDenied")
    graph.token = delegated(ALEX, "Mail.Read")
    assert await graph.code("/v1.0/me") == (403, "Authorization_RequestDenied")
    assert (await graph.get("/v1.0/me/messages"))["value"] == []


async def test_applications_name_the_person(graph: Graph) -> None:
    graph.token = app_only("Mail.Read")
    assert await graph.code("/v1.0/me/messages") == (400, "BadRequest")
    assert (await graph.get(f"/v1.0/users/{ALEX.address}/messages"))["value"] == []
    assert (await graph.get(f"/v1.0/users/{ALEX.oid}/mailFolders/inbox"))["displayName"] == "Inbox"
    assert await graph.code("/v1.0/users/nobody@contoso.example/messages") == (404, "ErrorInvalidUser")
    assert await graph.code(f"/v1.0/users/{ALEX.address}") == (403, "Authorization_RequestDenied")


async def test_other_people_s_folders_need_a_shared_scope_and_a_grant(graph: Graph) -> None:
    path = f"/v1.0/users/{BO.address}/mailFolders/inbox"
    assert await graph.code(path) == (403, "ErrorAccessDenied")
    graph.token = delegated(ALEX, "Mail.Read Mail.Read.Shared")
    assert await graph.code(path) == (404, "ErrorItemNotFound")
    bos = graph.mailbox(BO)
    bos.grants[ALEX.address] = {bos.distinguished["inbox"].id}
    assert (await graph.get(path))["displayName"] == "Inbox"


async def test_other_people_s_profiles_need_more_than_one_s_own(graph: Graph) -> None:
    assert await graph.code(f"/v1.0/users/{BO.address}") == (403, "Authorization_RequestDenied")
    graph.token = delegated(ALEX, "User.ReadBasic.All")
    body = await graph.get(f"/v1.0/users/{BO.address}?$select=mail,proxyAddresses")
    assert (body["mail"], body["proxyAddresses"]) == (BO.address, [f"SMTP:{BO.address}"])


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1.0/me/mailFolders/inbox/messages?$select=nothing", {}),
        ("/v1.0/me/mailFolders/inbox/messages?$expand=nothing", {}),
        ("/v1.0/me/mailFolders/inbox/messages?nothing=1", {}),
        ("/v1.0/me/mailFolders/inbox/messages?$skip=x", {}),
        ("/v1.0/me/mailFolders/inbox/messages?$select=meetingMessageType", {}),
        ("/v1.0/me/mailFolders/delta?$expand=childFolders", {}),
        ("/v1.0/me/nothing", {}),
        ("/v1.0/nothing", {}),
        ("/v2.0/me", {}),
        ("/v1.0/me", {"Prefer": "nothing"}),
        ("/v1.0/me", {"X-Nothing": "1"}),
        ("/v1.0/me/messages/nothing", {}),
        ("/v1.0/me/messages?$expand=singleValueExtendedProperties($filter=id eq 'Nothing 0x1')", {}),
        ("/v1.0/me/messages?$expand=singleValueExtendedProperties", {}),
    ],
)
async def test_what_is_not_known_is_refused(graph: Graph, path: str, headers: dict[str, str]) -> None:
    status, _ = await graph.code(path, **headers)
    assert status == 400


# Limits and errors


async def test_a_full_mailbox_is_listed_but_not_tracked(graph: Graph) -> None:
    put(graph.mailbox())
    graph.service.behavior(ALEX.address).over_quota = True
    assert await graph.code(DELTA) == (403, "ErrorQuotaExceeded")
    assert len((await graph.get("/v1.0/me/mailFolders/inbox/messages"))["value"]) == 1


async def test_lost_tokens_say_where_to_begin_again(graph: Graph) -> None:
    _, link = await graph.round(DELTA)
    incidents.invalidate_states(graph.mailbox())
    status, body, headers = await graph.ask("GET", graph.local(link))
    assert (status, body["error"]["code"]) == (410, "syncStateNotFound")
    assert (await graph.round(headers["Location"]))[0] == []


async def test_a_folder_that_is_gone_is_not_found(graph: Graph) -> None:
    folder = graph.mailbox().add_folder(graph.mailbox().top(), "Gone")
    path = f"/v1.0/me/mailFolders/{rest_id(folder.id)}/messages/delta"
    _, link = await graph.round(path)
    graph.mailbox().drop_folder(folder)
    assert await graph.code(graph.local(link)) == (404, "ErrorItemNotFound")


async def test_a_corrupt_item_fails_alone_or_with_its_page(graph: Graph) -> None:
    item, behavior = put(graph.mailbox()), graph.service.behavior(ALEX.address)
    item.corruption = Corruption("ErrorContentConversionFailed")
    assert await graph.code(f"/v1.0/me/messages/{rest_id(item.id)}/$value") == (500, "ErrorContentConversionFailed")
    assert len((await graph.round(DELTA))[0]) == 1
    behavior.corrupt_breaks_pages = True
    assert await graph.code(DELTA) == (500, "ErrorContentConversionFailed")


async def test_too_many_requests_are_throttled_by_mailbox(graph: Graph) -> None:
    graph.service.throttle.limits.requests = 3
    statuses = [(await graph.ask("GET", "/v1.0/me/messages"))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    _status, body, headers = await graph.ask("GET", "/v1.0/me/messages")
    assert body["error"]["code"] == "ApplicationThrottled"
    assert int(headers["Retry-After"]) > 500
    graph.token = delegated(BO)
    assert (await graph.ask("GET", "/v1.0/me/messages"))[0] == 200


def occupy(graph: Graph, requests: int) -> ExitStack:
    """Simulate a number of requests in flight about Alex's mailbox."""
    stack = ExitStack()
    for _ in range(requests):
        stack.enter_context(graph.service.throttle.running(("app", ALEX.address)))
    return stack


async def test_four_requests_at_a_time_are_served(graph: Graph) -> None:
    with occupy(graph, 3):
        assert (await graph.ask("GET", "/v1.0/me/messages"))[0] == 200
    with occupy(graph, 4):
        status, body, headers = await graph.ask("GET", "/v1.0/me/messages")
        assert (status, body["error"]["code"], headers["Retry-After"]) == (429, "ApplicationThrottled", "5")
        _, body, _ = await graph.ask("POST", "/v1.0/$batch", batch("/me/messages"))
        assert body["responses"][0]["status"] == 429
    assert (await graph.ask("GET", "/v1.0/me/messages"))[0] == 200


# Batches


def batch(*paths: str, chained: bool = False) -> dict[str, Any]:
    requests: list[dict[str, Any]] = [
        {"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)
    ]
    for before, request in zip(requests, requests[1:] if chained else [], strict=False):
        request["dependsOn"] = [before["id"]]
    return {"requests": requests}


async def test_a_batch_answers_each_request_by_itself(graph: Graph) -> None:
    item = put(graph.mailbox())
    paths = ("/me/mailFolders/inbox", "/me/nothing", f"/me/messages/{rest_id(item.id)}/$value")
    status, body, _ = await graph.ask("POST", "/v1.0/$batch", batch(*paths))
    assert status == 200
    assert [one["status"] for one in body["responses"]] == [200, 400, 200]
    assert body["responses"][0]["body"]["displayName"] == "Inbox"
    assert isinstance(body["responses"][2]["body"], str)


async def test_a_failed_predecessor_fails_the_rest(graph: Graph) -> None:
    asked = batch("/me/mailFolders/inbox", "/me/nothing", "/me/messages", chained=True)
    _, body, _ = await graph.ask("POST", "/v1.0/$batch", asked)
    assert [one["status"] for one in body["responses"]] == [200, 400, 424]


async def test_a_batch_takes_twenty_requests_in_one_order(graph: Graph) -> None:
    status, _, _ = await graph.ask("POST", "/v1.0/$batch", batch(*["/me"] * 21))
    assert status == 400
    mixed = batch("/me", "/me", "/me")
    mixed["requests"][2]["dependsOn"] = ["1"]
    assert (await graph.ask("POST", "/v1.0/$batch", mixed))[0] == 400


async def test_requests_within_a_batch_are_throttled_one_by_one(graph: Graph) -> None:
    graph.service.throttle.limits.requests = 2
    _, body, _ = await graph.ask("POST", "/v1.0/$batch", batch(*["/me/messages"] * 4))
    assert [one["status"] for one in body["responses"]] == [200, 200, 429, 429]
    assert "Retry-After" in body["responses"][3]["headers"]
