"""The API as programs call it: real tokens, real storage, every answer as the host gets it."""

import uuid
from typing import Any

import pytest

from functions.api import serving
from shared.api.port import StoredAnswer
from shared.api.stores.table import TableIdempotency
from shared.errors import Reason, RetryLater
from shared.mailboxes.model import Mailbox
from shared.replica.port import item_key
from tests.contract.api_server import OPERATOR, ApiServer, body_of, lines_of
from tests.unit.replica.samples import created, cursor_with, folder

MESSAGE = b"From: ann@contoso.example\r\nSubject: hi\r\n\r\nHello"


@pytest.fixture(scope="module")
def mailbox(api: ApiServer) -> Mailbox:
    return api.connect(created("A", MESSAGE), created("B", b""), folders=cursor_with(folder(items=2)))


def test_every_read_answers(api: ApiServer, mailbox: Mailbox) -> None:
    of_item = f"/mailboxes/{mailbox.id}/items/{item_key('A')}"
    for path in (
        "/me",
        "/mailboxes",
        f"/mailboxes/{mailbox.id}",
        f"/mailboxes/{mailbox.id}/folders",
        f"/mailboxes/{mailbox.id}/items",
        of_item,
        f"{of_item}/content",
        f"{of_item}/parsed",
        f"/mailboxes/{mailbox.id}/runs",
        f"/mailboxes/{mailbox.id}/issues",
        f"/mailboxes/{mailbox.id}/changes",
        f"/audit/{mailbox.id}",
        "/service-accounts",
        "/readers",
    ):
        answer = api.ask("GET", path)
        assert answer.status_code == 200, (path, answer.get_body())
        assert answer.headers["RateLimit-Policy"] == '"caller";q=600;w=60'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_items_and_content_are_read(api: ApiServer, mailbox: Mailbox) -> None:
    page = body_of(api.ask("GET", f"/mailboxes/{mailbox.id}/items", folder="Inbox", fields="subject,folder,content"))
    assert {item["id"] for item in page["items"]} == {item_key("A"), item_key("B")}
    assert {item["folder"] for item in page["items"]} == {"Inbox"}
    path = f"/mailboxes/{mailbox.id}/items/{item_key('A')}/content"
    content = api.ask("GET", path)
    assert (content.get_body(), content.mimetype) == (MESSAGE, "message/rfc822")
    again = api.ask("GET", path, headers={"If-None-Match": content.headers["ETag"]})
    assert (again.status_code, again.get_body()) == (304, b"")
    part = api.ask("GET", path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.get_body()) == (206, b"From")
    assert part.headers["Content-Range"] == f"bytes 0-3/{len(MESSAGE)}"


def test_mailboxes_are_found_by_address_and_status(api: ApiServer, mailbox: Mailbox) -> None:
    queries: tuple[dict[str, Any], ...] = (
        {"address": mailbox.address[:20]},
        {"tenant": mailbox.tenant_id, "sort": "newest", "limit": "1000"},
    )
    for query in queries:
        page = body_of(api.ask("GET", "/mailboxes", **query))
        assert mailbox.id in [each["id"] for each in page["mailboxes"]]
    assert body_of(api.ask("GET", "/mailboxes", address=mailbox.address, status="suspended"))["mailboxes"] == []


def test_changes_of_one_and_of_all_mailboxes(api: ApiServer) -> None:
    own = api.connect(created("A", MESSAGE), created("B", b""))
    first = lines_of(api.ask("GET", f"/mailboxes/{own.id}/changes", limit="1"))
    (line,) = first
    (rest,) = lines_of(api.ask("GET", f"/mailboxes/{own.id}/changes", after=str(line["number"])))
    assert [line["item"]["id"], rest["item"]["id"]] == [item_key("A"), item_key("B")]
    assert lines_of(api.ask("GET", f"/mailboxes/{own.id}/changes", after=str(rest["number"]))) == []
    found, position = set[str](), ""
    for _ in range(100):
        query: dict[str, Any] = {"after": position} if position else {}
        *changes, last = lines_of(api.ask("GET", "/changes", **query))
        found |= {change["item"]["id"] for change in changes if change["mailbox_id"] == own.id}
        if position == last["position"]:
            break
        position = last["position"]
    assert found == {item_key("A"), item_key("B")}


