"""Sections of the configuration: where a server listens, and the certificate that it shows there."""

from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from malleposte.node.config_fields import duration, number, says

Service = Literal[
    "smtp",
    "submission",
    "submissions",
    "lmtp",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "managesieve",
    "http",
    "https",
]
TlsMode = Literal["none", "starttls", "implicit"]

# RFC 5321, 6409, 8314, RFC 9051 §2.1, RFC 1939 §3, RFC 5804 §1.8, RFC 9110 §4.2. LMTP has no port of its
# own (RFC 2033 §5: not 25).
STANDARD_PORTS: Final[dict[Service, int]] = {
    "smtp": 25,
    "submission": 587,
    "submissions": 465,
    "imap": 143,
    "imaps": 993,
    "pop3": 110,
    "pop3s": 995,
    "managesieve": 4190,
    "http": 80,
    "https": 443,
}
USUAL_TLS: Final[dict[Service, TlsMode]] = {
    "smtp": "starttls",
    "submission": "starttls",
    "submissions": "implicit",
    "lmtp": "none",
    "imap": "starttls",
    "imaps": "implicit",
    "pop3": "starttls",
    "pop3s": "implicit",
    "managesieve": "starttls",
    "http": "none",
    "https": "implicit",
}


class Listener(Struct, frozen=True, kw_only=True):
    """A place where a service listens: an address and a port, or the path of a Unix socket. With no
    `[[listeners]]` at all: smtp, submission, submissions, imap and imaps on their standard ports of
    all addresses; pop3, pop3s, managesieve, http and https only where they are named."""

    service: Annotated[Service, says("What is spoken here.")]
    address: Annotated[
        str,
        says(
            "IP address to listen on; `*` is every IPv4 and IPv6 address. `usual` is 127.0.0.1 for lmtp, "
            "which asks nobody to sign in, `*` for the others."
        ),
    ] = "usual"
    port: Annotated[
        int,
        number(
            "TCP port. 0: the service's standard port (smtp 25, submission 587, submissions 465, "
            "imap 143, imaps 993, pop3 110, pop3s 995, managesieve 4190, http 80, https 443).",
            0,
            65535,
        ),
    ] = 0
    socket: Annotated[
        Path | None,
        says(
            "Path of a Unix socket, in place of address and port: mode 0660, of `node.user` and its "
            "group, in a folder where that user may make it."
        ),
    ] = None
    proxies: Annotated[
        str,
        says(
            "Addresses and networks of proxies, separated by spaces: here they alone connect, and say "
            "first for whom (PROXY protocol, version 1 or 2). Such a listener has a port of its own, "
            "beside the one for everybody."
        ),
    ] = ""
    tls: Annotated[
        TlsMode | Literal["usual"],
        says(
            "`implicit`: TLS from the first byte; `starttls`: offered on request; `none`. `usual` "
            "is implicit for submissions, imaps, pop3s and https, none for lmtp and http, starttls for "
            "the others."
        ),
    ] = "usual"

    def __post_init__(self) -> None:
        """Resolve `usual`: whoever reads the address wants a place."""
        if self.address == "usual":
            inside = self.service == "lmtp" and self.socket is None
            force_setattr(self, "address", "127.0.0.1" if inside else "*")

    @property
    def tls_mode(self) -> TlsMode:
        """The mode, with `usual` resolved."""
        return USUAL_TLS[self.service] if self.tls == "usual" else self.tls

    @property
    def port_number(self) -> int:
        """The TCP port, with 0 resolved; 0 only for a Unix socket."""
        return 0 if self.socket else self.port or STANDARD_PORTS.get(self.service, 0)

    @property
    def place(self) -> str:
        """For logs: `imap on *:143`, `lmtp on /run/malleposte/lmtp.sock`."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.service} on {self.socket or f'{address}:{self.port_number}'}"


STANDARD_LISTENERS: Final = tuple(
    Listener(service=service) for service in ("smtp", "submission", "submissions", "imap", "imaps")
)


class Tls(Struct, frozen=True, kw_only=True):
    """The certificate shown to clients. Files that changed, or that were not there at the start, are taken
    within a minute; no connection is dropped. Where there are none, TLS is not offered, and connections
    that would begin with it are closed."""

    certificate: Annotated[
        Path | None,
        says(
            "PEM file with the certificate and its chain. By default `tls/server.pem` in "
            "`node.data_dir`, which `malleposte init` makes."
        ),
    ] = None
    key: Annotated[
        Path | None,
        says("PEM file with the private key. By default `tls/server.key` in `node.data_dir`."),
    ] = None
    look_every: Annotated[
        int, duration("How often the files are looked at for a change.", 1, 60)
    ] = 30
