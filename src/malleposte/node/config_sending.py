"""Section of the configuration: mail to other servers."""

import ipaddress
import re
from typing import Annotated, Final, Literal

from msgspec import Struct

from malleposte.node.config_fields import DAY, duration, number, says
from malleposte.secrets.redaction import Secret

_SERVER: Final = re.compile(
    r"(\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\[\]:\s]+))(:(?P<port>[0-9]{1,5}))?", re.ASCII
)


def server_of(text: str, port: int) -> tuple[str, int]:
    """Name or address and port of a server as it is written; ``port``: where none is. Raises
    ``ValueError``."""
    found = _SERVER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    number = int(found["port"] or port)
    if not 0 < number < 65536:
        raise ValueError(text)
    if found["six"]:
        return str(ipaddress.IPv6Address(found["six"])), number
    return found["host"], number


class Sending(Struct, frozen=True, kw_only=True):
    """Mail to other servers; docs/sending.md has all about it."""

    enabled: Annotated[
        bool,
        says(
            "Whether accounts may send to other domains. Off: what they submit for those is refused, in "
            "words. What is queued already stays there and is not tried."
        ),
    ] = False
    smart_host: Annotated[
        str,
        says(
            "All mail goes to this server, as `mail.example.net:587`. Empty: to the servers that the "
            "recipients' domains name."
        ),
    ] = ""
    smart_host_tls: Annotated[
        Literal["starttls", "implicit", "none"],
        says(
            "How mail to the smart host is encrypted, its certificate checked. `none`: not at all, and "
            "nobody signs in there beyond this machine."
        ),
    ] = "starttls"
    smart_host_user: Annotated[str, says("Name to sign in with there. Empty: without.")] = ""
    smart_host_password: Annotated[
        Secret[str] | None,
        says("The password to it, never shown; better in the environment than in this file."),
    ] = None
    lifetime: Annotated[
        int,
        duration("After that a message that could not be delivered goes back.", 3600, 30 * DAY),
    ] = 5 * DAY
    future_release: Annotated[
        int,
        duration(
            "How far ahead a mail program may have a message sent later (FUTURERELEASE). 0s: not at all.",
            0,
            366 * DAY,
        ),
    ] = 30 * DAY
    ipv4: Annotated[bool, says("Whether to connect by IPv4.")] = True
    ipv6: Annotated[
        bool,
        says(
            "Whether to connect by IPv6. Even so it is used only from an address whose PTR record leads "
            "back to it: without, other servers refuse mail."
        ),
    ] = True
    source_ipv4: Annotated[str, says("Address to connect from. Empty: the system's choice.")] = ""
    source_ipv6: Annotated[str, says("The same for IPv6.")] = ""
    resolvers: Annotated[
        str,
        says("Name servers, separated by spaces. Empty: those of /etc/resolv.conf."),
    ] = ""
    resolver_port: Annotated[int, number("Their port.", 1, 65535)] = 53
    port: Annotated[int, number("Port of other servers; 25 everywhere but in tests.", 1, 65535)] = (
        25
    )
    dane: Annotated[
        bool,
        says(
            "Whether other domains may say in the DNS which certificate their servers have (DANE). Counts "
            "where a resolver on this machine's loopback validates; `malleposte doctor` says whether "
            "one does."
        ),
    ] = True
    mta_sts: Annotated[
        bool,
        says("Whether other domains' policies of MTA-STS are fetched, and kept to."),
    ] = True
    tls_reports: Annotated[
        bool,
        says(
            "Whether domains that ask for it are told once a day how encryption with their servers went "
            "(TLSRPT)."
        ),
    ] = True
    account_messages: Annotated[
        int,
        number(
            "Messages that an account may send to other servers in an hour; what exceeds it is held in the "
            "queue. 0: without a limit. `malleposte limit` sets others.",
            0,
            1_000_000,
        ),
    ] = 500
    account_recipients: Annotated[
        int, number("Recipients on other servers in 24 hours, likewise.", 0, 10_000_000)
    ] = 2_000
    domain_messages: Annotated[
        int,
        number(
            "Messages of all accounts of a domain together in an hour, likewise.", 0, 10_000_000
        ),
    ] = 5_000
    domain_recipients: Annotated[
        int,
        number("Recipients of all accounts of a domain in 24 hours, likewise.", 0, 100_000_000),
    ] = 20_000
    networks: Annotated[
        str,
        says(
            "Networks that mail may go to though they are this machine's own (loopback, link-local), "
            "separated by spaces."
        ),
    ] = ""
    port_probes: Annotated[
        str,
        says(
            "Domains to whose mail servers `malleposte dns --check` connects, to see whether port 25 is "
            "open on the way out; nothing is sent. Empty: it does not."
        ),
    ] = "gmail.com outlook.com"
    block_lists: Annotated[
        str,
        says(
            "Public block lists that `malleposte dns --check` asks for this server's addresses. Empty: "
            "none."
        ),
    ] = "zen.spamhaus.org bl.spamcop.net psbl.surriel.com bl.mailspike.net"
    connections: Annotated[
        int, number("Connections of one worker to other servers.", 1, 10_000)
    ] = 200
    connections_each: Annotated[
        int, number("Connections of one worker to one destination.", 1, 1000)
    ] = 20
