"""The sandbox as a process: without some services, with a real Exchange, and with nothing left on disk afterward."""

import base64
import json
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.local.sandbox_process import Sandbox, running_sandbox
from sandbox.tls.authority import Authority
from shared.settings import Settings

LEAN = ("--without", "exchange,storage")


class OtherExchange(BaseHTTPRequestHandler):
    """A server that authenticates people by address and password."""

    seen: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Authorization"], body))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"<ok>")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def other_exchange(tmp_path: Path) -> Iterator[tuple[str, Path, list[tuple[str, str, bytes]]]]:
    authority = Authority.create(tmp_path / "other")
    seen: list[tuple[str, str, bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Other", (OtherExchange,), {"seen": seen}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/EWS/Exchange.asmx", authority.ca, seen
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.json"
    path.write_text(json.dumps([{"address": "ann@corp.example", "password": "p:w"}]))
    return path


def post(sandbox: Sandbox, token: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/xml"}
        url, ca = sandbox.endpoints["exchange"], sandbox.endpoints["ca"]
        return session.post(url, data=b"<ask/>", headers=headers, verify=ca, timeout=300)


def test_the_environment_it_gives_is_all_that_the_app_needs(sandbox: Sandbox) -> None:
    settings = Settings.from_environ({"APP_URL": "https://localhost:7071"} | sandbox.app_environment)
    assert settings.ews_url == sandbox.endpoints["exchange"]
    assert settings.entra_client_id == sandbox.endpoints["client_id"]


def test_another_exchange_can_be_named_and_is_trusted_as_well(
    tmp_path: Path, people: Path, other_exchange: tuple[str, Path, object]
) -> None:
    url, ca, _ = other_exchange
    options = (*LEAN, "--ews-url", url, "--ews-ca", str(ca), "--people", str(people))
    with running_sandbox(tmp_path / "state", *options) as running:
        assert running.app_environment["EWS_URL"] == url
        assert [person["address"] for person in running.endpoints["people"]] == ["ann@corp.example"]
        bundle = Path(running.app_environment["REQUESTS_CA_BUNDLE"]).read_text()
        assert ca.read_text() in bundle
        assert Path(running.endpoints["ca"]).read_text() in bundle


def test_a_gateway_takes_tokens_for_an_exchange_that_knows_passwords_only(
    tmp_path: Path, people: Path, other_exchange: tuple[str, Path, list[tuple[str, str, bytes]]]
) -> None:
    url, ca, seen = other_exchange
    options = (*LEAN, "--ews-url", url, "--ews-ca", str(ca), "--ews-auth", "basic", "--people", str(people))
    with running_sandbox(tmp_path / "state", *options) as running:
        token = running.control.post("/tokens", {"person": "ann@corp.example"})["token"]
        assert post(running, "nonsense").status_code == 401
        assert seen == []
        assert post(running, token).content == b"<ok>"
    basic = base64.b64encode(b"ann@corp.example:p:w").decode()
    assert seen == [("/EWS/Exchange.asmx", f"Basic {basic}", b"<ask/>")]


def test_it_ends_on_a_signal_and_takes_its_endpoints_away(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, *LEAN) as running:
        assert (tmp_path / "endpoints.json").stat().st_mode & 0o077 == 0
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 0
        assert not (tmp_path / "endpoints.json").exists()


def nobody_listens(url: str) -> bool:
    """Whether a port is closed within ten seconds."""
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
    for _ in range(100):
        try:
            socket.create_connection(address, timeout=5).close()
        except ConnectionRefusedError:
            return True
        threading.Event().wait(0.1)
    return False


def test_killed_outright_it_still_takes_azurite_with_it(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, "--without", "exchange", "--in-memory") as running:
        running.process.kill()
        running.process.wait(20)
        assert nobody_listens(running.endpoints["blob"])


def test_people_that_cannot_be_used_are_refused_in_a_sentence(
    tmp_path: Path, people: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    people.write_text('[{"address": "ann@corp.example"}]')
    with pytest.raises(RuntimeError), running_sandbox(tmp_path, *LEAN, "--people", str(people)):
        pass
    assert "person 1 needs an address and a password" in capfd.readouterr().err


def test_your_own_mail_is_nowhere_once_the_sandbox_has_ended(tmp_path: Path) -> None:
    """While it runs only the owner can read it. A second sandbox fails to start and does not affect the first one."""
    mbox, state = tmp_path / "private.mbox", tmp_path / "state"
    mbox.write_text("From a@b.example Thu Jan  1 00:00:00 2026\nSubject: the-secret-word\n\nBody\n\n")
    with running_sandbox(state, "--without", "exchange", "--mbox", str(mbox)) as running:
        assert state.stat().st_mode & 0o777 == 0o700
        stored = state / "azurite" / "synced"
        stored.write_text("the-secret-word")
        endpoints = (state / "endpoints.json").read_bytes()
        with pytest.raises(RuntimeError, match="did not start"), running_sandbox(state, *LEAN):
            pass
        assert stored.exists()
        assert (state / "endpoints.json").read_bytes() == endpoints
        assert running.control.get("/health")
    left = [path for path in state.rglob("*") if path.is_file() and b"the-secret-word" in path.read_bytes()]
    assert left == []


def test_what_a_killed_sandbox_left_goes_with_the_next(tmp_path: Path) -> None:
    stored = tmp_path / "state" / "azurite" / "synced"
    with running_sandbox(tmp_path / "state", *LEAN) as running:
        stored.parent.mkdir()
        stored.write_text("mail")
        running.process.kill()
        running.process.wait()
        assert stored.exists()
    with running_sandbox(tmp_path / "state", *LEAN):
        assert not stored.exists()
