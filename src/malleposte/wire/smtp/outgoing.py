"""What is sent to another server: the envelope with its parameters, and what that server can do.

RFC 5321 §4.1.1, RFC 1870, 3461, 6152, 6531, 4954. Addresses come ready: domains as A-labels, and ASCII
alone unless SMTPUTF8 is asked for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from .answers import RemoteReply

_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_OLD_AUTH = re.compile(r"^AUTH=", re.IGNORECASE)
_XTEXT = re.compile(r"[^!-*,-<>-~]")


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient. ``notify`` as NOTIFY has it and ``original`` as ``type;address``: '' to say none."""

    address: str
    notify: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An envelope. ``sender`` is '' for the null reverse-path; ``size`` in octets, 0 unknown;
    ``ret`` and ``envid`` '' to say none. Raises ``ValueError`` for an address that could end a command."""

    sender: str
    recipients: tuple[Addressee, ...]
    size: int = 0
    eightbit: bool = False
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("an envelope without a recipient")
        for address in (self.sender, *(one.address for one in self.recipients)):
            # A quoted local part may hold a space, which cannot end a command; a line end could.
            bare = re.sub(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"', "q", address)
            if _UNSAFE.search(bare) or not (self.smtputf8 or address.isascii()):
                raise ValueError(f"{address!r} cannot stand in a command")


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a server said to EHLO. ``size``: the largest message it takes, 0 where it does not say."""

    name: str = ""
    pipelining: bool = False
    size: int = 0
    eightbit: bool = False
    smtputf8: bool = False
    starttls: bool = False
    dsn: bool = False
    requiretls: bool = False
    mechanisms: frozenset[str] = frozenset()
    most_mails: int = 0
    """Transactions of a session (MAILMAX of RFC 9422), 0 where it does not say."""
    most_recipients: int = 0
    """Recipients of a transaction (RCPTMAX), likewise."""
    most_domains: int = 0
    """Domains that they are of (RCPTDOMAINMAX), likewise."""

    @classmethod
    def of(cls, reply: RemoteReply) -> Self:
        """From the reply to EHLO or LHLO (RFC 5321 §4.1.1.1)."""
        name, *rest = reply.lines
        words: dict[str, list[str]] = {}
        for line in rest:
            # «AUTH=PLAIN» is how servers of the last century said it.
            keyword, *values = _OLD_AUTH.sub("AUTH ", line).split()[:40] or [""]
            words.setdefault(keyword.upper(), []).extend(values)
        most = words.get("SIZE", ["0"])
        limits = dict(_limits(words.get("LIMITS", ())))
        return cls(
            name=name.split(" ")[0],
            pipelining="PIPELINING" in words,
            size=int(most[0]) if most and most[0].isdecimal() and len(most[0]) < 16 else 0,
            eightbit="8BITMIME" in words,
            smtputf8="SMTPUTF8" in words,
            starttls="STARTTLS" in words,
            dsn="DSN" in words,
            requiretls="REQUIRETLS" in words,
            mechanisms=frozenset(value.upper() for value in words.get("AUTH", ())),
            most_mails=limits.get("MAILMAX", 0),
            most_recipients=limits.get("RCPTMAX", 0),
            most_domains=limits.get("RCPTDOMAINMAX", 0),
        )


def _limits(words: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Names and numbers; what is not understood is passed over (RFC 9422)."""
    for word in words:
        name, _, number = word.partition("=")
        if number.isascii() and number.isdecimal() and len(number) < 10 and int(number):
            yield name.upper(), int(number)


def mail_command(outgoing: Outgoing, can: Extensions) -> bytes:
    """MAIL FROM with the parameters that the server knows."""
    words = [f"MAIL FROM:<{outgoing.sender}>"]
    if outgoing.size and can.size:
        words.append(f"SIZE={outgoing.size}")
    if outgoing.eightbit and can.eightbit:
        words.append("BODY=8BITMIME")
    if outgoing.smtputf8 and can.smtputf8:
        words.append("SMTPUTF8")
    if can.dsn:
        if outgoing.ret:
            words.append(f"RET={outgoing.ret}")
        if outgoing.envid:
            words.append(f"ENVID={xtext(outgoing.envid)}")
    return " ".join(words).encode("utf-8") + b"\r\n"


def rcpt_commands(recipients: Sequence[Addressee], can: Extensions) -> bytes:
    """RCPT TO for each recipient."""
    lines = []
    for one in recipients:
        line = f"RCPT TO:<{one.address}>"
        if can.dsn and one.notify:
            line += f" NOTIFY={one.notify}"
        if can.dsn and one.original:
            kind, _, address = one.original.partition(";")
            line += f" ORCPT={kind};{xtext(address)}"
        lines.append(line + "\r\n")
    return "".join(lines).encode("utf-8")


def xtext(text: str) -> str:
    """RFC 3461 §4; what is not ASCII as RFC 6533 §3 embeds it (``\\x{…}``)."""

    def one(found: re.Match[str]) -> str:
        number = ord(found[0])
        return f"+{number:02X}" if number < 0x80 else f"\\x{{{number:X}}}"

    return _XTEXT.sub(one, text.replace("\\", "\\x{5C}") if not text.isascii() else text)
