"""Sections of the configuration: HTTP, and what mail programs are told about this server."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from malleposte.node.config_fields import KB, MB, duration, number, says, size

ClientService = Literal["imap", "imaps", "pop3", "pop3s", "submission", "submissions"]
CLIENT_SERVICES: Final[tuple[ClientService, ...]] = (
    *("imaps", "imap", "pop3s", "pop3", "submissions", "submission"),
)
"""What people's mail programs use."""


class Web(Struct, frozen=True, kw_only=True):
    """Bounds of http and https."""

    url: Annotated[
        str,
        says(
            "Where the pages are reached from outside, as `https://mail.example.org`. Empty: made of "
            "`autoconfig.host` and the port of the first listener of https, or else of http. Needed "
            "where something in front of the server listens in its place."
        ),
    ] = ""
    hosts: Annotated[
        str,
        says(
            "Names under which pages may be asked for, separated by spaces, besides localhost, "
            "`node.hostname`, the name in `url`, IP addresses, the domains of this server, and "
            "`autoconfig.` and `autodiscover.` before them. Any other is refused, so that no web page "
            "can read what is here under a name of its own."
        ),
    ] = ""
    client: Annotated[
        Path | None,
        says(
            "Folder of the built web client. By default the one within the package, where that has one; "
            "in a checkout `make web` builds it and `make run` names it."
        ),
    ] = None
    max_head: Annotated[int, size("Largest header of a request.", 4 * KB, MB)] = 16 * KB
    max_body: Annotated[int, size("Largest content of a request.", 4 * KB, MB)] = 64 * KB
    connections: Annotated[int, number("Connections to one worker.", 10, 100_000)] = 5000
    connections_per_address: Annotated[
        int,
        number(
            "Connections from one address (IPv6: one /64) to one worker. Behind a proxy all come from "
            "its address: give it room.",
            1,
            100_000,
        ),
    ] = 200
    head_timeout: Annotated[
        int, duration("How long the header of a request may take to come in.", 5, 300)
    ] = 20
    body_timeout: Annotated[int, duration("How long its content may take after that.", 5, 3600)] = (
        30
    )
    keep_alive: Annotated[
        int, duration("Silence between two requests of a connection.", 5, 3600)
    ] = 75
    session_idle: Annotated[
        int, duration("Without use, then a session of the web client ends.", 600, 366 * 86_400)
    ] = 14 * 86_400
    session_lasts: Annotated[
        int,
        duration("After that it ends whatever is done with it.", 3600, 400 * 86_400),
    ] = 90 * 86_400


class Autoconfig(Struct, frozen=True, kw_only=True):
    """What mail programs are told about this server, by its settings files and by SRV records;
    docs/autoconfig.md has all about it. Ports are named only where they are others from outside than those
    listened on, as in a container or behind a proxy."""

    host: Annotated[
        str,
        says(
            "Name that programs connect to, one that the certificate has. Empty: `node.hostname`, or "
            "localhost where nothing listens beyond loopback."
        ),
    ] = ""
    imap: Annotated[
        int, number("Port of imap from outside. 0: the one it listens on.", 0, 65535)
    ] = 0
    imaps: Annotated[int, number("The same of imaps.", 0, 65535)] = 0
    pop3: Annotated[int, number("The same of pop3.", 0, 65535)] = 0
    pop3s: Annotated[int, number("The same of pop3s.", 0, 65535)] = 0
    submission: Annotated[int, number("The same of submission.", 0, 65535)] = 0
    submissions: Annotated[int, number("The same of submissions.", 0, 65535)] = 0


def is_web_url(text: str) -> bool:
    """Whether it is http or https, a name and perhaps a port, and no more."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and port != 0 and text == f"{parts.scheme}://{parts.netloc}"