def test_waiting_ends_when_time_is_up_or_a_change_comes(api: ApiServer) -> None:
    own = api.connect(created("A", b""))
    path = f"/mailboxes/{own.id}/changes"
    assert len(lines_of(api.ask("GET", path, wait="30"))) == 1
    (line,) = lines_of(api.ask("GET", path))
    assert api.ask("GET", path, after=str(line["number"]), wait="1").get_body() == b""


def test_roles_decide_what_is_allowed(api: ApiServer, mailbox: Mailbox) -> None:
    content = f"/mailboxes/{mailbox.id}/items"
    pause = f"/mailboxes/{mailbox.id}/pause"
    for roles, read, write in (
        (("Replica.Read",), 200, 403),
        (("Operator.Read",), 403, 403),
        (("Operator",), 200, 200),
    ):
        assert api.ask("GET", content, roles=roles).status_code == read, roles
        assert api.ask("POST", pause, roles=roles).status_code == write, roles
        assert api.ask("GET", f"/mailboxes/{mailbox.id}", roles=roles).status_code == 200, roles
    refused = api.ask("GET", content, roles=("Operator.Read",))
    assert (refused.mimetype, body_of(refused)["code"]) == ("application/problem+json", "role_missing")
    assert "Operator, Replica.Read" in body_of(refused)["detail"]
    without = api.ask("POST", pause, roles=("Another",))
    assert (without.status_code, body_of(without)["code"], body_of(without)["roles"]) == (
        403,
        "role_missing",
        "Operator",
    )
    assert api.send("GET", "/api/v1/mailboxes", {}, b"").status_code == 401


def test_reader_is_limited_and_let_loose(api: ApiServer, mailbox: Mailbox) -> None:
    oid = api.sandbox.control.get(f"/people/{OPERATOR}")["oid"]
    reads = f"/mailboxes/{mailbox.id}/items"
    limits: dict[str, list[str]] = {"tenants": [], "mailboxes": []}
    assert api.ask("PUT", f"/readers/{oid}", json_body=limits).status_code == 200
    assert api.ask("GET", reads, roles=("Replica.Read",)).status_code == 404
    assert api.ask("GET", "/changes", roles=("Replica.Read",)).status_code == 200
    assert body_of(api.ask("GET", "/mailboxes", roles=("Replica.Read",)))["mailboxes"] == []
    assert api.ask("PUT", f"/readers/{oid}", json_body=limits | {"mailboxes": [mailbox.id]}).status_code == 200
    assert api.ask("GET", reads, roles=("Replica.Read",)).status_code == 200
    assert body_of(api.ask("GET", "/me", roles=("Replica.Read",)))["limits"]["mailboxes"] == [mailbox.id]
    assert api.ask("PUT", f"/readers/{oid}", json_body=limits | {"mailboxes": ["0" * 32]}).status_code == 400
    assert api.ask("DELETE", f"/readers/{oid}").status_code == 204
    mistaken = body_of(api.ask("PUT", "/readers/robin", json_body=limits))
    assert (mistaken["status"], mistaken["parameter"], "GET /me" in mistaken["detail"]) == (400, "reader", True)
    assert api.ask("GET", reads, roles=("Replica.Read",)).status_code == 200
    acts = [entry["act"] for entry in body_of(api.ask("GET", f"/audit/{oid}"))["entries"]]
    assert acts == ["unlimit_reader", "limit_reader", "limit_reader"]


def test_reset_is_noted_and_refused_for_a_paused_mailbox(api: ApiServer, mailbox: Mailbox) -> None:
    reset = f"/mailboxes/{mailbox.id}/reset"
    assert api.ask("POST", reset, roles=("Operator.Read",)).status_code == 403
    assert api.ask("POST", f"/mailboxes/{mailbox.id}/start").status_code == 200
    answer = api.ask("POST", reset)
    assert (answer.status_code, body_of(answer)["id"]) == (200, mailbox.id)
    assert body_of(answer)["reset_at"] == body_of(api.ask("GET", f"/mailboxes/{mailbox.id}"))["reset_at"] is not None
    assert body_of(api.ask("GET", f"/audit/{mailbox.id}", limit="1"))["entries"][0]["act"] == "reset"
    assert api.ask("POST", f"/mailboxes/{mailbox.id}/pause").status_code == 200
    refused = api.ask("POST", reset)
    assert (refused.status_code, body_of(refused)["code"]) == (409, "not_while_stopped")
    assert api.ask("POST", f"/mailboxes/{mailbox.id}/start").status_code == 200


