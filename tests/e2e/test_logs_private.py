"""Everything the app says while planted secrets pass through it, and while all goes wrong: none of them is in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from sandbox.local.local_stack import LocalStack, local_stack
from shared import logs
from tests.conftest import Faults
from tests.e2e import fault_table as table
from tests.e2e.conftest import NEVER
from tests.e2e.fault_bench import Bench, Trouble
from tests.e2e.person import Person
from tests.waiting import eventually

WORD = "quokka"
"""In whatever is planted, so that a part of it would be found as well."""

ADDRESS = f"{WORD}.address@contoso.example"
PASSWORD = f"{WORD}-password-91"
FOLDER = f"{WORD} folder"
MESSAGE = f"""From: {WORD}.sender@elsewhere.example
To: {ADDRESS}
Subject: {WORD} subject
Message-ID: <{WORD}.id@elsewhere.example>
Content-Type: text/plain

{WORD} body
"""
SAID = f"<html>{ADDRESS} {WORD} secret of the server</html>"
A_TOKEN = re.compile(r"eyJ[\w-]{8,}|Bearer [\w.-]{8,}", re.IGNORECASE)
SHORTEST_SECRET = 6

IN_PASSES = (
    Trouble("exchange", "FindFolder", table.status(403, SAID)),
    Trouble("exchange", "FindFolder", table.status(404, SAID)),
    Trouble("exchange", "FindFolder", table.status(500, SAID)),
    Trouble("exchange", "FindFolder", table.as_xml(f"<{WORD}>{ADDRESS}")),
    Trouble("exchange", "GetItem", {"kind": "malformed_xml"}),
    Trouble("exchange", "GetItem", table.as_xml(table.MISMATCHED)),
    Trouble("exchange", "SyncFolderItems", table.CUT),
    Trouble("exchange", "FindFolder", {"kind": "entity_bomb"}),
    Trouble("blob", "PUT packs", table.status(403, SAID)),
    Trouble("blob", "PUT leases", table.status(400, SAID)),
    Trouble("blob", "GET cursors", {"kind": "content_type", "value": "text/html", "body": SAID}),
    Trouble("table", r"POST \$batch", table.status(400, SAID)),
    Trouble("table", "PUT mailboxes", table.RESET),
    Trouble("table", "GET mailboxes", table.status(500, SAID)),
)
"""What the server says quotes the person, as servers do."""

IN_ACCESS = (
    Trouble("key_vault", "GET secret", table.status(403, SAID)),
    Trouble("key_vault", "GET secret", table.PORTAL),
    Trouble("entra", "token refresh_token", table.status(400, SAID)),
    Trouble("entra", "token refresh_token", table.refused("invalid_client", 7000222)),
    Trouble(
        "entra",
        "token refresh_token",
        table.status(400, {"error": "invalid_grant", "error_description": f"AADSTS50173: {ADDRESS}"}),
    ),
)


@dataclass
class Scene:
    """What was planted, what came up on the way, and what the app said."""

    running: LocalStack
    person: Person
    secrets: set[str] = field(default_factory=lambda: {WORD, ADDRESS, PASSWORD})
    urls: list[str] = field(default_factory=list)
    mailbox_id: str = ""
    passes: int = 0

    def play(self) -> None:
        """Everything, in order."""
        self.plant()
        self.refused_sign_ins()
        self.sign_in()
        self.run_a_pass()
        for trouble in IN_PASSES:
            self.run_a_pass(trouble)
        self.rubbish_messages()
        for trouble in IN_ACCESS:
            self.running.restart()
            # A process that ended in mid-pass has left its lease, under which a pass does nothing.
            eventually("a pass to fail", partial(self.fails_in_a_pass, trouble))
        self.leave()
        self.running.host.stop()

    def plant(self) -> None:
        """Mail and more with secrets in every part, one item of it unreadable."""
        at = f"/mailboxes/{ADDRESS}"
        for folder in ("inbox", f"inbox/{FOLDER}", f"inbox/{FOLDER}"):
            self.control("POST", f"{at}/messages?folder={quote(folder)}", data=MESSAGE.replace("\n", "\r\n").encode())
        for kind in ("event", "contact", "task"):
            self.control("POST", f"{at}/items", {"kind": kind, "subject": f"{WORD} {kind}"})
        self.control("POST", f"{at}/corrupt-item", {"folder": "inbox"})

    def control(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        return self.running.sandbox.control.call(method, path, body, **more)

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request to the app; where it leads is remembered."""
        answer = self.person.ask(method, path, **more)
        self.urls.append(answer.headers.get("Location", ""))
        return answer

    def refused_sign_ins(self) -> None:
        """Requests of people and programs that are refused."""
        forged = {"state": f"{WORD}-state", "code": f"{WORD}-code", "error_description": ADDRESS}
        self.ask("POST", "/sign-in/callback", data=forged)
        self.ask("POST", "/sign-in/callback", json=forged)
        self.ask("GET", f"/sign-in/callback?error=access_denied&error_description={ADDRESS}&state={WORD}")
        self.ask("GET", f"/sign-in?invitation={WORD}.token&to={ADDRESS}")
        self.ask("GET", f"/{WORD}/{ADDRESS}?code={WORD}")
        self.ask("GET", "/api/v1/mailboxes", headers={"Authorization": f"Bearer {WORD}.not.atoken"})
        self.person.session.cookies.set("__Host-session", f"{WORD}-session")
        self.ask("GET", "/my-sync")
        self.person.session.cookies.clear()

    def sign_in(self) -> None:
        """Through the real pages, and then the same answer once more."""
        fields = self.person.begin()
        self.secrets |= set(fields.values()) | self.flows()
        self.urls.append(self.come_back(fields))
        self.come_back(fields)
        self.secrets |= {str(cookie.value) for cookie in self.person.session.cookies}
        self.secrets |= {self.person.csrf()}
        self.mailbox_id = self.person.mailbox()
        parts = self.running.parts()
        mailbox = parts.registry.get(self.mailbox_id)
        self.secrets |= {parts.token_store.read(mailbox.authorization_id), mailbox.display_name}
        self.secrets |= {str(parts.secrets.get_secret("signing-sessions").value)}
        eventually("the first sync", lambda: parts.registry.get(self.mailbox_id).first_sync_done)

    def come_back(self, fields: dict[str, str]) -> str:
        return self.person.come_back(fields).headers.get("Location", "")

    def flows(self) -> set[str]:
        """The state, nonce and verifier of the sign-in under way."""
        rows = self.running.parts().tables.get_table_client("flows").list_entities()
        flows = [json.loads(str(row["flow"])) for row in rows if "flow" in row]
        return {str(flow[name]) for flow in flows for name in ("state", "nonce", "nonce_sent", "code_verifier")}

    def run_a_pass(self, trouble: Trouble | None = None) -> None:
        """One pass with something to do, perhaps in trouble, to its end."""
        for kind in ("create", "update"):
            self.control("POST", f"/mailboxes/{ADDRESS}/change", {"kinds": [kind], "count": 2, "seed": self.passes})
        if trouble:
            self.control(
                "POST",
                "/faults",
                {
                    "service": trouble.service,
                    "match": {"operation": trouble.operation},
                    "fault": trouble.fault,
                    "times": None,
                },
            )
        self.fire(json.dumps({"mailbox": self.mailbox_id}))
        self.control("DELETE", "/faults")

    def fails_in_a_pass(self, trouble: Trouble) -> bool:
        """Whether a pass in trouble has failed."""
        before = self.failures()
        self.run_a_pass(trouble)
        return self.failures() > before

    def failures(self) -> int:
        return sum("error" in said for _, said in self.ours())

    def rubbish_messages(self) -> None:
        """Messages that this program cannot have sent."""
        for text in (f"{WORD} no json", json.dumps({"mailbox": ADDRESS}), json.dumps({"mailbox": WORD, "sweep": 1})):
            self.fire(text)

    def fire(self, text: str) -> None:
        """Run the queue's function on a message, to its end."""
        ran = self.executed()
        self.running.host.fire("sync_mailbox", text)
        eventually("the function to end", lambda: self.executed() > ran)
        self.passes += 1

    def executed(self) -> int:
        return self.running.log.read_text(encoding="utf-8").count("Executed sync_mailbox")

    def leave(self) -> None:
        """The person erases everything."""
        fields = {"csrf": self.person.csrf(), "mailbox": self.mailbox_id}
        assert self.ask("POST", "/my-sync/erase", data=fields).ok

    @property
    def text(self) -> str:
        """All that the app has said, on stdout and stderr."""
        return self.running.log.read_text(encoding="utf-8")

    def ours(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The program's own lines: as the host has them, and what they say."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [
            (line, json.loads(line["message"]))
            for line in lines
            if line["logger"].partition(".")[0] in logs.OWN_LOGGERS
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    settings = {"SYNC_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER, "SYNC_SOURCE": "ews"}
    options = ("--in-memory", "--storage-proxy", "--messages", "1")
    with local_stack(tmp_path, *options, settings=settings) as running:
        somebody = {"address": ADDRESS, "password": PASSWORD, "display_name": f"{WORD.title()} Planted"}
        running.sandbox.control.post("/people", somebody)
        played = Scene(running, Person(running, ADDRESS))
        try:
            played.play()
            yield played
        finally:
            played.person.close()


def no_secret_is_in_anything_the_app_says(scene: Scene) -> None:
    said = scene.text.casefold()
    secrets = {secret for secret in scene.secrets if len(secret) >= SHORTEST_SECRET}
    assert len(secrets) > 12
    told = [secret for secret in secrets if secret.casefold() in said or quote(secret).casefold() in said]
    assert told == []


def no_token_of_any_sort_is_in_anything_the_app_says(scene: Scene) -> None:
    assert A_TOKEN.findall(scene.text) == []


def no_secret_is_in_an_address_that_the_app_sends_people_to(scene: Scene) -> None:
    redirects = " ".join(url for url in scene.urls if url).casefold()
    assert "/my-sync" in redirects
    assert WORD not in redirects
    assert "code=" not in redirects


def what_was_to_go_wrong_went_wrong(scene: Scene) -> None:
    failures = [said["error"] for _, said in scene.ours() if "error" in said]
    assert {failure["type"] for failure in failures} >= {
        "AdministratorMustAct",
        "OperatorMustAct",
        "RetryLater",
        "PersonMustSignIn",
        "MessageMalformed",
    }
    assert any("at" in failure for failure in failures)


def every_line_of_a_pass_has_its_mailbox_and_its_invocation(scene: Scene) -> None:
    lines = [(line, said) for line, said in scene.ours() if line.get("function") == "sync_mailbox"]
    of_passes = [(line, said) for line, said in lines if said.get("error", {}).get("type") != "MessageMalformed"]
    assert sum(said["event"] == "pass ended" for _, said in of_passes) > len(IN_PASSES) // 2
    for line, said in of_passes:
        assert said.get("mailbox_id") == scene.mailbox_id, said
        assert said["invocation_id"] == line["invocation"], said


def every_line_is_one_json_object_with_its_time(scene: Scene) -> None:
    for line in scene.text.splitlines():
        assert datetime.fromisoformat(json.loads(line)["time"]).tzinfo is UTC


def test_logs_hold_nothing_private_and_each_line_of_a_pass_has_its_ids(scene: Scene) -> None:
    no_secret_is_in_anything_the_app_says(scene)
    no_token_of_any_sort_is_in_anything_the_app_says(scene)
    no_secret_is_in_an_address_that_the_app_sends_people_to(scene)
    what_was_to_go_wrong_went_wrong(scene)
    every_line_of_a_pass_has_its_mailbox_and_its_invocation(scene)
    every_line_is_one_json_object_with_its_time(scene)


def test_the_lease_speaks_with_the_ids_of_its_pass(
    bench: Bench, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    with logs.log_context(mailbox_id="a-mailbox", invocation_id="an-invocation"):
        lease = bench.app.leases.acquire(bench.mailbox_id, seconds=15)
    assert lease
    faults.add("blob", table.status(500), match={"operation": "PUT leases"}, times=None)
    eventually("a renewal to fail", lambda: "lease not renewed" in caplog.text)
    faults.clear()
    lease.release()
    line = next(line for line in caplog.text.splitlines() if "lease not renewed" in line)
    assert '"mailbox_id": "a-mailbox"' in line
    assert '"invocation_id": "an-invocation"' in line
