"""Bounds of one SMTP connection, each with the reason or precedent for its number.

Invariant: whatever a peer sends, the engine holds at most `buffer` octets of commands that wait
(plus what one read of the socket brought), one transaction of at most `recipients` recipients,
and no content at all. Rates, connections per address and the clock belong to the service.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All in octets or counts; seconds where it says so."""

    message: int = 50_000_000
    """Announced as SIZE (RFC 1870). 50 MB holds the 35 MB attachment that others' 50 MB limits
    allow, after base64."""

    line: int = 2_048
    """A command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512; the extensions add 26
    (SIZE), 17 (8BITMIME), 10 (SMTPUTF8), 500 (AUTH=), and 500 or so each for ENVID and ORCPT.
    Postfix uses 2,048 as well."""

    auth_line: int = 12_288
    """A line of an authentication exchange (RFC 4954 §4, and the AUTH command that carries an
    initial response)."""

    buffer: int = 65_536
    """Commands received ahead of their answers (PIPELINING). One full read of a socket; a client
    that sends more waits in TCP, as `wants_data` says."""

    buffer_hard: int = 1_048_576
    """Past this, handing in more is a bug of the caller: it went on reading in spite of
    `wants_data`. Wide enough for one large read that was under way already."""

    recipients: int = 1_000
    """Of one message; past it RCPT gets 452 (RFC 5321 §4.5.3.1.10), which makes clients send the
    rest in a second transaction. At least 100 is demanded (§4.5.3.1.8); Postfix has 1,000."""

    local_part: int = 255
    """RFC 5321 §4.5.3.1.1 says 64, but VERP and SRS senders in real mail are longer."""

    domain: int = 255
    """RFC 5321 §4.5.3.1.2, and what DNS can hold."""

    errors: int = 20
    """Commands that the engine itself had to refuse since the last accepted message; then 421.
    Postfix's hard limit."""

    refused_recipients: int = 200
    """Recipients refused for good since the last accepted message; then 421. Slows down
    harvesting of addresses; an honest list with that many dead entries continues in a new
    connection."""

    auth_failures: int = 5
    """Failed sign-ins of a connection, then 421. A mail program tries one or two; guessing has to
    reconnect, where the service's limits see it."""

    idle_commands: int = 100
    """NOOP, RSET, VRFY, HELP, EHLO and the like without an accepted message between; then 421
    (Postfix: `smtpd_junk_command_limit` 100)."""

    transactions: int = 10_000
    """MAIL commands of a connection; then 421. Lets a bulk sender live long, but not for ever, so
    that a drained or rebalanced node gets rid of it."""

    drain: int = 1_000_000_000
    """Octets of refused content that are read and thrown away so that the conversation stays in
    step. A client that goes on past this gets its answer and is disconnected."""

    command_seconds: float = 300.0
    """For a whole command to arrive, from the answer before it (RFC 5321 §4.5.3.2.7: at least
    five minutes). Counted from the answer and not from the last octet, so that a line cannot be
    dribbled."""

    auth_seconds: float = 120.0
    """For a line of an authentication exchange; the person or program is there."""

    content_idle_seconds: float = 180.0
    """Between two pieces of content (RFC 5321 §4.5.3.2.5, seen from the other side)."""

    content_seconds: float = 600.0
    """For content at no speed at all (RFC 5321 §4.5.3.2.6 has ten minutes)."""

    content_rate: int = 1_000
    """Octets a second that content must bring on the average once `content_seconds` are used up:
    slower than any modem still in use, fast enough to get rid of slow-loris."""