def test_commands_are_audited_with_their_caller(api: ApiServer, mailbox: Mailbox) -> None:
    oid = api.sandbox.control.get(f"/people/{OPERATOR}")["oid"]
    for command in ("pause", "start", "sync"):
        answer = api.ask("POST", f"/mailboxes/{mailbox.id}/{command}")
        assert answer.status_code == 200, answer.get_body()
        assert body_of(answer)["id"] == mailbox.id
    page = body_of(api.ask("GET", f"/audit/{mailbox.id}", limit="2"))
    rest = body_of(api.ask("GET", f"/audit/{mailbox.id}", cursor=page["next"]))
    acts = [(entry["act"], entry["actor"]) for entry in page["entries"] + rest["entries"]]
    assert acts[:3] == [("sync_now", oid), ("start", oid), ("pause", oid)]
    assert ("read_content", oid) in acts


def test_problems_name_the_parameter_at_fault(api: ApiServer, mailbox: Mailbox) -> None:
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("/mailboxes", {"limit": "none"}, "limit"),
        ("/mailboxes", {"sort": "id"}, "sort"),
        (f"/mailboxes/{mailbox.id}/changes", {"after": "-1"}, "after"),
        ("/changes", {"after": "x"}, "after"),
        (f"/mailboxes/{mailbox.id}/items", {"kind": "mail"}, "kind"),
        ("/mailboxes", {"cursor": "x", "sort": "address"}, "cursor"),
        ("/mailboxes", {"": "x"}, ""),
        ("/mailboxes", {"{limit}": "x"}, "{limit}"),
    )
    for path, query, parameter in cases:
        answer = api.ask("GET", path, **query)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
        assert body_of(answer)["parameter"] == parameter
    for body, parameter in (({}, "address"), ({"address": 7}, "address"), ({"address": "a@b.example", "x": 1}, "x")):
        answer = api.ask("POST", "/invitations", json_body=body)
        assert (answer.status_code, body_of(answer)["parameter"]) == (400, parameter)


def test_problems_say_what_is_expected(api: ApiServer, mailbox: Mailbox) -> None:
    items = f"/mailboxes/{mailbox.id}/items"
    for path, query, expected in (
        ("/mailboxes", "limit=0", "a whole number from 1 to 1000"),
        ("/changes", "wait=31", "a whole number from 0 to 30"),
        ("/mailboxes", "sort=id", "one of address, newest"),
        ("/mailboxes", "cursor=x&sort=address", "begin again without `cursor`"),
        ("/changes", "after=x", "to begin again"),
        (items, "modified_since=yesterday", "2026-11-23T12:00:00Z"),
        (items, "folder=Nowhere", "the id or the path of a folder"),
    ):
        body = body_of(api.ask("GET", f"{path}?{query}"))
        assert expected in body["detail"], body
        assert "Go back" not in body["remedy"]
    unknown = body_of(api.ask("POST", "/webhooks", json_body={"url": "https://crm.example/", "events": ["mail"]}))
    assert "a list of one of mailbox.connected" in unknown["detail"]
    headers = {"Authorization": f"Bearer {api.token('Operator')}", "Content-Type": "application/json"}
    broken = body_of(api.send("POST", "/api/v1/invitations", headers, b'{"address": x}'))
    assert (broken["fault"], "at byte 12" in broken["detail"]) == ("not_json", True)
    text = api.send("POST", "/api/v1/invitations", headers | {"Content-Type": "text/plain"}, b"{}")
    assert (text.status_code, body_of(text)["fault"]) == (415, "content_type")


def test_problem_says_what_was_not_found(api: ApiServer, mailbox: Mailbox) -> None:
    key = item_key("A")
    for path, missing in (
        ("/mailboxes/none", "mailbox"),
        (f"/mailboxes/{mailbox.id}/items/none", "item"),
        (f"/mailboxes/{mailbox.id}/hold", "hold"),
        ("/mailboxes/none/hold", "mailbox"),
        (f"/mailboxes/none/items/{key}/content", "mailbox"),
        (f"/mailboxes/{mailbox.id}/items/none/content", "item"),
        (f"/mailboxes/{mailbox.id}/items/{key}/attachments/99", "attachment"),
        (f"/mailboxes/{mailbox.id}/items/{key}/attachments/%20", "attachment"),
        (f"/mailboxes/a%20b/items/{key}", "mailbox"),
        ("/jobs/none", "job"),
    ):
        body = body_of(api.ask("GET", path))
        assert (body["missing"], f"no such {missing}," in body["detail"]) == (missing, True)
        assert "age" not in body["title"]


