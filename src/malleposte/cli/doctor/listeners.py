"""The listeners: who has the ports, what certificate they show, whether they relay for strangers.

The relay test goes to each of our own listeners from each of our own addresses, IPv4 and IPv6, and asks
for a recipient elsewhere in several spellings. It stops after RCPT: nothing is ever sent.
"""

import contextlib
import hashlib
import imaplib
import ipaddress
import os
import poplib
import smtplib
import socket
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from malleposte.cli.doctor.addresses import own_addresses
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.cli.doctor.files import certificate_facts
from malleposte.node.config import Configuration
from malleposte.node.config_listeners import Listener
from malleposte.operations.devices import DeviceShown
from malleposte.runtime.tls import CertificateError

PATIENCE: Final = 10.0
STRANGER: Final = "relay-test@example.net"
"""Nobody (RFC 2606)."""
NOBODY: Final = "relay-test-of-nobody"
"""A local part that is not in use."""
MAX_SAID: Final = 64 * 1024
"""Octets of an answer of ManageSieve."""
MAX_FROM: Final = 50
"""Own addresses that the test is made from."""
MAX_SENDERS: Final = 20
"""Addresses of devices that it is made as."""


def checks(
    configuration: Configuration,
    *,
    running: bool,
    domains: tuple[str, ...],
    devices: tuple[DeviceShown, ...] = (),
) -> Iterator[Check]:
    """Everything about listeners; ``domains`` are ours, and so are ``devices``."""
    for listener in configuration.listeners:
        yield _port(listener, running=running)
        if (
            listener.service == "lmtp"
            and listener.socket is None
            and not is_inside(listener.address)
        ):
            yield _open_lmtp(listener)
    if not running:
        return
    yield from _certificates(configuration)
    yield from _relaying(configuration, domains, devices)


def _relaying(
    configuration: Configuration, domains: tuple[str, ...], devices: tuple[DeviceShown, ...]
) -> Iterator[Check]:
    relayed: list[str] = []
    untried: list[str] = []
    tried: Counter[int] = Counter()
    for listener in configuration.listeners:
        if listener.service in ("smtp", "submission", "submissions", "lmtp"):
            for source, target in () if listener.proxies else _ways(listener):
                senders = [one for device in _near(devices, source) for one in device]
                try:
                    relayed += _relays(listener, source, target, domains, senders)
                    tried[6 if ":" in target else 4] += 1
                except (OSError, smtplib.SMTPException) as error:
                    untried.append(f"{_way(listener, source)}: {error}")
    if relayed:
        remedy = "stop the server now, and report this: no setting may allow it"
        if any(_near(devices, own) for own in own_addresses()):
            remedy = (
                "a device's network holds an address of this machine, and with it whatever a container or "
                "a proxy lets through: `malleposte device list`, then `malleposte device networks`"
            )
        yield wrong(
            "open relay", f"THIS SERVER RELAYS FOR STRANGERS: {'; '.join(relayed[:5])}", remedy
        )
    elif tried and not untried:
        ways = f"{tried[4]} ways by IPv4, {tried[6]} by IPv6"
        yield ok("open relay", f"refused on every listener from every own address ({ways})")
    if untried:
        more = f" and {len(untried) - 5} more" if len(untried) > 5 else ""
        yield warn(
            "open relay",
            f"it was not tried {'; '.join(untried[:5])}{more}",
            "look what stands between this machine's own addresses (a firewall?), and run this again",
        )


def _port(listener: Listener, *, running: bool) -> Check:
    place = listener.place
    if running:
        target = _target(listener)
        try:
            with _connected(listener, None, target):
                return ok("port", f"{place} answers")
        except OSError as error:
            return wrong(
                "port",
                f"{place} does not answer: {error.strerror or error}",
                "restart the server; its log says what it listens on",
            )
    if listener.socket is not None:
        return ok("port", f"{place}: the server is not running")
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    address = "0.0.0.0" if listener.address == "*" else listener.address  # noqa: S104 - only to try
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, listener.port_number))
        except PermissionError:
            return wrong(
                "port",
                f"{place}: not allowed to this user",
                "run as root, or give the service CAP_NET_BIND_SERVICE",
            )
        except OSError as error:
            who = holder(listener.port_number)
            by = f" by {who}" if who else ""
            return wrong(
                "port",
                f"{place} cannot be had: {error.strerror}{by}",
                "stop that program, or choose another port",
            )
    return ok("port", f"{place} is free; the server is not running")


