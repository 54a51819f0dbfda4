"""The sandbox's command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("entra", "exchange", "graph", "key_vault", "identity", "storage")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's options. `port_base` 0 means ports that the system chooses."""

    state: Path
    port_base: int
    app_urls: tuple[str, ...]
    mbox: Path | None
    maildir: Path | None
    messages: int | None
    people: Path | None
    without: frozenset[str]
    ews_url: str
    ews_ca: Path | None
    ews_auth: str
    ews_schema: Path | None
    storage_proxy: bool
    in_memory: bool
    tethered: bool


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line; exits with a message when it is invalid."""
    parser = _parser()
    read = parser.parse_args(arguments)
    without = frozenset(part.strip() for part in read.without.split(",") if part.strip())
    if unknown := without - set(SERVICES):
        parser.error(f"--without: unknown {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    if read.mbox and read.maildir:
        parser.error("--mbox and --maildir exclude each other")
    if read.mbox and not read.mbox.is_file():
        parser.error(f"--mbox: there is no file {read.mbox}")
    if read.maildir and not (read.maildir / "cur").is_dir():
        parser.error(f"--maildir: {read.maildir} is no Maildir: it has no folder cur")
    if read.ews_url and "exchange" not in without:
        parser.error("--ews-url names another Exchange: say --without exchange as well")
    named = vars(read) | {"port_base": _port(parser, read.port_base), "without": without}
    named["app_urls"] = tuple(named.pop("app_url") or ["https://localhost:7071"])
    return Options(**named)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number from 0 on")
    return int(text)


def _port(parser: argparse.ArgumentParser, given: str) -> int:
    if given == "ephemeral":
        return 0
    if not given.isdigit() or not 1024 <= int(given) <= 65000:
        parser.error("--port-base must be a port from 1024 to 65000, or ephemeral")
    return int(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sandbox", description="Microsoft 365 on one machine, for trying out.")
    add = parser.add_argument
    add("--state", type=Path, default=Path(".sandbox"), help="directory for certificates, endpoints.json and storage")
    add("--port-base", default="ephemeral", help="first of the ports to use, or ephemeral (default)")
    add("--app-url", action="append", help="where the app is served: registered with the sandbox's Entra ID")
    add("--mbox", type=Path, help="an mbox file to load into the first person's mailbox instead of the corpus")
    add("--maildir", type=Path, help="a Maildir to load instead")
    add("--messages", type=_count, help="how many messages of the corpus the biggest mailbox begins with")
    add("--people", type=Path, help="a JSON file: people (address, password) instead of the usual ones")
    add("--without", default="", help=f"leave services out: {', '.join(SERVICES)}")
    add("--ews-url", default="", help="the EWS URL of a real Exchange, with --without exchange")
    add("--ews-ca", type=Path, help="PEM file with the authority of that server's certificate")
    add(
        "--ews-auth",
        choices=("bearer", "basic"),
        default="bearer",
        help="how that server authenticates: with the sandbox's tokens, or with address and password through a gateway",
    )
    add("--ews-schema", type=Path, help="folder with Exchange's messages.xsd and types.xsd, to serve beside its WSDL")
    add(
        "--storage-proxy", action="store_true", help="put a proxy in front of Azurite, so that faults reach Storage too"
    )
    add("--in-memory", action="store_true", help="keep Storage in memory")
    add("--tethered", action="store_true", help="end when standard input closes")
    return parser