def test_item_without_content_is_not_taken_for_one_that_is_gone(api: ApiServer) -> None:
    """A consumer deletes what is gone, and keeps an item whose content the copy does not have."""
    mailbox = api.connect(created("A", b""))
    for part in ("content", "parsed", "attachments/0"):
        answer = api.ask("GET", f"/mailboxes/{mailbox.id}/items/{item_key('A')}/{part}")
        problem = body_of(answer)
        assert (answer.status_code, problem["code"], problem["missing"]) == (404, "not_found", "content")
        assert "The copy has no content of this item" in problem["detail"]
        assert "a change follows" in problem["remedy"]


def test_mailbox_that_was_never_moved_says_how_to_ask_for_a_report(api: ApiServer, mailbox: Mailbox) -> None:
    answer = api.ask("GET", f"/mailboxes/{mailbox.id}/parity")
    problem = body_of(answer)
    assert (answer.status_code, problem["code"]) == (404, "no_parity_report")
    assert "No move between sources and no dry run was made" in problem["detail"]
    assert '"dry_run": true' in problem["remedy"]
    assert body_of(api.ask("GET", "/mailboxes/none/parity"))["missing"] == "mailbox"
    asked = {"to": "graph", "mailboxes": [mailbox.id], "dry_run": True}
    assert api.ask("POST", "/moves", json_body=asked).status_code == 202
    assert body_of(api.ask("GET", f"/mailboxes/{mailbox.id}/parity"))["code"] == "parity_report_pending"
    assert api.ask("POST", "/moves", json_body={"to": "", "mailboxes": [mailbox.id]}).status_code == 202
    api.app.replica.put_derived(mailbox.id, "parity", b'{"outcome": "surveyed", "from": "ews", "to": "graph"}')
    report = body_of(api.ask("GET", f"/mailboxes/{mailbox.id}/parity"))
    assert (report["outcome"], report["from"], report["to"]) == ("surveyed", "ews", "graph")


def test_errors_of_a_known_caller_have_the_limit(api: ApiServer, mailbox: Mailbox) -> None:
    """401 comes before the caller is known."""
    assert api.ask("POST", f"/mailboxes/{mailbox.id}/start").status_code in (200, 409)
    api.ask("POST", f"/mailboxes/{mailbox.id}/sync")
    for method, path, status in (
        ("GET", "/mailboxes?limit=0", 400),
        ("GET", "/changes?wait=-1", 400),
        ("GET", "/mailboxes/none", 404),
        ("POST", f"/mailboxes/{mailbox.id}/sync", 429),
    ):
        answer = api.ask(method, path)
        assert (answer.status_code, answer.headers["RateLimit-Policy"]) == (status, '"caller";q=600;w=60'), path
    assert "RateLimit" not in api.send("GET", "/api/v1/me", {}, b"").headers


def test_range_beyond_the_end_is_a_problem(api: ApiServer, mailbox: Mailbox) -> None:
    path = f"/mailboxes/{mailbox.id}/items/{item_key('A')}/content"
    answer = api.ask("GET", path, headers={"Range": "bytes=9999-"})
    assert (answer.status_code, answer.mimetype) == (416, "application/problem+json")
    assert answer.headers["Content-Range"] == f"bytes */{len(MESSAGE)}"
    assert body_of(answer)["code"] == "range_not_satisfiable"


class WithoutAnswers(TableIdempotency):
    """Cannot store the answer to a request that was carried out."""

    def finish(self, caller: str, key: str, answer: StoredAnswer) -> None:
        raise RetryLater(Reason.UNAVAILABLE)


def test_write_whose_answer_cannot_be_stored_is_answered(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app, "idempotency", WithoutAnswers(api.app.tables, api.app.clock))
    headers, body = {"Idempotency-Key": uuid.uuid4().hex}, {"address": f"{uuid.uuid4().hex}@contoso.example"}
    assert api.ask("POST", "/invitations", json_body=body, headers=headers).status_code == 201
    again = api.ask("POST", "/invitations", json_body=body, headers=headers)
    assert (again.status_code, body_of(again)["code"]) == (409, "idempotency_key_in_use")