def is_inside(address: str) -> bool:
    """Whether only this machine reaches an address."""
    return address != "*" and ipaddress.ip_address(address).is_loopback


def _open_lmtp(listener: Listener) -> Check:
    """LMTP is between servers that trust each other (RFC 2033)."""
    return warn(
        "lmtp",
        f"{listener.place}: who reaches it files mail for all accounts, without signing in",
        'give `address = "127.0.0.1"` or a `socket`; else a firewall must let in none but the server '
        "that delivers here",
    )


def holder(port: int) -> str:
    """Which process listens on a port, as far as this user may see."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor) in inodes:
                    name = (process / "comm").read_text().strip()
                    return f"{name} (process {process.name})"
    return ""


def _target(listener: Listener) -> str:
    """An address at which a listener is reached from here."""
    if listener.address in ("*", "0.0.0.0"):  # noqa: S104 - compared
        return "127.0.0.1"
    return "::1" if listener.address == "::" else listener.address


def _connected(listener: Listener, source: str | None, target: str) -> socket.socket:
    if listener.socket is not None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(str(listener.socket))
        except OSError:
            sock.close()
            raise
        return sock
    origin = (source, 0) if source else None
    return socket.create_connection((target, listener.port_number), PATIENCE, origin)


# The certificate ----------------------------------------------------------------------------------


def _certificates(configuration: Configuration) -> Iterator[Check]:
    try:
        wanted = certificate_facts(configuration).fingerprint
    except CertificateError:
        return  # said already
    good = []
    for listener in configuration.listeners:
        if listener.tls_mode == "none" or listener.proxies:
            continue
        try:
            served = hashlib.sha256(_served(listener)).hexdigest()
        except (
            OSError,
            smtplib.SMTPException,
            imaplib.IMAP4.error,
            poplib.error_proto,
        ) as error:
            yield wrong(
                "served certificate",
                f"{listener.place}: no TLS could be had: {error}",
                "look into the server's log",
            )
            continue
        if served == wanted.replace(":", "").lower():
            good.append(listener.place)
        else:
            yield wrong(
                "served certificate",
                f"{listener.place} shows another certificate than {configuration.certificate_file}",
                "a new one is taken within a minute; if it is older, look into the server's log",
            )
    if good:
        yield ok("served certificate", f"the configured one on {', '.join(good)}")


def _served(listener: Listener) -> bytes:
    """The certificate a listener shows, DER."""
    context = ssl.create_default_context()
    # Looked at, not trusted: a self-signed one is to be seen as well.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    target, port = _target(listener), listener.port_number
    if listener.tls_mode == "implicit":
        with _connected(listener, None, target) as plain, context.wrap_socket(plain) as wrapped:
            return wrapped.getpeercert(binary_form=True) or b""
    if listener.service == "imap":
        with imaplib.IMAP4(target, port, PATIENCE) as imap:
            imap.starttls(context)
            assert isinstance(imap.sock, ssl.SSLSocket)
            return imap.sock.getpeercert(binary_form=True) or b""
    if listener.service == "pop3":
        pop3 = poplib.POP3(target, port, PATIENCE)
        try:
            pop3.stls(context)
            assert isinstance(pop3.sock, ssl.SSLSocket)
            return pop3.sock.getpeercert(binary_form=True) or b""
        finally:
            pop3.close()
    if listener.service == "managesieve":
        with _connected(listener, None, target) as plain:
            _sieve_answer(plain)
            plain.sendall(b"STARTTLS\r\n")
            _sieve_answer(plain)
            with context.wrap_socket(plain) as wrapped:
                return wrapped.getpeercert(binary_form=True) or b""
    with smtplib.SMTP(target, port, timeout=PATIENCE) as smtp:
        smtp.starttls(context=context)
        assert isinstance(smtp.sock, ssl.SSLSocket)
        return smtp.sock.getpeercert(binary_form=True) or b""


def _sieve_answer(sock: socket.socket) -> None:
    """Read up to the line that says OK (RFC 5804 §1.2). Raises ``OSError`` for any other answer."""
    said = b""
    while True:
        octets = sock.recv(4096)
        said += octets
        last = said.splitlines()[-1] if said.endswith(b"\r\n") else b""
        if last.startswith(b"OK"):
            return
        if not octets or len(said) > MAX_SAID or last.startswith((b"NO", b"BYE")):
            raise OSError(last.decode("ascii", "replace") or "no ManageSieve is spoken there")


# Relaying -----------------------------------------------------------------------------------------


def _ways(listener: Listener) -> Iterator[tuple[str | None, str]]:
    """(from, to) pairs of own addresses by which a listener can be asked."""
    if listener.socket is not None:
        yield None, ""
        return
    for own in own_addresses()[:MAX_FROM]:
        six = ":" in own
        if listener.address in ("*", "::" if six else "0.0.0.0"):  # noqa: S104 - compared
            yield own, own
        elif (":" in listener.address) == six and listener.address not in ("0.0.0.0", "::"):  # noqa: S104
            yield own, listener.address


def _near(devices: tuple[DeviceShown, ...], source: str | None) -> list[tuple[str, ...]]:
    """What the devices that an own address belongs to send from."""
    if source is None:
        return []
    address = ipaddress.ip_address(source)
    return [
        (device.address, *(one.removesuffix("*") for one in device.senders))
        for device in devices
        if any(address in ipaddress.ip_network(network) for network in device.networks)
    ]


def _relays(
    listener: Listener,
    source: str | None,
    target: str,
    domains: tuple[str, ...],
    senders: Sequence[str] = (),
) -> list[str]:
    """Spellings of a stranger that a listener took, in words. Raises ``OSError`` and
    ``smtplib.SMTPException`` where it could not be asked even once."""
    ours = domains[0] if domains else "localhost"
    local, _, elsewhere = STRANGER.partition("@")
    recipients = (
        STRANGER,
        f"{local}%{elsewhere}@{ours}",
        f"@{ours}:{STRANGER}",
        f'"{STRANGER}"@{ours}',
        f"{elsewhere}!{local}@{ours}",
        f'"{STRANGER}"',
    )
    taken: list[str] = []
    asked = False
    trouble: OSError | smtplib.SMTPException | None = None
    for sender in ("doctor@example.com", f"postmaster@{ours}", "", *senders[:MAX_SENDERS]):
        try:
            with _session(listener, source, target) as smtp:
                smtp.ehlo_or_helo_if_needed()
                code, _ = smtp.docmd("MAIL", f"FROM:<{sender}>")
                asked = True
                if code >= 400:
                    continue
                # Where the domain has a catch-all, any local part is an address here, however it looks.
                code, _ = smtp.docmd("RCPT", f"TO:<{NOBODY}@{ours}>")
                catches = code < 400
                for recipient in recipients:
                    if catches and recipient.endswith(f"@{ours}"):
                        continue
                    code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
                    if code < 400:
                        way = _way(listener, source)
                        taken.append(f"{way}: <{recipient}> from <{sender}>: {code} {text!r}")
                smtp.docmd("RSET")
        except (OSError, smtplib.SMTPException) as error:
            trouble = error
    if trouble is not None and not asked:
        raise trouble
    return taken


def _way(listener: Listener, source: str | None) -> str:
    return f"{source} to {listener.place}" if source else listener.place


def _session(listener: Listener, source: str | None, target: str) -> smtplib.SMTP:
    origin = (source, 0) if source else None
    if listener.service == "lmtp":
        host = str(listener.socket) if listener.socket is not None else target
        return smtplib.LMTP(host, listener.port_number, timeout=PATIENCE, source_address=origin)
    if listener.tls_mode == "implicit":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return smtplib.SMTP_SSL(
            target, listener.port_number, timeout=PATIENCE, source_address=origin, context=context
        )
    return smtplib.SMTP(target, listener.port_number, timeout=PATIENCE, source_address=origin)


def unexamined() -> Check:
    """Where no server runs."""
    return warn(
        "server",
        "it is not running: listeners, served certificate and relaying were not looked at",
        "start it (`malleposte serve`), then run this again",
    )
