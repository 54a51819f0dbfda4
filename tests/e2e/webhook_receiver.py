"""An endpoint of the app at a receiver of the sandbox, for tests that look at the events that arrive."""

from typing import TYPE_CHECKING, Any

import requests

from sandbox.local.local_stack import LocalStack

if TYPE_CHECKING:
    from tests.e2e.watching import Watched


class Hook:
    """An endpoint of the app at a receiver of the sandbox, called through the API with an operator's token."""

    def __init__(self, stack: LocalStack, name: str) -> None:
        self.stack = stack
        self.name = name
        self.url = f"{stack.sandbox.endpoints['webhooks']}/{name}"
        self.secret = self.id = ""
        self.token = stack.sandbox.control.post("/tokens", {"person": "robin@contoso.example", "kind": "api"})["token"]

    def call(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """Call the API, of the endpoint's own resource unless the whole path is given."""
        with requests.Session() as session:
            session.trust_env, session.verify = False, self.stack.ca
            headers = {"Authorization": f"Bearer {self.token}"}
            return session.request(
                method,
                self.stack.url + (path if path.startswith("/api") else f"/api/v1/webhooks{path}"),
                headers=headers,
                timeout=300,
                **more,
            )

    def register(self, **fields: object) -> dict[str, Any]:
        """Register the endpoint, and give the receiver its secret."""
        answer = self.call("POST", json={"url": self.url} | fields)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        self.id, self.secret = made["webhook"]["id"], made["secret"]
        self.stack.sandbox.control.patch(f"/webhooks/{self.name}", {"secrets": [self.secret], "forget": True})
        return made

    def received(self, kind: str = "", mailbox_id: str = "") -> list[dict[str, Any]]:
        """The data of the events that arrived, in their order."""
        rows = self.stack.sandbox.control.get(f"/webhooks/{self.name}")["received"]
        assert all(row["verified"] for row in rows)
        return [
            row["event"]["data"]
            for row in rows
            if kind in ("", row["event"]["type"]) and mailbox_id in ("", row["event"]["data"].get("mailbox_id"))
        ]

    def tells_all(self, one: "Watched") -> bool:
        """Whether the events name every page of a mailbox's feed, and tell that it was connected."""
        told = {
            page
            for data in self.received("mailbox.synced", one.id)
            for page in range(data["after"] + 1, data["feed"] + 1)
        }
        pages = set(range(1, one.parts.replica.load(one.id).sequence + 1))
        return told >= pages and bool(self.received("mailbox.connected", one.id))