def test_same_idempotency_key_does_a_write_once(api: ApiServer) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"address": f"{uuid.uuid4().hex}@contoso.example"}
    first = api.ask("POST", "/invitations", json_body=body, headers=headers)
    assert first.status_code == 201
    again = api.ask("POST", "/invitations", json_body=body, headers=headers)
    assert (again.status_code, again.get_body()) == (201, first.get_body())
    assert again.headers["Idempotency-Replayed"] == "true"
    listed = body_of(api.ask("GET", "/invitations", roles=("Operator.Read",), limit="200"))["invitations"]
    assert [each["address"] for each in listed if each["id"] == body_of(first)["id"]] == [body["address"]]
    other = api.ask("POST", "/invitations", json_body={"address": "other@contoso.example"}, headers=headers)
    assert (other.status_code, body_of(other)["code"]) == (422, "idempotency_key_reused")
    failed = {"Idempotency-Key": uuid.uuid4().hex}
    assert api.ask("POST", "/mailboxes/none/pause", headers=failed).status_code == 404
    assert api.ask("POST", "/mailboxes/none/pause", headers=failed).status_code == 404


def test_unknown_paths_methods_and_ids_are_refused(api: ApiServer, mailbox: Mailbox) -> None:
    assert api.ask("GET", "/mailboxes/none").status_code == 404
    assert api.ask("GET", f"/mailboxes/{mailbox.id}/items/none/content").status_code == 404
    assert api.ask("GET", f"/mailboxes/{mailbox.id}/items/..%2f..%2fx").status_code == 404
    answer = api.ask("DELETE", f"/mailboxes/{mailbox.id}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_erasing_returns_a_receipt(api: ApiServer) -> None:
    own = api.connect(created("A", MESSAGE))
    receipt = body_of(api.ask("POST", f"/mailboxes/{own.id}/erase"))
    assert receipt["mailbox_id"] == own.id
    assert receipt["erased"]["items"] == 1
    assert api.ask("GET", f"/mailboxes/{own.id}").status_code == 404
    assert api.ask("GET", f"/mailboxes/{own.id}/changes").status_code == 404


def token_of(api: ApiServer, **asked: Any) -> dict[str, str]:
    """The header of a token with other claims."""
    token = api.sandbox.control.post("/tokens", {"person": OPERATOR, "kind": "api"} | asked)["token"]
    return {"Authorization": f"Bearer {token}"}


def test_a_program_reads_with_a_token_of_its_own(api: ApiServer, mailbox: Mailbox) -> None:
    """An app-only token has roles and no scope."""
    program = str(uuid.uuid4())
    claims = {"oid": program, "sub": program, "idtyp": "app", "roles": ["Replica.Read"]}
    own = token_of(api, claims=claims, drop=["scp"])
    assert body_of(api.send("GET", "/api/v1/me", own, b""))["object_id"] == program
    assert api.send("GET", f"/api/v1/mailboxes/{mailbox.id}/items", own, b"").status_code == 200
    assert api.send("POST", f"/api/v1/mailboxes/{mailbox.id}/pause", own, b"").status_code == 403
    entries = body_of(api.ask("GET", f"/audit/{mailbox.id}"))["entries"]
    assert ("read_content", program) in [(entry["act"], entry["actor"]) for entry in entries]
    stranger = token_of(api, claims=claims | {"tid": str(uuid.uuid4())}, drop=["scp"])
    assert api.send("GET", "/api/v1/me", stranger, b"").status_code == 401


def test_one_caller_without_end_is_asked_to_wait_and_others_are_not(api: ApiServer) -> None:
    caller = str(uuid.uuid4())
    own = token_of(api, claims={"oid": caller})
    answer = api.send("GET", "/api/v1/me", own, b"")
    assert answer.headers["RateLimit"].startswith('"caller";r=599;')
    while answer.status_code != 429:
        while not serving._limit.wait(caller):
            pass
        answer = api.send("GET", "/api/v1/me", own, b"")
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["RateLimit"].startswith('"caller";r=0;')
    assert body_of(answer)["code"] == "too_many_requests"
    assert api.ask("GET", "/me").status_code == 200


def test_hold_is_set_shown_and_lifted_and_forbids_erasing(api: ApiServer) -> None:
    own = api.connect(created("A", MESSAGE))
    path, reason = f"/mailboxes/{own.id}/hold", {"reason": "Matter 7"}
    assert api.ask("GET", path).status_code == 404
    assert api.ask("PUT", path, roles=("Operator.Read",), json_body=reason).status_code == 403
    for wrong in ("", "two\nlines", "x" * 501):
        assert api.ask("PUT", path, json_body={"reason": wrong}).status_code == 400
    held = body_of(api.ask("PUT", path, json_body=reason))
    assert (held["reason"], body_of(api.ask("GET", path, roles=("Operator.Read",)))) == ("Matter 7", held)
    assert api.ask("GET", path, roles=("Replica.Read",)).status_code == 403
    seen = body_of(api.ask("GET", f"/mailboxes/{own.id}", roles=("Replica.Read",)))
    assert (seen["hold_since"], "Matter 7" in str(seen)) == (held["since"], False)
    refused = api.ask("POST", f"/mailboxes/{own.id}/erase")
    assert (refused.status_code, body_of(refused)["code"]) == (409, "on_hold")
    assert api.ask("DELETE", path).status_code == 204
    assert body_of(api.ask("GET", f"/mailboxes/{own.id}"))["hold_since"] is None
    acts = [entry["act"] for entry in body_of(api.ask("GET", f"/audit/{own.id}"))["entries"]]
    assert acts[:3] == ["lift_hold", "erase_refused", "hold"]
    api.app.registry.begin_erasure(own.id)
    refused = api.ask("PUT", path, json_body=reason)
    assert (refused.status_code, body_of(refused)["code"]) == (409, "erasure_begun")


def test_group_is_made_used_and_deleted(api: ApiServer) -> None:
    own = api.connect(created("A", MESSAGE))
    path, wanted = "/groups/matter-7", {"description": "Matter 7", "settings": {"retention_days": 30, "exclude": []}}
    assert api.ask("PUT", path, roles=("Operator.Read",), json_body=wanted).status_code == 403
    for wrong in (
        {"settings": {"mail_days": -1}},
        {"settings": {"other": 1}},
        {"description": "two\nlines"},
        {"settings": {"exclude": [" a"]}},
    ):
        answer = api.ask("PUT", path, json_body=wrong)
        assert (answer.status_code, " is not of the kind " in body_of(answer)["detail"]) == (400, False)
    for name in ("default", "a%20b", "A", "x" * 65):
        refused = api.ask("PUT", f"/groups/{name}", json_body=wanted)
        assert (refused.status_code, body_of(refused)["parameter"]) == (400, "group")
        assert "lower-case letters, digits, and hyphens" in body_of(refused)["detail"]
    made = body_of(api.ask("PUT", path, json_body=wanted))
    assert (made["settings"]["retention_days"], made["settings"]["mail_days"]) == (30, None)
    assert (made["effective"]["exclude"], made["effective"]["folders_out"]) == ([], ["junkemail", "deleteditems"])
    assert made in body_of(api.ask("GET", "/groups", roles=("Operator.Read",)))["groups"]
    unknown = api.ask("PUT", f"/mailboxes/{own.id}/group", json_body={"group": "none"})
    assert (unknown.status_code, body_of(unknown)["parameter"]) == (400, "group")
    assert "make the group first" in body_of(unknown)["detail"]
    changed = body_of(api.ask("PUT", f"/mailboxes/{own.id}/group", json_body={"group": "matter-7"}))
    assert changed["group"] == "matter-7"
    assert [one["id"] for one in body_of(api.ask("GET", "/mailboxes", group="matter-7"))["mailboxes"]] == [own.id]
    invited = {"address": f"{uuid.uuid4().hex}@contoso.example", "group": "matter-7"}
    invitation = body_of(api.ask("POST", "/invitations", json_body=invited))["id"]
    listed = body_of(api.ask("GET", "/invitations", limit="200"))["invitations"]
    assert [one["group"] for one in listed if one["id"] == invitation] == ["matter-7"]
    refused = api.ask("DELETE", path)
    assert (refused.status_code, body_of(refused)["code"], body_of(refused)["mailboxes"]) == (409, "group_in_use", 1)
    job = {"command": "group", "group": "default", "filter": {"group": "matter-7"}}
    assert api.ask("POST", "/jobs", json_body=job | {"group": "none"}).status_code == 400
    assert api.ask("POST", "/jobs", json_body=job).status_code == 202
    assert body_of(api.ask("PUT", f"/mailboxes/{own.id}/group", json_body={"group": "default"}))["group"] == "default"
    assert api.ask("DELETE", path).status_code == 204
    assert body_of(api.ask("DELETE", "/groups/default"))["parameter"] == "group"
    assert api.ask("GET", path).status_code == 404
    acts = [entry["act"] for entry in body_of(api.ask("GET", "/audit/group-matter-7"))["entries"]]
    assert acts == ["delete_group", "put_group"]
